// What each record asks for, and who may ask.
#include "server/kafka/work.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "workflows/delivery/codec/codec.h"
#include "workflows/delivery/zones.h"

namespace smsflow::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
namespace delivery = workflows::delivery;

constexpr std::int64_t kNowMs = 1'700'000'000'000;

class WorkTest : public ::testing::Test {
 protected:
  static LimitsConfig Old() {
    LimitsConfig limits;
    limits.horizon_ms = 0;
    return limits;
  }
  static Raw Record(std::string_view value, std::span<const kafka::HeaderView> headers = {},
                    std::string_view topic = "schedule-sms") {
    return {topic, "", value, headers, 1};
  }
  Work Schedule(std::string_view value, std::span<const kafka::HeaderView> headers = {},
                std::string_view topic = "schedule-sms") const {
    return ScheduleWork(Record(value, headers, topic), acting_, validation_, kNowMs);
  }
  template <class What>
  static const What* Fed(const Work& work) {
    const auto* fed = std::get_if<engine::FedWork>(&work.what);
    return fed == nullptr ? nullptr : std::get_if<What>(fed);
  }
  static std::string ReasonOf(const Work& work) {
    const auto* dead = Fed<engine::DeadLetter>(work);
    return dead == nullptr ? "taken" : dead->reason;
  }

  std::unique_ptr<delivery::ZoneResolver> zones_ = delivery::MakeZoneResolver();
  Validation validation_{Old(), zones_.get()};
  Acting acting_{{"acme", "other"}, true, {{"of-other", {"other"}}}};
};

TEST_F(WorkTest, AScheduleIsACreationAsOfAnyDoor) {
  const std::vector<kafka::HeaderView> headers{{"idempotency-key", "once"}};
  const Work work = Schedule(
      R"({"action":"schedule","client":"acme","key":"k","batch":"b","target":"t","schedule":"1900000000-1900000060",)"
      R"("message":"sealed","unknown":[{}]})",
      headers);
  const auto* create = Fed<engine::CreateRequest>(work);
  ASSERT_NE(create, nullptr) << ReasonOf(work);
  EXPECT_FALSE(work.alone);
  EXPECT_EQ(create->tenant, "acme");
  EXPECT_EQ(create->target, "t");
  EXPECT_EQ(create->actor, "kafka");
  EXPECT_EQ(create->payload, "sealed");
  EXPECT_EQ(create->dedupe_key, "once");
  EXPECT_EQ(create->fingerprint.size(), 16U);
  EXPECT_EQ(create->event.kind, delivery::kScheduleEvent);
}

TEST_F(WorkTest, TheOldFormHasNoHorizonAndMayHaveNoSlot) {
  EXPECT_NE(Fed<engine::CreateRequest>(
                Schedule(R"({"action":"schedule","client":"acme","schedule":"4000000000-4000000060","message":"x"})")),
            nullptr);
  EXPECT_NE(
      Fed<engine::CreateRequest>(Schedule(R"({"action":"schedule","client":"acme","schedule":"","message":"x"})")),
      nullptr);
}

TEST_F(WorkTest, WhatIsWrongIsNamedAndNothingIsRepeated) {
  const std::vector<std::pair<std::string, std::string>> wrong{
      {R"({"action":"schedule","client":"acme","schedule":"SECRET","message":"x"})", "schedule"},
      {R"({"action":"schedule","client":"acme","schedule":"2-1","message":"SECRET"})", "schedule"},
      {R"({"action":"schedule","client":"acme","schedule":"1-2/3","message":"SECRET"})", "schedule"},
      {R"({"action":"schedule","client":"acme","schedule":"1-2","message":""})", "message"},
      {R"({"action":"schedule","client":"acme","schedule":"1-2","message":["SECRET"]})", "message"},
      {R"({"action":"schedule","client":"acme","schedule":1,"message":"SECRET"})", "schedule"},
      {R"({"action":"schedule","client":"SECRET","schedule":"1-2","message":"x"})", "client"},
      {R"({"action":"SECRET","client":"acme"})", "action"},
      {R"({"action":"cancel","client":"acme","key":""})", "key"},
      {R"({"action":"block","client":"acme","target":{"SECRET":1}})", "target"},
      {absl::StrCat(R"({"action":"block","client":"acme","target":")", std::string(200, 'S'), R"("})"), "target"},
      {absl::StrCat(R"({"action":"schedule","client":"acme","schedule":"1-2","message":")", std::string(20'000, 'S'),
                    R"("})"),
       "message"},
      {"SECRET", ""},
      {"", ""},
  };
  for (const auto& [value, field] : wrong) {
    const std::string reason = ReasonOf(Schedule(value));
    EXPECT_THAT(reason, HasSubstr(field)) << value;
    EXPECT_NE(reason, "taken") << value;
    EXPECT_FALSE(reason.empty()) << value;
    EXPECT_THAT(reason, Not(HasSubstr("SECRET"))) << value;
    EXPECT_THAT(reason, Not(HasSubstr("SSS"))) << value;
  }
}

