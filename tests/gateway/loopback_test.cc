#include "gateway/loopback.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <sstream>

#include "crypto/envelope.h"
#include "tests/gateway/fakes.h"

namespace smsflow::gateway {
namespace {

class Heard : public CarrierEvents {
 public:
  void OnOutcomes(std::vector<Report> more) override {
    for (auto& report : more) reports.push_back(std::move(report));
  }
  void OnParts(std::vector<PartAnswer>) override {}
  void OnReceipt(SmscReceipt, Handle) override {}
  std::vector<Report> reports;
};

class LoopbackTest : public testing::Test {
 protected:
  LoopbackTest() {
    char folder[] = "/tmp/smsflow-loopback-XXXXXX";
    folder_ = mkdtemp(folder);
    loopback_ = Make(crypto::PrivateKey(key_));
  }
  ~LoopbackTest() override {
    unlink(TruthFile().c_str());
    rmdir(folder_.c_str());
  }

  std::string TruthFile() const { return folder_ + "/truth"; }
  std::unique_ptr<Loopback> Make(crypto::PrivateKey key) {
    auto truth = TruthLog::Open(TruthFile());
    EXPECT_TRUE(truth.ok()) << truth.status();
    auto vault = std::make_shared<crypto::Vault>();
    vault->Replace({std::move(key)});
    auto loopback = std::make_unique<Loopback>(LoopbackOptions{.normal_delay_ms = 100, .long_delay_ms = 1000},
                                               std::make_unique<EnvelopeOpener>(std::move(vault)), std::move(*truth),
                                               clock_, [](const absl::Status& status) { ADD_FAILURE() << status; });
    loopback->Listen(heard_);
    return loopback;
  }
  engine::Lease Sealed(std::string_view plaintext, std::string_view subject = "clinic/k1") {
    engine::Lease lease = LeaseOf(Attempt(++count_));
    auto envelope = crypto::SealEnvelope(key_.public_key(), subject, plaintext);
    EXPECT_TRUE(envelope.ok()) << envelope.status();
    lease.payload = std::move(*envelope);
    return lease;
  }
  // All that is said of it, with the time after which it was said.
  std::string Story(const engine::Lease& lease) {
    heard_.reports.clear();
    loopback_->Submit({lease});
    std::string story;
    std::int64_t waited_ms = 0;
    for (std::int64_t next_ms = loopback_->RunOnce();; next_ms = loopback_->RunOnce()) {
      for (const Report& report : heard_.reports) {
        EXPECT_EQ(report.attempt, lease.attempt);
        if (!story.empty()) story += ", ";
        story += std::to_string(waited_ms) + ":" + Told({report});
      }
      heard_.reports.clear();
      if (next_ms < 0) return story;
      clock_.now_ms += next_ms;
      waited_ms += next_ms;
    }
  }
  std::string Story(const std::string& text) { return Story(Sealed("To: +255123456789\nSender: A\n\n" + text)); }
  std::vector<std::string> Truth() const {
    std::ifstream in(TruthFile());
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
  }

