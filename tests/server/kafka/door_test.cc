// Records in, attempts out, on a real broker, with kills, twins and topics made anew.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <ctime>
#include <fstream>
#include <set>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "kafka/signature.h"
#include "tests/kafka/broker.h"
#include "tests/server/kafka/gateway_words.h"
#include "tests/server/kafka/kafka_site.h"

namespace smsflow::server {
namespace {

using workflows::delivery::State;

kafka::Outgoing Raw(const std::string& value) { return {"", value, {}}; }

std::size_t CountOf(const std::multimap<std::string, State>& stored, State state) {
  std::size_t count = 0;
  for (const auto& [key, one] : stored) count += one == state;
  return count;
}

// The program smsflow with these arguments: its exit code, and what it printed.
std::pair<int, std::string> Cli(const std::string& arguments) {
  std::FILE* out = ::popen(absl::StrCat(SMSFLOW_CLI, " ", arguments).c_str(), "r");
  if (out == nullptr) return {-1, ""};
  std::string text;
  char buffer[4096];
  for (std::size_t got = 0; (got = std::fread(buffer, 1, sizeof buffer, out)) != 0;) text.append(buffer, got);
  const int status = ::pclose(out);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, text};
}

TEST(KafkaIn, WhatIsScheduledIsThereOnceWhateverIsKilled) {
  KafkaSite site(kafka::SharedBroker());
  constexpr int kRecords = 1'500, kKills = 4;
  site.Start();
  int made = 0;
  for (int kill = 0; kill <= kKills; ++kill) {
    std::vector<kafka::Outgoing> records;
    for (const int upto = kRecords * (kill + 1) / (kKills + 1); made < upto; ++made) {
      const bool target = made % 3 != 0;
      records.push_back(
          ScheduleRecord(absl::StrCat("k", made), target ? absl::StrCat("t", made % 50) : "", SlotFarAhead()));
    }
    site.ProduceAll(site.schedule, records);
    if (kill == kKills) break;
    ASSERT_TRUE(site.Says("ready", 60));
    site.Kill();
    site.Start();
  }
  ASSERT_TRUE(site.Applied(site.schedule));
  site.Kill();
  const auto stored = site.Stored();
  EXPECT_EQ(stored.size(), static_cast<std::size_t>(kRecords));
  std::set<std::string> keys;
  for (const auto& [key, state] : stored) {
    EXPECT_TRUE(keys.insert(key).second) << key << " is there twice";
    EXPECT_EQ(state, State::kPending);
  }
}

TEST(KafkaIn, PoisonLeavesAsDeadLettersAndTheRestGoesOn) {
  KafkaSite site(kafka::SharedBroker());
  const std::vector<std::string> wrong{
      "",
      "no json",
      "[]",
      R"({"action":"schedule"})",
      R"({"action":"nonsense","client":"acme"})",
      R"({"action":"schedule","client":7,"schedule":"1-2","message":"x"})",
      R"({"action":"schedule","client":"nobody","schedule":"1-2","message":"x"})",
      R"({"action":"schedule","client":"acme","schedule":"2-1","message":"secret-in-it"})",
      R"({"action":"schedule","client":"acme","schedule":"1-2","message":""})",
      R"({"action":"cancel","client":"acme"})",
      R"({"action":"block","client":"acme"})",
  };
  for (const std::string& value : wrong) site.Produce(site.schedule, Raw(value), 0);
  site.Produce(site.schedule,
               Raw(R"({"action":"schedule","client":"acme","key":"unknown fields","schedule":")" + SlotFarAhead() +
                   R"(","message":"x","more":{"a":[1]}})"),
               0);
  site.Produce(site.schedule,
               Raw(R"({"action":"schedule","client":"acme","key":"no slot","schedule":"","message":"x"})"), 0);
  const std::string slot = SlotFarAhead();  // once: a second later it is another request
  site.Produce(site.schedule, ScheduleRecord("first", "t", slot, "same"), 0);
  site.Produce(site.schedule, ScheduleRecord("first", "t", slot, "same"), 0);
  const auto other = ScheduleRecord("another", "t", SlotFarAhead(), "same");
  const std::string another = other.value;
  site.Produce(site.schedule, other, 0);
  site.Produce(site.timer, Raw(R"({"client":"acme","id":"0192f0c0-0000-7000-8000-000000000000"})"));
  site.Produce(site.status, Raw("{"));
  site.Start();
  for (const std::string& topic : {site.schedule, site.timer, site.status}) ASSERT_TRUE(site.Applied(topic)) << topic;
  site.Stop();
  const auto stored = site.Stored();
  EXPECT_EQ(stored.size(), 3U);
  EXPECT_EQ(stored.count("unknown fields"), 1U);
  EXPECT_EQ(stored.count("first"), 1U);
  ASSERT_EQ(stored.count("no slot"), 1U);
  EXPECT_EQ(stored.find("no slot")->second, State::kExpired);
  std::set<std::int64_t> offsets;
  std::size_t others = 0;
  for (const auto& seen : site.All(site.dead)) {
    const auto letter = kafka::DecodeDeadLetter(seen.value);
    ASSERT_TRUE(letter.ok()) << letter.status();
    EXPECT_FALSE(letter->reason.empty());
    EXPECT_EQ(letter->by, "engine");
    EXPECT_THAT(seen.value, testing::Not(testing::HasSubstr("secret-in-it")));
    if (letter->topic != site.schedule) {
      ++others;
      continue;
    }
    EXPECT_TRUE(offsets.insert(letter->offset).second) << letter->offset << " came twice";
    const auto at = static_cast<std::size_t>(letter->offset);
    EXPECT_EQ(letter->bytes, at < wrong.size() ? wrong[at].size() : another.size());
  }
  std::set<std::int64_t> expected{15};  // another under the same idempotency key
  for (std::size_t i = 0; i < wrong.size(); ++i) expected.insert(static_cast<std::int64_t>(i));
  EXPECT_EQ(offsets, expected);
  EXPECT_EQ(others, 2U);
}

