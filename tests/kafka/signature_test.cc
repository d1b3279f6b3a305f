#include "kafka/signature.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace smsflow::kafka {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t kNowS = 1'700'000'000, kHourS = 3'600;
constexpr std::string_view kValue = R"({"action":"cancel","client":"clinic","key":"k"})";

class SignatureTest : public testing::Test {
 protected:
  std::string Answer(const SignedRecord& record, const std::string& header, std::int64_t now_s = kNowS) const {
    const std::vector<HeaderView> headers{{kSignature, header}};
    const auto name = SignerOf(record, headers, keys_, {now_s, kHourS});
    EXPECT_THAT(std::string(name.status().message()), Not(HasSubstr("clinic")));
    return name.ok() ? *name : std::string(name.status().message());
  }
  const std::string key_ = std::string(32, 'k'), other_ = std::string(40, 'o');
  const SigningKeys keys_{{"portal", {key_, other_}}, {"lab", {std::string(32, 'l')}}};
  const SignedRecord record_{"schedule-sms", kValue, "once"};
  const std::string good_ = Sign(record_, "portal", key_, kNowS);
};

// Computed with another implementation: hmac.new(b"k" * 32, text, "sha256").
TEST_F(SignatureTest, IsWhatItsHeaderSays) {
  EXPECT_EQ(good_, "portal:1700000000:YUHCJUttU917onxS3LIyQGV4xLC-AyxmWrSmO397QN8");
}

TEST_F(SignatureTest, NamesWhoSignedUnderAnyOfItsKeys) {
  EXPECT_EQ(Answer(record_, good_), "portal");
  EXPECT_EQ(Answer(record_, Sign(record_, "portal", other_, kNowS - kHourS)), "portal");
}

TEST_F(SignatureTest, ChangedOrMovedItIsNobodys) {
  const std::string nobody = "smsflow-signature: was made by no key that is known here, or for another record";
  EXPECT_EQ(Answer({"sms-timer", kValue, "once"}, good_), nobody);
  EXPECT_EQ(Answer({"schedule-sms", "{}", "once"}, good_), nobody);
  EXPECT_EQ(Answer({"schedule-sms", kValue, "twice"}, good_), nobody);
  EXPECT_EQ(Answer({"schedule-sms", kValue, ""}, good_), nobody);
  EXPECT_EQ(Answer(record_, Sign(record_, "lab", key_, kNowS)), nobody);
  EXPECT_EQ(Answer(record_, Sign(record_, "stranger", key_, kNowS)), nobody);
  std::string later = good_;
  later.replace(later.find(":1") + 1, 10, "1700000001");
  EXPECT_EQ(Answer(record_, later), nobody);
  for (const std::size_t at : {good_.size() - 1, good_.size() - 10}) {
    std::string flipped = good_;
    flipped[at] = flipped[at] == 'A' ? 'B' : 'A';
    EXPECT_EQ(Answer(record_, flipped), nobody);
  }
}

// Lengths stand between the parts: nothing of one can become a part of the next.
TEST_F(SignatureTest, BordersCannotBeMoved) {
  const SignedRecord one{"t", "b\nvalue", "a"}, other{"t", "value", "a\nb"};
  EXPECT_NE(Sign(one, "portal", key_, kNowS), Sign(other, "portal", key_, kNowS));
}

TEST_F(SignatureTest, IsGoodForSoLong) {
  EXPECT_EQ(Answer(record_, good_, kNowS + kHourS), "portal");
  EXPECT_EQ(Answer(record_, good_, kNowS + kHourS + 1), "smsflow-signature: is older than kafka.signed_for allows");
  EXPECT_EQ(Answer(record_, good_, kNowS - 300), "portal") << "clocks differ";
  EXPECT_EQ(Answer(record_, good_, kNowS - 301), "smsflow-signature: was made in the future");
}

TEST_F(SignatureTest, WhatIsNoSignatureIsNamedAsSuch) {
  const auto none = SignerOf(record_, {}, keys_, {kNowS, kHourS});
  EXPECT_EQ(none.status().message(), "smsflow-signature: is missing");
  for (const std::string& header : std::vector<std::string>{
           "", "portal", ":", "::", "portal:1700000000", "portal:x:mac", "portal:-1:mac", "por tal:1:mac", ":1:mac",
           "portal:1:mac:more", "portal:99999999999999999999:mac", "portal:0x12:mac", "portal: 12:mac"}) {
    EXPECT_EQ(Answer(record_, header), "smsflow-signature: must be NAME:SECONDS:MAC") << header;
  }
}

TEST(SigningKeys, AreReadFromLines) {
  const auto keys = ParseSigningKeys("# changed in May\n\nportal " + std::string(64, 'a') + "\nportal " +
                                     std::string(80, 'B') + "\r\nlab " + std::string(64, '0') + "\n");
  ASSERT_TRUE(keys.ok()) << keys.status();
  ASSERT_EQ(keys->size(), 2U);
  EXPECT_EQ(keys->at("portal"), (std::vector<std::string>{std::string(32, '\xAA'), std::string(40, '\xBB')}));
}

TEST(SigningKeys, ALineThatIsNoneIsNamedByItsNumberAlone) {
  for (const std::string& line :
       std::vector<std::string>{"SECRET", "portal SECRET", "portal abcd", "a b c", "por/tal " + std::string(64, 'a'),
                                "portal " + std::string(63, 'a'), "portal " + std::string(62, 'a')}) {
    const auto keys = ParseSigningKeys("# one\n" + line);
    EXPECT_THAT(std::string(keys.status().message()), HasSubstr("line 2 must be")) << line;
    EXPECT_THAT(std::string(keys.status().message()), Not(HasSubstr("SECRET")));
  }
}

}  // namespace
}  // namespace smsflow::kafka
