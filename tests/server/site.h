// A whole engine behind its gRPC door in this process: real threads, real clock, a store in memory, loopback only.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/reader.h"
#include "server/accounts/accounts.h"
#include "server/auth.h"
#include "server/config.h"
#include "server/grpc/grpc_server.h"
#include "smsflow/v1/admin.grpc.pb.h"
#include "smsflow/v1/gateway.grpc.pb.h"
#include "smsflow/v1/iam.grpc.pb.h"
#include "smsflow/v1/scheduler.grpc.pb.h"
#include "storage/memory_store.h"

namespace smsflow::server {

namespace v1 = ::smsflow::v1;

// Tokens of the site's keys. `both` is a client of two tenants; `root` an administrator of all, `keeper` of acme only.
inline constexpr char kAcme[] = "acme-token";
inline constexpr char kBeta[] = "beta-token";
inline constexpr char kBoth[] = "both-token";
inline constexpr char kGate[] = "gate-token";
inline constexpr char kRoot[] = "root-token";
inline constexpr char kKeeper[] = "keeper-token";

class Site {
 public:
  // `change` may alter the configuration before anything starts. Without `fatal` the engine's word that going on would
  // be wrong fails the test.
  explicit Site(const std::function<void(Config&)>& change = {}, engine::FatalHandler fatal = {});
  ~Site();

  // For at most 10 seconds, with this token (empty: none) and tenant (empty: not named).
  static std::unique_ptr<grpc::ClientContext> As(const std::string& token, const std::string& tenant = "");

  // A request that is right: due now, one slot of an hour.
  v1::ScheduleRequest Sms(const std::string& target = "t1") const;
  // Its id; the test fails when it is refused.
  std::string Schedule(const v1::ScheduleRequest& request, const std::string& token = kAcme);
  v1::SmsStatus Get(const std::string& id, const std::string& token = kAcme);
  // Asks until the SMS is in this state, for 5 seconds.
  v1::SmsStatus Await(const std::string& id, v1::SmsState state);

  // The engine's figures once `enough` says so, or after 5 seconds: they are copied now and then.
  engine::Figures AwaitFigures(const std::function<bool(const engine::Figures&)>& enough);

  static std::int64_t NowS();

  Config config;
  storage::MemoryStore store;
  storage::IndexKeys index_keys{std::string(32, 'k')};
  std::unique_ptr<workflows::Workflow> delivery;
  std::unique_ptr<engine::Engine> engine;
  std::unique_ptr<engine::Reader> reader;
  std::unique_ptr<Authenticator> authenticator;
  std::unique_ptr<Accounts> accounts;  // none of them yet; passwords cost next to nothing
  std::unique_ptr<GrpcServer> server;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::Scheduler::Stub> scheduler;
  std::unique_ptr<v1::Gateway::Stub> gateway;
  std::unique_ptr<v1::Admin::Stub> admin;
  std::unique_ptr<v1::Iam::Stub> iam;
};

// A gateway that a test plays by hand.
class ByHand {
 public:
  explicit ByHand(Site& site, const std::string& token = kGate);

  static v1::GatewayMessage Hello(const std::string& gateway = "g1");
  // Says hello, waits for the welcome, gives credit.
  void Begin(std::uint32_t credit = 100);
  bool Send(const v1::GatewayMessage& message) { return stream->Write(message); }
  // The next lease; probes and answers before it are kept.
  v1::Lease NextLease();
  v1::ReportAnswer Report(const std::string& attempt, v1::AttemptResult result, const std::string& cause = "");
  grpc::Status Finish();

  std::unique_ptr<grpc::ClientContext> context;
  std::unique_ptr<grpc::ClientReaderWriter<v1::GatewayMessage, v1::EngineMessage>> stream;
  std::vector<v1::Lease> leases;
};

}  // namespace smsflow::server