TEST(KafkaIn, APartitionWaitsForItsDeadLetterAndOthersDoNot) {
  KafkaSite site(kafka::SharedBroker());
  const auto admin = kafka::Admin::Open({"test", site.broker, {}});
  ASSERT_TRUE(admin.ok());
  ASSERT_TRUE((*admin)->Delete(site.dead, std::chrono::seconds(30)).ok());
  site.Produce(site.schedule, Raw("poison"), 0);
  site.Produce(site.schedule, ScheduleRecord("behind", "", SlotFarAhead()), 0);
  site.Produce(site.schedule, ScheduleRecord("beside", "", SlotFarAhead()), 1);
  site.Start();
  ASSERT_TRUE(site.Says("a dead letter cannot leave"));
  site.Kill();
  auto stored = site.Stored();
  EXPECT_EQ(stored.count("beside"), 1U);
  EXPECT_EQ(stored.count("behind"), 0U);
  site.Start();
  ASSERT_TRUE(kafka::Within(60, [&] {
    const auto made = (*admin)->Create({{site.dead, 1, 1, {}}}, std::chrono::seconds(30));
    return made.ok() && made->front().ok();
  }));
  ASSERT_TRUE(site.Applied(site.schedule));
  site.Stop();
  stored = site.Stored();
  EXPECT_EQ(stored.count("beside"), 1U);
  EXPECT_EQ(stored.count("behind"), 1U);
  EXPECT_EQ(site.All(site.dead).size(), 1U);
}

TEST(KafkaIn, ADeadLetterIsListedAndPutBackOnceItCanBeTaken) {
  KafkaSite site(kafka::SharedBroker());
  site.Produce(site.schedule,
               Raw(absl::StrCat(R"({"action":"schedule","client":"later","key":"k","schedule":")", SlotFarAhead(),
                                R"(","message":"secret-in-it"})")),
               1);
  site.Start();
  ASSERT_TRUE(site.Applied(site.schedule));
  const std::string where = absl::StrCat(" --kafka ", site.broker, " --topic ", site.dead);
  const auto [listed, list] = Cli("dead-letter list" + where);
  EXPECT_EQ(listed, 0);
  const std::string record = absl::StrCat(site.schedule, "/1/0");
  EXPECT_THAT(list, testing::HasSubstr(record));
  EXPECT_THAT(list, testing::HasSubstr("client: there is no such tenant"));
  EXPECT_THAT(list, testing::Not(testing::HasSubstr("secret-in-it")));
  site.Stop();
  site.Configure("", "[tenant.later]\nmax_attempts = 3\n");
  site.Start();
  EXPECT_EQ(Cli(absl::StrCat("dead-letter requeue ", record, where)).first, 0);
  EXPECT_EQ(Cli(absl::StrCat("dead-letter requeue ", site.schedule, "/1/99", where)).first, 1) << "there is none";
  EXPECT_EQ(Cli("dead-letter requeue nonsense" + where).first, 2);
  ASSERT_TRUE(site.Applied(site.schedule));
  site.Stop();
  EXPECT_EQ(site.Stored().count("k"), 1U);
}

