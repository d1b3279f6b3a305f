// When an SMSC counts as away, over links that say what the test wants at that moment.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "gateway/smpp_carrier.h"
#include "tests/gateway/fakes.h"
#include "tests/gateway/plain_opener.h"

namespace smsflow::gateway {
namespace {

class GivenLink : public SmscLink {
 public:
  explicit GivenLink(const smpp::Standing& given) : given_(given) {}
  void Start() override {}
  absl::Status Submit(smpp::SubmitToken, const smpp::Pdu&, std::int64_t, smpp::PartOf) override {
    return absl::OkStatus();
  }
  smpp::Standing standing() override { return given_; }
  void Acknowledge(std::uint64_t, smpp::CommandStatus) override {}
  void Stop() override {}

 private:
  const smpp::Standing& given_;
};

class NoEvents : public CarrierEvents {
 public:
  void OnOutcomes(std::vector<gateway::Report>) override {}
  void OnParts(std::vector<PartAnswer>) override {}
  void OnReceipt(SmscReceipt, Handle) override {}
};

// Two connections with a window of 1: the lab's, and the clinic's, which stands.
class SmscAway : public testing::Test {
 protected:
  void SetUp() override {
    std::vector<SmscOptions> smscs(2);
    for (const bool is_lab : {true, false}) {
      SmscOptions& one = smscs[is_lab ? 0 : 1];
      one.name = is_lab ? "lab" : "clinic";
      one.tenants = {one.name};
      one.link.host = one.name;
      one.away_ms = 10'000;
      one.link.session.window = 1;
      one.link.session.response_ms = 60'000;
    }
    clinic_ = {.may_submit = true, .since_ms = clock_.SteadyMs()};
    auto made = SmppCarrier::Make(smscs, std::make_unique<PlainOpener>(), clock_, nullptr,
                                  [this](const SmscLinkOptions& options, engine::Clock&, SmscLinkEvents&) {
                                    return std::make_unique<GivenLink>(options.host == "lab" ? lab_ : clinic_);
                                  });
    ASSERT_TRUE(made.ok()) << made.status();
    carrier_ = std::move(*made);
    lease_ = LeaseOf(Attempt(1), clock_.WallMs() + 3'600'000);
    lease_.tenant = "lab";
  }
  void TearDown() override { carrier_->Stop(); }
  // The session's word changes with its connection; the notice of it comes when the link's thread gets there.
  void Is(bool may_submit, bool probing = false) { lab_ = {may_submit, probing, clock_.SteadyMs()}; }
  bool Takes() { return carrier_->Take(lease_, nullptr); }
  bool IsAway() { return carrier_->IsAway(lease_, nullptr); }

  FakeClock clock_;
  smpp::Standing lab_, clinic_;
  NoEvents told_;
  std::unique_ptr<SmppCarrier> carrier_;
  engine::Lease lease_;
};

// Whatever waits for it would be given back, and it is bound again in a moment.
TEST_F(SmscAway, IsNoneThatWasLostJustNowAfterAQuietHour) {
  carrier_->StartLinks(told_);
  Is(true);
  clock_.now_ms += 3'600'000;
  Is(false);
  EXPECT_FALSE(Takes());
  EXPECT_FALSE(IsAway());
  clock_.now_ms += 9'999;
  EXPECT_FALSE(IsAway());
  clock_.now_ms += 1;
  EXPECT_TRUE(IsAway());
  clinic_.may_submit = false;
  EXPECT_FALSE(IsAway()) << "nobody else stands";
}

TEST_F(SmscAway, IsNoneThatHasNoPlaceUntilAnAnswerIsDue) {
  carrier_->StartLinks(told_);
  Is(true);
  EXPECT_TRUE(Takes());
  EXPECT_FALSE(Takes());
  clock_.now_ms += 59'999;
  EXPECT_FALSE(IsAway());
  clock_.now_ms += 1;
  EXPECT_TRUE(IsAway());
}

// Else each bind of one that answers nothing would hold the credit of others once more.
TEST_F(SmscAway, IsOneThatAnswersNothingUntilItDoes) {
  carrier_->StartLinks(told_);
  Is(false, /*probing=*/true);
  clock_.now_ms += 10'000;
  EXPECT_TRUE(IsAway());
  Is(true, /*probing=*/true);
  EXPECT_TRUE(Takes()) << "with what it takes it is tried";
  EXPECT_FALSE(Takes());
  EXPECT_TRUE(IsAway());
  Is(false, /*probing=*/true);
  EXPECT_TRUE(IsAway());
  Is(true, /*probing=*/false);
  EXPECT_FALSE(IsAway()) << "it answered";
}

TEST_F(SmscAway, ThatOnlyLostAnAnswerIsNone) {
  carrier_->StartLinks(told_);
  Is(false, /*probing=*/true);
  clock_.now_ms += 1'000;
  EXPECT_FALSE(IsAway());
  Is(true, /*probing=*/true);
  EXPECT_TRUE(Takes());
  EXPECT_FALSE(IsAway());
}

// Its connections end one after the other. What still waits is the next start's.
TEST_F(SmscAway, NothingIsGivenBackWhileItStops) {
  carrier_->Start(told_);
  Is(false);
  clock_.now_ms += 10'000;
  EXPECT_TRUE(IsAway());
  carrier_->Stop();
  EXPECT_FALSE(Takes());
  EXPECT_FALSE(IsAway());
}

}  // namespace
}  // namespace smsflow::gateway
