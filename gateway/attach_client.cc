#include "gateway/attach_client.h"

#include <grpc/support/time.h>
#include <grpcpp/grpcpp.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/wire.h"
#include "smsflow/v1/gateway.grpc.pb.h"

namespace smsflow::gateway {
namespace {

constexpr std::size_t kReportsPerMessage = 500;
constexpr std::int64_t kLookMs = 500;
constexpr auto kKeepAliveEvery = std::chrono::seconds(10);
constexpr int kMessageBytesMax = 64 << 20;
constexpr int kConnectPatienceMs = 10'000;

bool OnThisMachine(const std::string& address) {
  return absl::StartsWith(address, "unix:") || absl::StartsWith(address, "127.") ||
         absl::StartsWith(address, "[::1]:") || absl::StartsWith(address, "localhost:");
}

using Stream = grpc::ClientReaderWriter<v1::GatewayMessage, v1::EngineMessage>;

class AttachClient : public Link {
 public:
  explicit AttachClient(AttachOptions options) : options_(std::move(options)), pause_ms_(options_.pause_min_ms) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(kMessageBytesMax);
    // gRPC has pauses of its own between attempts to connect; ours are the ones that count. What it calls the least
    // pause is how long one attempt may take, and a busy engine needs its time to greet.
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, static_cast<int>(options_.pause_min_ms));
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectPatienceMs);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, static_cast<int>(options_.pause_max_ms));
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    // A path that drops everything without a word would be trusted for as long as TCP repeats: a quarter of an hour.
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, static_cast<int>(options_.silence_ms * 2 / 3));
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, static_cast<int>(options_.silence_ms / 3));
    arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
    channel_ = grpc::CreateCustomChannel(options_.address, Credentials(), arguments);
    stub_ = v1::Gateway::NewStub(channel_);
  }
  ~AttachClient() override { Stop(); }

  void Start(LinkEvents& events) override {
    events_ = &events;
    thread_ = std::thread([this] { Loop(); });
  }

  void Report(std::vector<gateway::Report> reports) override {
    {
      const std::lock_guard lock(mutex_);
      if (!attached_) return;
      std::move(reports.begin(), reports.end(), std::back_inserter(reports_));
    }
    wake_.notify_all();
  }

  // The newest stream of a store wins, and the engine hands over again what this one may have lost.
  void Renew() override {
    const std::lock_guard lock(mutex_);
    if (context_ != nullptr) context_->TryCancel();
  }

  void Stop() override {
    if (!thread_.joinable()) return;
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      if (context_ != nullptr) context_->TryCancel();
    }
    wake_.notify_all();
    thread_.join();
  }

 private:
  std::shared_ptr<grpc::ChannelCredentials> Credentials() const {
    if (options_.ca_pem.empty()) return grpc::InsecureChannelCredentials();
    grpc::SslCredentialsOptions tls;
    tls.pem_root_certs = options_.ca_pem;
    return grpc::SslCredentials(tls);
  }

  // False: to be stopped. A call made before would fail at once, with an old reason, and each failure makes the pauses
  // longer; so it is made when somebody is there.
  bool AwaitEngine() {
    while (!channel_->WaitForConnected(
        gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(kLookMs, GPR_TIMESPAN)))) {
      const std::lock_guard lock(mutex_);
      if (stopping_) return false;
    }
    return true;
  }

  // One attachment after the other; this thread reads.
  void Loop() {
    while (AwaitEngine()) {
      grpc::ClientContext context;
      if (!options_.token.empty()) context.AddMetadata("authorization", absl::StrCat("Bearer ", options_.token));
      {
        const std::lock_guard lock(mutex_);
        if (stopping_) return;
        context_ = &context;
      }
      const absl::Status why = Attend(context);
      std::unique_lock lock(mutex_);
      context_ = nullptr;
      if (stopping_) return;
      spdlog::warn("not attached: {}; next try in {} ms", why.ToString(), pause_ms_);
      wake_.wait_for(lock, std::chrono::milliseconds(pause_ms_), [this] { return stopping_; });
      pause_ms_ = std::min(pause_ms_ * 2, options_.pause_max_ms);
    }
  }

  // From Hello to the stream's end.
  absl::Status Attend(grpc::ClientContext& context) {
    const auto stream = stub_->Attach(&context);
    closed_ = false;
    std::thread writer([this, &stream] { Write(*stream); });
    v1::EngineMessage message;
    while (stream->Read(&message)) Take(message);
    const bool was_attached = LeaveWriter();
    writer.join();
    const grpc::Status status = stream->Finish();
    const absl::Status why(static_cast<absl::StatusCode>(status.error_code()),
                           status.ok() ? "the engine ended the stream" : status.error_message());
    if (was_attached) events_->OnDetached(why);
    return why;
  }

  bool LeaveWriter() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    wake_.notify_all();
    reports_.clear();
    return std::exchange(attached_, false);
  }

  void Take(const v1::EngineMessage& message) {
    switch (message.message_case()) {
      case v1::EngineMessage::kWelcome: {
        {
          const std::lock_guard lock(mutex_);
          attached_ = true;
          pause_ms_ = options_.pause_min_ms;
        }
        spdlog::info("attached to {}", options_.address);
        return events_->OnAttached();
      }
      case v1::EngineMessage::kLeases:
        return events_->OnLeases(LeasesOf(message.leases()));
      case v1::EngineMessage::kProbes:
        return events_->OnProbes(ProbesOf(message.probes()));
      case v1::EngineMessage::kAnswers:
        return events_->OnAnswers(AnswersOf(message.answers()));
      case v1::EngineMessage::kKeepAlive:
      case v1::EngineMessage::MESSAGE_NOT_SET:
        return;
    }
  }

  // Hello and credit, then reports as they come, until the stream fails or is left.
  void Write(Stream& stream) {
    v1::GatewayMessage message;
    *message.mutable_hello() = HelloOf(events_->Hello());
    if (!stream.Write(message)) return;
    message.mutable_credit()->set_more(options_.credit);
    if (!stream.Write(message)) return;
    for (;;) {
      std::vector<gateway::Report> reports;
      {
        std::unique_lock lock(mutex_);
        wake_.wait_for(lock, kKeepAliveEvery, [this] { return closed_ || !reports_.empty(); });
        if (closed_) return;
        std::swap(reports, reports_);
      }
      if (reports.empty()) {
        message.mutable_keep_alive();
        if (!stream.Write(message)) return;
      }
      for (std::size_t from = 0; from < reports.size(); from += kReportsPerMessage) {
        const std::size_t till = std::min(from + kReportsPerMessage, reports.size());
        *message.mutable_reports() = ReportsOf({reports.data() + from, till - from});
        if (!stream.Write(message)) return;
      }
      if (!reports.empty()) events_->OnGone(reports.size());
    }
  }

  const AttachOptions options_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Gateway::Stub> stub_;
  LinkEvents* events_ = nullptr;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<gateway::Report> reports_;
  grpc::ClientContext* context_ = nullptr;
  std::int64_t pause_ms_;
  bool attached_ = false;
  bool closed_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Link>> MakeAttachClient(AttachOptions options) {
  if (options.ca_pem.empty() && !OnThisMachine(options.address)) {
    return absl::InvalidArgumentError("engine: an address beyond this machine needs TLS, hence --ca");
  }
  return std::make_unique<AttachClient>(std::move(options));
}

}  // namespace smsflow::gateway