TEST(KafkaIn, CancelAndBlockConcernWhatCameBeforeAndNothingElse) {
  KafkaSite site(kafka::SharedBroker());
  const auto command = [](const std::string& action, const std::string& field, const std::string& value) {
    return Raw(absl::StrCat(R"({"action":")", action, R"(","client":"acme",")", field, R"(":")", value, R"("})"));
  };
  for (int i = 0; i < 20; ++i)
    site.Produce(site.schedule, ScheduleRecord("gone", absl::StrCat("t", i), SlotFarAhead()), 0);
  site.Produce(site.schedule, ScheduleRecord("kept", "t1", SlotFarAhead()), 0);
  site.Produce(site.schedule, ScheduleRecord("blocked", "b", SlotFarAhead()), 0);
  site.Produce(site.schedule, command("cancel", "key", "gone"), 0);
  site.Produce(site.schedule, command("block", "target", "b"), 0);
  site.Produce(site.schedule, ScheduleRecord("gone", "t2", SlotFarAhead()), 0);
  site.Produce(site.schedule, ScheduleRecord("blocked", "b", SlotFarAhead()), 0);
  site.Start();
  ASSERT_TRUE(site.Applied(site.schedule));
  site.Stop();
  const auto stored = site.Stored();
  EXPECT_EQ(stored.size(), 24U);
  EXPECT_EQ(CountOf(stored, State::kCanceled), 20U);
  EXPECT_EQ(CountOf(stored, State::kBlocked), 2U);
  EXPECT_EQ(CountOf(stored, State::kPending), 2U);
}

TEST(KafkaIn, ATopicMadeAnewStopsItsPartitionUntilAPersonAcceptsIt) {
  KafkaSite site(kafka::SharedBroker());
  for (int i = 0; i < 5; ++i) site.Produce(site.schedule, ScheduleRecord("before", "", SlotFarAhead()), 0);
  site.Start();
  ASSERT_TRUE(site.Applied(site.schedule));
  site.Stop();
  const auto admin = kafka::Admin::Open({"test", site.broker, {}});
  ASSERT_TRUE(admin.ok());
  ASSERT_TRUE((*admin)->Delete(site.schedule, std::chrono::seconds(30)).ok());
  ASSERT_TRUE(kafka::Within(60, [&] {
    const auto made = (*admin)->Create({{site.schedule, 2, 1, {}}}, std::chrono::seconds(30));
    return made.ok() && made->front().ok();
  }));
  for (int i = 0; i < 9; ++i) site.Produce(site.schedule, ScheduleRecord("after", "", SlotFarAhead()), 0);
  site.Start();
  EXPECT_TRUE(site.Says("another record stands at offset 4"));
  site.Stop();
  EXPECT_EQ(site.Stored().count("after"), 0U);
  site.Configure(absl::StrCat("accept = [\"", site.schedule, "/0\"]"), "");
  site.Start();
  ASSERT_TRUE(site.Applied(site.schedule));
  site.Stop();
  const auto stored = site.Stored();
  EXPECT_EQ(stored.count("after"), 9U);
  EXPECT_EQ(stored.count("before"), 5U);
}

TEST(KafkaIn, ANewFolderOnTheSameGroupAppliesNothingUntilAPersonAcceptsIt) {
  KafkaSite site(kafka::SharedBroker());
  for (int i = 0; i < 5; ++i) site.Produce(site.schedule, ScheduleRecord("before", "", SlotFarAhead()), 0);
  site.Start();
  ASSERT_TRUE(site.Applied(site.schedule));
  site.Kill();
  site.Forget();
  site.Start();
  EXPECT_TRUE(site.Says("its group has come to offset 5, this data folder to 0"));
  site.Stop();
  EXPECT_TRUE(site.Stored().empty());
  site.Configure(absl::StrCat("from = \"end\"\naccept = [\"", site.schedule, "/0\"]"), "");
  site.Start();
  site.Produce(site.schedule, ScheduleRecord("after", "", SlotFarAhead()), 0);
  ASSERT_TRUE(site.Applied(site.schedule));
  site.Stop();
  EXPECT_EQ(site.Stored().count("after"), 1U);
  EXPECT_EQ(site.Stored().size(), 1U) << "what comes from now on";
}