TEST_F(WorkTest, WhoActsForWhomIsTheTopicsOrThePersonsWhoConfigured) {
  const std::string of_other = R"({"action":"cancel","client":"other","key":"k"})";
  const std::string of_acme = R"({"action":"cancel","client":"acme","key":"k"})";
  EXPECT_EQ(Fed<engine::SweepRequest>(Schedule(of_other, {}, "of-other"))->actor, "kafka:of-other");
  EXPECT_THAT(ReasonOf(Schedule(of_acme, {}, "of-other")), HasSubstr("not this tenant's"));
  EXPECT_NE(Fed<engine::SweepRequest>(Schedule(of_acme)), nullptr);
  acting_.unsigned_ok = false;
  EXPECT_THAT(ReasonOf(Schedule(of_acme)), HasSubstr("client"));
  EXPECT_NE(Fed<engine::SweepRequest>(Schedule(of_other, {}, "of-other")), nullptr);
}

TEST_F(WorkTest, WhoSignedActsForItsTenantsAlone) {
  const std::string key(32, 'k');
  acting_.signers["portal"] = {"acme"};
  acting_.signing_keys["portal"] = {key};
  acting_.signing_keys["lab"] = {key};
  acting_.signed_for_ms = 3'600'000;
  const auto by = [&](const std::string& value, std::string_view name, std::string_view once,
                      std::string_view topic = "schedule-sms", std::int64_t at_ms = kNowMs) {
    const std::string signature = kafka::Sign({topic, value, once}, name, key, at_ms / 1000);
    std::vector<kafka::HeaderView> headers{{"smsflow-signature", signature}};
    if (!once.empty()) headers.push_back({"idempotency-key", once});
    return topic == "sms-timer" ? TimerWork(Record(value, headers, topic), acting_, validation_, kNowMs)
                                : Schedule(value, headers, topic);
  };
  const std::string order = R"({"action":"schedule","client":"acme","schedule":"","message":"x"})";
  const std::string cancel = R"({"action":"cancel","client":"acme","key":"k"})";
  for (const bool unsigned_ok : {true, false}) {
    acting_.unsigned_ok = unsigned_ok;
    const Work work = by(order, "portal", "once");
    ASSERT_NE(Fed<engine::CreateRequest>(work), nullptr) << ReasonOf(work);
    EXPECT_EQ(Fed<engine::CreateRequest>(work)->actor, "kafka:portal");
    EXPECT_EQ(ReasonOf(by(cancel, "portal", "")), "taken");
    EXPECT_EQ(ReasonOf(by(R"({"client":"acme"})", "portal", "", "sms-timer")), "taken");
    EXPECT_EQ(ReasonOf(by(order, "portal", "")), "idempotency-key: is needed where a record is signed");
    EXPECT_EQ(ReasonOf(by(R"({"action":"cancel","client":"other","key":"k"})", "portal", "")),
              "client: who signed the record does not act for it");
    EXPECT_EQ(ReasonOf(by(cancel, "lab", "")), "client: who signed the record does not act for it");
    EXPECT_EQ(ReasonOf(by(cancel, "nobody", "")),
              "smsflow-signature: was made by no key that is known here, or for another record");
    EXPECT_EQ(ReasonOf(by(cancel, "portal", "", "schedule-sms", kNowMs - 7'200'000)),
              "smsflow-signature: is older than kafka.signed_for allows");
  }
  EXPECT_EQ(ReasonOf(Schedule(cancel)), "smsflow-signature: is missing");
  acting_.unsigned_ok = true;
  EXPECT_EQ(ReasonOf(Schedule(cancel)), "taken");
}

