#include "tests/server/site.h"

#include <gtest/gtest.h>

#include <chrono>

#include "crypto/hash.h"
#include "engine/seams.h"
#include "server/policies.h"
#include "workflows/delivery/codec/codec.h"

namespace smsflow::server {

namespace {

constexpr std::uint16_t kShards = 8;

KeyConfig Key(const char* token, std::uint8_t roles, std::vector<std::string> tenants) {
  return {token, crypto::Sha256(token), roles, std::move(tenants)};
}

}  // namespace

Site::Site(const std::function<void(Config&)>& change, engine::FatalHandler fatal)
    : delivery(workflows::delivery::MakeDeliveryWorkflow()) {
  config.listen.grpc = "127.0.0.1:0";
  config.listen.plaintext = true;
  config.delivery.wait_after_fail_ms = 100;
  config.delivery.max_jitter_ms = 0;
  config.keys = {Key(kAcme, kClient, {"acme"}),  Key(kBeta, kClient, {"beta"}), Key(kBoth, kClient, {"acme", "beta"}),
                 Key(kGate, kGateway, {"acme"}), Key(kRoot, kAdmin, {}),        Key(kKeeper, kAdmin, {"acme"})};
  if (change) change(config);

  engine::EngineOptions options;
  options.shards = kShards;
  engine::EngineParts parts;
  parts.store = &store;
  parts.index_keys = &index_keys;
  parts.clock = &engine::SystemClock();
  parts.random = &engine::SystemRandom();
  parts.policies = MakePolicies(config);
  parts.fatal = fatal ? std::move(fatal) : [](const absl::Status& status) { FAIL() << status; };
  parts.workflows = {delivery.get()};
  auto opened = engine::Engine::Open(options, std::move(parts));
  EXPECT_TRUE(opened.ok()) << opened.status();
  engine = *std::move(opened);
  engine->Start();
  reader = std::make_unique<engine::Reader>(
      engine::Reader::Parts{&store, &index_keys, kShards, [this](ShardId shard) { return engine->Committed(shard); }});
  authenticator = MakeKeyAuthenticator(config.keys);
  AccountsOptions cheap;
  cheap.passwords.cost = {4, 8, 1};
  auto known =
      Accounts::Open({&store, &engine::SystemClock(), [](const absl::Status& status) { FAIL() << status; }}, cheap);
  EXPECT_TRUE(known.ok()) << known.status();
  accounts = *std::move(known);
  auto started = GrpcServer::Start(
      config, {engine.get(), reader.get(), authenticator.get(), &engine::SystemClock(), delivery.get(), accounts.get(),
               "epoch-1", kShards, [this] { return ListFigures(engine->TakeFigures(), nullptr); }});
  EXPECT_TRUE(started.ok()) << started.status();
  if (!started.ok()) return;
  server = *std::move(started);
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  channel = grpc::CreateCustomChannel(server->address(), grpc::InsecureChannelCredentials(), arguments);
  scheduler = v1::Scheduler::NewStub(channel);
  gateway = v1::Gateway::NewStub(channel);
  admin = v1::Admin::NewStub(channel);
  iam = v1::Iam::NewStub(channel);
}

Site::~Site() {
  if (server != nullptr) server->Stop(5'000);
  engine->Stop();
}

std::unique_ptr<grpc::ClientContext> Site::As(const std::string& token, const std::string& tenant) {
  auto context = std::make_unique<grpc::ClientContext>();
  // For what hangs; a busy machine, or a sanitizer, may take its time.
  context->set_deadline(std::chrono::system_clock::now() + std::chrono::minutes(1));
  if (!token.empty()) context->AddMetadata("authorization", "Bearer " + token);
  if (!tenant.empty()) context->AddMetadata("smsflow-tenant", tenant);
  return context;
}

std::int64_t Site::NowS() { return engine::SystemClock().WallMs() / 1'000; }

v1::ScheduleRequest Site::Sms(const std::string& target) const {
  v1::ScheduleRequest request;
  request.set_target(target);
  request.set_schedule(std::to_string(NowS() - 10) + "-" + std::to_string(NowS() + 3'600));
  request.set_payload("sealed");
  return request;
}

std::string Site::Schedule(const v1::ScheduleRequest& request, const std::string& token) {
  v1::ScheduleResponse response;
  const grpc::Status status = scheduler->Schedule(As(token).get(), request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response.id();
}

v1::SmsStatus Site::Get(const std::string& id, const std::string& token) {
  v1::GetRequest request;
  request.set_id(id);
  v1::SmsStatus response;
  const grpc::Status status = scheduler->Get(As(token).get(), request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response;
}

v1::SmsStatus Site::Await(const std::string& id, v1::SmsState state) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  v1::SmsStatus sms = Get(id);
  while (sms.state() != state && std::chrono::steady_clock::now() < end) {
    engine->AwaitCommit(engine->Commits(), 20);
    sms = Get(id);
  }
  EXPECT_EQ(sms.state(), state) << sms.ShortDebugString();
  return sms;
}

engine::Figures Site::AwaitFigures(const std::function<bool(const engine::Figures&)>& enough) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  engine::Figures figures = engine->TakeFigures();
  while (!enough(figures) && std::chrono::steady_clock::now() < end) {
    engine->AwaitCommit(engine->Commits(), 20);
    figures = engine->TakeFigures();
  }
  return figures;
}

ByHand::ByHand(Site& site, const std::string& token)
    : context(Site::As(token)), stream(site.gateway->Attach(context.get())) {}

v1::GatewayMessage ByHand::Hello(const std::string& gateway) {
  v1::GatewayMessage message;
  v1::Hello* hello = message.mutable_hello();
  hello->set_gateway(gateway);
  hello->set_store_uuid("11111111-2222-4333-8444-555555555555");
  hello->add_tenants("acme");
  hello->set_repeat_window(true);
  return message;
}

void ByHand::Begin(std::uint32_t credit) {
  ASSERT_TRUE(Send(Hello()));
  v1::EngineMessage welcome;
  ASSERT_TRUE(stream->Read(&welcome));
  ASSERT_TRUE(welcome.has_welcome()) << welcome.ShortDebugString();
  v1::GatewayMessage message;
  message.mutable_credit()->set_more(credit);
  ASSERT_TRUE(Send(message));
}

v1::Lease ByHand::NextLease() {
  v1::EngineMessage message;
  while (leases.empty() && stream->Read(&message)) {
    for (const v1::Lease& lease : message.leases().leases()) leases.push_back(lease);
  }
  EXPECT_FALSE(leases.empty()) << "the stream ended before a lease came";
  if (leases.empty()) return {};
  const v1::Lease lease = leases.front();
  leases.erase(leases.begin());
  return lease;
}

v1::ReportAnswer ByHand::Report(const std::string& attempt, v1::AttemptResult result, const std::string& cause) {
  static std::uint64_t tag = 0;
  v1::GatewayMessage message;
  v1::Report* report = message.mutable_reports()->add_reports();
  report->set_attempt_id(attempt);
  report->set_result(result);
  report->set_cause(cause);
  report->set_tag(++tag);
  EXPECT_TRUE(Send(message));
  v1::EngineMessage answer;
  while (stream->Read(&answer)) {
    for (const v1::Lease& lease : answer.leases().leases()) leases.push_back(lease);
    for (const v1::ReportAnswer& one : answer.answers().answers()) {
      if (one.tag() == tag) return one;
    }
  }
  ADD_FAILURE() << "the stream ended before the answer came: " << stream->Finish().error_message();
  return {};
}

grpc::Status ByHand::Finish() {
  v1::EngineMessage rest;
  while (stream->Read(&rest)) continue;
  return stream->Finish();
}

}  // namespace smsflow::server
