// A whole gateway, with its store on disk, against the engine's side of the stream: cut, restarted, asked again.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "crypto/envelope.h"
#include "gateway/attach_client.h"
#include "gateway/gateway.h"
#include "tests/gateway/deaf_relay.h"
#include "tests/gateway/fake_engine.h"
#include "tests/gateway/fakes.h"

namespace smsflow::gateway {
namespace {

// Wall time stands still; the delays of the loopback are real, and short.
class StillClock : public engine::Clock {
 public:
  std::int64_t WallMs() const override { return kNow; }
  std::int64_t SteadyMs() const override {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }
};

class AttachTest : public testing::Test {
 protected:
  AttachTest() {
    char folder[] = "/tmp/smsflow-attach-XXXXXX";
    folder_ = mkdtemp(folder);
    engine_ = std::make_unique<FakeEngine>("unix:" + folder_ + "/s");
  }
  ~AttachTest() override {
    gateway_.reset();
    engine_.reset();
    std::filesystem::remove_all(folder_);
  }

  void Start() {
    AttachOptions attach{.address = "unix:" + folder_ + "/s", .token = "secret", .ca_pem = ""};
    attach.credit = 7;
    attach.pause_min_ms = 10;
    attach.pause_max_ms = 50;
    auto link = MakeAttachClient(attach);
    ASSERT_TRUE(link.ok()) << link.status();
    GatewayOptions options;
    options.gateway = "g1";
    options.tenants = {"clinic", "lab"};
    options.keys = {key_};
    options.store = folder_ + "/store";
    options.truth = folder_ + "/truth";
    options.loopback = {.normal_delay_ms = 1, .long_delay_ms = 1};
    auto gateway = Gateway::Open(std::move(options), std::move(*link), clock_,
                                 [](const absl::Status& status) { ADD_FAILURE() << status; });
    ASSERT_TRUE(gateway.ok()) << gateway.status();
    gateway_ = std::move(*gateway);
    gateway_->Start();
  }
  v1::EngineMessage Lease(const AttemptId& attempt, const std::string& text, bool again = false) {
    v1::EngineMessage message;
    v1::Lease& lease = *message.mutable_leases()->add_leases();
    lease.set_attempt_id(attempt.ToString());
    lease.set_tenant("clinic");
    lease.set_key("k1");
    lease.set_deadline_ms(kNow + kHour);
    lease.set_payload(*crypto::SealEnvelope(key_.public_key(), "clinic/k1", "To: +255123456789\n\n" + text));
    lease.mutable_mark()->set_shard(attempt.instance.shard().value);
    lease.mutable_mark()->set_epoch(1);
    lease.mutable_mark()->set_sequence(41);
    lease.mutable_mark()->set_seal("sealed");
    lease.set_again(again);
    return message;
  }
  v1::EngineMessage Probe(const AttemptId& attempt) {
    v1::EngineMessage message;
    v1::Probe& probe = *message.mutable_probes()->add_probes();
    probe.set_attempt_id(attempt.ToString());
    probe.set_deadline_ms(kNow + kHour);
    return message;
  }
  v1::EngineMessage Answer(const AttemptId& attempt, v1::AttemptResult result) {
    v1::EngineMessage message;
    v1::ReportAnswer& answer = *message.mutable_answers()->add_answers();
    answer.set_attempt_id(attempt.ToString());
    answer.set_tag(static_cast<std::uint64_t>(result));
    answer.set_outcome(v1::ReportAnswer::APPLIED);
    return message;
  }
  std::size_t Submits() const {
    std::ifstream in(folder_ + "/truth");
    std::size_t lines = 0;
    for (std::string line; std::getline(in, line);) ++lines;
    return lines;
  }