  std::string folder_;
  FakeClock clock_;
  Heard heard_;
  crypto::PrivateKey key_ = crypto::PrivateKey::Generate(crypto::KeyKind::kP256);
  std::unique_ptr<Loopback> loopback_;
  std::uint64_t count_ = 0;
};

TEST_F(LoopbackTest, EveryTestCode) {
  EXPECT_EQ(Story("S0D0"), "");
  EXPECT_EQ(Story("S0D1"), "100:DELIVERED");
  EXPECT_EQ(Story("S1D0"), "100:SENT");
  EXPECT_EQ(Story("S0X1"), "100:EXPIRED expired");
  EXPECT_EQ(Story("S0I1"), "100:INVALID requested");
  EXPECT_EQ(Story("S1X1"), "100:SENT, 1100:EXPIRED expired");
  EXPECT_EQ(Story("S1I1"), "100:SENT, 1100:INVALID requested");
  EXPECT_EQ(Story("S1D1"), "100:SENT, 1100:DELIVERED");
  EXPECT_EQ(Story("S2D0"), "100:SENT, 1100:SENT");
  EXPECT_EQ(Story("D1S1"), "100:DELIVERED, 1100:SENT");
  EXPECT_EQ(Story("S1F1"), "100:SENT, 1100:FAILED requested");
  EXPECT_EQ(Story("F1S1"), "100:FAILED requested, 1100:SENT");
  EXPECT_EQ(Story("FAIL"), "1000:FAILED requested");
  EXPECT_EQ(Story("Your appointment is on Monday."), "100:SENT, 1100:DELIVERED");
  EXPECT_EQ(Truth().size(), 14u) << "each of them left";
}

TEST_F(LoopbackTest, TheFirstCodeOfTheListWinsWhereverItStands) {
  EXPECT_EQ(Story("FAIL and S0D1"), "100:DELIVERED");
  EXPECT_EQ(Story("see xS1F1x"), "100:SENT, 1100:FAILED requested");
  EXPECT_EQ(Story("s0d1"), "100:SENT, 1100:DELIVERED");
}

TEST_F(LoopbackTest, WhatCannotBeOpenedIsInvalidAndNeverLeaves) {
  engine::Lease garbage = LeaseOf(Attempt(900));
  garbage.payload = "not an envelope";
  EXPECT_EQ(Story(garbage), "0:INVALID envelope");
  EXPECT_EQ(Story(Sealed("To: +255123456789\n\nx", "clinic/other")), "0:INVALID envelope");
  EXPECT_EQ(Story(Sealed("To: +255123456789\n\nx", "other/k1")), "0:INVALID envelope");
  engine::Lease bent = Sealed("To: +255123456789\n\nx");
  bent.payload[bent.payload.size() - 30] ^= 1;
  EXPECT_EQ(Story(bent), "0:INVALID envelope");
  const auto stranger = crypto::PrivateKey::Generate(crypto::KeyKind::kP256);
  engine::Lease foreign = LeaseOf(Attempt(901));
  foreign.payload = *crypto::SealEnvelope(stranger.public_key(), "clinic/k1", "To: +255123456789\n\nx");
  EXPECT_EQ(Story(foreign), "0:INVALID envelope");
  EXPECT_EQ(Story(Sealed("To: 0123\n\nx")), "0:INVALID invalid_recipient");
  EXPECT_EQ(Story(Sealed("To: +255123456789\n\n ")), "0:INVALID invalid_message");
  EXPECT_TRUE(Truth().empty());
}

TEST_F(LoopbackTest, AtItsDeadlineItDoesNotLeave) {
  engine::Lease lease = Sealed("To: +255123456789\n\nx");
  lease.deadline_ms = clock_.now_ms;
  EXPECT_EQ(Story(lease), "0:EXPIRED expired");
  EXPECT_TRUE(Truth().empty());
}

TEST_F(LoopbackTest, TheTruthIsOneLinePerSubmitAndNoHalfOnes) {
  const engine::Lease first = Sealed("To: +255123456789\nSender: A\n\nS1D0 secret");
  Story(first);
  const std::string line = first.attempt.ToString() + " " + std::to_string(kNow) + " " + std::to_string(kNow + kHour);
  EXPECT_EQ(Truth(), std::vector<std::string>{line});
  loopback_.reset();
  std::ofstream(TruthFile(), std::ios::app) << "half a li";
  loopback_ = Make(crypto::PrivateKey(key_));
  EXPECT_EQ(Truth(), std::vector<std::string>{line});
  Story("S1D0");
  EXPECT_EQ(Truth().size(), 2u);
}

TEST_F(LoopbackTest, ManyAreSubmittedTogetherAndToldInTheOrderOfTime) {
  loopback_->Submit(
      {Sealed("To: +255123456789\n\nS1D1"), Sealed("To: +255123456789\n\nS0D1"), Sealed("To: +255123456789\n\nFAIL")});
  EXPECT_EQ(loopback_->RunOnce(), 100);
  clock_.now_ms += 100;
  EXPECT_EQ(loopback_->RunOnce(), 900);
  clock_.now_ms += 900;
  EXPECT_EQ(loopback_->RunOnce(), 100);
  clock_.now_ms += 100;
  EXPECT_EQ(loopback_->RunOnce(), -1);
  EXPECT_EQ(Told(heard_.reports), "SENT, DELIVERED, FAILED requested, DELIVERED");
  EXPECT_EQ(heard_.reports.front().at_ms, kNow + 100);
}

}  // namespace
}  // namespace smsflow::gateway
