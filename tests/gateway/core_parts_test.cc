// Answers and receipts of parts through the whole core, over a store that can lose what was not synced.
#include <gtest/gtest.h>

#include "gateway/core.h"
#include "storage/memory_store.h"
#include "tests/gateway/fakes.h"

namespace smsflow::gateway {
namespace {

using workflows::submission::Answer;
using workflows::submission::Heard;

class CorePartsTest : public testing::Test {
 protected:
  CorePartsTest() { Start(); }

  void Restart() {
    core_.reset();
    store_.reset();
    rows_.Crash();
    Start();
    core_->OnAttached();
  }
  void Start() {
    agreed_ = std::make_unique<AgreedClock>(clock_, nullptr);
    auto store = Store::Open(rows_, "g1", agreed_->WallMs());
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = std::move(*store);
    core_ = std::make_unique<Core>(CoreOptions{.gateway = "g1", .tenants = {"clinic"}, .key_ids = {}}, *store_, link_,
                                   carrier_, *agreed_, [](const absl::Status& status) { ADD_FAILURE() << status; });
    ASSERT_TRUE(core_->Load().ok());
  }
  std::string Lease(std::uint64_t n, std::int64_t deadline_ms = kNow + kHour) {
    core_->OnLeases({LeaseOf(Attempt(n), deadline_ms)});
    return Said();
  }
  void Part(std::uint64_t n, int number, int parts, Answer answer, std::string id = "", std::string_view cause = "") {
    core_->OnParts({{.attempt = Attempt(n),
                     .number = static_cast<std::uint8_t>(number),
                     .parts = static_cast<std::uint8_t>(parts),
                     .answer = answer,
                     .about = cause.empty() ? About::kNotSaid : About::kRecipient,
                     .cause = cause,
                     .account = "a",
                     .message_id = std::move(id),
                     .at_ms = clock_.now_ms}});
  }
  void Receipt(std::string id, Heard heard = Heard::kDelivered, std::string cause = "") {
    core_->OnReceipt(
        {.account = "a", .text_id = std::move(id), .heard = heard, .cause = std::move(cause), .at_ms = clock_.now_ms},
        {0, ++handle_});
  }
  std::string Said() {
    core_->RunOnce();
    EXPECT_EQ(rows_.unsynced(), 0u);
    return Told(link_.Take());
  }

