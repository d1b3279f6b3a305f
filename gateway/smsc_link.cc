#include "gateway/smsc_link.h"

#include <array>
#include <boost/asio.hpp>
#include <boost/asio/ssl/context.hpp>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "gateway/smsc_stream.h"

namespace smsflow::gateway {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t kReadBytes = 32 * 1024;
constexpr std::size_t kUnsentMax = 4 * 1024 * 1024;
constexpr std::int64_t kStopSlack_ms = 1000;

// One bind: a session and the stream that it has at the moment.
class Bound {
 public:
  Bound(smpp::SessionOptions options, const SmscLinkOptions& link, asio::io_context& context, asio::ssl::context* tls,
        engine::Clock& clock, SmscLinkEvents& events, std::function<void()> stopped)
      : host_(link.host),
        port_(link.port),
        context_(context),
        tls_(tls),
        clock_(clock),
        events_(events),
        stopped_(std::move(stopped)),
        timer_(context),
        session_(std::move(options)) {}

  smpp::Standing standing() {
    const std::lock_guard lock(mutex_);
    return session_.standing();
  }

  // From any thread: `step` changes the session, what follows from it happens on the link's thread.
  template <typename Step>
  auto With(Step step) {
    const std::lock_guard lock(mutex_);
    PostCarry();
    return step(session_, clock_.SteadyMs());
  }

 private:
  struct Wire {
    ~Wire() { explicit_bzero(read.data(), read.size()); }
    std::shared_ptr<SmscStream> stream;
    std::array<char, kReadBytes> read{};
    smpp::WipedBytes sending, unsent;
    bool connected = false, closing = false;
  };
  using WirePtr = std::shared_ptr<Wire>;

  void PostCarry() {
    if (std::exchange(posted_, true)) return;
    asio::post(context_, [this] { Carry(); });
  }

  void Carry() {
    std::vector<smpp::Action> actions;
    do {
      {
        const std::lock_guard lock(mutex_);
        posted_ = false;
        actions = session_.TakeActions();
      }
      for (smpp::Action& one : actions) std::visit([this](auto& what) { Do(what); }, one);
    } while (!actions.empty());
    Wake();
  }

  void Wake() {
    std::optional<std::int64_t> due_ms;
    {
      const std::lock_guard lock(mutex_);
      due_ms = session_.NextDue();
    }
    if (!due_ms) return;
    timer_.expires_after(std::chrono::milliseconds(std::max<std::int64_t>(0, *due_ms - clock_.SteadyMs())));
    timer_.async_wait([this](const error_code& error) {
      if (error) return;
      Tell([](smpp::Session& session, std::int64_t now_ms) { session.Tick(now_ms); });
    });
  }

  // On the link's thread.
  template <typename Step>
  void Tell(Step step) {
    {
      const std::lock_guard lock(mutex_);
      step(session_, clock_.SteadyMs());
    }
    Carry();
  }

  void Do(smpp::action::Connect&) {
    // One that could not get rid of its last words by now never will.
    if (leaving_ != nullptr) std::exchange(leaving_, nullptr)->stream->Close();
    const auto wire = std::make_shared<Wire>();
    wire->stream = MakeSmscStream(context_, tls_);
    wire_ = wire;
    wire->stream->Connect(host_, port_, [this, wire](const error_code& error, std::size_t) {
      if (wire != wire_) return;
      if (error) return Lost(wire);
      wire->connected = true;
      Read(wire);
      Tell([](smpp::Session& session, std::int64_t now_ms) { session.Connected(now_ms); });
    });
  }

  void Do(smpp::action::Send& send) {
    if (wire_ != nullptr && wire_->connected && !wire_->closing) {
      if (wire_->unsent.size() + send.bytes.size() > kUnsentMax) return Lost(wire_);
      wire_->unsent += send.bytes;
      Write(wire_);
    }
  }

  // What was sent before still goes out, until the next one connects.
  void Do(smpp::action::Close&) {
    const WirePtr wire = std::exchange(wire_, nullptr);
    if (wire == nullptr) return;
    wire->closing = true;
    if (wire->sending.empty() || !wire->connected) return wire->stream->Close();
    leaving_ = wire;
  }

  void Do(smpp::action::Outcome& outcome) { events_.OnOutcome(outcome); }
  void Do(smpp::action::Delivery& delivery) {
    events_.OnDelivery(delivery);
    smpp::Wipe(delivery.frame);  // before the answer leaves
  }
  void Do(smpp::action::Notice& notice) {
    events_.OnNotice(notice);
    if (notice.event == smpp::action::Event::kStopped) stopped_();
  }

  void Read(const WirePtr& wire) {
    wire->stream->Read(wire->read.data(), wire->read.size(), [this, wire](const error_code& error, std::size_t size) {
      if (wire != wire_) return;
      if (error) return Lost(wire);
      Tell([&wire, size](smpp::Session& session, std::int64_t now_ms) {
        session.Received({wire->read.data(), size}, now_ms);
        explicit_bzero(wire->read.data(), size);  // the next ones may be hours away
      });
      if (wire == wire_) Read(wire);
    });
  }

