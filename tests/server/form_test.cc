// The parts of the doors that need no engine: who calls, what a request must look like, how errors and logs are
// written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "crypto/envelope.h"
#include "crypto/hash.h"
#include "crypto/keys.h"
#include "server/auth.h"
#include "server/figures.h"
#include "server/grpc/attach_wire.h"
#include "server/grpc/status.h"
#include "server/grpc/validation.h"
#include "server/grpc/workers.h"
#include "server/policies.h"
#include "workflows/delivery/codec/codec.h"
#include "workflows/delivery/zones.h"

namespace smsflow::server {
namespace {

namespace delivery = workflows::delivery;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::int64_t kNowMs = 1'700'000'000'000;

KeyConfig Key(const std::string& token, std::uint8_t roles, std::vector<std::string> tenants) {
  return {token, crypto::Sha256(token), roles, std::move(tenants)};
}

TEST(AuthTest, OneTextForEveryWrongCredential) {
  const auto authenticator = MakeKeyAuthenticator({Key("right", kClient, {"acme"})});
  EXPECT_EQ(authenticator->Authenticate({"Bearer right", ""}, kClient)->tenant, "acme");
  EXPECT_EQ(authenticator->Authenticate({"bearer right", ""}, kClient)->name, "right");
  for (const std::string wrong :
       {"", "right", "Bearer ", "Bearer  right", "Bearer rightx", "Basic right", "Bearer\tright"}) {
    const absl::Status status = authenticator->Authenticate({wrong, ""}, kClient).status();
    EXPECT_EQ(status, absl::UnauthenticatedError("the credential is missing or unknown")) << wrong;
  }
  EXPECT_TRUE(absl::IsUnauthenticated(MakeKeyAuthenticator({})->Authenticate({"Bearer right", ""}, kClient).status()));
}

TEST(AuthTest, RolesAndTenants) {
  const auto authenticator =
      MakeKeyAuthenticator({Key("two", kClient | kGateway, {"a", "b"}), Key("root", kAdmin, {})});
  EXPECT_TRUE(absl::IsInvalidArgument(authenticator->Authenticate({"Bearer two", ""}, kClient).status()));
  EXPECT_EQ(authenticator->Authenticate({"Bearer two", "b"}, kClient)->tenant, "b");
  EXPECT_TRUE(absl::IsPermissionDenied(authenticator->Authenticate({"Bearer two", "c"}, kClient).status()));
  EXPECT_TRUE(absl::IsPermissionDenied(authenticator->Authenticate({"Bearer two", "b"}, kAdmin).status()));
  EXPECT_TRUE(authenticator->Authenticate({"Bearer two", ""}, kGateway)->May("a"));
  EXPECT_FALSE(authenticator->Authenticate({"Bearer two", ""}, kGateway)->May("c"));
  EXPECT_TRUE(authenticator->Authenticate({"Bearer root", ""}, kAdmin)->May("anyone"));
}

class ValidationTest : public ::testing::Test {
 protected:
  // The violations as `field: rule`.
  std::vector<std::string> Schedule(const std::function<void(v1::ScheduleRequest&)>& change) {
    v1::ScheduleRequest request;
    request.set_payload("sealed");
    request.set_schedule("1700000000-1700000600");
    change(request);
    create_ = {};
    create_.tenant = "acme";
    std::vector<std::string> lines;
    for (const auto& violation : validation_.Schedule(std::move(request), kNowMs, create_)) {
      lines.push_back(violation.field + ": " + violation.description);
    }
    return lines;
  }