  std::string folder_;
  StillClock clock_;
  crypto::PrivateKey key_ = crypto::PrivateKey::Generate(crypto::KeyKind::kP256);
  std::unique_ptr<FakeEngine> engine_;
  std::unique_ptr<Gateway> gateway_;
};

TEST_F(AttachTest, GreetsWithWhatItIsAndWhatItTakes) {
  Start();
  ASSERT_TRUE(engine_->Greeted());
  EXPECT_EQ(engine_->token(), "Bearer secret");
  EXPECT_EQ(engine_->last_hello.gateway(), "g1");
  EXPECT_EQ(engine_->last_hello.store_uuid().size(), 36u);
  EXPECT_EQ(engine_->last_hello.tenants_size(), 2);
  ASSERT_EQ(engine_->last_hello.key_ids_size(), 1);
  EXPECT_EQ(engine_->last_hello.key_ids(0), key_.kid());
  EXPECT_TRUE(engine_->last_hello.repeat_window());
  EXPECT_EQ(engine_->last_hello.marks_size(), 0);
  EXPECT_EQ(engine_->last_credit, 7u);
}

TEST_F(AttachTest, NewKeysAreToldOfAndOpenWhileOldOnesStillDo) {
  Start();
  ASSERT_TRUE(engine_->Greeted());
  const crypto::PrivateKey second = crypto::PrivateKey::Generate(crypto::KeyKind::kP256);
  ASSERT_TRUE(gateway_->ReplaceKeys({second, key_}).ok());
  ASSERT_TRUE(engine_->Greeted());
  ASSERT_EQ(engine_->last_hello.key_ids_size(), 2);
  EXPECT_EQ(engine_->last_hello.key_ids(0), second.kid());
  EXPECT_EQ(engine_->last_hello.key_ids(1), key_.kid());
  ASSERT_TRUE(engine_->Say(Lease(Attempt(1), "S1D1")));
  EXPECT_EQ(engine_->Reports(3), "ACCEPTED, RESULT_SENT, RESULT_DELIVERED");
  key_ = second;
  ASSERT_TRUE(engine_->Say(Lease(Attempt(2), "S1D1")));
  EXPECT_EQ(engine_->Reports(3), "ACCEPTED, RESULT_SENT, RESULT_DELIVERED");
  EXPECT_EQ(gateway_->ReplaceKeys({}), absl::InvalidArgumentError("key: at least one private key is needed"));
}

TEST_F(AttachTest, ALeaseGoesItsWholeWay) {
  Start();
  ASSERT_TRUE(engine_->Greeted());
  ASSERT_TRUE(engine_->Say(Lease(Attempt(1), "S1D1")));
  EXPECT_EQ(engine_->Reports(3), "ACCEPTED, RESULT_SENT, RESULT_DELIVERED");
  EXPECT_EQ(Submits(), 1u);
  ASSERT_TRUE(engine_->Say(Lease(Attempt(1), "S1D1", true)));
  EXPECT_EQ(engine_->Reports(1), "RESULT_DELIVERED");
  ASSERT_TRUE(engine_->Say(Probe(Attempt(1))));
  EXPECT_EQ(engine_->Reports(1), "RESULT_DELIVERED");
  ASSERT_TRUE(engine_->Say(Probe(Attempt(2))));
  EXPECT_EQ(engine_->Reports(1), "NEVER_SEEN");
  ASSERT_TRUE(engine_->Say(Lease(Attempt(2), "S1D1")));
  EXPECT_EQ(engine_->Reports(1), "NEVER_SEEN");
  EXPECT_EQ(Submits(), 1u);
}

TEST_F(AttachTest, AfterACutItComesBackWithItsCreditAndWhatWasNotAnswered) {
  Start();
  ASSERT_TRUE(engine_->Greeted());
  ASSERT_TRUE(engine_->Say(Lease(Attempt(1), "S0D1")));
  ASSERT_TRUE(engine_->Say(Lease(Attempt(2), "S0D1")));
  engine_->Reports(4);
  ASSERT_TRUE(engine_->Say(Answer(Attempt(2), v1::RESULT_DELIVERED)));
  ASSERT_TRUE(engine_->Say(Probe(Attempt(2))));
  EXPECT_EQ(engine_->Reports(1), "RESULT_DELIVERED") << "so the answer before it was taken";
  engine_->Cut();
  ASSERT_TRUE(engine_->Greeted());
  EXPECT_EQ(engine_->last_credit, 7u);
  EXPECT_EQ(engine_->last_hello.marks_size(), 2);
  EXPECT_EQ(engine_->last_hello.marks(0).sequence(), 41u);
  EXPECT_EQ(engine_->last_hello.marks(0).seal(), "sealed");
  const auto message = engine_->Next();
  ASSERT_TRUE(message.has_value() && message->has_reports());
  ASSERT_EQ(message->reports().reports_size(), 1);
  EXPECT_EQ(message->reports().reports(0).attempt_id(), Attempt(1).ToString());
  EXPECT_EQ(message->reports().reports(0).result(), v1::RESULT_DELIVERED);
  EXPECT_EQ(Submits(), 2u);
}

TEST_F(AttachTest, WaitsForAnEngineThatIsNotThereYet) {
  engine_->Stop();
  Start();
  engine_->Start();
  EXPECT_TRUE(engine_->Greeted());
}

TEST_F(AttachTest, ARestartTurnsAnIntentIntoUnknown) {
  Start();
  ASSERT_TRUE(engine_->Greeted());
  const std::string uuid = engine_->last_hello.store_uuid();
  ASSERT_TRUE(engine_->Say(Lease(Attempt(1), "S0D0")));
  EXPECT_EQ(engine_->Reports(1), "ACCEPTED");
  gateway_.reset();
  const std::size_t submits = Submits();  // none when it was stopped between the two
  EXPECT_LE(submits, 1u);
  Start();
  ASSERT_TRUE(engine_->Greeted());
  EXPECT_EQ(engine_->last_hello.store_uuid(), uuid);
  EXPECT_EQ(engine_->Reports(1), "RESULT_UNKNOWN");
  ASSERT_TRUE(engine_->Say(Lease(Attempt(1), "S0D0", true)));
  EXPECT_EQ(engine_->Reports(1), "RESULT_UNKNOWN");
  EXPECT_EQ(Submits(), submits);
}

TEST_F(AttachTest, TwoStreamsOfOneStoreAreImpossible) {
  Start();
  GatewayOptions options;
  options.gateway = "g1";
  options.tenants = {"clinic"};
  options.keys = {key_};
  options.store = folder_ + "/store";
  const auto second =
      Gateway::Open(std::move(options), std::make_unique<FakeLink>(), clock_, [](const absl::Status&) {});
  EXPECT_FALSE(second.ok()) << "a store belongs to one process";
}

TEST_F(AttachTest, TheStoreHasItsBallastAndLeavesItAlone) {
  GatewayOptions options;
  options.gateway = "g1";
  options.tenants = {"clinic"};
  options.keys = {key_};
  options.store = folder_ + "/store";
  options.ballast_bytes = 1 << 20;
  for (int i = 0; i < 2; ++i) {
    const auto gateway = Gateway::Open(options, std::make_unique<FakeLink>(), clock_, [](const absl::Status&) {});
    ASSERT_TRUE(gateway.ok()) << gateway.status();
    EXPECT_EQ(std::filesystem::file_size(folder_ + "/store/ballast"), 1u << 20);
  }
}

TEST_F(AttachTest, AnAttemptThatComesOnTwoStreamsIsSubmittedOnce) {
  Start();
  ASSERT_TRUE(engine_->Greeted());
  ASSERT_TRUE(engine_->Say(Lease(Attempt(1), "S1D0")));
  engine_->Cut();  // the engine cannot know whether the lease arrived
  ASSERT_TRUE(engine_->Greeted());
  ASSERT_TRUE(engine_->Say(Lease(Attempt(1), "S1D0", true)));
  std::string said;
  while (said.find("RESULT_SENT") == std::string::npos && said.find("nothing") == std::string::npos) {
    said += engine_->Reports(1);
  }
  EXPECT_NE(said.find("RESULT_SENT"), std::string::npos);
  EXPECT_EQ(Submits(), 1u);
}

// Counts what the link says is gone.
class Counts : public LinkEvents {
 public:
  engine::PeerHello Hello() override { return {{"g1", "11111111-2222-4333-8444-555555555555"}, {"clinic"}, {}, {}}; }
  void OnAttached() override { Note(attached_, 1); }
  void OnDetached(const absl::Status&) override {}
  void OnLeases(std::vector<Lease>) override {}
  void OnProbes(std::vector<engine::Probe>) override {}
  void OnAnswers(std::vector<Answer>) override {}
  void OnGone(std::size_t reports) override { Note(gone_, reports); }

