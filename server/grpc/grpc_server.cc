#include "server/grpc/grpc_server.h"

#include <google/protobuf/stubs/logging.h>
#include <grpc/compression.h>
#include <grpc/grpc.h>
#include <grpc/support/time.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <stdlib.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "logging/logging.h"
#include "server/grpc/admin_service.h"
#include "server/grpc/credentials.h"
#include "server/grpc/gateway_service.h"
#include "server/grpc/health_service.h"
#include "server/grpc/iam_service.h"
#include "server/grpc/listener.h"
#include "server/grpc/reset_watch.h"
#include "server/grpc/scheduler_service.h"
#include "workflows/delivery/zones.h"

namespace smsflow::server {

namespace {

constexpr int kReadThreads = 2;
constexpr std::size_t kReadsMax = 1'000;
constexpr int kJobThreads = 2;
constexpr std::size_t kJobsMax = 16;
constexpr std::int64_t kForTheRestMs = 1'000;  // of a stop's time, after connections were given theirs
constexpr std::int64_t kOwedMs = 500;          // for what is being answered when the time of a stop is over
constexpr std::int64_t kLastWordsMs = 500;     // for connections to take what was answered, once nothing more will be
constexpr std::int64_t kLookEveryMs = 20;
constexpr std::size_t kMemoryMax = 512 << 20;  // of all messages on their way

// Before any credential is seen: a peer that only costs is cut off.
void Limit(grpc::ServerBuilder& builder, const LimitsConfig& limits) {
  builder.SetMaxReceiveMessageSize(static_cast<int>(limits.message_bytes));
  // A message is unpacked before its size is looked at: a few bytes could be gigabytes. What is sealed does not shrink.
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  // So what packs and unpacks has nothing to do with any call.
  builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0);
  builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  // The streams of each connection are counted, for ResetWatch, and no events kept.
  builder.AddChannelArgument(GRPC_ARG_ENABLE_CHANNELZ, 1);
  builder.AddChannelArgument(GRPC_ARG_MAX_CHANNEL_TRACE_EVENT_MEMORY_PER_NODE, 0);
  builder.SetResourceQuota(grpc::ResourceQuota("smsflowd").Resize(kMemoryMax));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, static_cast<int>(limits.streams_per_connection));
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, 8 << 10);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 2);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 0);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 10'000);
  // The stream of an attached gateway is a call, however little is said on it.
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, static_cast<int>(limits.idle_ms));
}

absl::Status CannotListen(const Config& config, const absl::Status& why) {
  Log(LogLevel::kDebug, "listening failed", {{"error", why.ToString()}});
  return absl::UnavailableError("listen.grpc: cannot listen on " + config.listen.grpc +
                                ": is it taken, or not of this machine?");
}

std::vector<NamedFigure> ListFigures(const ListenerFigures& figures, std::uint64_t flooding) {
  const auto number = [](auto value) { return static_cast<double>(value); };
  return {{"smsflow_connections", "of clients and gateways, open", number(figures.open), false, {}},
          {"smsflow_connections_total", "taken", number(figures.accepted), true, {}},
          {"smsflow_connections_refused_total",
           "closed at once, too many were open, in all or of one address",
           number(figures.refused),
           true,
           {}},
          {"smsflow_connections_flooding_total",
           "ended, because calls were reset on them faster than they could be ended",
           number(flooding),
           true,
           {}},
          {"smsflow_connections_starved_total",
           "times that no file descriptor was left for one",
           number(figures.starved),
           true,
           {}},
          {"smsflow_listener_reopened_total",
           "times that the listener had to be made anew",
           number(figures.reopened),
           true,
           {}},
          {"smsflow_listener_silent_seconds",
           "since the listener last heard itself",
           number(figures.silent_ms) / 1'000,
           false,
           {}}};
}

class GrpcServerImpl final : public GrpcServer {
 public:
  GrpcServerImpl(const Config& config, GrpcServerParts parts)
      : reads_(kReadThreads, kReadsMax),
        jobs_(kJobThreads, kJobsMax),
        connections_max_(parts.connections_max),
        zones_(workflows::delivery::MakeZoneResolver()),
        validation_(config.limits, zones_.get()),
        doors_{parts.engine,
               parts.reader,
               parts.authenticator,
               &validation_,
               parts.clock,
               parts.delivery,
               config.limits,
               std::move(parts.engine_epoch),
               parts.shards,
               &queue_,
               &reads_,
               &jobs_,
               AlsoOwn(std::move(parts.figures))},
        scheduler_(doors_),
        gateway_(doors_),
        admin_(doors_),
        iam_(doors_, *parts.accounts) {}
  ~GrpcServerImpl() override {
    Stop(0);
    queue_.Stop();  // what was still owed came when the engine stopped
  }