// So that the engine knows it again, whatever was thought of it before.
TEST_F(WorkTest, WhatIsNotTakenNamesWhomItIsAboutAsWhatIsTakenDoes) {
  const std::vector<kafka::HeaderView> headers{{"idempotency-key", "once"}};
  const std::string order = R"({"action":"schedule","client":"acme","target":"t","schedule":"","message":"x"})";
  const std::string block = R"({"action":"block","client":"acme","target":"t"})";
  const std::string timer = R"({"client":"acme","id":"0192f0c0-0000-7000-8000-000000000000"})";
  const auto look = [&] { return TimerWork(Record(timer), acting_, validation_, kNowMs); };
  const Work taken = Schedule(order, headers), all_of_it = Schedule(block, headers), one = look();
  const auto* create = Fed<engine::CreateRequest>(taken);
  const auto* sweep = Fed<engine::SweepRequest>(all_of_it);
  const auto* event = Fed<engine::EventRequest>(one);
  ASSERT_TRUE(create != nullptr && sweep != nullptr && event != nullptr);
  const auto expect_named = [&] {
    const Work not_order = Schedule(order, headers), not_block = Schedule(block, headers), not_one = look();
    const auto* letter = Fed<engine::DeadLetter>(not_order);
    ASSERT_NE(letter, nullptr);
    EXPECT_EQ(std::tie(letter->tenant, letter->target, letter->dedupe_key),
              std::tie(create->tenant, create->target, create->dedupe_key));
    EXPECT_FALSE(letter->reason.empty());
    letter = Fed<engine::DeadLetter>(not_block);
    ASSERT_NE(letter, nullptr);
    EXPECT_EQ(std::tie(letter->tenant, letter->target, letter->dedupe_key),
              std::tuple(sweep->tenant, *sweep->target, std::string()));
    letter = Fed<engine::DeadLetter>(not_one);
    ASSERT_NE(letter, nullptr);
    EXPECT_EQ(letter->id, event->id);
  };
  acting_.tenants.erase("acme");
  expect_named();
  acting_.unsigned_ok = false;
  expect_named();
  // Whatever is wrong with the rest of it.
  acting_ = {{"acme"}, true};
  const Work wrong =
      Schedule(R"({"action":"schedule","client":"acme","target":"t","schedule":"2-1","message":"x"})", headers);
  ASSERT_NE(Fed<engine::DeadLetter>(wrong), nullptr);
  EXPECT_EQ(Fed<engine::DeadLetter>(wrong)->target, "t");
}

TEST_F(WorkTest, WhatConcernsManyStandsAlone) {
  const Work cancel = Schedule(R"({"action":"cancel","client":"acme","key":"k"})");
  EXPECT_TRUE(cancel.alone);
  EXPECT_EQ(Fed<engine::SweepRequest>(cancel)->index, delivery::kKeyIndex);
  const Work block = Schedule(R"({"action":"block","client":"acme","target":"t"})");
  EXPECT_TRUE(block.alone);
  EXPECT_EQ(Fed<engine::SweepRequest>(block)->target, "t");
  EXPECT_TRUE(Fed<engine::SweepRequest>(block)->membership->member);
  const auto timer = [&](std::string_view value) { return TimerWork(Record(value), acting_, validation_, kNowMs); };
  EXPECT_TRUE(timer(R"({"client":"acme"})").alone);
  EXPECT_EQ(Fed<engine::SweepRequest>(timer(R"({"client":"acme"})"))->index, 0);
  EXPECT_EQ(Fed<engine::SweepRequest>(timer(R"({"client":"acme","batch":"b"})"))->index, delivery::kBatchIndex);
  const Work one = timer(R"({"client":"acme","id":"0192f0c0-0000-7000-8000-000000000000"})");
  EXPECT_FALSE(one.alone);
  EXPECT_EQ(Fed<engine::EventRequest>(one)->tenant, "acme");
  EXPECT_EQ(Fed<engine::EventRequest>(one)->event.kind, delivery::kLookNowEvent);
  EXPECT_THAT(ReasonOf(timer(R"({"client":"acme","id":7})")), HasSubstr("id"));
  EXPECT_THAT(ReasonOf(timer(R"({"client":"nobody"})")), HasSubstr("client"));
}

