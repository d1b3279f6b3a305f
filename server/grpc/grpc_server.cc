#include "server/grpc/grpc_server.h"

#include <grpc/support/time.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "server/grpc/admin_service.h"
#include "server/grpc/credentials.h"
#include "server/grpc/gateway_service.h"
#include "server/grpc/health_service.h"
#include "server/grpc/scheduler_service.h"
#include "server/logging.h"
#include "workflows/delivery/zones.h"

namespace smsflow::server {

namespace {

constexpr int kReadThreads = 2;
constexpr std::size_t kReadsMax = 1'000;
constexpr int kJobThreads = 2;
constexpr std::size_t kJobsMax = 16;
constexpr std::int64_t kOwedMs = 500;          // for what is being answered when the time of a stop is over
constexpr std::size_t kMemoryMax = 512 << 20;  // of all messages on their way

// Before any credential is seen: a peer that only costs is cut off.
void Limit(grpc::ServerBuilder& builder, const LimitsConfig& limits) {
  builder.SetMaxReceiveMessageSize(static_cast<int>(limits.message_bytes));
  builder.SetResourceQuota(grpc::ResourceQuota("smsflowd").Resize(kMemoryMax));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, static_cast<int>(limits.streams_per_connection));
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, 8 << 10);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 2);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 0);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 10'000);
  // A second process on the same port would take half of the calls.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
}

class GrpcServerImpl final : public GrpcServer {
 public:
  GrpcServerImpl(const Config& config, GrpcServerParts parts)
      : reads_(kReadThreads, kReadsMax),
        jobs_(kJobThreads, kJobsMax),
        zones_(workflows::delivery::MakeZoneResolver()),
        validation_(config.limits, zones_.get()),
        doors_{parts.engine,   parts.reader,  parts.authenticator,           &validation_, parts.clock,
               parts.delivery, config.limits, std::move(parts.engine_epoch), parts.shards, &queue_,
               &reads_,        &jobs_,        std::move(parts.figures)},
        scheduler_(doors_),
        gateway_(doors_),
        admin_(doors_) {}
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
    int port = 0;
    const bool is_unix = config.listen.grpc.starts_with("unix:");
    // Nobody else on this machine needs to reach a socket that the folder's rights would let through.
    const mode_t mask = ::umask(is_unix ? 0117 : 0022);
    builder.AddListeningPort(config.listen.grpc, *credentials, &port);
    builder.RegisterService(&scheduler_.wire());
    builder.RegisterService(&gateway_.wire());
    builder.RegisterService(&admin_.wire());
    builder.RegisterService(&health_.wire());
    queue_.Prepare(builder);
    server_ = builder.BuildAndStart();
    ::umask(mask);
    if (server_ == nullptr || (!is_unix && port == 0)) {
      return absl::UnavailableError("listen.grpc: cannot listen on " + config.listen.grpc +
                                    ": is it taken, or not of this machine?");
    }
    scheduler_.Serve(queue_);
    gateway_.Serve(queue_);
    admin_.Serve(queue_);
    health_.Serve(queue_);
    queue_.Start();
    address_ = is_unix ? config.listen.grpc
                       : config.listen.grpc.substr(0, config.listen.grpc.rfind(':') + 1) + std::to_string(port);
    return absl::OkStatus();
  }

  const std::string& address() const override { return address_; }

  void Stop(std::int64_t within_ms) override {
    if (server_ == nullptr || stopped_.exchange(true)) return;
    health_.Close();
    scheduler_.Close();
    gateway_.Close();
    admin_.Close();
    const gpr_timespec begin = gpr_now(GPR_CLOCK_MONOTONIC);
    server_->Shutdown(gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(within_ms, GPR_TIMESPAN)));
    server_->Wait();
    jobs_.Stop();
    reads_.Stop();
    const std::int64_t took_ms = gpr_time_to_millis(gpr_time_sub(gpr_now(GPR_CLOCK_MONOTONIC), begin));
    if (!queue_.StopWithin(std::max(within_ms - took_ms, kOwedMs))) {
      Log(LogLevel::kInfo, "calls are left whose answers the engine still owes; its stop gives them");
    }
  }

 private:
  CallQueue queue_;
  Workers reads_;
  Workers jobs_;
  std::unique_ptr<workflows::delivery::ZoneResolver> zones_;
  Validation validation_;
  Doors doors_;
  SchedulerService scheduler_;
  GatewayService gateway_;
  AdminService admin_;
  HealthService health_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
  std::atomic<bool> stopped_{false};
};

}  // namespace

absl::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Start(const Config& config, GrpcServerParts parts) {
  auto server = std::make_unique<GrpcServerImpl>(config, std::move(parts));
  if (absl::Status status = server->Listen(config); !status.ok()) return status;
  return server;
}

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
}

}  // namespace smsflow::server