  const std::unique_ptr<delivery::ZoneResolver> zones_ = delivery::MakeZoneResolver();
  const Validation validation_{LimitsConfig{}, zones_.get()};
  engine::CreateRequest create_;
};

TEST_F(ValidationTest, ARightRequestBecomesACreation) {
  EXPECT_THAT(Schedule([](v1::ScheduleRequest& r) {
                r.set_batch("b");
                r.set_key("k");
                r.set_target("t");
                r.set_idempotency_key("i");
                r.set_key_id("kid");
              }),
              IsEmpty());
  EXPECT_EQ(create_.workflow, delivery::kWorkflowNumber);
  EXPECT_EQ(create_.target, "t");
  EXPECT_EQ(create_.dedupe_key, "i");
  EXPECT_EQ(create_.fingerprint.size(), 16u);
  EXPECT_EQ(create_.payload, "sealed");
  const auto view = delivery::ViewOf(1, "t", create_.event.body, "");
  ASSERT_TRUE(view.has_value());
  EXPECT_EQ(view->batch, "b");
  EXPECT_EQ(view->key, "k");
  EXPECT_EQ(view->key_id, "kid");
}

TEST_F(ValidationTest, TheEventCarriesByWhichDatabaseLocalTimesWereRead) {
  const auto detail = [&] {
    return delivery::MakeDeliveryWorkflow()->Describe(create_.event, create_.event.body, "").detail;
  };
  EXPECT_THAT(Schedule([](v1::ScheduleRequest&) {}), IsEmpty());
  EXPECT_EQ(detail(), "1 slot");
  const std::string zoned = "2023-11-15T00:00[Europe/Berlin]/2023-11-15T01:00[Europe/Berlin]";
  EXPECT_THAT(Schedule([&](v1::ScheduleRequest& r) { r.set_schedule(zoned); }), IsEmpty());
  EXPECT_EQ(detail(), "1 slot; local times by tzdata " + zones_->Version());

  v1::RescheduleRequest request;
  request.set_schedule(zoned);
  engine::EventRequest change;
  EXPECT_TRUE(validation_.Reschedule(std::move(request), "acme", "", kNowMs, change).empty());
  EXPECT_EQ(delivery::MakeDeliveryWorkflow()->Describe(change.event, create_.event.body, "").detail,
            "new slots; local times by tzdata " + zones_->Version());
}

TEST_F(ValidationTest, TheFingerprintIsOverBatchKeyAndSlotsOnly) {
  const auto fingerprint = [&](const std::function<void(v1::ScheduleRequest&)>& change) {
    EXPECT_THAT(Schedule([&](v1::ScheduleRequest& r) {
                  r.set_idempotency_key("i");
                  change(r);
                }),
                IsEmpty());
    return create_.fingerprint;
  };
  const std::string plain = fingerprint([](v1::ScheduleRequest&) {});
  EXPECT_EQ(plain, fingerprint([](v1::ScheduleRequest& r) { r.set_payload("sealed anew"); }));
  EXPECT_EQ(plain, fingerprint([](v1::ScheduleRequest& r) { r.set_key_id("other"); }));
  EXPECT_EQ(plain,
            fingerprint([](v1::ScheduleRequest& r) { r.set_schedule("1700000000-1700000300;1700000300-1700000600"); }));
  EXPECT_NE(plain, fingerprint([](v1::ScheduleRequest& r) { r.set_batch("b"); }));
  EXPECT_NE(plain, fingerprint([](v1::ScheduleRequest& r) { r.set_key("k"); }));
  EXPECT_NE(plain, fingerprint([](v1::ScheduleRequest& r) { r.set_schedule("1700000000-1700000601"); }));
}

TEST_F(ValidationTest, Names) {
  const char rule[] = ": must be 1 to 128 bytes of printable UTF-8";
  const std::string wrong[] = {std::string(129, 'x'),
                               "tab\there",
                               "nul" + std::string(1, '\0'),
                               "\x7F",
                               "\xC2\x85",
                               "\xFF",
                               "\xC0\xAF",
                               "\xED\xA0\x80",
                               "\xE2\x80\xA8",
                               "cut\xE2\x82"};
  for (const std::string& name : wrong) {
    EXPECT_THAT(Schedule([&](v1::ScheduleRequest& r) { r.set_batch(name); }), ElementsAre(std::string("batch") + rule));
    EXPECT_THAT(Schedule([&](v1::ScheduleRequest& r) { r.set_key(name); }), ElementsAre(std::string("key") + rule));
    EXPECT_THAT(Schedule([&](v1::ScheduleRequest& r) { r.set_target(name); }),
                ElementsAre(std::string("target") + rule));
    EXPECT_THAT(Schedule([&](v1::ScheduleRequest& r) { r.set_key_id(name); }),
                ElementsAre(std::string("key_id") + rule));
    EXPECT_THAT(Schedule([&](v1::ScheduleRequest& r) { r.set_idempotency_key(name); }),
                ElementsAre(std::string("idempotency_key") + rule));
  }
  for (const std::string& name :
       {std::string(128, 'x'), std::string("Zürich"), std::string("日本 ☂"), std::string("")}) {
    EXPECT_THAT(Schedule([&](v1::ScheduleRequest& r) { r.set_batch(name); }), IsEmpty()) << name;
  }
}

TEST_F(ValidationTest, PayloadAndSchedule) {
  EXPECT_THAT(Schedule([](v1::ScheduleRequest& r) { r.clear_payload(); }),
              ElementsAre("payload: must be 1 to 16384 bytes"));
  EXPECT_THAT(Schedule([](v1::ScheduleRequest& r) { r.set_payload(std::string(16'384, 'p')); }), IsEmpty());
  EXPECT_THAT(Schedule([](v1::ScheduleRequest& r) { r.set_payload(std::string(16'385, 'p')); }),
              ElementsAre("payload: must be 1 to 16384 bytes"));
  EXPECT_THAT(Schedule([](v1::ScheduleRequest& r) { r.clear_schedule(); }),
              ElementsAre("schedule: must have at least one slot"));
  EXPECT_THAT(
      Schedule([](v1::ScheduleRequest& r) { r.set_schedule("2026-03-29T10:00[Europe/Berlin]/2026-03-29T11:00Z/x"); }),
      ElementsAre(HasSubstr("schedule: ")));
  EXPECT_THAT(Schedule([](v1::ScheduleRequest& r) { r.set_schedule("1800000000-1800000001"); }),
              ElementsAre("schedule: the last slot must end within 400 days"));
  std::string many;
  for (int i = 0; i < 65; ++i) {
    many += std::to_string(1'700'000'000 + i * 10) + "-" + std::to_string(1'700'000'005 + i * 10) + ";";
  }
  EXPECT_THAT(Schedule([&](v1::ScheduleRequest& r) { r.set_schedule(many); }), ElementsAre(HasSubstr("64")));
  EXPECT_THAT(
      Schedule([](v1::ScheduleRequest& r) { r.set_schedule("2023-11-15T00:00/2023-11-15T01:00[Europe/Berlin]"); }),
      ElementsAre(HasSubstr("schedule: ")));
  EXPECT_THAT(Schedule([](v1::ScheduleRequest& r) {
                r.set_schedule("2023-11-15T00:00[Europe/Berlin]/2023-11-15T01:00[Europe/Berlin]");
              }),
              IsEmpty());
}

TEST_F(ValidationTest, AnEnvelopeIsCheckedForItsFormKeyAndSubject) {
  const crypto::PrivateKey key = crypto::PrivateKey::Generate(crypto::KeyKind::kP256);
  const std::string envelope = *crypto::SealEnvelope(key.public_key(), crypto::EnvelopeSubject("acme", "k"), "text");
  const auto sealed = [&](v1::ScheduleRequest& r) {
    r.set_payload(envelope);
    r.set_key("k");
  };
  EXPECT_THAT(Schedule(sealed), IsEmpty());
  EXPECT_EQ(delivery::ViewOf(1, "", create_.event.body, "")->key_id, key.kid());
  EXPECT_THAT(Schedule([&](v1::ScheduleRequest& r) {
                sealed(r);
                r.set_key("other");
              }),
              ElementsAre("payload: must be sealed for this tenant and key: its sub is another"));
  EXPECT_THAT(Schedule([&](v1::ScheduleRequest& r) {
                sealed(r);
                r.set_key_id("other");
              }),
              ElementsAre("key_id: must be the kid of the payload's header"));
  EXPECT_THAT(Schedule([&](v1::ScheduleRequest& r) { r.set_payload(envelope.substr(0, envelope.size() / 2)); }),
              ElementsAre(HasSubstr("payload: the envelope is malformed")));
  for (const char* member : {"alg", "enc", "epk", "iat", "kid", "sub", "typ"}) {
    const std::string cut = absl::WebSafeBase64Escape(std::string("{\"") + member + "\":\"");
    EXPECT_THAT(Schedule([&](v1::ScheduleRequest& r) { r.set_payload(cut); }),
                ElementsAre(HasSubstr("payload: the envelope is malformed")))
        << member;
  }
}

// It is handed to gateways as the SMS's key_id: bytes that are no text would end their streams.
TEST_F(ValidationTest, TheKidOfAnEnvelopeIsANameLikeAnyOther) {
  const crypto::PrivateKey key = crypto::PrivateKey::Generate(crypto::KeyKind::kP256);
  const std::string envelope = *crypto::SealEnvelope(key.public_key(), crypto::EnvelopeSubject("acme", "k"), "text");
  const auto with_kid = [&](const std::string& kid) {
    std::string header;
    EXPECT_TRUE(absl::WebSafeBase64Unescape(envelope.substr(0, envelope.find('.')), &header));
    header.replace(header.find(key.kid()), key.kid().size(), kid);
    return absl::WebSafeBase64Escape(header) + envelope.substr(envelope.find('.'));
  };
  const auto violations = [&](const std::string& kid) {
    return Schedule([&](v1::ScheduleRequest& r) {
      r.set_payload(with_kid(kid));
      r.set_key("k");
    });
  };
  EXPECT_THAT(violations("another"), IsEmpty());
  for (const std::string& kid :
       {std::string("\xff\xfe"), std::string("a\\nb"), std::string("\\u001b"), std::string(129, 'x')}) {
    EXPECT_THAT(violations(kid),
                ElementsAre("payload: the kid of the envelope must be 1 to 128 bytes of printable UTF-8"));
  }
}

// One in 262,144 payloads of the old format begins so.
TEST_F(ValidationTest, WhatIsSealedInAnotherWayMayBeginLikeAnEnvelope) {
  EXPECT_THAT(Schedule([](v1::ScheduleRequest& r) { r.set_payload("eyJ" + std::string(341, 'Q') + "=;aXY="); }),
              IsEmpty());
  EXPECT_THAT(Schedule([](v1::ScheduleRequest& r) { r.set_payload("eyJ.\x01.\xff" + std::string(300, '.')); }),
              IsEmpty());
}

TEST_F(ValidationTest, Filters) {
  const auto filter = [&](const std::function<void(v1::Filter&)>& change) {
    v1::Filter request;
    change(request);
    engine::ListQuery query;
    std::vector<std::string> fields;
    for (const auto& violation : validation_.Filter(request, "acme", query)) fields.push_back(violation.field);
    return fields;
  };
  EXPECT_THAT(filter([](v1::Filter&) {}), IsEmpty());
  EXPECT_THAT(filter([](v1::Filter& f) { f.set_batch("b"), f.set_target("t"); }), ElementsAre("filter.target"));
  EXPECT_THAT(filter([](v1::Filter& f) { f.set_key("\n"); }), ElementsAre("filter.key"));
  EXPECT_THAT(filter([](v1::Filter& f) { f.add_states(static_cast<v1::SmsState>(99)); }), ElementsAre("filter.states"));
  EXPECT_THAT(filter([](v1::Filter& f) { f.add_states(v1::SMS_STATE_UNSPECIFIED); }), ElementsAre("filter.states"));
  EXPECT_THAT(filter([](v1::Filter& f) { f.set_created_from_ms(-1), f.set_created_till_ms(INT64_MAX); }),
              ElementsAre("filter.created_from_ms", "filter.created_till_ms"));
}

TEST(StatusTest, CodesDetailsAndHints) {
  EXPECT_TRUE(ToGrpc(absl::OkStatus()).ok());
  const grpc::Status plain = ToGrpc(absl::NotFoundError("id: unknown"));
  EXPECT_EQ(plain.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_TRUE(plain.error_details().empty());
  const grpc::Status later = ToGrpc(absl::ResourceExhaustedError("the queue is full"));
  EXPECT_EQ(later.error_details(), EncodeDetails(8, "the queue is full", {}, 250));
  const grpc::Status bad = ToGrpc({{"a", "x"}, {"b", "y"}});
  EXPECT_EQ(bad.error_message(), "a: x; b: y");
  // code 3, message, one Any of two FieldViolations.
  EXPECT_EQ(bad.error_details(), std::string("\x08\x03\x12\x0a"
                                             "a: x; b: y"
                                             "\x1a\x3d\x0a\x29"
                                             "type.googleapis.com/google.rpc.BadRequest"
                                             "\x12\x10"
                                             "\x0a\x06\x0a\x01"
                                             "a"
                                             "\x12\x01"
                                             "x"
                                             "\x0a\x06\x0a\x01"
                                             "b"
                                             "\x12\x01"
                                             "y"));
}

TEST(StatusTest, AnItemIsToldWhetherToTryAgain) {
  v1::ItemError full, unknown;
  FillItemError(absl::ResourceExhaustedError("the queue is full"), {}, &full);
  EXPECT_GT(full.retry_after_ms(), 0);
  FillItemError(absl::InvalidArgumentError("id: unknown"), {}, &unknown);
  EXPECT_EQ(unknown.retry_after_ms(), 0);
}

TEST(WorkersTest, BoundedInOrderAndNothingIsLost) {
  std::vector<int> done;
  {
    Workers one(1, 1'000);
    for (int i = 0; i < 1'000; ++i) EXPECT_TRUE(one.TryRun([&done, i] { done.push_back(i); }));
    one.Stop();
    EXPECT_FALSE(one.TryRun([&done] { done.push_back(-1); })) << "nobody would do it";
  }
  ASSERT_EQ(done.size(), 1'000u);
  EXPECT_TRUE(std::is_sorted(done.begin(), done.end()));

  Workers none(0, 2);
  EXPECT_TRUE(none.TryRun([] {}));
  EXPECT_TRUE(none.TryRun([] {}));
  EXPECT_FALSE(none.TryRun([] {}));
}

TEST(PoliciesTest, EachTenantGetsItsOwn) {
  Config config;
  config.tenants["acme"] = config.delivery;
  config.tenants["acme"].max_attempts = 3;
  const engine::Policies policies = MakePolicies(config);
  EXPECT_EQ(delivery::DecodePolicy(policies("acme", 1).bytes)->max_attempts, 3u);
  EXPECT_EQ(*delivery::DecodePolicy(policies("other", 1).bytes), delivery::Policy{});
  EXPECT_NE(policies("acme", 1).digest, policies("other", 1).digest);
  EXPECT_EQ(&policies("other", 1), &policies("third", 1));
}

TEST(PoliciesTest, AnotherWorkflowGetsNoneOfDelivery) {
  Config config;
  config.tenants["acme"] = config.delivery;
  const engine::Policies policies = MakePolicies(config);
  EXPECT_EQ(policies("acme", 2).bytes, "");
  EXPECT_NE(policies("acme", 2).digest, policies("acme", 1).digest);
}

TEST(FiguresTest, NamesAreWhatPrometheusTakes) {
  engine::Figures figures;
  figures.results[{"delivery", "acme", "DELIVERED"}] = 2;
  for (const NamedFigure& figure : ListFigures(figures, nullptr)) {
    EXPECT_EQ(figure.name.rfind("smsflow_", 0), 0u) << figure.name;
    EXPECT_EQ(figure.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_0123456789"), std::string::npos) << figure.name;
    EXPECT_EQ(figure.counter, figure.name.ends_with("_total")) << figure.name;
    EXPECT_FALSE(figure.help.empty()) << figure.name;
  }
}

TEST(AttachWireTest, ALeaseCarriesAllOfIt) {
  engine::Lease lease;
  lease.attempt = {InstanceId::Make(kNowMs, ShardId{3}, 9), 2};
  lease.tenant = "acme";
  lease.client_key = "k";
  lease.lane = "kid";
  lease.deadline_ms = 5;
  lease.payload = "p";
  lease.mark = {ShardId{3}, 1, 7};
  lease.again = true;
  const std::string attempt = lease.attempt.ToString();
  v1::Lease out;
  FillLease(std::move(lease), &out);
  EXPECT_EQ(out.attempt_id(), attempt);
  EXPECT_EQ(out.tenant() + out.key() + out.key_id() + out.payload(), "acmekkidp");
  EXPECT_EQ(out.deadline_ms(), 5);
  EXPECT_EQ(out.mark().shard(), 3u);
  EXPECT_EQ(out.mark().epoch(), 1u);
  EXPECT_EQ(out.mark().sequence(), 7u);
  EXPECT_TRUE(out.again());
}

TEST(AttachWireTest, TheHighestMarkOfEachShardIsSealed) {
  const storage::IndexKeys keys(std::string(32, 'k'));
  v1::Leases leases;
  for (const auto& [shard, epoch, sequence] : std::vector<std::tuple<std::uint32_t, std::uint64_t, std::uint64_t>>{
           {1, 1, 5}, {2, 2, 1}, {1, 1, 6}, {2, 1, 9}}) {
    v1::ShardMark* mark = leases.add_leases()->mutable_mark();
    mark->set_shard(shard);
    mark->set_epoch(epoch);
    mark->set_sequence(sequence);
  }
  SealMarks(keys, leases);
  const auto sealed = [&](int lease) { return leases.leases(lease).mark().seal().size(); };
  EXPECT_EQ(sealed(0), 0u);
  EXPECT_EQ(sealed(1), 16u);
  EXPECT_EQ(sealed(2), 16u);
  EXPECT_EQ(sealed(3), 0u);
  EXPECT_NE(leases.leases(1).mark().seal(), leases.leases(2).mark().seal());
}

TEST(AttachWireTest, LeasesThatShareASequenceShareItsSeal) {
  const storage::IndexKeys keys(std::string(32, 'k'));
  v1::Leases leases;
  for (const std::uint64_t sequence : std::vector<std::uint64_t>{7, 6, 7, 7}) {  // of one commit, and one from before
    v1::ShardMark* mark = leases.add_leases()->mutable_mark();
    mark->set_shard(1);
    mark->set_epoch(1);
    mark->set_sequence(sequence);
  }
  SealMarks(keys, leases);
  EXPECT_EQ(leases.leases(0).mark().seal().size(), 16u) << "a gateway may keep the first";
  EXPECT_EQ(leases.leases(1).mark().seal(), "");
  EXPECT_EQ(leases.leases(2).mark().seal(), leases.leases(0).mark().seal());
  EXPECT_EQ(leases.leases(3).mark().seal(), leases.leases(0).mark().seal()) << "or the last";
}

TEST(AttachWireTest, WhomAGatewayMayTellOfIsTheCredentialsToSay) {
  v1::Hello hello;
  hello.set_gateway("g");
  hello.set_store_uuid("11111111-2222-4333-8444-555555555555");
  hello.set_repeat_window(true);
  hello.add_tenants("acme");
  Violations violations;
  const auto peer =
      HelloOf(hello, Caller{"gate", "acme", {"acme", "clinic"}}, storage::IndexKeys(std::string(32, 'k')), violations);
  ASSERT_TRUE(peer.ok()) << peer.status();
  EXPECT_THAT(peer->tenants, testing::ElementsAre("acme"));
  EXPECT_THAT(peer->tells_of, testing::ElementsAre("acme", "clinic"));
}

TEST(AttachWireTest, AHelloIsBounded) {
  const storage::IndexKeys keys(std::string(32, 'k'));
  v1::Hello hello;
  hello.set_gateway("g");
  hello.set_store_uuid("11111111-2222-4333-8444-555555555555");
  hello.set_repeat_window(true);
  hello.add_tenants("acme");
  hello.add_key_ids(std::string(1'024, 'k'));
  const auto said = [&] {
    Violations violations;
    const auto peer = HelloOf(hello, Caller{"gate", "acme", {"acme"}}, keys, violations);
    return peer.ok() ? std::string() : std::string(peer.status().message());
  };
  EXPECT_EQ(said(), "");
  hello.add_key_ids(std::string(1'025, 'k'));
  EXPECT_EQ(said(), "hello.key_ids: must be at most 1000, each of at most 1024 bytes");
  hello.clear_key_ids();
  for (int i = 0; i < 4'097; ++i) hello.add_marks();
  EXPECT_EQ(said(), "hello.marks: must name shards of the engine, each at most once");
  hello.clear_marks();
  for (int i = 0; i < 1'000; ++i) hello.add_tenants("acme");
  EXPECT_EQ(said(), "hello.tenants: must be at most 1000");
}

}  // namespace
}  // namespace smsflow::server