TEST(KafkaIn, ASignedRecordActsForItsSignersTenantsAlone) {
  KafkaSite site(kafka::SharedBroker());
  const std::string key(32, 'k');
  std::ofstream(site.File("signers")) << "# portal's\nportal " << absl::BytesToHexString(key) << "\n";
  site.Configure(absl::StrCat("signing_keys = \"", site.File("signers"), "\"\n[kafka.signers]\nportal = [\"acme\"]"),
                 "");
  const auto produce = [&](const std::string& client, const std::string& signed_by, const std::string& once) {
    kafka::Outgoing record = ScheduleRecord(once, "t", SlotFarAhead(), once);
    const std::size_t at = record.value.find("acme");
    record.value.replace(at, 4, client);
    record.headers.push_back({std::string(kafka::kSignature),
                              kafka::Sign({site.schedule, record.value, once}, signed_by, key, std::time(nullptr))});
    site.Produce(site.schedule, record, 0);
  };
  produce("acme", "portal", "good");
  produce("other", "portal", "not its tenant");
  produce("acme", "stranger", "nobody's");
  site.Start();
  ASSERT_TRUE(site.Applied(site.schedule));
  site.Stop();
  EXPECT_EQ(site.Stored().size(), 1U);
  EXPECT_EQ(site.Stored().count("good"), 1U);
  EXPECT_EQ(site.All(site.dead).size(), 2U);
  site.Configure(absl::StrCat("signing_keys = \"", site.File("none"), "\"\n[kafka.signers]\nportal = [\"acme\"]"), "");
  site.Start();
  EXPECT_TRUE(site.Says("kafka.signing_keys: "));
}

TEST(KafkaIn, PartitionsThatAreAddedAreReadAndAGroupThatIsResetChangesNothing) {
  KafkaSite site(kafka::SharedBroker());
  site.Start();
  for (int i = 0; i < 20; ++i) site.Produce(site.schedule, ScheduleRecord("one", "", SlotFarAhead()));
  ASSERT_TRUE(site.Applied(site.schedule));
  const auto admin = kafka::Admin::Open({"test", site.broker, {}});
  ASSERT_TRUE(admin.ok());
  ASSERT_TRUE((*admin)->AddPartitions(site.schedule, 4, std::chrono::seconds(30)).ok());
  ASSERT_TRUE(kafka::Within(30, [&] {
    const auto ends = (*admin)->Ends({site.schedule, 3}, std::chrono::seconds(5));
    return ends.ok();
  }));
  site.Produce(site.schedule, ScheduleRecord("two", "", SlotFarAhead()), 3);
  ASSERT_TRUE(site.Applied(site.schedule));
  // What the broker holds of the group is for tools alone.
  auto consumer = kafka::Consumer::Open({"test", site.broker, {}}, site.schedule);
  ASSERT_TRUE(consumer.ok());
  site.Stop();
  (*consumer)->Commit({{{site.schedule, 0}, 0}, {{site.schedule, 3}, 0}});
  site.Start();
  site.Produce(site.schedule, ScheduleRecord("three", "", SlotFarAhead()), 0);
  site.Produce(site.schedule, ScheduleRecord("three", "", SlotFarAhead()), 3);
  ASSERT_TRUE(site.Applied(site.schedule));
  site.Stop();
  const auto stored = site.Stored();
  EXPECT_EQ(stored.count("one"), 20U);
  EXPECT_EQ(stored.count("two"), 1U);
  EXPECT_EQ(stored.count("three"), 2U);
}

// A gateway as the engine sees it: announces itself, takes what is for it, says what became of it.
class Gateway {
 public:
  Gateway(KafkaSite& site, std::string id, std::string uuid) : site_(site), peer_{std::move(id), std::move(uuid)} {}
  void Announce() { site_.Produce(site_.status, AnnouncementOf(peer_, 100)); }
  // Every attempt handed over so far, by id, and how often.
  std::map<AttemptId, int> Sent() {
    std::map<AttemptId, int> sent;
    for (const auto& seen : site_.All(site_.send)) {
      const auto views = seen.views();
      const auto sms = kafka::DecodeSendSms(seen.value, views);
      EXPECT_TRUE(sms.ok()) << sms.status();
      if (!sms.ok() || sms->op != kafka::SendSms::Op::kSend) continue;
      EXPECT_EQ(sms->peer, peer_);
      EXPECT_EQ(sms->payload, "ENCBsealed");
      EXPECT_TRUE(sms->mark.has_value());
      ++sent[sms->attempt];
    }
    return sent;
  }
  void Say(const AttemptId& attempt, kafka::Reported result) {
    site_.Produce(site_.status, WordOf(peer_, attempt, result, 1'700'000'000'000));
  }