  storage::MemoryStore rows_;
  FakeClock clock_;
  FakeLink link_;
  FakeCarrier carrier_;
  std::uint64_t handle_ = 0;
  std::unique_ptr<AgreedClock> agreed_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Core> core_;
};

TEST_F(CorePartsTest, SentWhenAllAreTakenAndDeliveredWhenAllHaveArrived) {
  EXPECT_EQ(Lease(1), "ACCEPTED");
  Part(1, 1, 2, Answer::kAccepted, "10");
  EXPECT_EQ(Said(), "");
  Part(1, 2, 2, Answer::kAccepted, "11");
  EXPECT_EQ(Said(), "SENT");
  Receipt("11");
  EXPECT_EQ(Said(), "");
  Receipt("10");
  EXPECT_EQ(Said(), "DELIVERED");
  EXPECT_EQ(carrier_.submitted.size(), 1u);
}

TEST_F(CorePartsTest, AReceiptIsAcknowledgedOnceItIsDurable) {
  Lease(1);
  Part(1, 1, 1, Answer::kAccepted, "10");
  Said();
  Receipt("10");
  Receipt("nobody's");
  EXPECT_TRUE(carrier_.acknowledged.empty());
  EXPECT_EQ(Said(), "DELIVERED");
  EXPECT_EQ(carrier_.acknowledged, (std::vector<std::uint64_t>{1, 2}));
}

TEST_F(CorePartsTest, WhatWasAcknowledgedOutlivesAKill) {
  Lease(1);
  Part(1, 1, 1, Answer::kAccepted, "10");
  Said();
  Receipt("10");
  Receipt("20");  // too early
  Said();
  Restart();
  EXPECT_EQ(Said(), "DELIVERED") << "not yet answered by the engine";
  EXPECT_EQ(core_->figures().receipts.parked, 1u);
  Lease(2);
  Part(2, 1, 1, Answer::kAccepted, "20");
  EXPECT_EQ(Said(), "SENT, DELIVERED") << "the receipt was kept";
}

TEST_F(CorePartsTest, ReceiptAndResponseInOneRoundAreOfOneAnother) {
  Lease(1);
  Receipt("10");
  Part(1, 1, 1, Answer::kAccepted, "10");
  EXPECT_EQ(Said(), "SENT, DELIVERED");
}

TEST_F(CorePartsTest, KilledBetweenThePartsItIsUnknownAndItsReceiptsStillCount) {
  Lease(1);
  Part(1, 1, 2, Answer::kAccepted, "10");
  Said();
  Restart();
  EXPECT_EQ(Said(), "UNKNOWN restarted");
  EXPECT_EQ(Lease(1), "UNKNOWN restarted");
  EXPECT_EQ(carrier_.submitted.size(), 1u) << "by the process before";
  Receipt("10");
  EXPECT_EQ(Said(), "") << "of the other part nobody knows";
  Receipt("10", Heard::kFailed, "absent");
  EXPECT_EQ(Said(), "FAILED absent");
}

TEST_F(CorePartsTest, TheWorstFailureIsToldWithItsCause) {
  Lease(1);
  Part(1, 1, 2, Answer::kRefusedForGood, "", "invalid_recipient");
  EXPECT_EQ(Said(), "");
  Restart();
  EXPECT_EQ(Said(), "FAILED_PERMANENT invalid_recipient") << "it was noted, though not told yet";
}

TEST_F(CorePartsTest, ALateAnswerCountsAfterUnknown) {
  Lease(1);
  Part(1, 1, 1, Answer::kUnknown);
  EXPECT_EQ(Said(), "UNKNOWN unknown");
  Part(1, 1, 1, Answer::kAccepted, "10");
  EXPECT_EQ(Said(), "SENT");
  Part(1, 1, 1, Answer::kRefused, "", "smsc_error");
  EXPECT_EQ(Said(), "") << "it has been taken";
}

TEST_F(CorePartsTest, WhatIsOnlyNotedIsNotToldAgain) {
  Lease(1);
  Part(1, 1, 2, Answer::kAccepted, "10");
  Part(1, 2, 2, Answer::kAccepted, "11");
  EXPECT_EQ(Said(), "SENT");
  core_->OnAnswers({{Attempt(1), Reported::kSent, true}});
  core_->RunOnce();
  Receipt("10");
  EXPECT_EQ(Said(), "");
  core_->OnAttached();
  EXPECT_EQ(Said(), "") << "that it is SENT the engine knows";
}

TEST_F(CorePartsTest, PruningTakesTheIdsAlong) {
  Lease(1, kNow + 10);
  Part(1, 1, 2, Answer::kAccepted, "10");
  Part(1, 2, 2, Answer::kAccepted, "11");
  Said();
  EXPECT_EQ(rows_.rows(storage::Family::kIndexes), 2u);
  clock_.now_ms += kKeepMs + kHour;
  core_->RunOnce();
  EXPECT_EQ(rows_.rows(storage::Family::kIndexes), 0u);
  EXPECT_EQ(rows_.rows(storage::Family::kInstances), 0u);
  Receipt("10");
  EXPECT_EQ(Said(), "");
  EXPECT_EQ(core_->figures().receipts.parked, 1u);
  clock_.now_ms += 4 * 24 * kHour;
  core_->RunOnce();
  EXPECT_EQ(core_->figures().receipts.parked, 0u);
  EXPECT_EQ(rows_.rows(storage::Family::kQueues), 0u);
}

}  // namespace
}  // namespace smsflow::gateway