TEST_F(WorkTest, AReportSpeaksForTheStoreInItsHeaders) {
  const std::string attempt = "0192f0c0-0000-7000-8000-000000000000.2";
  const std::string value =
      absl::StrCat(R"({"client-id":"acme","correl-id":")", attempt, R"(","sms-status":"SENT","timestamp":"x"})");
  const std::vector<kafka::HeaderView> headers{{"smsflow-gateway", "g1"},
                                               {"smsflow-store", "11111111-2222-4333-8444-555555555555"}};
  const auto status = [](const Raw& record, std::set<std::string> gateways, std::optional<PeerId> by_default) {
    Speakers speakers(std::move(gateways), {"acme", "other"}, std::move(by_default));
    return StatusWork(record, speakers);
  };
  const Work work = status(Record(value, headers), {"g1"}, std::nullopt);
  const auto* report = Fed<engine::FedReport>(work);
  ASSERT_NE(report, nullptr) << ReasonOf(work);
  EXPECT_EQ(report->attempt.ToString(), attempt);
  EXPECT_EQ(report->from->peer.gateway, "g1");
  EXPECT_EQ(report->from->tenants, std::vector<std::string>{"acme"});
  // Whoever is not named for Kafka attaches elsewhere, with a credential: here nobody speaks for it.
  EXPECT_TRUE(std::get<NoWork>(status(Record(value, headers), {"g2"}, std::nullopt).what).strange);
  // Without them it is an old gateway's, where there is one, and else nobody's.
  const PeerId old{"old", "00000000-0000-0000-0000-000000000000"};
  const Work by_old = status(Record(value), {}, old);
  ASSERT_NE(Fed<engine::FedReport>(by_old), nullptr);
  EXPECT_EQ(Fed<engine::FedReport>(by_old)->from->peer, old);
  EXPECT_TRUE(std::get<NoWork>(status(Record(value), {}, std::nullopt).what).strange);
  // An id that no engine like this one made.
  const std::string strange = R"({"client-id":"acme","correl-id":"abc","sms-status":"SENT"})";
  EXPECT_TRUE(std::get<NoWork>(status(Record(strange), {}, old).what).strange);
  EXPECT_THAT(ReasonOf(status(Record(R"({"correl-id":"abc","sms-status":"PERHAPS"})"), {}, old)),
              HasSubstr("sms-status"));
}

TEST_F(WorkTest, WhoNamesNoClientSpeaksForAllAndIsMadeOnce) {
  Speakers speakers({"g"}, {"acme", "other"}, std::nullopt);
  const PeerId store{"g", "11111111-2222-4333-8444-555555555555"};
  const auto all = speakers.Of(store, "");
  ASSERT_NE(all, nullptr);
  EXPECT_EQ(all->tenants, (std::vector<std::string>{"acme", "other"}));
  EXPECT_EQ(speakers.Of(store, ""), all);
  EXPECT_EQ(speakers.Of(store, "acme")->tenants, std::vector<std::string>{"acme"});
  for (int i = 0; i < 2'500; ++i) EXPECT_NE(speakers.Of(PeerId{"g", absl::StrCat(i)}, ""), nullptr);
  EXPECT_EQ(speakers.Of(store, "")->peer, store);
  EXPECT_EQ(speakers.Of(PeerId{"h", store.store_uuid}, ""), nullptr);
  EXPECT_EQ(speakers.Of(std::nullopt, ""), nullptr);
}

TEST_F(WorkTest, ADigestKnowsEveryPartOfARecord) {
  const std::vector<kafka::HeaderView> a{{"n", "v"}}, b{{"nv", ""}};
  const Raw record{"topic", "key", "value", a, 5};
  std::vector<Raw> others{{"topic", "keyv", "alue", a, 5},
                          {"topic", "key", "value", b, 5},
                          {"topic", "key", "value", {}, 5},
                          {"topic", "key", "value", a, 6},
                          {"topic", "key", "value2", a, 5}};
  EXPECT_EQ(DigestOf(record), DigestOf(record));
  for (const Raw& other : others) EXPECT_NE(DigestOf(record), DigestOf(other));
}

}  // namespace
}  // namespace smsflow::server