  absl::Status Listen(const Config& config) {
    auto credentials = MakeServerCredentials(config.tls);
    if (!credentials.ok()) return credentials.status();
    if (config.reflection) grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    grpc::ServerBuilder builder;
    Limit(builder, config.limits);
    auto acceptor = builder.experimental().AddExternalConnectionAcceptor(
        grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, *credentials);
    ListenerOptions listens{config.listen.grpc, connections_max_};
    listens.per_address_max = PerAddressMax(config.limits.per_address, connections_max_);
    auto listener = Listener::Open(std::move(listens));
    if (!listener.ok()) return CannotListen(config, listener.status());
    builder.RegisterService(&scheduler_.wire());
    builder.RegisterService(&gateway_.wire());
    builder.RegisterService(&admin_.wire());
    builder.RegisterService(&iam_.wire());
    builder.RegisterService(&health_.wire());
    builder.RegisterAsyncGenericService(&others_);
    queue_.Prepare(builder);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr) return CannotListen(config, absl::InternalError("gRPC refuses"));
    scheduler_.Serve(queue_);
    gateway_.Serve(queue_);
    admin_.Serve(queue_);
    iam_.Serve(queue_);
    health_.Serve(queue_);
    queue_.Others(others_, *doors_.authenticator);
    queue_.Start();
    resets_.emplace(queue_, ResetWatch::StreamsMax(config.limits.streams_per_connection));
    listener_ = *std::move(listener);
    listener_->Start([this, acceptor = std::shared_ptr(std::move(acceptor))](int socket, int connection) {
      queue_.Came(connection);
      grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters came;
      came.listener_fd = socket;
      came.fd = connection;
      acceptor->HandleNewConnection(&came);
    });
    return absl::OkStatus();
  }

  const std::string& address() const override { return listener_->address(); }
  CallQueue& calls() override { return queue_; }
  std::vector<NamedFigure> figures() const override {
    return listener_ == nullptr ? std::vector<NamedFigure>() : ListFigures(listener_->figures(), resets_->ended());
  }

  void Stop(std::int64_t within_ms) override {
    if (server_ == nullptr || stopped_.exchange(true)) return;
    listener_->Stop();  // first: who came after the server's end would never be closed
    health_.Close();
    scheduler_.Close();
    gateway_.Close();
    admin_.Close();
    const gpr_timespec begin = gpr_now(GPR_CLOCK_MONOTONIC);
    absl::Notification down;
    std::thread lost([&] { EndLostCalls(down); });
    server_->Shutdown(
        gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                     gpr_time_from_millis(std::max<std::int64_t>(within_ms - kForTheRestMs, 0), GPR_TIMESPAN)));
    server_->Wait();
    down.Notify();
    lost.join();
    jobs_.Stop();
    reads_.Stop();
    resets_->Stop();
    const std::int64_t took_ms = gpr_time_to_millis(gpr_time_sub(gpr_now(GPR_CLOCK_MONOTONIC), begin));
    if (!queue_.StopWithin(std::max(within_ms - took_ms, kOwedMs))) {
      Log(LogLevel::kInfo, "calls are left whose answers the engine still owes; its stop gives them");
    }
  }

 private:
  // A call that comes while the server is being shut down may find that it is not asked for any more and not yet
  // refused. gRPC 1.51 then keeps it, and its connection with it, until the time of the shutdown is over. So when
  // nobody here has a call any more, what is left is ended.
  void EndLostCalls(const absl::Notification& down) {
    while (!down.HasBeenNotified() && !queue_.AwaitEmpty(kLookEveryMs)) continue;
    if (!down.WaitForNotificationWithTimeout(absl::Milliseconds(kLastWordsMs)))
      grpc_server_cancel_all_calls(server_->c_server());
  }

  std::function<std::vector<NamedFigure>()> AlsoOwn(std::function<std::vector<NamedFigure>()> others) {
    return [this, others = std::move(others)] {
      std::vector<NamedFigure> all = others();
      for (NamedFigure& figure : figures()) all.push_back(std::move(figure));
      return all;
    };
  }

  CallQueue queue_;
  Workers reads_;
  Workers jobs_;
  const std::size_t connections_max_;
  std::unique_ptr<workflows::delivery::ZoneResolver> zones_;
  Validation validation_;
  Doors doors_;
  SchedulerService scheduler_;
  GatewayService gateway_;
  AdminService admin_;
  IamService iam_;
  HealthService health_;
  grpc::AsyncGenericService others_;
  std::unique_ptr<grpc::Server> server_;
  std::optional<ResetWatch> resets_;
  std::unique_ptr<Listener> listener_;
  std::atomic<bool> stopped_{false};
};

}  // namespace

absl::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Start(const Config& config, GrpcServerParts parts) {
  auto server = std::make_unique<GrpcServerImpl>(config, std::move(parts));
  if (absl::Status status = server->Listen(config); !status.ok()) return status;
  return server;
}

namespace {

// What it says may hold what somebody sent; where it says so is enough to look it up.
void NoteProtobuf(google::protobuf::LogLevel level, const char* file, int line, const std::string&) {
  Log(level == google::protobuf::LOGLEVEL_FATAL ? LogLevel::kError : LogLevel::kDebug, "protobuf has something to say",
      {{"at", std::string(file) + ":" + std::to_string(line)}});
}

}  // namespace

// NOLINTBEGIN(concurrency-mt-unsafe): no thread was started yet
void PrepareGrpc() {
  // Abseil as it is packaged looks for deadlocks at every lock of ours and of gRPC's; that is for tests.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  // TLS 1.3 has only suites of this kind; of 1.2, which this gRPC cannot be told to refuse, these are left.
  ::setenv("GRPC_SSL_CIPHER_SUITES",
           "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:"
           "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305",
           1);
  // Its own lines name peers and metadata, and are no part of our log.
  ::setenv("GRPC_VERBOSITY", "NONE", 0);
  google::protobuf::SetLogHandler(NoteProtobuf);
}
// NOLINTEND(concurrency-mt-unsafe)

}  // namespace smsflow::server
