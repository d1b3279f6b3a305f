// A whole gateway but for its engine, over real sockets to the simulator in this process: core, store and carrier.
#include "gateway/smpp_carrier.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>

#include "crypto/envelope.h"
#include "gateway/core.h"
#include "gateway/smsc_config.h"
#include "storage/memory_store.h"
#include "tests/gateway/fakes.h"
#include "tests/gateway/running_smsc.h"

namespace smsflow::gateway {
namespace {

// A link that hands nothing over by itself and notes what is reported.
class NotingLink : public Link {
 public:
  void Start(LinkEvents&) override {}
  void Stop() override {}
  void Report(std::vector<gateway::Report> reports) override {
    const std::lock_guard lock(mutex_);
    for (const auto& report : reports) {
      auto& told = told_[report.attempt];
      told += (told.empty() ? "" : ", ") + Told({report});
    }
    wake_.notify_all();
  }
  // Once it ends like that; what was told when it took too long.
  std::string Await(const AttemptId& attempt, std::string_view end) {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, std::chrono::seconds(60), [&] { return told_[attempt].ends_with(end); });
    return told_[attempt];
  }
  // Once so many attempts have this story; how many have it.
  std::ptrdiff_t AwaitCount(std::string_view story, std::ptrdiff_t wanted) {
    const auto count = [&] {
      return std::count_if(told_.begin(), told_.end(), [&](const auto& one) { return one.second == story; });
    };
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, std::chrono::seconds(60), [&] { return count() >= wanted; });
    return count();
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::map<AttemptId, std::string> told_;
};

class SmppCarrierTest : public testing::Test {
 protected:
  void TearDown() override {
    StopGateway();
    inbound_.reset();
  }

  // `more` goes into the connection's section.
  void StartGateway(std::uint16_t port, const std::string& more = "") {
    const std::string toml = "[[smsc]]\nname = \"sim\"\nhost = \"127.0.0.1\"\nport = " + std::to_string(port) +
                             "\nsystem_id = \"clinic\"\nagain_least_ms = 20\nagain_most_ms = 50\n" + more;
    auto smscs = ReadSmscConfig(toml, "smsc.toml", [](const std::string&, bool) { return std::string(); });
    ASSERT_TRUE(smscs.ok()) << smscs.status();
    vault_ = std::make_shared<crypto::Vault>(crypto::OldEnvelopes::kRefused);
    vault_->Replace({{key_, {}}});
    auto carrier = SmppCarrier::Make(
        *smscs, std::make_unique<EnvelopeOpener>(vault_), clock_,
        [this](LogLevel, std::string_view line) { log_.Tell(std::string(line)); }, SmscLink::Make, inbound_.get());
    ASSERT_TRUE(carrier.ok()) << carrier.status();
    carrier_ = std::move(*carrier);
    agreed_ = std::make_unique<AgreedClock>(clock_, nullptr);
    auto store = Store::Open(rows_, "g1", clock_.WallMs());
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = std::move(*store);
    core_ = std::make_unique<Core>(CoreOptions{.gateway = "g1", .tenants = {"clinic"}, .key_ids = {}}, *store_, link_,
                                   *carrier_, *agreed_, [](const absl::Status& status) { ADD_FAILURE() << status; });
    ASSERT_TRUE(core_->Load().ok());
    core_->Start();
  }
  void StopGateway() {
    if (core_ == nullptr) return;
    core_->Stop();
    core_.reset();
    carrier_.reset();
    store_.reset();
  }
  AttemptId Send(const std::string& text, const std::string& to = "+255123456789", std::int64_t left_ms = 60'000,
                 const std::string& sender = "CLINIC", const std::string& tenant = "clinic") {
    auto lease = LeaseOf(Attempt(++count_), clock_.WallMs() + left_ms);
    lease.tenant = tenant;
    auto envelope =
        crypto::SealEnvelope(key_.public_key(), tenant + "/k1", "To: " + to + "\nSender: " + sender + "\n\n" + text);
    EXPECT_TRUE(envelope.ok()) << envelope.status();
    lease.payload = std::move(*envelope);
    core_->OnLeases({lease});
    return lease.attempt;
  }