 private:
  KafkaSite& site_;
  const PeerId peer_;
};

constexpr char kGateways[] = "gateways = [\"g1\", \"g2\"]\nrepeat = \"1s\"\n";
constexpr char kUuid[] = "11111111-2222-4333-8444-555555555555";

TEST(KafkaOut, AnAttemptIsProducedUntilItsGatewaySpeaksAndEndsDelivered) {
  KafkaSite site(kafka::SharedBroker(), kGateways);
  Gateway gateway(site, "g1", kUuid);
  constexpr std::size_t kSmses = 30;
  for (std::size_t i = 0; i < kSmses; ++i)
    site.Produce(site.schedule, ScheduleRecord(absl::StrCat("k", i), absl::StrCat("t", i), SlotNow()));
  site.Start();
  ASSERT_TRUE(site.Applied(site.schedule));
  EXPECT_TRUE(gateway.Sent().empty()) << "before the gateway announced itself";
  gateway.Announce();
  ASSERT_TRUE(kafka::Within(60, [&] { return gateway.Sent().size() == kSmses; }));
  // Silence: produced again, under the same ids. A kill changes nothing in that.
  site.Kill();
  site.Start();
  gateway.Announce();
  ASSERT_TRUE(kafka::Within(60, [&] {
    const auto sent = gateway.Sent();
    return std::all_of(sent.begin(), sent.end(), [](const auto& one) { return one.second >= 3; });
  }));
  const auto sent = gateway.Sent();
  EXPECT_EQ(sent.size(), kSmses);
  for (const auto& [attempt, times] : sent) {
    EXPECT_EQ(attempt.number, 1U);
    gateway.Say(attempt, kafka::Reported::kAccepted);
    gateway.Say(attempt, kafka::Reported::kDelivered);  // overtakes
    gateway.Say(attempt, kafka::Reported::kSent);
    gateway.Say(attempt, kafka::Reported::kDelivered);
  }
  ASSERT_TRUE(site.Applied(site.status));
  site.Stop();
  EXPECT_EQ(CountOf(site.Stored(), State::kDelivered), kSmses);
  EXPECT_EQ(gateway.Sent().size(), kSmses) << "no second attempt";
}

TEST(KafkaOut, AStoreCountsForItselfAlone) {
  KafkaSite site(kafka::SharedBroker(), kGateways);
  Gateway gateway(site, "g1", kUuid), stranger(site, "g2", "99999999-2222-4333-8444-555555555555"),
      unnamed(site, "g3", "88888888-2222-4333-8444-555555555555");
  site.Produce(site.schedule, ScheduleRecord("k", "t", SlotNow()));
  site.Start();
  unnamed.Announce();
  EXPECT_TRUE(site.Says("kafka.gateways does not name it"));
  gateway.Announce();
  ASSERT_TRUE(kafka::Within(60, [&] { return gateway.Sent().size() == 1; }));
  const AttemptId attempt = gateway.Sent().begin()->first;
  stranger.Say(attempt, kafka::Reported::kDelivered);
  stranger.Announce();
  EXPECT_TRUE(site.Says("another gateway reads one of its partitions"));
  site.Stop();
  EXPECT_EQ(CountOf(site.Stored(), State::kInSlot), 1U);
}

