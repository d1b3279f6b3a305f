// Receipts and the parts that they are about: early, late, in another base, ambiguous, over a restart.
#include "gateway/correlator.h"

#include <gtest/gtest.h>

#include "storage/memory_store.h"
#include "tests/gateway/fakes.h"

namespace smsflow::gateway {
namespace {

using workflows::submission::Heard;

constexpr std::int64_t kDayMs = 24 * kHour;

class CorrelatorTest : public testing::Test {
 protected:
  CorrelatorTest() { Start(); }

  void Start(CorrelatorOptions options = {}) {
    auto store = Store::Open(rows_, "g1", kNow);
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = std::move(*store);
    correlator_ = std::make_unique<Correlator>(std::move(options), *store_);
    ASSERT_TRUE(correlator_->Load().ok());
  }
  void Restart() {
    ASSERT_TRUE(store_->Commit().ok());
    correlator_.reset();
    store_.reset();
    rows_.Crash();
    Start();
  }
  static SmscReceipt Of(std::string_view text_id, std::string_view tlv_id = "", RecipientTag recipient = {}) {
    return {.account = "a",
            .tlv_id = std::string(tlv_id),
            .text_id = std::string(text_id),
            .heard = Heard::kDelivered,
            .recipient = recipient,
            .at_ms = kNow};
  }
  // Which attempts' receipts came out of parking.
  std::string Name(std::uint64_t attempt, std::string_view id, RecipientTag recipient = {}, std::int64_t at_ms = kNow) {
    const auto placed = correlator_->Named("a", id, {Attempt(attempt), 1, at_ms, recipient});
    EXPECT_TRUE(placed.ok());
    return Told(*placed);
  }
  std::string Told(const std::vector<PlacedReceipt>& placed) {
    std::string told;
    for (const auto& one : placed) told += (told.empty() ? "" : ",") + Number(one.part);
    return told;
  }
  std::string Place(const SmscReceipt& receipt) {
    const auto part = correlator_->Place(receipt);
    EXPECT_TRUE(part.ok());
    return part.ok() && part->has_value() ? Number(**part) : "parked";
  }
  static std::string Number(const NamedPart& part) {
    for (std::uint64_t n = 0; n < 10'000; ++n)
      if (Attempt(n) == part.attempt) return std::to_string(n);
    return "?";
  }

  storage::MemoryStore rows_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Correlator> correlator_;
};

TEST_F(CorrelatorTest, FindsAPartByItsIdAlsoAfterARestart) {
  EXPECT_EQ(Name(1, "0a1b"), "");
  EXPECT_EQ(Place(Of("A1B")), "1") << "zeros and case make no difference, also before the commit";
  Restart();
  EXPECT_EQ(Place(Of("000A1b")), "1");
  EXPECT_EQ(Place(Of("", "0a1b")), "1");
  EXPECT_EQ(Place(Of("A1C")), "parked");
  EXPECT_EQ(correlator_->figures().placed, 2u);
}

TEST_F(CorrelatorTest, AccountsDoNotMix) {
  Name(1, "77");
  SmscReceipt other = Of("77");
  other.account = "b";
  EXPECT_EQ(Place(other), "parked");
}

TEST_F(CorrelatorTest, AnEarlyReceiptWaitsForItsIdAlsoOverARestart) {
  EXPECT_EQ(Place(Of("77")), "parked");
  EXPECT_EQ(Place(Of("78")), "parked");
  EXPECT_EQ(Name(1, "77"), "1");
  EXPECT_EQ(Name(1, "77"), "") << "it is placed once";
  Restart();
  EXPECT_EQ(correlator_->figures().parked, 1u);
  EXPECT_EQ(Name(2, "78"), "2");
  Restart();
  EXPECT_EQ(correlator_->figures().parked, 0u);
}

TEST_F(CorrelatorTest, LearnsThatReceiptsAreInAnotherBaseAndKeepsIt) {
  for (int i = 0; i < 3; ++i) Name(static_cast<std::uint64_t>(i + 1), i == 0 ? "1002" : i == 1 ? "1003" : "1004");
  EXPECT_EQ(Place(Of("4098")), "1");
  EXPECT_EQ(Place(Of("4099")), "2");
  EXPECT_EQ(Place(Of("4100")), "3");
  Restart();
  Name(4, "4103");
  EXPECT_EQ(Place(Of("4103")), "parked") << "it is known to be 1007 in the other base";
  EXPECT_EQ(Name(5, "1007"), "5");
}

TEST_F(CorrelatorTest, AConfiguredFormIsNotLearnt) {
  Start({.forms = {{"a", smpp::IdSource::kText, smpp::IdForm::kFromDecimal}}});
  Name(1, "4098");
  EXPECT_EQ(Place(Of("4098")), "parked");
  EXPECT_EQ(Name(2, "1002"), "2");
}

TEST_F(CorrelatorTest, WhatFitsTwoIsDecidedByTheRecipientOrWaits) {
  const RecipientTag one{7, 1}, two{7, 2};
  Name(1, "1002", one);
  Name(2, "4098", two);
  EXPECT_EQ(Place(Of("4098", "", one)), "1");
  EXPECT_EQ(Place(Of("4098", "", two)), "2");
  EXPECT_EQ(Place(Of("4098")), "parked");
  EXPECT_EQ(correlator_->figures().ambiguous, 1u);
  for (std::uint64_t n = 3; n < 6; ++n) {  // until it is learnt
    Name(n, n == 3 ? "2001" : n == 4 ? "2002" : "2003");
    EXPECT_EQ(Place(Of(n == 3 ? "8193" : n == 4 ? "8194" : "8195")), std::to_string(n));
  }
  EXPECT_EQ(Told(*correlator_->Learnt()), "1");
  EXPECT_EQ(Told(*correlator_->Learnt()), "");
}

// A receipt that overtook its response must not go to whoever has the id that it would be in another base, nor to
// whoever has that id itself while it may be meant in another.
TEST_F(CorrelatorTest, WhileTheFormIsNotKnownOnlyItsRecipientSaysWhoseItIs) {
  const RecipientTag one{7, 1}, two{7, 2};
  Name(1, "1002", one);
  EXPECT_EQ(Place(Of("4098", "", two)), "parked");
  EXPECT_EQ(Place(Of("1002", "", two)), "parked");
  EXPECT_EQ(Name(2, "4098", two), "2,2");
  Name(3, "1003", one);
  EXPECT_EQ(Place(Of("4099")), "parked") << "it names nobody";
  Name(4, "no-number", one);
  EXPECT_EQ(Place(Of("no-number")), "4") << "it has one meaning only";
}

TEST_F(CorrelatorTest, AnSmscThatLeavesTheAddressesAsTheyWereIsUnderstood) {
  const RecipientTag phone{7, 1}, sender{7, 9};
  Name(1, "1002", phone);
  SmscReceipt receipt = Of("4098", "", sender);
  receipt.destination = phone;
  EXPECT_EQ(Place(receipt), "1");
}

TEST_F(CorrelatorTest, WhatAProcessBeforeSubmittedWaitsForTheForm) {
  const RecipientTag before{6, 1}, now{7, 1};
  Name(1, "1001", before);
  EXPECT_EQ(Place(Of("4097", "", now)), "parked");
  for (std::uint64_t n = 2; n < 5; ++n) {
    Name(n, n == 2 ? "2001" : n == 3 ? "2002" : "2003", {7, static_cast<std::uint32_t>(n)});
    EXPECT_EQ(Place(Of(n == 2   ? "8193"
                       : n == 3 ? "8194"
                                : "8195",
                       "", {7, static_cast<std::uint32_t>(n)})),
              std::to_string(n));
  }
  EXPECT_EQ(Told(*correlator_->Learnt()), "1");
}

TEST_F(CorrelatorTest, WhereOneOfTheIdsIsUnderstoodTheOtherIsNotGuessedAt) {
  Start({.forms = {{"a", smpp::IdSource::kTlv, smpp::IdForm::kSame}}});
  Name(1, "37", {7, 1});
  Name(2, "25", {7, 1});
  EXPECT_EQ(Place(Of("25", "37")), "1") << "the text says in hexadecimal what the TLV says in decimal";
  EXPECT_EQ(Place(Of("25", "38", {7, 1})), "parked");
}

// Where no receipt names anybody, what fits one SMS alone teaches, and then counts.
TEST_F(CorrelatorTest, AnSmscThatNamesNobodyIsUnderstoodInTheEnd) {
  for (std::uint64_t n = 1; n < 4; ++n) {
    Name(n, n == 1 ? "2001" : n == 2 ? "2002" : "2003", {7, static_cast<std::uint32_t>(n)});
    EXPECT_EQ(Place(Of(n == 1 ? "8193" : n == 2 ? "8194" : "8195")), n < 3 ? "parked" : "3");
  }
  EXPECT_EQ(Told(*correlator_->Learnt()), "1,2");
}

// An SMSC that counts from 1: until so many are known, nearly every receipt fits several SMSes, all of one recipient.
TEST_F(CorrelatorTest, WhereIdsAreDenseTheirDigitsTell) {
  const RecipientTag one{7, 1};
  std::string told;
  int parked = 0;
  for (std::uint64_t n = 1; n <= 60; ++n) Name(n, std::to_string(n), one);
  for (std::uint64_t n = 1; n <= 60; ++n) {
    const std::string placed = Place(Of(std::to_string(n), "", one));
    parked += placed == "parked" ? 1 : 0;
    EXPECT_TRUE(placed == "parked" || placed == std::to_string(n)) << n << " went to " << placed;
  }
  EXPECT_GT(parked, 0);
  EXPECT_LT(parked, 20);
  EXPECT_EQ(static_cast<int>(correlator_->Learnt()->size()), parked);
  EXPECT_EQ(correlator_->figures().parked, 0u);
  Restart();
  EXPECT_EQ(Place(Of("10", "", one)), "10");
}

// All were submitted by the process before, which never saw a receipt: recipients tell nothing, the digits do.
TEST_F(CorrelatorTest, AfterARestartTheDigitsTellWhatTheRecipientsCannot) {
  const auto hex = [](std::uint64_t n) { return smpp::ConvertId(std::to_string(n), smpp::IdForm::kFromDecimal); };
  for (std::uint64_t n = 1; n <= 30; ++n) Name(n, *hex(4096 + n), {7, 1});
  Restart();
  for (std::uint64_t n = 1; n <= 30; ++n) {
    const std::string placed = Place(Of(std::to_string(4096 + n), "", {8, 1}));
    EXPECT_EQ(placed, n < 20 ? "parked" : std::to_string(n));
  }
  const auto learnt = correlator_->Learnt();
  ASSERT_TRUE(learnt.ok());
  EXPECT_EQ(learnt->size(), 19u);
  EXPECT_EQ(correlator_->figures().parked, 0u);
}

TEST_F(CorrelatorTest, WhereIdsAreDenseAndInTwoBasesTheirDigitsTellToo) {
  const RecipientTag one{7, 1};
  const auto hex = [](std::uint64_t n) { return smpp::ConvertId(std::to_string(n), smpp::IdForm::kFromDecimal); };
  for (std::uint64_t n = 1; n <= 60; ++n) Name(n, *hex(n), one);
  int parked = 0;
  for (std::uint64_t n = 1; n <= 60; ++n) {
    const std::string placed = Place(Of(std::to_string(n), "", one));
    parked += placed == "parked" ? 1 : 0;
    EXPECT_TRUE(placed == "parked" || placed == std::to_string(n)) << n << " went to " << placed;
  }
  const auto learnt = correlator_->Learnt();
  ASSERT_TRUE(learnt.ok());
  for (const auto& [part, receipt] : *learnt) EXPECT_EQ(Number(part), receipt.text_id);
  EXPECT_LT(parked, 20);
  EXPECT_EQ(correlator_->figures().parked, 0u);
}

TEST_F(CorrelatorTest, OfAnIdThatIsUsedAgainTheYoungestCounts) {
  Start({.forms = {{"a", smpp::IdSource::kText, smpp::IdForm::kSame}}});
  Name(1, "77", {7, 1}, kNow - kDayMs);
  Name(2, "77", {7, 2}, kNow);
  EXPECT_EQ(Place(Of("77")), "2");
  EXPECT_EQ(Place(Of("77", "", {7, 1})), "1");
}

TEST_F(CorrelatorTest, ParkedReceiptsAreBoundedInTimeAndNumber) {
  Start({.park_ms = kDayMs, .parked_max = 3});
  for (int i = 0; i < 5; ++i) Place(Of("id" + std::to_string(i)));
  EXPECT_EQ(correlator_->figures().parked, 3u);
  EXPECT_EQ(correlator_->figures().given_up, 2u);
  EXPECT_EQ(Name(1, "id1"), "");
  EXPECT_EQ(Name(2, "id2"), "2");
  EXPECT_EQ(correlator_->GiveUp(kNow + kDayMs - 1, 100), 0u);
  EXPECT_EQ(correlator_->GiveUp(kNow + kDayMs, 1), 1u);
  EXPECT_EQ(correlator_->GiveUp(kNow + kDayMs, 100), 1u);
  EXPECT_EQ(correlator_->figures().given_up, 4u);
  Restart();
  EXPECT_EQ(correlator_->figures().parked, 0u);
}

TEST_F(CorrelatorTest, AnIdWithAZeroByteOrNoneMatchesNothing) {
  EXPECT_EQ(Name(1, std::string("77\0x", 4)), "");
  EXPECT_EQ(Name(1, ""), "");
  EXPECT_EQ(Place(Of(std::string("77\0x", 4))), "parked");
  EXPECT_EQ(Place(Of("")), "parked");
}

}  // namespace
}  // namespace smsflow::gateway
