#include "smpp/message_ids.h"

#include <gtest/gtest.h>

#include <set>

namespace smsflow::smpp {
namespace {

// An SMSC that keeps `stored`: finds what the candidates name and tells the forms.
class Smsc {
 public:
  explicit Smsc(std::set<std::string> stored) : stored_(std::move(stored)) {}

  // The key that was found; empty: none, or more than one.
  std::string Receive(std::string_view tlv_id, std::string_view text_id) {
    const auto candidates = forms.Candidates(tlv_id, text_id);
    const IdCandidate* found = nullptr;
    for (const IdCandidate& one : candidates) {
      if (stored_.count(one.key) == 0) continue;
      if (found != nullptr) return {};
      found = &one;
    }
    if (found == nullptr) {
      forms.Missed();
      return {};
    }
    forms.Matched(*found, candidates);
    return found->key;
  }

  IdForms forms;

 private:
  std::set<std::string> stored_;
};

TEST(MessageIdsTest, ZerosAndCaseMakeNoDifference) {
  EXPECT_EQ(NormalId("000024"), NormalId("24"));
  EXPECT_EQ(NormalId("0E999F21"), NormalId("e999f21"));
  EXPECT_EQ(NormalId(" 7 "), "7");
  EXPECT_EQ(NormalId("000"), "0");
  EXPECT_EQ(NormalId("0 5"), "5");
  EXPECT_EQ(NormalId(""), "");
  EXPECT_EQ(NormalId(std::string(100, '1')).size(), 64U);
}

TEST(MessageIdsTest, Bases) {
  EXPECT_EQ(ConvertId("4098", IdForm::kFromDecimal), "1002");
  EXPECT_EQ(ConvertId("1771718160", IdForm::kFromDecimal), "699A4610");
  EXPECT_EQ(ConvertId("00001002", IdForm::kFromHex), "4098");
  EXPECT_EQ(ConvertId("18446744073709551615", IdForm::kFromDecimal), "FFFFFFFFFFFFFFFF");
  EXPECT_EQ(ConvertId("18446744073709551616", IdForm::kFromDecimal), std::nullopt);
  EXPECT_EQ(ConvertId("1f", IdForm::kFromDecimal), std::nullopt);
  EXPECT_EQ(ConvertId("-1", IdForm::kFromDecimal), std::nullopt);
  EXPECT_EQ(ConvertId("0x1f", IdForm::kFromHex), std::nullopt);
  EXPECT_EQ(ConvertId("", IdForm::kFromHex), std::nullopt);
}

TEST(MessageIdsTest, HexInTheResponseAndDecimalInTheReceiptIsLearnt) {
  Smsc smsc({"A001", "A002", "A003", "A004"});
  EXPECT_EQ(smsc.Receive("", "40961"), "A001");
  EXPECT_EQ(smsc.Receive("", "40962"), "A002");
  EXPECT_EQ(smsc.forms.form(IdSource::kText), std::nullopt);
  EXPECT_EQ(smsc.Receive("", "40963"), "A003");
  EXPECT_EQ(smsc.forms.form(IdSource::kText), IdForm::kFromDecimal);
  ASSERT_EQ(smsc.forms.Candidates("", "40964").size(), 1U);
  EXPECT_EQ(smsc.forms.Candidates("", "40964")[0].key, "A004");
}

TEST(MessageIdsTest, TlvAndTextHaveFormsOfTheirOwn) {
  Smsc smsc({"A001", "A002", "A003"});
  for (const char* id : {"A001", "A002", "A003"}) EXPECT_EQ(smsc.Receive(id, ""), id);
  // Letters read one way only, but for a number that could have been converted.
  EXPECT_EQ(smsc.forms.form(IdSource::kText), std::nullopt);
  EXPECT_EQ(smsc.forms.form(IdSource::kTlv), IdForm::kSame);
}

TEST(MessageIdsTest, AnIdThatReadsTheSameInEveryFormTeachesNothing) {
  Smsc smsc({"1", "2", "3", "4"});
  for (const char* id : {"1", "2", "3", "4"}) EXPECT_EQ(smsc.Receive("", id), id);
  EXPECT_EQ(smsc.forms.form(IdSource::kText), std::nullopt);
}

TEST(MessageIdsTest, WhatFitsTwoSmsesIsLeftToTheCaller) {
  Smsc smsc({"16", "22"});
  const auto candidates = smsc.forms.Candidates("", "16");
  EXPECT_EQ(candidates.size(), 3U);  // 16, 10, 22
  EXPECT_EQ(smsc.Receive("", "16"), "");
  EXPECT_EQ(smsc.forms.form(IdSource::kText), std::nullopt);
}

TEST(MessageIdsTest, AChangeOfMindStartsAnew) {
  Smsc smsc({"A001", "A002", "5000", "A003"});
  smsc.Receive("", "40961");
  smsc.Receive("", "40962");
  smsc.Receive("", "5000");
  smsc.Receive("", "40963");
  EXPECT_EQ(smsc.forms.form(IdSource::kText), std::nullopt);
}

TEST(MessageIdsTest, WhatIsLearntIsForgottenWhenNothingMatchesAnyMore) {
  Smsc smsc({"A001", "A002", "A003"});
  for (const char* id : {"40961", "40962", "40963"}) smsc.Receive("", id);
  ASSERT_EQ(smsc.forms.form(IdSource::kText), IdForm::kFromDecimal);
  for (std::uint32_t i = 0; i < IdForms::kToForget; ++i) smsc.Receive("", "99");
  EXPECT_EQ(smsc.forms.form(IdSource::kText), std::nullopt);
  EXPECT_EQ(smsc.forms.misses(), IdForms::kToForget);

  Smsc set({});
  set.forms.Set(IdSource::kText, IdForm::kFromHex);
  for (std::uint32_t i = 0; i < IdForms::kToForget; ++i) set.Receive("", "99");
  EXPECT_EQ(set.forms.form(IdSource::kText), IdForm::kFromHex);
}

}  // namespace
}  // namespace smsflow::smpp