TEST(KafkaOut, AnOldGatewayIsHandedEachAttemptOnceInFourFields) {
  KafkaSite site(kafka::SharedBroker(), "", "[gateway]\ndedupe = false\n[delivery]\nmax_jitter = \"0s\"\n");
  constexpr std::size_t kSmses = 20;
  for (std::size_t i = 0; i < kSmses; ++i)
    site.Produce(site.schedule, ScheduleRecord(absl::StrCat("k", i), absl::StrCat("t", i), SlotNow()));
  site.Start();
  ASSERT_TRUE(site.Applied(site.schedule));
  site.Kill();
  site.Start();
  ASSERT_TRUE(site.Applied(site.schedule));
  ASSERT_TRUE(kafka::Within(30, [&] { return !site.All(site.send).empty(); }));
  site.Kill();
  site.Start();
  std::map<std::string, int> sent;
  for (const auto& seen : site.All(site.send)) {
    const auto views = seen.views();
    const auto sms = kafka::DecodeSendSms(seen.value, views);
    ASSERT_TRUE(sms.ok()) << sms.status();
    ++sent[sms->attempt.ToString()];
    for (const char* field : {"\"correl-id\"", "\"client-id\"", "\"deadline\"", "\"payload\""})
      EXPECT_TRUE(absl::StrContains(seen.value, field)) << field;
    EXPECT_EQ(std::count(seen.value.begin(), seen.value.end(), ','), 3) << "four fields and no other";
    site.Produce(site.status, Raw(absl::StrCat(R"({"client-id":"acme","correl-id":")", sms->attempt.ToString(),
                                               R"(","timestamp":"2026-11-21T10:00:00Z","sms-status":"SENT"})")));
    site.Produce(site.status, Raw(absl::StrCat(R"({"client-id":"acme","correl-id":")", sms->attempt.ToString(),
                                               R"(","timestamp":"2026-11-21T10:00:00Z","sms-status":"DELIVERED"})")));
  }
  for (const auto& [attempt, times] : sent) EXPECT_EQ(times, 1) << attempt;
  ASSERT_TRUE(site.Applied(site.status));
  site.Stop();
  const auto stored = site.Stored();
  EXPECT_EQ(stored.size(), kSmses);
  EXPECT_EQ(CountOf(stored, State::kDelivered), sent.size());
  // What was marked and never produced waits for a word, and ends UNKNOWN: it is not produced again.
  EXPECT_EQ(CountOf(stored, State::kInSlot) + CountOf(stored, State::kPending), kSmses - sent.size());
}

TEST(KafkaOut, EveryTransitionIsToldInOrder) {
  KafkaSite site(kafka::SharedBroker(), "events = true\n");
  site.Start();
  ASSERT_TRUE(site.Says("ready"));
  site.Produce(site.schedule, ScheduleRecord("far", "t", SlotFarAhead()));
  site.Produce(site.schedule, ScheduleRecord("over", "t", "1-2"));
  ASSERT_TRUE(kafka::Within(60, [&] { return site.All(site.events).size() >= 2; }));
  std::map<std::string, std::string> states;
  for (const auto& seen : site.All(site.events)) {
    const auto event = kafka::DecodeSmsEvent(seen.value);
    ASSERT_TRUE(event.ok()) << event.status();
    EXPECT_EQ(event->client, "acme");
    states[event->key] = event->status;
  }
  EXPECT_EQ(states["far"], "SCHEDULED");
  EXPECT_EQ(states["over"], "EXPIRED");
}

TEST(KafkaAway, ABrokerThatDiesUnderLoadLosesAndDoublesNothing) {
  kafka::OwnBroker broker;
  KafkaSite site(broker.address(), kGateways);
  Gateway gateway(site, "g1", kUuid);
  site.Start();
  std::vector<kafka::Outgoing> records;
  for (int i = 0; i < 400; ++i)
    records.push_back(ScheduleRecord(absl::StrCat("k", i), absl::StrCat("t", i),
                                     i % 8 == 0 ? SlotNow() : SlotFarAhead(), absl::StrCat("asked", i)));
  gateway.Announce();
  site.ProduceAll(site.schedule, records);
  broker.Kill();
  broker.Start();
  gateway.Announce();
  for (std::size_t i = 0; i < records.size(); ++i)
    records[i] = ScheduleRecord(absl::StrCat("later", i), "", SlotFarAhead(), absl::StrCat("asked later", i));
  site.ProduceAll(site.schedule, records);
  ASSERT_TRUE(site.Applied(site.schedule, 120));
  ASSERT_TRUE(kafka::Within(90, [&] {
    gateway.Announce();
    return gateway.Sent().size() == 50;
  }));
  site.Kill();
  const auto stored = site.Stored();
  std::set<std::string> keys;
  for (const auto& [key, state] : stored) keys.insert(key);
  EXPECT_EQ(keys.size(), 800U);
  EXPECT_EQ(stored.size(), 800U);
}

}  // namespace
}  // namespace smsflow::server