  const crypto::PrivateKey key_ = crypto::PrivateKey::Generate(crypto::KeyKind::kP256);
  engine::Clock& clock_ = engine::SystemClock();
  storage::MemoryStore rows_;
  NotingLink link_;
  RememberedTruth log_;
  std::uint64_t count_ = 0;
  std::unique_ptr<Inbound> inbound_;  // before the carrier, which calls it
  std::shared_ptr<crypto::Vault> vault_;
  std::unique_ptr<SmppCarrier> carrier_;
  std::unique_ptr<AgreedClock> agreed_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Core> core_;
};

TEST_F(SmppCarrierTest, SentAndDelivered) {
  RunningSmsc smsc("[ids]\nfirst = 4096\nresponse = \"hex\"\nreceipt = \"decimal\"\ntlv = \"none\"\n");
  StartGateway(smsc.port());
  std::vector<AttemptId> attempts;
  for (int i = 0; i < 20; ++i) attempts.push_back(Send("Hello"));
  for (const auto& attempt : attempts) EXPECT_EQ(link_.Await(attempt, "DELIVERED"), "ACCEPTED, SENT, DELIVERED");
  EXPECT_EQ(smsc.truth.Count("\"event\":\"submit\""), 20);
  EXPECT_EQ(smsc.truth.Count("\"destination\":\"255123456789\""), 20);
  EXPECT_EQ(smsc.truth.Count("\"source\":\"CLINIC\""), 20);
  const auto figures = carrier_->figures();
  EXPECT_EQ(figures[0].submitted, 20u);
  EXPECT_EQ(figures[0].accepted, 20u);
  EXPECT_EQ(figures[0].receipts, 20u);
  EXPECT_EQ(figures[0].under_way, 0u);
  EXPECT_TRUE(figures[0].bound);
}

class NotingEvents : public CarrierEvents {
 public:
  void OnOutcomes(std::vector<gateway::Report> outcomes) override { told += Told(outcomes); }
  void OnParts(std::vector<PartAnswer>) override {}
  void OnReceipt(SmscReceipt, Handle) override {}
  std::string told;
};

// Its INTENT was being synced while the gateway stopped: without a word it would be in doubt at the next start.
TEST_F(SmppCarrierTest, WhatIsSubmittedAfterAStopHasFailed) {
  auto smscs = ReadSmscConfig("[[smsc]]\nname = \"sim\"\nhost = \"127.0.0.1\"\nport = 1\nsystem_id = \"clinic\"\n",
                              "smsc.toml", [](const std::string&, bool) { return std::string(); });
  ASSERT_TRUE(smscs.ok()) << smscs.status();
  auto vault = std::make_shared<crypto::Vault>(crypto::OldEnvelopes::kRefused);
  auto carrier = SmppCarrier::Make(*smscs, std::make_unique<EnvelopeOpener>(vault), clock_, nullptr, SmscLink::Make);
  ASSERT_TRUE(carrier.ok()) << carrier.status();
  NotingEvents events;
  (*carrier)->Start(events);
  (*carrier)->Stop();
  const auto lease = LeaseOf(Attempt(1), clock_.WallMs() + 60'000);
  EXPECT_FALSE((*carrier)->Take(lease, nullptr));
  (*carrier)->Submit({lease});
  EXPECT_EQ(events.told, "FAILED smsc_unreachable");
}

TEST_F(SmppCarrierTest, InPartsItIsDeliveredWhenAllAre) {
  for (const char* segments : {"udh", "udh-16", "sar"}) {
    RunningSmsc smsc("");
    StartGateway(smsc.port(), "segments = \"" + std::string(segments) + "\"\n");
    EXPECT_EQ(link_.Await(Send(std::string(400, 'a')), "DELIVERED"), "ACCEPTED, SENT, DELIVERED");
    EXPECT_EQ(smsc.truth.Count("\"parts\":3"), 3) << segments;
    StopGateway();
  }
}

TEST_F(SmppCarrierTest, OneReceiptForAllParts) {
  RunningSmsc smsc("[receipt]\nparts = \"last\"\n");
  StartGateway(smsc.port(), "receipts = \"last\"\n");
  EXPECT_EQ(link_.Await(Send(std::string(400, 'a')), "DELIVERED"), "ACCEPTED, SENT, DELIVERED");
}

TEST_F(SmppCarrierTest, AReceiptThatOvertakesItsResponseIsKept) {
  RunningSmsc smsc("[[fault]]\nkind = \"early-receipt\"\ndelay_ms = 100\n");
  StartGateway(smsc.port());
  EXPECT_EQ(link_.Await(Send("Hello"), "DELIVERED"), "ACCEPTED, SENT, DELIVERED");
  EXPECT_EQ(core_->figures().receipts.parked, 0u);
}

TEST_F(SmppCarrierTest, ARefusalHasItsCause) {
  RunningSmsc smsc(
      "[[fault]]\nkind = \"refuse\"\nstatus = 0x0b\ndestination = \"2551\"\n"
      "[[fault]]\nkind = \"refuse\"\nstatus = 0x45\ndestination = \"2552\"\n"
      "[[fault]]\nkind = \"refuse\"\nstatus = 0x0a\ndestination = \"2553\"\n"
      "[[fault]]\nkind = \"refuse\"\nstatus = 0x401\ndestination = \"2554\"\n");
  StartGateway(smsc.port(), "refusals = { \"0x401\" = \"recipient\" }\n");
  EXPECT_EQ(link_.Await(Send("Hello", "+255200000000"), "smsc_error"), "ACCEPTED, FAILED smsc_error");
  EXPECT_EQ(link_.Await(Send("Hello", "+255100000000"), "recipient"), "ACCEPTED, FAILED_PERMANENT invalid_recipient");
  EXPECT_EQ(link_.Await(Send("Hello", "+255300000000"), "sender"), "ACCEPTED, FAILED_PERMANENT invalid_sender");
  EXPECT_EQ(link_.Await(Send("Hello", "+255400000000"), "recipient"), "ACCEPTED, FAILED_PERMANENT invalid_recipient");
}

TEST_F(SmppCarrierTest, ThrottlingLosesNothingAndKeepsTheOrder) {
  RunningSmsc smsc("[limits]\nsubmits_per_s = 2\n");
  StartGateway(smsc.port(), "window = 4\nthrottle_least_ms = 20\nthrottle_most_ms = 100\n");
  std::vector<AttemptId> attempts;
  for (int i = 0; i < 8; ++i) attempts.push_back(Send("Hello"));
  for (const auto& attempt : attempts) {
    EXPECT_EQ(link_.Await(attempt, "DELIVERED"), "ACCEPTED, SENT, DELIVERED");
  }
  EXPECT_GT(carrier_->figures()[0].throttled, 0u);
}

TEST_F(SmppCarrierTest, AnAnswerThatNeverComesIsUnknownAndItIsSubmittedOnce) {
  RunningSmsc smsc("[[fault]]\nkind = \"drop-response\"\n[[fault]]\nkind = \"drop-receipt\"\n");
  StartGateway(smsc.port(), "response_ms = 200\n");
  EXPECT_EQ(link_.Await(Send("Hello"), "unknown"), "ACCEPTED, UNKNOWN unknown");
  EXPECT_EQ(smsc.truth.Await("\"event\":\"submit\"", 1), 1);
}

TEST_F(SmppCarrierTest, AResetMakesUnknownWhatWasUnderWayAndTheRestGoesOn) {
  RunningSmsc smsc("[[fault]]\nkind = \"reset\"\nfrom = 1\nto = 1\n");
  StartGateway(smsc.port(), "window = 1\n");
  const auto first = Send("Hello");
  EXPECT_EQ(smsc.truth.Await("\"event\":\"submit\"", 1), 1);  // it is the first there
  const auto second = Send("Hello");
  EXPECT_EQ(link_.Await(first, "unknown"), "ACCEPTED, UNKNOWN unknown");
  EXPECT_EQ(link_.Await(second, "DELIVERED"), "ACCEPTED, SENT, DELIVERED");
  EXPECT_EQ(smsc.truth.Count("\"event\":\"submit\""), 2);
}

TEST_F(SmppCarrierTest, WithoutAConnectionItWaitsUntilItsDeadline) {
  const HeldPort held;
  StartGateway(held.port());
  EXPECT_EQ(link_.Await(Send("Hello", "+255123456789", 300), "expired"), "EXPIRED expired");
  const auto waits = Send("Hello");
  RunningSmsc back("", held.port());
  EXPECT_EQ(link_.Await(waits, "DELIVERED"), "ACCEPTED, SENT, DELIVERED");
}

// What waits for it would hold the credit of all others. Where nobody else stands it waits, as above.
TEST_F(SmppCarrierTest, WhatIsForAnSmscThatIsAwayIsGivenBackWhileAnotherStands) {
  const HeldPort held;
  RunningSmsc smsc("");
  StartGateway(smsc.port(), "tenants = [\"clinic\"]\n[[smsc]]\nname = \"away\"\nhost = \"127.0.0.1\"\nport = " +
                                std::to_string(held.port()) +
                                "\nsystem_id = \"lab\"\nagain_least_ms = 20\nagain_most_ms = 50\naway_ms = 300\n");
  const auto of_lab = [this] { return Send("Hello", "+255123456789", 60'000, "LAB", "lab"); };
  const auto begun_ms = clock_.SteadyMs();
  const auto given_back = of_lab();
  EXPECT_EQ(link_.Await(given_back, "unreachable"), "NEVER_SEEN smsc_unreachable");
  EXPECT_GE(clock_.SteadyMs() - begun_ms, 200) << "one that comes back soon is waited for";
  EXPECT_EQ(link_.Await(Send("Hello"), "DELIVERED"), "ACCEPTED, SENT, DELIVERED");
  RunningSmsc back("", held.port());
  EXPECT_EQ(log_.Await("smsc away: bound", 1), 1);
  EXPECT_EQ(link_.Await(of_lab(), "DELIVERED"), "ACCEPTED, SENT, DELIVERED");
  EXPECT_EQ(back.truth.Count("\"event\":\"submit\""), 1);
}

TEST_F(SmppCarrierTest, WhatIsNoSmsIsInvalidAndNothingLeaves) {
  RunningSmsc smsc("");
  StartGateway(smsc.port(), "segments_max = 2\n");
  EXPECT_EQ(link_.Await(Send("Hello", "no number"), "recipient"), "ACCEPTED, INVALID invalid_recipient");
  EXPECT_EQ(link_.Await(Send("Hello", "+255123456789", 60'000, "MORE THAN ELEVEN"), "sender"),
            "ACCEPTED, INVALID invalid_sender");
  EXPECT_EQ(link_.Await(Send(std::string(400, 'a')), "message"), "ACCEPTED, INVALID invalid_message");
  auto lease = LeaseOf(Attempt(99), clock_.WallMs() + 60'000);
  lease.payload = "no envelope";
  core_->OnLeases({lease});
  EXPECT_EQ(link_.Await(lease.attempt, "envelope"), "ACCEPTED, INVALID envelope");
  EXPECT_EQ(smsc.truth.Count("\"event\":\"submit\""), 0);
  EXPECT_EQ(carrier_->figures()[0].invalid, 4u);
}

// Another gateway may have it.
TEST_F(SmppCarrierTest, WhoseKeyIsTakenAwayWhileItWaitsHasFailedForNow) {
  RunningSmsc smsc("");
  StartGateway(smsc.port());
  auto lease = LeaseOf(Attempt(99), clock_.WallMs() + 60'000);
  lease.payload = *crypto::SealEnvelope(key_.public_key(), "clinic/k1", "To: +255123456789\n\nHello");
  lease.lane = vault_->kids().front();
  vault_->Replace({{crypto::PrivateKey::Generate(crypto::KeyKind::kP256), {}}});
  core_->OnLeases({lease});
  EXPECT_EQ(link_.Await(lease.attempt, "envelope"), "ACCEPTED, FAILED envelope");
  EXPECT_EQ(smsc.truth.Count("\"event\":\"submit\""), 0);
}

TEST_F(SmppCarrierTest, ATenantWithoutAConnectionHasNoRoute) {
  RunningSmsc smsc("");
  StartGateway(smsc.port(), "tenants = [\"another\"]\n");
  EXPECT_EQ(link_.Await(Send("Hello"), "no_route"), "ACCEPTED, FAILED no_route");
}

TEST_F(SmppCarrierTest, AFailedReceiptHasItsCauseAndAnUnmappedOneIsKept) {
  RunningSmsc smsc(
      "[[fault]]\nkind = \"fail\"\nstat = \"REJECTD\"\ndestination = \"2551\"\n"
      "[[fault]]\nkind = \"fail\"\nstat = \"BUFFERD\"\ndestination = \"2552\"\n"
      "[[fault]]\nkind = \"fail\"\nstat = \"EXPIRED\"\ndestination = \"2553\"\n"
      "[[fault]]\nkind = \"fail\"\nstat = \"NOCREDI\"\ndestination = \"2554\"\n[ids]\ntlv = \"none\"\n");
  StartGateway(smsc.port(), "states = { NOCREDI = \"failed-for-good\" }\n");
  EXPECT_EQ(link_.Await(Send("Hello", "+255100000000"), "rejected"), "ACCEPTED, SENT, FAILED_PERMANENT rejected");
  EXPECT_EQ(link_.Await(Send("Hello", "+255300000000"), "expired"), "ACCEPTED, SENT, FAILED expired");
  EXPECT_EQ(link_.Await(Send("Hello", "+255400000000"), "failed"), "ACCEPTED, SENT, FAILED_PERMANENT failed");
  const auto in_doubt = Send("Hello", "+255200000000");
  EXPECT_EQ(link_.Await(Send("Hello", "+255100000000"), "rejected"), "ACCEPTED, SENT, FAILED_PERMANENT rejected");
  EXPECT_EQ(link_.Await(in_doubt, "SENT"), "ACCEPTED, SENT");
}

// The engine of the process before has handed over nothing new: only the receipt comes.
TEST_F(SmppCarrierTest, AReceiptAfterARestartFindsItsAttempt) {
  RunningSmsc smsc("[receipt]\ndelay_ms = 5000\n");  // the restart comes before it
  StartGateway(smsc.port());
  const auto attempt = Send("Hello");
  EXPECT_EQ(link_.Await(attempt, "SENT"), "ACCEPTED, SENT");
  StopGateway();
  rows_.Crash();
  StartGateway(smsc.port());
  EXPECT_EQ(link_.Await(attempt, "DELIVERED"), "ACCEPTED, SENT, DELIVERED");
  EXPECT_EQ(smsc.truth.Count("\"event\":\"submit\""), 1);
}

// A part that came with both attempts would reach the phone twice.
TEST_F(SmppCarrierTest, AStopAmidThePartsOfAnSmsCompletesIt) {
  RunningSmsc smsc("[response]\ndelay_ms = 200\n");
  StartGateway(smsc.port(), "window = 1\n");
  const auto attempt = Send(std::string(400, 'a'));
  EXPECT_GE(smsc.truth.Await("\"event\":\"submit\"", 1), 1);
  StopGateway();
  EXPECT_EQ(link_.Await(attempt, "SENT"), "ACCEPTED, SENT");
  EXPECT_EQ(smsc.truth.Count("\"event\":\"submit\""), 3);
}

// As a kill would leave it, and not a failure, after which the phone would get the first part again.
TEST_F(SmppCarrierTest, AStopThatCannotCompleteAnSmsLeavesItInDoubt) {
  RunningSmsc smsc("[response]\ndelay_ms = 60000\n");
  StartGateway(smsc.port(), "window = 1\ndrain_ms = 50\n");
  const auto attempt = Send(std::string(400, 'a'));
  EXPECT_GE(smsc.truth.Await("\"event\":\"submit\"", 1), 1);
  StopGateway();
  EXPECT_EQ(link_.Await(attempt, "unknown"), "ACCEPTED, UNKNOWN unknown");
  EXPECT_EQ(smsc.truth.Count("\"event\":\"submit\""), 1);
}

// Of what waits nothing is recorded and nothing said: whoever handed it over hands it over again.
TEST_F(SmppCarrierTest, NoMoreThanTheWindowIsEverAnIntent) {
  RunningSmsc smsc("[[fault]]\nkind = \"drop-response\"\n[[fault]]\nkind = \"drop-receipt\"\n");
  StartGateway(smsc.port(), "window = 5\nresponse_ms = 60000\ndrain_ms = 50\n");
  for (int i = 0; i < 12; ++i) Send("Hello");
  EXPECT_EQ(link_.AwaitCount("ACCEPTED", 5), 5);
  EXPECT_EQ(smsc.truth.Await("\"event\":\"submit\"", 5), 5);
  StopGateway();
  EXPECT_EQ(rows_.rows(storage::Family::kInstances), 5u);
  EXPECT_EQ(smsc.truth.Count("\"event\":\"submit\""), 5);
  EXPECT_EQ(link_.AwaitCount("ACCEPTED, UNKNOWN unknown", 5), 5);
}

TEST_F(SmppCarrierTest, AnSmsFromAPhoneIsNotTakenAndNotLostSilently) {
  RunningSmsc smsc("[[inbound]]\nafter_ms = 1\nsource = \"255700000001\"\ndestination = \"15001\"\ntext = \"STOP\"\n");
  StartGateway(smsc.port());
  EXPECT_EQ(link_.Await(Send("Hello"), "DELIVERED"), "ACCEPTED, SENT, DELIVERED");
  EXPECT_EQ(smsc.truth.Await("\"status\":101", 1), 1) << "ESME_RX_P_APPN";
  EXPECT_EQ(carrier_->figures()[0].inbound, 1u);  // counted before it is answered
  EXPECT_EQ(carrier_->figures()[0].nobodys, 1u);
}

// Takes what is put and tells whoever waits.
class WaitingSink : public InboundSink {
 public:
  void Start(Taken taken) override { taken_ = std::move(taken); }
  void Put(std::vector<InboundSms> sms) override {
    std::vector<std::string> ids;
    {
      const std::lock_guard lock(mutex_);
      for (InboundSms& one : sms) {
        ids.push_back(one.id);
        put_.push_back(std::move(one));
      }
    }
    taken_(std::move(ids));
    wake_.notify_all();
  }
  void Stop() override {}
  std::vector<InboundSms> Await(std::size_t count) {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, std::chrono::seconds(60), [&] { return put_.size() >= count; });
    return put_;
  }

 private:
  Taken taken_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<InboundSms> put_;
};

TEST_F(SmppCarrierTest, AnSmsFromAPhoneGoesToItsTenantAndIsAnsweredOnce) {
  const std::string text = "Does the clinic open on Sunday? " + std::string(300, '-') + " жзий";
  RunningSmsc smsc("[[inbound]]\nsource = \"255700000001\"\ndestination = \"15001\"\ntext = \"" + text +
                   "\"\n[[inbound]]\nsource = \"255700000002\"\ndestination = \"15009\"\ntext = \"x\"\n");
  const auto clinic = crypto::PrivateKey::Generate(crypto::KeyKind::kP256);
  InboundOptions options;
  options.routes = {{"sim", "clinic", {"15001"}, clinic.public_key()}};
  auto vault = std::make_shared<crypto::Vault>();
  vault->Replace({key_});
  const AgreedClock agreed(clock_, nullptr);
  WaitingSink sink;
  inbound_ = std::make_unique<Inbound>(
      std::move(options), rows_, sink, key_, vault, agreed, nullptr, [] { return false; },
      [](const absl::Status& status) { ADD_FAILURE() << status; });
  ASSERT_TRUE(inbound_->Load().ok());
  inbound_->Start();
  StartGateway(smsc.port());
  const auto put = sink.Await(1);
  ASSERT_EQ(put.size(), 1u);
  const auto opened = crypto::OpenEnvelope(clinic, "clinic/" + put[0].id, put[0].payload);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->Reveal(), "From: 255700000001\nTo: 15001\n\n" + text);
  EXPECT_EQ(smsc.truth.Await("\"event\":\"delivered\"", 7), 7) << "six parts of 67 units, and one to nobody";
  EXPECT_EQ(smsc.truth.Await("\"status\":101", 1), 1);
  StopGateway();
  inbound_->Stop();
  EXPECT_EQ(inbound_->figures().waiting, 0u);
  EXPECT_EQ(inbound_->figures().parts, 0u);
}

}  // namespace
}  // namespace smsflow::gateway
