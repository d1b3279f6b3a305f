// smsflow.v1.Gateway: what a gateway that a test plays by hand is given, and what it is told when it errs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "ids/ids.h"
#include "server/grpc/attach_wire.h"
#include "tests/server/site.h"

namespace smsflow::server {
namespace {

using grpc::StatusCode;
using ::testing::HasSubstr;

TEST(AttachTest, OneLifeFromLeaseToReceipt) {
  Site site;
  ByHand gateway(site);
  gateway.Begin();
  v1::ScheduleRequest request = site.Sms();
  request.set_key("k");
  request.set_key_id("kid-1");
  const std::string id = site.Schedule(request);
  const v1::Lease lease = gateway.NextLease();
  const auto attempt = AttemptId::Parse(lease.attempt_id());
  ASSERT_TRUE(attempt.has_value());
  EXPECT_EQ(std::string(attempt->instance.AsBytes()), id);
  EXPECT_EQ(attempt->number, 1u);
  EXPECT_EQ(lease.tenant(), "acme");
  EXPECT_EQ(lease.key(), "k");
  EXPECT_EQ(lease.key_id(), "kid-1");
  EXPECT_EQ(lease.payload(), "sealed");
  EXPECT_GT(lease.mark().sequence(), 0u);
  EXPECT_FALSE(lease.again());

  EXPECT_EQ(gateway.Report(lease.attempt_id(), v1::ACCEPTED).outcome(), v1::ReportAnswer::APPLIED);
  EXPECT_EQ(gateway.Report(lease.attempt_id(), v1::RESULT_SENT).outcome(), v1::ReportAnswer::APPLIED);
  EXPECT_EQ(site.Get(id).state(), v1::SENT);
  EXPECT_EQ(gateway.Report(lease.attempt_id(), v1::RESULT_DELIVERED).outcome(), v1::ReportAnswer::APPLIED);
  EXPECT_EQ(site.Get(id).state(), v1::DELIVERED);
  EXPECT_EQ(gateway.Report(lease.attempt_id(), v1::RESULT_SENT).outcome(), v1::ReportAnswer::NOTED);
}

TEST(AttachTest, AfterLeavingACancelIsTooLate) {
  Site site;
  ByHand gateway(site);
  gateway.Begin();
  v1::CancelRequest cancel;
  cancel.set_id(site.Schedule(site.Sms()));
  const v1::Lease lease = gateway.NextLease();
  v1::CancelResponse response;
  ASSERT_TRUE(site.scheduler->Cancel(Site::As(kAcme).get(), cancel, &response).ok());
  EXPECT_EQ(response.outcome(), v1::CANCEL_TOO_LATE);
  EXPECT_EQ(gateway.Report(lease.attempt_id(), v1::FAILED_TRANSIENT, "failed").outcome(), v1::ReportAnswer::APPLIED);
  EXPECT_EQ(site.Get(cancel.id()).state(), v1::CANCELED);
}

TEST(AttachTest, AFailureComesBackAsTheNextAttempt) {
  Site site;
  ByHand gateway(site);
  gateway.Begin();
  site.Schedule(site.Sms());
  const v1::Lease first = gateway.NextLease();
  gateway.Report(first.attempt_id(), v1::FAILED_TRANSIENT, "failed");
  const v1::Lease second = gateway.NextLease();
  EXPECT_EQ(AttemptId::Parse(second.attempt_id())->number, 2u);
  EXPECT_EQ(AttemptId::Parse(second.attempt_id())->instance, AttemptId::Parse(first.attempt_id())->instance);
}

TEST(AttachTest, ReportsCountFromTheLesseeOnly) {
  Site site;
  ByHand gateway(site);
  gateway.Begin();
  const std::string unknown = AttemptId{InstanceId::Make(1'700'000'000'000, ShardId{1}, 5), 1}.ToString();
  EXPECT_EQ(gateway.Report(unknown, v1::RESULT_SENT).outcome(), v1::ReportAnswer::NOT_YOURS);
  // Known, but never leased to anybody.
  site.engine->Drain(true);
  site.engine->Drain(false);
  v1::ScheduleRequest later = site.Sms();
  later.set_schedule(std::to_string(Site::NowS() + 600) + "-" + std::to_string(Site::NowS() + 700));
  const std::string id = site.Schedule(later);
  const std::string attempt = AttemptId{*InstanceId::FromBytes(id), 1}.ToString();
  EXPECT_EQ(gateway.Report(attempt, v1::RESULT_DELIVERED).outcome(), v1::ReportAnswer::NOT_YOURS);
  EXPECT_EQ(site.Get(id).state(), v1::PENDING);
}

TEST(AttachTest, AnotherTenantsSmsIsNotLeased) {
  Site site;
  ByHand gateway(site);
  gateway.Begin();
  const std::string other = site.Schedule(site.Sms(), kBeta);
  const std::string mine = site.Schedule(site.Sms());
  EXPECT_EQ(std::string(AttemptId::Parse(gateway.NextLease().attempt_id())->instance.AsBytes()), mine);
  EXPECT_EQ(site.Get(other, kBeta).state(), v1::PENDING);
}

TEST(AttachTest, TheNewestStreamOfAStoreWinsAndRepeatsTheWindow) {
  Site site;
  ByHand older(site);
  older.Begin();
  site.Schedule(site.Sms());
  const v1::Lease lease = older.NextLease();
  ByHand newer(site);
  newer.Begin();
  const v1::Lease again = newer.NextLease();
  EXPECT_EQ(again.attempt_id(), lease.attempt_id());
  EXPECT_TRUE(again.again());
  EXPECT_EQ(older.Finish().error_code(), StatusCode::ABORTED);
}

struct Mistake {
  const char* name;
  void (*make)(v1::GatewayMessage&);
  StatusCode code;
  const char* message;
};
class AttachMistakes : public ::testing::TestWithParam<Mistake> {};

TEST_P(AttachMistakes, CloseTheStreamWithTheRule) {
  Site site;
  ByHand gateway(site);
  v1::GatewayMessage message = ByHand::Hello();
  GetParam().make(message);
  ASSERT_TRUE(gateway.Send(message));
  const grpc::Status status = gateway.Finish();
  EXPECT_EQ(status.error_code(), GetParam().code);
  EXPECT_EQ(status.error_message(), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    First, AttachMistakes,
    ::testing::Values(Mistake{"CreditFirst", [](v1::GatewayMessage& m) { m.mutable_credit()->set_more(1); },
                              StatusCode::INVALID_ARGUMENT, "hello: must come first"},
                      Mistake{"Nothing", [](v1::GatewayMessage& m) { m.Clear(); }, StatusCode::INVALID_ARGUMENT,
                              "hello: must come first"},
                      Mistake{"Name", [](v1::GatewayMessage& m) { m.mutable_hello()->set_gateway("a b"); },
                              StatusCode::INVALID_ARGUMENT,
                              "hello.gateway: must be 1 to 64 characters of A-Z a-z 0-9 . _ -"},
                      Mistake{"Uuid", [](v1::GatewayMessage& m) { m.mutable_hello()->set_store_uuid("1"); },
                              StatusCode::INVALID_ARGUMENT, "hello.store_uuid: must be a UUID in canonical text"},
                      Mistake{"NoTenant", [](v1::GatewayMessage& m) { m.mutable_hello()->clear_tenants(); },
                              StatusCode::INVALID_ARGUMENT, "hello.tenants: must name at least one tenant"},
                      Mistake{"Tenant", [](v1::GatewayMessage& m) { m.mutable_hello()->add_tenants("beta"); },
                              StatusCode::PERMISSION_DENIED, "hello.tenants: the credential does not allow them all"},
                      Mistake{"Repeats", [](v1::GatewayMessage& m) { m.mutable_hello()->set_repeat_window(false); },
                              StatusCode::INVALID_ARGUMENT,
                              "hello.repeat_window: must be set: only a gateway that deduplicates may attach"},
                      Mistake{"Marks", [](v1::GatewayMessage& m) { m.mutable_hello()->add_marks()->set_shard(5'000); },
                              StatusCode::INVALID_ARGUMENT,
                              "hello.marks: must name shards of the engine, each at most once"}),
    [](const auto& test) { return test.param.name; });

class LaterMistakes : public ::testing::TestWithParam<Mistake> {};

TEST_P(LaterMistakes, CloseTheStreamWithTheRule) {
  Site site;
  ByHand gateway(site);
  gateway.Begin();
  v1::GatewayMessage message;
  GetParam().make(message);
  ASSERT_TRUE(gateway.Send(message));
  const grpc::Status status = gateway.Finish();
  EXPECT_EQ(status.error_code(), GetParam().code);
  EXPECT_EQ(status.error_message(), GetParam().message);
}

v1::Report* AddReport(v1::GatewayMessage& message) {
  v1::Report* report = message.mutable_reports()->add_reports();
  report->set_attempt_id(AttemptId{InstanceId::Make(1'700'000'000'000, ShardId{1}, 5), 1}.ToString());
  report->set_result(v1::RESULT_SENT);
  return report;
}

INSTANTIATE_TEST_SUITE_P(
    Then, LaterMistakes,
    ::testing::Values(
        Mistake{"HelloAgain", [](v1::GatewayMessage& m) { m = ByHand::Hello(); }, StatusCode::INVALID_ARGUMENT,
                "hello: must come once"},
        Mistake{"Credit", [](v1::GatewayMessage& m) { m.mutable_credit()->set_more(1'000'001); },
                StatusCode::INVALID_ARGUMENT, "credit.more: must be at most 1000000"},
        Mistake{"Nothing", [](v1::GatewayMessage& m) { m.Clear(); }, StatusCode::INVALID_ARGUMENT,
                "message: must be one of hello, credit, reports and keep_alive"},
        Mistake{"Reports",
                [](v1::GatewayMessage& m) {
                  for (int i = 0; i <= 10'000; ++i) AddReport(m);
                },
                StatusCode::INVALID_ARGUMENT, "reports.reports: must be at most 10000 in a message"},
        Mistake{"Attempt", [](v1::GatewayMessage& m) { AddReport(m)->set_attempt_id("x.1"); },
                StatusCode::INVALID_ARGUMENT, "reports.attempt_id: must be an SMS's id, a dot and a number"},
        Mistake{"Result", [](v1::GatewayMessage& m) { AddReport(m)->set_result(v1::ATTEMPT_RESULT_UNSPECIFIED); },
                StatusCode::INVALID_ARGUMENT, "reports.result: must be one of AttemptResult"},
        Mistake{"About", [](v1::GatewayMessage& m) { AddReport(m)->set_about(static_cast<v1::FailureAbout>(77)); },
                StatusCode::INVALID_ARGUMENT, "reports.about: must be one of FailureAbout"}),
    [](const auto& test) { return test.param.name; });

// What a gateway has not read waits in the engine, not in the door, and is not forgotten there.
TEST(AttachTest, AGatewayThatReadsLateGetsAllOfIt) {
  Site site([](Config& config) { config.limits.unsent_bytes = 64 << 10; });
  constexpr int kItems = 3'000;
  for (int batch = 0; batch < kItems / 100; ++batch) {
    v1::ScheduleBatchRequest request;
    for (int i = 0; i < 100; ++i) {
      *request.add_items() = site.Sms("t" + std::to_string(batch * 100 + i));
      request.mutable_items(i)->set_payload(std::string(2'000, 'p'));
    }
    v1::ScheduleBatchResponse response;
    ASSERT_TRUE(site.scheduler->ScheduleBatch(Site::As(kAcme).get(), request, &response).ok());
  }
  ByHand gateway(site);
  gateway.Begin(1'000'000);
  const auto some = [](const engine::Figures& figures) { return figures.open_leases != 0; };
  const engine::Figures first = site.AwaitFigures(some);
  EXPECT_GT(first.open_leases, 0u);
  site.Schedule(site.Sms("later"));  // the engine goes on with everything else
  EXPECT_LT(site.engine->TakeFigures().open_leases, static_cast<std::uint64_t>(kItems));
  std::set<std::string> seen;
  for (int i = 0; i <= kItems; ++i) seen.insert(gateway.NextLease().attempt_id());
  EXPECT_EQ(seen.size(), kItems + 1u);
}

// Its stream ends while a partition hands leases to it.
TEST(AttachTest, AGatewayMayGoWhileLeasesComeToIt) {
  Site site;
  constexpr int kItems = 500, kTimes = 100;
  for (int batch = 0; batch < kItems / 100; ++batch) {
    v1::ScheduleBatchRequest request;
    for (int i = 0; i < 100; ++i) *request.add_items() = site.Sms("t" + std::to_string(batch * 100 + i));
    v1::ScheduleBatchResponse response;
    ASSERT_TRUE(site.scheduler->ScheduleBatch(Site::As(kAcme).get(), request, &response).ok());
  }
  for (int i = 0; i < kTimes; ++i) {
    ByHand gateway(site);
    gateway.Begin(1'000'000);  // and what was leased before comes again
    gateway.context->TryCancel();
    EXPECT_EQ(gateway.Finish().error_code(), StatusCode::CANCELLED);
  }
  ByHand last(site);
  last.Begin(1'000'000);
  // What was on its way to the stream before goes to this one, which is told all of it too: so some come twice.
  std::set<std::string> seen;
  for (int i = 0; i < 10 * kItems && seen.size() < kItems; ++i) seen.insert(last.NextLease().attempt_id());
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(kItems));
}

TEST(AttachTest, AGatewayAttachesUnderItsOwnNamesOnly) {
  Site site([](Config& config) {
    for (KeyConfig& key : config.keys) {
      if (key.roles == kGateway) key.gateways = {"g1", "g2"};
    }
  });
  ByHand gateway(site);
  gateway.Begin();  // as g1
  site.Schedule(site.Sms());
  gateway.NextLease();
  ByHand another(site);
  ASSERT_TRUE(another.Send(ByHand::Hello("main")));
  const grpc::Status status = another.Finish();
  EXPECT_EQ(status.error_code(), StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(status.error_message(), "hello.gateway: the credential is not this gateway's");
  ByHand second(site);
  ASSERT_TRUE(second.Send(ByHand::Hello("g2")));
  v1::EngineMessage welcome;
  EXPECT_TRUE(second.stream->Read(&welcome));
}

// What an engine says that must not go on; empty: it went on.
class MarksTest : public ::testing::Test {
 protected:
  // What becomes of a gateway that shows this mark.
  std::string Shown(const v1::ShardMark& mark) {
    said_.clear();
    ByHand gateway(site_);
    v1::GatewayMessage hello = ByHand::Hello();
    *hello.mutable_hello()->add_marks() = mark;
    EXPECT_TRUE(gateway.Send(hello));
    v1::EngineMessage welcome;
    EXPECT_TRUE(gateway.stream->Read(&welcome) && welcome.has_welcome());
    return said_;
  }
  v1::ShardMark Sealed(std::uint16_t shard, std::uint64_t epoch, std::uint64_t sequence) {
    v1::Leases leases;
    v1::ShardMark* mark = leases.add_leases()->mutable_mark();
    mark->set_shard(shard);
    mark->set_epoch(epoch);
    mark->set_sequence(sequence);
    SealMarks(site_.index_keys, leases);
    return *mark;
  }

  std::string said_;
  Site site_{{}, [this](const absl::Status& status) { said_ = status.ToString(); }};
};

TEST_F(MarksTest, AGatewayThatWasToldMoreThanIsStoredStopsTheEngine) {
  EXPECT_EQ(Shown(Sealed(3, 1, 0)), "");
  EXPECT_EQ(Shown(Sealed(3, 1, 5)),
            "DATA_LOSS: gateway g1 has seen sequence 5 of epoch 1 of shard 3, here are only 0 of epoch 1: acknowledged "
            "data is missing. If this folder is an older copy, put the newer one back: what left since then would "
            "leave again. If there is no newer one, smsflow db repair makes a copy that can go on, and "
            "docs/operations.md says how");
  EXPECT_THAT(Shown(Sealed(3, 2, 0)), HasSubstr("sequence 0 of epoch 2 of shard 3")) << "of a folder that was newer";
  EXPECT_EQ(Shown(Sealed(3, 0, 1'000)), "") << "of an epoch that is over";
}

TEST_F(MarksTest, AMarkThatTheEngineNeverGaveOutStopsNothing) {
  v1::ShardMark mark = Sealed(3, 1, 5);
  mark.set_sequence(6);
  EXPECT_EQ(Shown(mark), "");
  mark = Sealed(3, 1, 5);
  mark.clear_seal();
  EXPECT_EQ(Shown(mark), "");
  v1::Leases leases;
  *leases.add_leases()->mutable_mark() = Sealed(3, 1, 5);
  SealMarks(storage::IndexKeys(std::string(32, 'o')), leases);
  EXPECT_EQ(Shown(leases.leases(0).mark()), "") << "of another engine";
}

TEST_F(MarksTest, AGatewayKeepsTheSealedMarkOfItsLeases) {
  ByHand gateway(site_);
  gateway.Begin();
  site_.Schedule(site_.Sms());
  const v1::ShardMark mark = gateway.NextLease().mark();
  EXPECT_EQ(mark.seal(), Sealed(static_cast<std::uint16_t>(mark.shard()), mark.epoch(), mark.sequence()).seal());
  EXPECT_EQ(Shown(mark), "");
}

TEST(AttachTest, AnotherStoreWaitsUntilTheOldStreamEnds) {
  Site site;
  ByHand gateway(site);
  gateway.Begin();
  ByHand other(site);
  v1::GatewayMessage hello = ByHand::Hello();
  hello.mutable_hello()->set_store_uuid("99999999-2222-4333-8444-555555555555");
  ASSERT_TRUE(other.Send(hello));
  EXPECT_EQ(other.Finish().error_code(), StatusCode::FAILED_PRECONDITION);
}

}  // namespace
}  // namespace smsflow::server
