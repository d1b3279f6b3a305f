#include "server/grpc/listener.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <thread>
#include <unordered_map>
#include <vector>

#include "logging/logging.h"
#include "server/grpc/listening_sockets.h"

namespace smsflow::server {

namespace {

constexpr std::int64_t kRestMs = 100;  // until file descriptors, or room, are looked for again
constexpr std::int64_t kProbeWithinMs = 5'000;
constexpr std::int64_t kComplainEveryMs = 60'000;
constexpr std::uint64_t kKeptForOthers = 512;  // file descriptors: of RocksDB, logs, metrics
constexpr std::uint64_t kAlwaysOpen = 36;      // but for tables: 30 of a new folder, and what compaction writes

std::int64_t NowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

bool IsShortage(int error) { return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM; }

// Which connections are still open. Whoever took them closes them without a word; but a socket's inode number is its
// own, so a descriptor that was closed, or stands for something else by now, is told by it.
class OpenConnections {
 public:
  void Add(int fd, std::string from) {
    if (const auto before = open_.find(fd); before != open_.end()) Leave(before->second.from);
    if (!from.empty()) ++by_address_[from];
    open_.insert_or_assign(fd, Entry{InodeOf(fd), std::move(from)});
  }
  std::size_t Count() {
    std::erase_if(open_, [this](const auto& entry) {
      if (InodeOf(entry.first) == entry.second.inode) return false;
      Leave(entry.second.from);
      return true;
    });
    return open_.size();
  }
  // No more than this many: those that were closed since the last Count() are among them.
  std::size_t most() const { return open_.size(); }
  std::size_t most_of(const std::string& from) const {
    const auto found = by_address_.find(from);
    return found == by_address_.end() ? 0 : found->second;
  }

 private:
  struct Entry {
    ino_t inode;
    std::string from;
  };

  void Leave(const std::string& from) {
    const auto found = by_address_.find(from);
    if (found != by_address_.end() && --found->second == 0) by_address_.erase(found);
  }
  static ino_t InodeOf(int fd) {
    struct stat file {};
    return ::fstat(fd, &file) == 0 && S_ISSOCK(file.st_mode) ? file.st_ino : 0;
  }
  std::unordered_map<int, Entry> open_;
  std::unordered_map<std::string, std::size_t> by_address_;  // those of no address are not in there
};

class ListenerImpl final : public Listener {
 public:
  ListenerImpl(ListenerOptions options, ListeningSockets sockets)
      : options_(std::move(options)), sockets_(std::move(sockets)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    address_ = options_.address;
    if (sockets_.port() != 0) address_ = address_.substr(0, address_.rfind(':') + 1) + std::to_string(sockets_.port());
    heard_ms_ = NowMs();
  }
  ~ListenerImpl() override { Stop(); }

  const std::string& address() const override { return address_; }

  void Start(Take take) override {
    take_ = std::move(take);
    probe_at_ms_ = NowMs() + options_.probe_every_ms;
    thread_ = std::thread([this] { Loop(); });
  }

  void Stop() override {
    stopping_ = true;
    const std::uint64_t one = 1;
    if (::write(wake_.get(), &one, sizeof one) < 0) return;
    if (thread_.joinable()) thread_.join();
    sockets_ = ListeningSockets();
  }

  ListenerFigures figures() const override {
    return {accepted_, refused_, starved_, reopened_, open_, NowMs() - heard_ms_};
  }

 private:
  void Loop() {
    while (!stopping_) {
      const bool resting = NowMs() < rest_till_ms_;
      std::vector<pollfd> waits{{wake_.get(), POLLIN, 0}};
      if (!resting) {
        for (const Descriptor& socket : sockets_.all()) waits.push_back({socket.get(), POLLIN, 0});
      }
      ::poll(waits.data(), waits.size(), static_cast<int>(resting ? kRestMs : WaitMs()));
      if (stopping_) return;
      for (std::size_t i = 1; i < waits.size(); ++i) {
        if (waits[i].revents != 0) AcceptAll(waits[i].fd);
      }
      Probe();
    }
  }

  std::int64_t WaitMs() const {
    const std::int64_t till_ms = probe_ ? probe_till_ms_ : probe_at_ms_;
    return std::clamp<std::int64_t>(till_ms - NowMs(), 1, options_.probe_every_ms);
  }