  bool AwaitAttached(std::size_t times = 1) {
    return Await([this, times] { return attached_ >= times; });
  }
  bool AwaitGone(std::size_t reports) {
    return Await([this, reports] { return gone_ == reports; });
  }

 private:
  void Note(std::size_t& count, std::size_t more) {
    const std::lock_guard lock(mutex_);
    count += more;
    noted_.notify_all();
  }
  template <class Condition>
  bool Await(Condition condition) {
    std::unique_lock lock(mutex_);
    return noted_.wait_for(lock, kPatience, condition);
  }

  std::mutex mutex_;
  std::condition_variable noted_;
  std::size_t attached_ = 0, gone_ = 0;
};

TEST_F(AttachTest, TheLinkTellsWhatHasLeft) {
  auto link = MakeAttachClient({.address = "unix:" + folder_ + "/s", .token = "", .ca_pem = ""});
  ASSERT_TRUE(link.ok());
  Counts counts;
  (*link)->Start(counts);
  ASSERT_TRUE(engine_->Greeted());
  ASSERT_TRUE(counts.AwaitAttached());
  const std::vector<Report> reports(1'200, {Attempt(1), Reported::kSent, About::kNotSaid, "", 0});
  (*link)->Report(reports);
  EXPECT_TRUE(counts.AwaitGone(1'200));
  (*link)->Report({reports[0]});
  EXPECT_TRUE(counts.AwaitGone(1'201));
  (*link)->Stop();
}

// As a path does whose state was dropped on the way: neither end is told.
TEST_F(AttachTest, AnEngineThatIsNoLongerHeardIsAttachedToAnew) {
  DeafRelay relay(folder_ + "/r", folder_ + "/s");
  auto link = MakeAttachClient(
      {.address = "unix:" + folder_ + "/r", .token = "", .ca_pem = "", .pause_min_ms = 10, .silence_ms = 600});
  ASSERT_TRUE(link.ok());
  Counts counts;
  (*link)->Start(counts);
  ASSERT_TRUE(engine_->Greeted());
  ASSERT_TRUE(counts.AwaitAttached());
  relay.GoDeaf();
  ASSERT_TRUE(engine_->Greeted());
  EXPECT_TRUE(counts.AwaitAttached(2));
  (*link)->Stop();
}

TEST(AttachClient, PlaintextStaysOnThisMachine) {
  for (const char* address : {"10.0.0.1:7070", "engine.example:7070", "dns:///engine", ""}) {
    const auto link = MakeAttachClient({.address = address, .token = "", .ca_pem = ""});
    EXPECT_EQ(link.status().code(), absl::StatusCode::kInvalidArgument) << address;
  }
  EXPECT_TRUE(MakeAttachClient({.address = "127.0.0.1:1", .token = "", .ca_pem = ""}).ok());
}

TEST(GatewayOptions, EachMistakeNamesItsOption) {
  StillClock clock;
  const auto said = [&](GatewayOptions options) {
    const auto gateway =
        Gateway::Open(std::move(options), std::make_unique<FakeLink>(), clock, [](const absl::Status&) {});
    EXPECT_EQ(gateway.status().code(), absl::StatusCode::kInvalidArgument);
    const std::string text(gateway.status().message());
    return text.substr(0, text.find(':'));
  };
  const auto key = crypto::PrivateKey::Generate(crypto::KeyKind::kP256);
  EXPECT_EQ(said({.gateway = "", .tenants = {"a"}, .keys = {key}, .store = "s", .truth = "", .loopback = {}}),
            "gateway");
  EXPECT_EQ(said({.gateway = "a b", .tenants = {"a"}, .keys = {key}, .store = "s", .truth = "", .loopback = {}}),
            "gateway");
  EXPECT_EQ(said({.gateway = "g", .tenants = {}, .keys = {key}, .store = "s", .truth = "", .loopback = {}}), "tenants");
  EXPECT_EQ(said({.gateway = "g", .tenants = {"a"}, .keys = {key}, .store = "", .truth = "", .loopback = {}}), "store");
  EXPECT_EQ(said({.gateway = "g", .tenants = {"a"}, .keys = {}, .store = "s", .truth = "", .loopback = {}}), "key");
}

}  // namespace
}  // namespace smsflow::gateway
