// A whole gateway, with its store on disk, over a real broker: records doubled, delayed and unreadable, the gateway
// killed, its store lost, the broker killed. The engine's side is played by the test.
#include "gateway/kafka_link.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "absl/strings/str_cat.h"
#include "crypto/envelope.h"
#include "crypto/old_envelope.h"
#include "gateway/gateway.h"
#include "tests/gateway/fakes.h"
#include "tests/kafka/broker.h"
#include "tests/kafka/lasting_producer.h"

namespace smsflow::gateway {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLook(50);
constexpr milliseconds kPatience(90'000);
constexpr int kSeconds = 90;

// Wall time stands still; the delays of the loopback are real, and short.
class StillClock : public engine::Clock {
 public:
  std::int64_t WallMs() const override { return kNow; }
  std::int64_t SteadyMs() const override {
    return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
  }
};

// The loopback, but for a tenant whose SMSC has no place.
class FullFor : public Carrier {
 public:
  FullFor(std::string tenant, std::unique_ptr<Carrier> carrier)
      : tenant_(std::move(tenant)), carrier_(std::move(carrier)) {}
  void Start(CarrierEvents& events) override { carrier_->Start(events); }
  bool Take(const engine::Lease& lease, const Route*) override { return lease.tenant != tenant_; }
  void Submit(std::vector<engine::Lease> leases) override { carrier_->Submit(std::move(leases)); }
  void Stop() override { carrier_->Stop(); }

 private:
  const std::string tenant_;
  const std::unique_ptr<Carrier> carrier_;
};

class KafkaLinkTest : public testing::Test {
 protected:
  explicit KafkaLinkTest(std::string address = kafka::SharedBroker()) : address_(std::move(address)) {
    folder_ = (std::filesystem::temp_directory_path() / "smsflow-kafka-link-XXXXXX").string();
    folder_ = mkdtemp(folder_.data());
    send_ = kafka::FreshTopic(address_, 2);
    status_ = kafka::FreshTopic(address_, 1);
    dead_ = kafka::FreshTopic(address_, 1);
    options_ = {.name = "test", .servers = address_, .properties = {}};
    producer_ = std::make_unique<kafka::LastingProducer>(options_);
    consumer_ = *kafka::Consumer::Open(options_, "test-engine");
    EXPECT_TRUE(consumer_->Add({{{status_, 0}, 0}, {{dead_, 0}, 0}}).ok());
  }
  ~KafkaLinkTest() override {
    gateway_.reset();
    std::filesystem::remove_all(folder_);
  }

  void Start(const std::string& store = "store") {
    KafkaLinkOptions kafka;
    kafka.client = options_;
    kafka.send_topic = send_;
    kafka.status_topic = status_;
    kafka.dead_letter_topic = dead_;
    kafka.credit = 50;
    kafka.announce_every_ms = 300;
    kafka.old_engine = old_engine_;
    kafka.old_group = old_group_;
    auto link = MakeKafkaLink(kafka, clock_);
    ASSERT_TRUE(link.ok()) << link.status();
    GatewayOptions options;
    options.gateway = absl::StrCat("g-", send_);
    options.tenants = {"clinic", "lab"};
    options.keys = {key_};
    if (old_engine_) options.keys.emplace_back(old_key_, "clinic");
    options.old_envelopes = old_engine_;
    options.store = folder_ + "/" + store;
    options.truth = folder_ + "/truth";
    options.loopback = {.normal_delay_ms = 1, .long_delay_ms = 1};
    if (!full_for_.empty()) options.carrier = CarrierThatIsFull(options.loopback, options.truth);
    auto gateway = Gateway::Open(std::move(options), std::move(*link), clock_,
                                 [](const absl::Status& status) { ADD_FAILURE() << status; });
    ASSERT_TRUE(gateway.ok()) << gateway.status();
    gateway_ = std::move(*gateway);
    gateway_->Start();
  }
  CarrierFactory CarrierThatIsFull(const LoopbackOptions& loopback, const std::string& truth) {
    return [=, this](std::unique_ptr<Opener> opener, engine::Clock& clock, const NoticeHandler&,
                     InboundTaker*) -> absl::StatusOr<std::unique_ptr<Carrier>> {
      auto log = TruthLog::Open(truth);
      if (!log.ok()) return log.status();
      return std::make_unique<FullFor>(
          full_for_, std::make_unique<Loopback>(loopback, std::move(opener), *std::move(log), clock,
                                                [](const absl::Status& status) { ADD_FAILURE() << status; }));
    };
  }
  // Until it has said who it is, as an engine waits before it hands anything over.
  void StartAndHear(const std::string& store = "store") {
    const std::size_t before = announcements_.size();
    Start(store);
    ASSERT_TRUE(Until([&] { return announcements_.size() > before && !announcements_.back().leaves; }));
    peer_ = announcements_.back().peer;
  }
  void Stop() {
    gateway_->Stop();
    gateway_.reset();
  }

  kafka::SendSms Sms(const AttemptId& attempt, const std::string& text, std::int64_t deadline_ms = kNow + kHour,
                     const std::string& tenant = "clinic") {
    kafka::SendSms sms;
    sms.attempt = attempt;
    sms.client = tenant;
    sms.deadline_ms = deadline_ms;
    sms.payload = *crypto::SealEnvelope(key_.public_key(), tenant + "/k1", "To: +255123456789\n\n" + text);
    sms.client_key = "k1";
    sms.peer = peer_;
    sms.mark = kafka::ShardMark{attempt.instance.shard().value, 1, 41, "sealed"};
    return sms;
  }
  kafka::SendSms Probe(const AttemptId& attempt) {
    kafka::SendSms sms = Sms(attempt, "");
    sms.op = kafka::SendSms::Op::kProbe;
    return sms;
  }
  void Send(const kafka::SendSms& sms) {
    const auto record = kafka::EncodeSendSms(sms);
    Send(record.value, record.headers, static_cast<std::int32_t>(sms.attempt.instance.shard().value % 2));
  }
  void Send(const std::string& value, const kafka::Headers& headers, std::int32_t partition) {
    producer_->Produce(send_, partition, "", value, headers);
  }

  void Look() {
    producer_->Poll(milliseconds(0));
    for (const kafka::Record& record : consumer_->Poll(kLook, 1000).records) {
      if (record.topic() == dead_) {
        letters_.push_back(*kafka::DecodeDeadLetter(record.value()));
      } else if (kafka::IsAnnouncement(record.headers())) {
        announcements_.push_back(*kafka::DecodeAnnouncement(record.value()));
      } else {
        const auto status = kafka::DecodeStatusSms(record.value(), record.headers());
        ASSERT_TRUE(status.ok()) << status.status();
        if (!status->attempt.has_value()) {
          EXPECT_TRUE(record.headers().empty());
          old_words_[status->correl_id].emplace_back(record.value());
          continue;
        }
        told_[*status->attempt].push_back(*status);
      }
    }
  }
  bool Until(const std::function<bool()>& done) {
    return kafka::Within(kSeconds, [&] {
      if (done()) return true;
      Look();
      return false;
    });
  }
  // What was said of an attempt, in order, once its last word is `last`.
  std::string Said(const AttemptId& attempt, Reported last) {
    Until([&] { return !told_[attempt].empty() && told_[attempt].back().result == last; });
    std::string all;
    for (const auto& status : told_[attempt]) {
      if (!all.empty()) all += ", ";
      all += workflows::delivery::NameOf(status.result);
    }
    return all;
  }
  std::map<std::string, int> Truth() const {
    std::map<std::string, int> submits;
    std::ifstream in(folder_ + "/truth");
    for (std::string line; std::getline(in, line);) ++submits[line.substr(0, line.find(' '))];
    return submits;
  }
  std::optional<std::int64_t> Committed(std::int32_t partition) {
    auto consumer = kafka::Consumer::Open(options_, absl::StrCat("smsflow-gateway-g-", send_));
    const kafka::TopicPartition place{send_, partition};
    const auto committed = (*consumer)->Committed({place}, kPatience);
    EXPECT_TRUE(committed.ok()) << committed.status();
    return committed->at(place);
  }

  const std::string address_;
  kafka::ClientOptions options_;
  std::string folder_, send_, status_, dead_;
  StillClock clock_;
  crypto::PrivateKey key_ = crypto::PrivateKey::Generate(crypto::KeyKind::kP256);
  crypto::PrivateKey old_key_ = key_;  // which may have another kind
  std::string full_for_;               // a tenant; empty: there is place for all
  bool old_engine_ = false;
  std::string old_group_;
  std::map<std::string, std::vector<std::string>> old_words_;  // by correl-id
  std::unique_ptr<kafka::LastingProducer> producer_;
  std::unique_ptr<kafka::Consumer> consumer_;
  std::unique_ptr<Gateway> gateway_;
  PeerId peer_;
  std::map<AttemptId, std::vector<kafka::StatusSms>> told_;
  std::vector<kafka::Announcement> announcements_;
  std::vector<kafka::DeadLetter> letters_;
};

TEST_F(KafkaLinkTest, AnnouncesItselfAndKeepsOnUntilItLeaves) {
  StartAndHear();
  EXPECT_EQ(announcements_[0].tenants, (std::vector<std::string>{"clinic", "lab"}));
  EXPECT_EQ(announcements_[0].partitions, (std::vector<std::int32_t>{0, 1}));
  EXPECT_EQ(announcements_[0].key_ids, std::vector<std::string>{key_.kid()});
  EXPECT_EQ(announcements_[0].credit, 50u);
  ASSERT_TRUE(Until([&] { return announcements_.size() >= 3; })) << "every 300 ms, so that it is known to live";
  Send(Sms(Attempt(1), "x"));
  EXPECT_EQ(Said(Attempt(1), Reported::kDelivered), "ACCEPTED, SENT, DELIVERED");
  ASSERT_TRUE(Until([&] { return !announcements_.back().marks.empty(); }));
  EXPECT_EQ(announcements_.back().marks[0], (kafka::ShardMark{1, 1, 41, "sealed"}));
  Stop();
  ASSERT_TRUE(Until([&] { return announcements_.back().leaves; }));
}

TEST_F(KafkaLinkTest, EveryReportNamesItsStore) {
  StartAndHear();
  Send(Sms(Attempt(1), "S0I1"));
  EXPECT_EQ(Said(Attempt(1), Reported::kInvalid), "ACCEPTED, INVALID");
  EXPECT_EQ(told_[Attempt(1)][1].peer, peer_);
  EXPECT_EQ(told_[Attempt(1)][1].cause, "requested");
}

TEST_F(KafkaLinkTest, ARecordThatComesTwiceIsSubmittedOnce) {
  StartAndHear();
  // The first two likely in one round, where the second one finds that it waits already; the third one is told again.
  for (int again = 0; again < 2; ++again) Send(Sms(Attempt(1), "S1D0"));
  EXPECT_TRUE(Said(Attempt(1), Reported::kSent).ends_with("SENT"));
  const std::size_t words = told_[Attempt(1)].size();
  Send(Sms(Attempt(1), "S1D0"));
  ASSERT_TRUE(Until([&] { return told_[Attempt(1)].size() > words; }));
  Stop();
  StartAndHear();
  Send(Sms(Attempt(1), "S1D0"));
  Send(Probe(Attempt(1)));
  ASSERT_TRUE(Until([&] { return told_[Attempt(1)].size() >= words + 3; }));
  EXPECT_EQ(told_[Attempt(1)].back().result, Reported::kSent);
  EXPECT_EQ(Truth(), (std::map<std::string, int>{{Attempt(1).ToString(), 1}}));
}

TEST_F(KafkaLinkTest, WhatWaitsAndIsRepeatedHoldsUpNobodyAndIsNotLost) {
  full_for_ = "clinic";
  StartAndHear();
  const kafka::SendSms waits = Sms(Attempt(1), "x");
  constexpr int kRepeated = 50 + 2'000 + 1'000 + 1;  // the credit, what may be open beyond it, and what is read at once
  for (int repeated = 0; repeated < kRepeated; ++repeated) Send(waits);
  Send(Sms(Attempt(5), "x", kNow + kHour, "lab"));
  EXPECT_EQ(Said(Attempt(5), Reported::kDelivered), "ACCEPTED, SENT, DELIVERED") << "in the same partition";
  ASSERT_TRUE(Until([&] { return Committed(1) == kRepeated - 1; })) << "where the newest of them stands";
  EXPECT_EQ(told_.count(Attempt(1)), 0u);
  Stop();
  full_for_.clear();
  StartAndHear();
  EXPECT_EQ(Said(Attempt(1), Reported::kDelivered), "ACCEPTED, SENT, DELIVERED");
  EXPECT_EQ(Truth(), (std::map<std::string, int>{{Attempt(1).ToString(), 1}, {Attempt(5).ToString(), 1}}));
}

TEST_F(KafkaLinkTest, ARecordThatComesPastItsDeadlineIsNotSubmitted) {
  StartAndHear();
  Send(Sms(Attempt(1), "x", kNow));
  EXPECT_EQ(Said(Attempt(1), Reported::kExpired), "EXPIRED");
  EXPECT_TRUE(Truth().empty());
}

TEST_F(KafkaLinkTest, AProbeIsAnsweredFromTheStoreAndWhatWasNeverSeenStaysRefused) {
  StartAndHear();
  Send(Probe(Attempt(1)));
  EXPECT_EQ(Said(Attempt(1), Reported::kNeverSeen), "NEVER_SEEN");
  Send(Sms(Attempt(1), "x"));
  ASSERT_TRUE(Until([&] { return told_[Attempt(1)].size() >= 2; }));
  EXPECT_EQ(told_[Attempt(1)][1].result, Reported::kNeverSeen);
  EXPECT_TRUE(Truth().empty());
}

TEST_F(KafkaLinkTest, AnotherStoresAttemptsAreUnknownHereAndAreNotSubmitted) {
  StartAndHear();
  const PeerId first = peer_;
  Stop();
  StartAndHear("another-store");
  ASSERT_NE(peer_, first);
  const PeerId second = peer_;
  peer_ = first;
  Send(Sms(Attempt(1), "x"));
  EXPECT_EQ(Said(Attempt(1), Reported::kUnknown), "UNKNOWN");
  EXPECT_EQ(told_[Attempt(1)][0].peer, second) << "whose word it is, the engine must know";
  peer_ = second;
  Send(Sms(Attempt(2), "x"));
  EXPECT_EQ(Said(Attempt(2), Reported::kDelivered), "ACCEPTED, SENT, DELIVERED");
  EXPECT_EQ(Truth(), (std::map<std::string, int>{{Attempt(2).ToString(), 1}}));
}

TEST_F(KafkaLinkTest, WhatCannotBeReadBecomesADeadLetterAndTheNextOneIsTaken) {
  StartAndHear();
  Send("no JSON, but +255123456789", {{"smsflow-op", "send"}}, 1);
  Send(kafka::EncodeSendSms(Sms(Attempt(3), "x")).value, {}, 1);  // of an engine without attempts
  Send(Sms(Attempt(1), "x"));
  EXPECT_EQ(Said(Attempt(1), Reported::kDelivered), "ACCEPTED, SENT, DELIVERED");
  ASSERT_TRUE(Until([&] { return letters_.size() >= 2; }));
  EXPECT_EQ(letters_[0].topic, send_);
  EXPECT_EQ(letters_[0].partition, 1);
  EXPECT_EQ(letters_[0].offset, 0);
  EXPECT_EQ(letters_[0].reason, "value: must be one JSON object");
  EXPECT_EQ(letters_[0].by, peer_.gateway);
  EXPECT_EQ(letters_[1].offset, 1);
  ASSERT_TRUE(Until([&] { return Committed(1) == 3; }));
  EXPECT_EQ(told_.count(Attempt(3)), 0u);
}

TEST_F(KafkaLinkTest, WithoutATopicForDeadLettersThePartitionWaitsAtIt) {
  const std::string there = std::exchange(dead_, dead_ + "-missing");
  StartAndHear();
  Send("{", {{"smsflow-op", "send"}}, 1);
  Send(Sms(Attempt(2), "x"));  // another partition goes on
  EXPECT_EQ(Said(Attempt(2), Reported::kDelivered), "ACCEPTED, SENT, DELIVERED");
  ASSERT_TRUE(Until([&] { return Committed(0) == 1; }));
  EXPECT_LE(Committed(1).value_or(0), 0);
  const auto admin = kafka::Admin::Open(options_);
  const auto made = (*admin)->Create({{dead_, 1, 1, {}}}, kPatience);
  ASSERT_TRUE(made.ok() && made->front().ok());
  ASSERT_TRUE(consumer_->Add({{{dead_, 0}, 0}}).ok());
  ASSERT_TRUE(Until([&] { return !letters_.empty(); })) << "it is written once it can be";
  EXPECT_EQ(letters_[0].offset, 0);
  ASSERT_TRUE(Until([&] { return Committed(1) == 1; }));
}

TEST_F(KafkaLinkTest, OffsetsFollowWhatIsDurable) {
  StartAndHear();
  for (std::uint64_t n = 1; n <= 40; ++n) Send(Sms(Attempt(n), "S1D0"));
  for (std::uint64_t n = 1; n <= 40; ++n) Said(Attempt(n), Reported::kSent);
  ASSERT_TRUE(Until([&] { return Committed(0) == 20 && Committed(1) == 20; }));
  Stop();
  told_.clear();
  StartAndHear();
  Send(Sms(Attempt(41), "x"));
  EXPECT_EQ(Said(Attempt(41), Reported::kDelivered), "ACCEPTED, SENT, DELIVERED");
  EXPECT_EQ(told_.size(), 1u) << "what was taken up before is not read again";
  EXPECT_EQ(Truth().size(), 41u);
}

TEST_F(KafkaLinkTest, PartitionsThatAreAddedAreReadToo) {
  StartAndHear();
  const auto admin = kafka::Admin::Open(options_);
  ASSERT_TRUE((*admin)->AddPartitions(send_, 3, kPatience).ok());
  ASSERT_TRUE(Until([&] { return announcements_.back().partitions.size() == 3; }));
  producer_ = std::make_unique<kafka::LastingProducer>(options_);  // which knows of them
  const auto record = kafka::EncodeSendSms(Sms(Attempt(1), "x"));
  Send(record.value, record.headers, 2);
  EXPECT_EQ(Said(Attempt(1), Reported::kDelivered), "ACCEPTED, SENT, DELIVERED");
}

// The engine is the one that smsflow replaces; its records as it writes them, one correl-id for all tries of an SMS.
class OldEngineTest : public KafkaLinkTest {
 protected:
  OldEngineTest() {
    old_engine_ = true;
    old_key_ = crypto::PrivateKey::Generate(crypto::KeyKind::kRsa);
  }
  void Ask(const std::string& correl_id, const std::string& text, std::int32_t partition = 0) {
    const auto payload = crypto::SealOldEnvelope(old_key_.public_key(), "To: +255123456789\nSender: TEST\n\n" + text);
    ASSERT_TRUE(payload.ok());
    AskWith(absl::StrCat(R"({"correl-id":")", correl_id, R"(","client-id":"clinic","deadline":"2027-01-15T10:00:00Z",)",
                         R"("payload":")", *payload, "\"}"),
            partition);
  }
  void AskWith(const std::string& value, std::int32_t partition = 0) {
    Send(value, {}, partition);
    ASSERT_TRUE(Until([&] { return producer_->pending() == 0; }));
  }
  // Until it reads: a new store begins at the end, wherever that is then.
  void StartAndBegin(const std::string& store = "store") {
    Start(store);
    ASSERT_TRUE(Until([&] {
      const std::string probe = absl::StrCat("begun-", ++probes_);
      AskWith(absl::StrCat(R"({"correl-id":")", probe, R"(","client-id":"nobody"})"));
      AskWith(absl::StrCat(R"({"correl-id":")", probe, R"(","client-id":"nobody"})"), 1);
      return kafka::Within(1, [&] {
        Look();
        return old_words_[probe].size() == 2;
      });
    }));
  }
  // The words of its sms-status, in order, once there are so many.
  std::string Heard(const std::string& correl_id, std::size_t words) {
    Until([&] { return old_words_[correl_id].size() >= words; });
    std::string all;
    for (const std::string& value : old_words_[correl_id]) {
      const auto status = kafka::DecodeStatusSms(value, {});
      all += (all.empty() ? "" : ", ") + std::string(workflows::delivery::NameOf(status->result));
    }
    return all;
  }
  int probes_ = 0;
};

TEST_F(OldEngineTest, HearsInItsOwnFormWhatBecameOfItsSms) {
  StartAndBegin();
  Ask("p1", "anything else");
  EXPECT_EQ(Heard("p1", 2), "SENT, DELIVERED");
  EXPECT_EQ(old_words_["p1"][0],
            R"({"client-id":"clinic","correl-id":"p1","timestamp":"2027-01-15T08:00:00Z","sms-status":"SENT"})");
  Ask("p2", "S1F1", 1);
  EXPECT_EQ(Heard("p2", 2), "SENT, FAILED");
  Ask("p3", "F1S1");
  Ask("p4", "S2D0");
  Ask("p5", "S0I1");
  EXPECT_EQ(Heard("p5", 1), "INVALID");
  EXPECT_EQ(Heard("p3", 1), "FAILED") << "SENT would be taken for its next try";
  EXPECT_EQ(Heard("p4", 1), "SENT") << "a second one would be taken for a failure";
  EXPECT_TRUE(announcements_.empty()) << "it knows none";
  EXPECT_EQ(Truth().size(), 5u);
}

TEST_F(OldEngineTest, ItsNextTryIsAnotherAttemptAndARecordReadAgainIsNot) {
  StartAndBegin();
  Ask("p1", "S1D0");
  EXPECT_EQ(Heard("p1", 1), "SENT");
  Ask("p1", "S1D0");
  EXPECT_EQ(Heard("p1", 2), "SENT, SENT");
  EXPECT_EQ(Truth().size(), 2u);
  Stop();
  StartAndBegin();
  Ask("p2", "S1D0");
  EXPECT_EQ(Heard("p2", 1), "SENT");
  EXPECT_EQ(old_words_["p1"].size(), 2u) << "said once";
  EXPECT_EQ(Truth().size(), 3u);
}

TEST_F(OldEngineTest, ANewStoreBeginsAtTheEndOrWhereTheOldGatewayStood) {
  Ask("before", "S1D0");
  StartAndBegin();
  Ask("after", "S1D0");
  EXPECT_EQ(Heard("after", 1), "SENT");
  Stop();
  EXPECT_EQ(Truth().size(), 1u) << "what was written before may have been submitted by another";
  auto old_gateway = kafka::Consumer::Open(options_, absl::StrCat("old-", send_));
  ASSERT_TRUE((*old_gateway)->Add({{{send_, 0}, 0}, {{send_, 1}, 0}}).ok());
  ASSERT_TRUE(kafka::Within(kSeconds, [&] {
    (*old_gateway)->Commit({{{send_, 0}, 0}, {{send_, 1}, 0}});
    (void)(*old_gateway)->Poll(milliseconds(0), 1);
    const auto committed = (*old_gateway)->Committed({{send_, 0}}, kPatience);
    return committed.ok() && committed->at({send_, 0}).has_value();
  }));
  old_group_ = absl::StrCat("old-", send_);
  StartAndBegin("another-store");
  EXPECT_EQ(Heard("before", 1), "SENT");
}

TEST_F(OldEngineTest, ANewStoreThatEndsAtOnceBeginsWhereItBegan) {
  StartAndBegin();
  Stop();
  Ask("between", "S1D0");
  Ask("between too", "S1D0", 1);
  StartAndBegin();
  EXPECT_EQ(Heard("between", 1), "SENT");
  EXPECT_EQ(Heard("between too", 1), "SENT");
}

TEST_F(OldEngineTest, WhatHasNobodyToAnswerIsADeadLetter) {
  StartAndBegin();
  AskWith(R"({"correl-id":"p1"})");
  AskWith("+255123456789");
  Ask("p2", "S1D0");
  EXPECT_EQ(Heard("p2", 1), "SENT");
  ASSERT_TRUE(Until([&] { return letters_.size() >= 2; }));
  EXPECT_EQ(letters_[0].reason, "client-id: is missing");
  EXPECT_EQ(letters_[1].reason, "value: must be one JSON object");
}

// With a broker of its own, which is killed.
class KafkaOutageTest : public KafkaLinkTest {
 protected:
  KafkaOutageTest() : KafkaLinkTest(Broker().address()) {}
  static kafka::OwnBroker& Broker() {
    static auto* broker = new kafka::OwnBroker;
    return *broker;
  }
  static void TearDownTestSuite() { delete &Broker(); }
};

TEST_F(KafkaOutageTest, ABrokerThatIsKilledCostsNoWordAndDoublesNoSms) {
  StartAndHear();
  constexpr std::uint64_t kAttempts = 200;
  for (std::uint64_t n = 1; n <= kAttempts; ++n) {
    Send(Sms(Attempt(n), "x"));
    if (n == kAttempts / 4) Said(Attempt(1), Reported::kDelivered);
    if (n == kAttempts / 2) Broker().Kill();
    if (n == kAttempts * 3 / 4) Broker().Start();
  }
  ASSERT_TRUE(Until([&] {
    std::size_t delivered = 0;
    for (const auto& [attempt, words] : told_) delivered += words.back().result == Reported::kDelivered ? 1 : 0;
    return delivered == kAttempts;
  })) << told_.size();
  const auto truth = Truth();
  EXPECT_EQ(truth.size(), kAttempts);
  for (const auto& [attempt, count] : truth) EXPECT_EQ(count, 1) << attempt;
  const auto admin = kafka::Admin::Open(options_);
  ASSERT_TRUE(Until([&] {  // a record that was left open stands there twice
    std::int64_t records = 0, committed = 0;
    for (const std::int32_t partition : {0, 1}) {
      const auto ends = (*admin)->Ends({send_, partition}, kPatience);
      if (!ends.ok()) return false;
      records += ends->high;
      committed += Committed(partition).value_or(0);
    }
    return producer_->pending() == 0 && records >= std::int64_t{kAttempts} && committed == records;
  })) << Committed(0).value_or(-1)
      << " + " << Committed(1).value_or(-1);
}

}  // namespace
}  // namespace smsflow::gateway