  void AcceptAll(int listener) {
    while (!stopping_) {
      SocketName from;
      Descriptor came(::accept4(listener, from.get(), &from.length, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!came.ok()) {
        if (errno == EINTR || errno == ECONNABORTED) continue;
        if (IsShortage(errno)) {
          Starve();
        } else if (errno != EAGAIN) {
          rest_till_ms_ = NowMs() + kRestMs;  // whatever it is, it must not spin; the next call on itself will tell
        }
        return;
      }
      if (probe_ && probe_->name.IsCaller(from)) {
        Heard();
        continue;
      }
      std::string address = from.Host();
      if (!HasRoom(address)) continue;
      connections_.Add(came.get(), std::move(address));
      ++accepted_;
      open_ = connections_.most();
      take_(listener, came.Release());
    }
  }

  // Who waits is not sent away: there may be room in a moment, and nobody can be told without a descriptor.
  void Starve() {
    ++starved_;
    rest_till_ms_ = NowMs() + kRestMs;
    Complain("no file descriptor is left for a connection: it waits", ::strerrordesc_np(errno));
  }

  bool HasRoom(const std::string& address) {
    if (IsRoom(address)) return true;
    // Counting asks the kernel about each: not more often than it can matter.
    if (NowMs() >= count_at_ms_) {
      count_at_ms_ = NowMs() + kRestMs;
      open_ = connections_.Count();
      if (IsRoom(address)) return true;
    }
    ++refused_;
    if (connections_.most() < options_.connections_max) {
      Complain("too many connections of one address are open: more are refused",
               std::to_string(options_.per_address_max));
    } else {
      Complain("too many connections are open: more are refused", std::to_string(options_.connections_max));
    }
    return false;
  }
  bool IsRoom(const std::string& address) const {
    return connections_.most() < options_.connections_max &&
           (options_.per_address_max == 0 || connections_.most_of(address) < options_.per_address_max);
  }

  // Calls on itself, and sees to it that the call was heard.
  void Probe() {
    const std::int64_t now_ms = NowMs();
    if (probe_ && now_ms >= probe_till_ms_) {
      probe_.reset();
      Reopen(absl::DeadlineExceededError("a call was not heard"));
    } else if (!probe_ && now_ms >= probe_at_ms_ && now_ms >= rest_till_ms_) {
      probe_at_ms_ = now_ms + options_.probe_every_ms;
      open_ = connections_.Count();
      auto call = sockets_.all().empty() ? absl::UnavailableError("there is no socket") : sockets_.Call();
      if (call.ok()) {
        probe_.emplace(*std::move(call));
        probe_till_ms_ = now_ms + kProbeWithinMs;
      } else if (!IsShortage(errno)) {
        Reopen(call.status());
      }
    }
  }

  void Heard() {
    probe_.reset();
    heard_ms_ = NowMs();
    probe_at_ms_ = heard_ms_ + options_.probe_every_ms;
  }

  void Reopen(const absl::Status& why) {
    Log(LogLevel::kError, "a listener did not hear itself: its sockets are made anew",
        {{"door", options_.door}, {"address", address_}, {"error", std::string(why.message())}});
    sockets_ = ListeningSockets();
    auto again = ListeningSockets::Open(address_);
    if (again.ok()) {
      sockets_ = *std::move(again);
      ++reopened_;
    } else {
      Log(LogLevel::kError, "a listener cannot listen; it tries again",
          {{"door", options_.door}, {"address", address_}, {"error", std::string(again.status().message())}});
    }
    probe_at_ms_ = NowMs() + std::min<std::int64_t>(options_.probe_every_ms, 1'000);
  }

  void Complain(const char* what, const std::string& detail) {
    if (NowMs() < complain_at_ms_) return;
    complain_at_ms_ = NowMs() + kComplainEveryMs;
    Log(LogLevel::kError, what, {{"door", options_.door}, {"address", address_}, {"detail", detail}});
  }

  const ListenerOptions options_;
  std::string address_;
  Take take_;

  // Of the thread.
  ListeningSockets sockets_;
  OpenConnections connections_;
  std::optional<ListeningSockets::Caller> probe_;
  std::int64_t probe_at_ms_ = 0;
  std::int64_t probe_till_ms_ = 0;
  std::int64_t rest_till_ms_ = 0;
  std::int64_t count_at_ms_ = 0;
  std::int64_t complain_at_ms_ = 0;

  const Descriptor wake_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> accepted_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::uint64_t> starved_{0};
  std::atomic<std::uint64_t> reopened_{0};
  std::atomic<std::size_t> open_{0};
  std::atomic<std::int64_t> heard_ms_{0};
  std::thread thread_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> Listener::Open(ListenerOptions options) {
  auto sockets = ListeningSockets::Open(options.address);
  if (!sockets.ok()) return sockets.status();
  return std::make_unique<ListenerImpl>(std::move(options), *std::move(sockets));
}

ConnectionsOfDoors ShareConnections(std::size_t grpc_wanted, std::size_t rest_wanted, std::uint64_t file_limit) {
  // Of few, RocksDB alone may keep a third open.
  const std::uint64_t kept =
      file_limit >= 2 * kKeptForOthers ? kKeptForOthers : std::max(file_limit / 2, file_limit / 3 + kAlwaysOpen);
  const auto room = static_cast<std::size_t>(file_limit > kept + 2 ? file_limit - kept : 2);
  ConnectionsOfDoors share;
  share.rest = std::min(rest_wanted, std::max(room / 2, room - std::min(grpc_wanted, room)));
  share.grpc = std::clamp<std::size_t>(grpc_wanted, 1, room - share.rest);
  return share;
}

std::size_t PerAddressMax(std::size_t wanted, std::size_t connections_max) {
  return wanted == 0 ? (connections_max + 1) / 2 : std::min(wanted, connections_max);
}

}  // namespace smsflow::server