  void Write(const WirePtr& wire) {
    if (!wire->sending.empty() || wire->unsent.empty()) return;
    wire->sending = std::exchange(wire->unsent, {});
    wire->stream->Write(wire->sending, [this, wire](const error_code& error, std::size_t) {
      smpp::Wipe(wire->sending);
      if (error) return wire == wire_ ? Lost(wire) : wire->stream->Close();
      if (wire->unsent.empty() && wire->closing) return wire->stream->Close();
      Write(wire);
    });
  }

  void Lost(const WirePtr& wire) {
    wire->stream->Close();
    if (wire != wire_) return;
    wire_ = nullptr;
    Tell([](smpp::Session& session, std::int64_t now_ms) { session.Closed(now_ms); });
  }

  const std::string host_;
  const std::uint16_t port_;
  asio::io_context& context_;
  asio::ssl::context* const tls_;
  engine::Clock& clock_;
  SmscLinkEvents& events_;
  const std::function<void()> stopped_;
  asio::steady_timer timer_;
  WirePtr wire_, leaving_;  // of the link's thread

  std::mutex mutex_;  // guards what follows
  smpp::Session session_;
  bool posted_ = false;
};

class AsioSmscLink : public SmscLink {
 public:
  AsioSmscLink(SmscLinkOptions options, std::shared_ptr<asio::ssl::context> tls, engine::Clock& clock,
               SmscLinkEvents& events)
      : drain_ms_(options.session.drain_ms), tls_(std::move(tls)), work_(asio::make_work_guard(context_)) {
    const auto add = [&](smpp::CommandId bind) {
      smpp::SessionOptions session = options.session;
      session.bind = bind;
      return std::make_unique<Bound>(std::move(session), options, context_, tls_.get(), clock, events,
                                     [this] { OnStopped(); });
    };
    if (!options.pair) {
      first_ = add(smpp::CommandId::kBindTransceiver);
    } else {
      first_ = add(smpp::CommandId::kBindTransmitter);
      receiver_ = add(smpp::CommandId::kBindReceiver);
    }
  }

  ~AsioSmscLink() override { Stop(); }

  void Start() override {
    if (thread_.joinable()) return;
    ForEach([](smpp::Session& session, std::int64_t now_ms) { session.Start(now_ms); });
    thread_ = std::thread([this] { context_.run(); });
  }

  absl::Status Submit(smpp::SubmitToken token, const smpp::Pdu& pdu, std::int64_t deadline_ms,
                      smpp::PartOf part) override {
    return first_->With([&](smpp::Session& session, std::int64_t now_ms) {
      return session.Submit(token, pdu, deadline_ms, now_ms, part);
    });
  }

  smpp::Standing standing() override { return first_->standing(); }

  void Acknowledge(std::uint64_t key, smpp::CommandStatus status) override {
    (receiver_ != nullptr ? receiver_ : first_)->With([&](smpp::Session& session, std::int64_t now_ms) {
      session.Acknowledge(key, status, now_ms);
    });
  }

  void Stop() override {
    if (!thread_.joinable()) return;
    ForEach([](smpp::Session& session, std::int64_t now_ms) { session.Stop(now_ms); });
    {
      std::unique_lock lock(mutex_);
      const std::size_t all = receiver_ != nullptr ? 2 : 1;
      wake_.wait_for(lock, std::chrono::milliseconds(2 * drain_ms_ + kStopSlack_ms), [&] { return stopped_ == all; });
    }
    context_.stop();
    thread_.join();
  }

 private:
  template <typename Step>
  void ForEach(Step step) {
    first_->With(step);
    if (receiver_ != nullptr) receiver_->With(step);
  }

  void OnStopped() {
    const std::lock_guard lock(mutex_);
    ++stopped_;
    wake_.notify_all();
  }

  const std::int64_t drain_ms_;
  const std::shared_ptr<asio::ssl::context> tls_;
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::unique_ptr<Bound> first_, receiver_;  // receiver_: only of a pair
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::size_t stopped_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<SmscLink>> SmscLink::Make(SmscLinkOptions options, engine::Clock& clock,
                                                         SmscLinkEvents& events) {
  options.session.bind = smpp::CommandId::kBindTransceiver;
  if (absl::Status status = smpp::Session::CheckOptions(options.session); !status.ok()) return status;
  if (options.host.empty() || options.port == 0) return absl::InvalidArgumentError("host, port: must be there");
  std::shared_ptr<asio::ssl::context> tls;
  if (options.tls) {
    auto made = MakeSmscTls({.ca_pem = options.ca_pem, .cert_pem = options.cert_pem, .key_pem = options.key_pem});
    if (!made.ok()) return made.status();
    tls = std::move(*made);
  }
  return std::unique_ptr<SmscLink>(std::make_unique<AsioSmscLink>(std::move(options), std::move(tls), clock, events));
}

}  // namespace smsflow::gateway
