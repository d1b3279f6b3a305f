#include "tools/bench/rest_load.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <deque>
#include <functional>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/seams.h"
#include "tools/bench/server_process.h"

namespace smsflow::bench {
namespace {

constexpr std::int64_t kAheadSeconds = 30 * 24 * 3600;
constexpr int kWaitMs = 1;
constexpr double kPatienceSeconds = 20;
// JSON holds no bytes: so many of them are as long in base64 as a payload is over gRPC.
constexpr std::size_t kRawBytes = kPayloadBytes / 4 * 3;

struct Connection {
  int fd = -1;
  std::string out, in;
  double due = 0;  // of what it waits for; 0: for nothing
};

class RestLoad final : public Load {
 public:
  explicit RestLoad(const LoadOptions& options)
      : options_(options), source_(options.profile, options.lane), poll_(::epoll_create1(EPOLL_CLOEXEC)) {
    const std::string both = absl::StrCat(ServerProcess::client_token(), ":", ServerProcess::client_token());
    head_ =
        absl::StrCat("POST /schedule/", std::string(kTenant), " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic ",
                     absl::Base64Escape(both), "\r\nContent-Type: application/json\r\nContent-Length: ");
    connections_.resize(options.in_flight);
    for (std::size_t i = 0; i < connections_.size(); ++i) Open(i);
  }
  ~RestLoad() override {
    for (const Connection& one : connections_) ::close(one.fd);
    ::close(poll_);
  }

  Slice Run(double seconds) override {
    const double end = Now() + seconds;
    return Timed([end](std::uint64_t) { return Now() < end; });
  }
  Slice RunCount(std::uint64_t count) override {
    return Timed([count](std::uint64_t begun) { return begun < count; });
  }
  std::vector<double> RunOpen(double seconds, double rate_per_s) override {
    latencies_.clear();
    keep_latencies_ = true;
    const double begun = Now(), pause = 1 / rate_per_s;
    double due = begun;
    while (due - begun < seconds) {
      for (; due <= Now() && due - begun < seconds && !free_.empty(); due += pause) Begin(due);
      Wait();
    }
    AwaitAll();
    keep_latencies_ = false;
    return std::exchange(latencies_, {});
  }
  std::uint64_t failures() const override { return failures_; }
  std::string first_failure() const override { return why_; }

 private:
  void Open(std::size_t index) {
    Connection& one = connections_[index];
    one.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::uint32_t port = 0;
    const bool is_port = absl::SimpleAtoi(options_.address.substr(options_.address.rfind(':') + 1), &port);
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    if (!is_port || ::connect(one.fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
      return Failed("cannot connect to " + options_.address);
    const int on = 1;
    ::setsockopt(one.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = index;
    ::epoll_ctl(poll_, EPOLL_CTL_ADD, one.fd, &event);
    free_.push_back(index);
  }

  Slice Timed(const std::function<bool(std::uint64_t begun)>& more) {
    const double from = Now();
    const std::uint64_t over = over_;
    std::uint64_t begun = 0;
    while (more(begun) && failures_ == 0) {
      for (; !free_.empty() && more(begun); ++begun) Begin(Now());
      Wait();
    }
    AwaitAll();
    return {over_ - over, Now() - from, 0};
  }
  void AwaitAll() {
    const double end = Now() + kPatienceSeconds;
    while (busy_ > 0 && failures_ == 0 && Now() < end) Wait();
    if (busy_ > 0 && failures_ == 0) Failed("an answer did not come");
  }

  void Begin(double due) {
    const std::size_t index = free_.front();
    free_.pop_front();
    Connection& one = connections_[index];
    const std::int64_t now_s = engine::SystemClock().WallMs() / 1000;
    const Sms sms = source_.Next(now_s + kAheadSeconds);
    std::string body = "{";
    for (const auto& [name, value] : {std::pair("batch", &sms.batch), std::pair("key", &sms.key)}) {
      if (!value->empty()) absl::StrAppend(&body, "\"", name, "\":\"", *value, "\",");
    }
    absl::StrAppend(&body, "\"target\":\"", sms.target, "\",\"schedule\":\"", sms.from_s, "-", sms.till_s,
                    "\",\"payload\":\"", absl::Base64Escape(std::string(sms.payload.substr(0, kRawBytes))), "\"}");
    one.out = absl::StrCat(head_, body.size(), "\r\n",
                           sms.idempotency_key.empty() ? "" : "Idempotency-Key: " + sms.idempotency_key + "\r\n",
                           "\r\n", body);
    one.due = due;
    ++busy_;
    if (::send(one.fd, one.out.data(), one.out.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(one.out.size()))
      Failed("a request could not be sent");
  }

  void Wait() {
    std::array<epoll_event, 64> events;
    const int count = ::epoll_wait(poll_, events.data(), static_cast<int>(events.size()), kWaitMs);
    for (int i = 0; i < count; ++i) Read(static_cast<std::size_t>(events[static_cast<std::size_t>(i)].data.u64));
  }

  void Read(std::size_t index) {
    Connection& one = connections_[index];
    std::array<char, 4096> buffer;
    const ssize_t got = ::recv(one.fd, buffer.data(), buffer.size(), 0);
    if (got <= 0) return Failed("the server closed a connection");
    one.in.append(buffer.data(), static_cast<std::size_t>(got));
    const std::size_t head = one.in.find("\r\n\r\n");
    if (head == std::string::npos) return;
    static constexpr std::string_view kLength = "Content-Length: ";
    const std::size_t at = one.in.find(kLength);
    std::uint32_t length = 0;
    if (at > head ||
        !absl::SimpleAtoi(one.in.substr(at + kLength.size(), one.in.find('\r', at) - at - kLength.size()), &length)) {
      return Failed("an answer without a length: " + one.in.substr(0, head));
    }
    if (one.in.size() < head + 4 + length) return;
    if (!one.in.starts_with("HTTP/1.1 200 ") || one.in.find("\"SCHEDULED\"") == std::string::npos)
      return Failed(one.in);
    if (keep_latencies_) latencies_.push_back((Now() - one.due) * 1'000);
    one.in.clear();
    --busy_;
    ++over_;
    free_.push_back(index);
  }

  void Failed(const std::string& why) {
    if (failures_++ == 0) why_ = why;
  }

  const LoadOptions options_;
  SmsSource source_;
  const int poll_;
  std::string head_;
  std::vector<Connection> connections_;
  std::deque<std::size_t> free_;
  std::uint64_t busy_ = 0;
  std::uint64_t over_ = 0;
  std::uint64_t failures_ = 0;
  std::string why_;
  bool keep_latencies_ = false;
  std::vector<double> latencies_;
};

}  // namespace

std::unique_ptr<Load> MakeRestLoad(const LoadOptions& options) { return std::make_unique<RestLoad>(options); }

}  // namespace smsflow::bench
