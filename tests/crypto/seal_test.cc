#include "crypto/seal.h"

#include <gtest/gtest.h>

#include "tests/crypto/hex.h"

namespace smsflow::crypto {
namespace {

TEST(Seal, WritesTheAlgorithmFirstAndAppends) {
  std::string out = "before";
  ASSERT_TRUE(Seal(SealAlgorithm::kNone, "head", "row", std::string("a\0b", 3), out).ok());
  EXPECT_EQ(ToHex(out), ToHex("before") + "00610062");
}

TEST(Seal, OpensWhatItSealedWithoutACopy) {
  for (const std::string& value : {std::string(), std::string("x"), std::string(5000, '\0')}) {
    std::string sealed, scratch;
    ASSERT_TRUE(Seal(SealAlgorithm::kNone, "head", "row", value, sealed).ok());
    const auto opened = Open("head", "row", sealed, scratch);
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_EQ(*opened, value);
    EXPECT_EQ(opened->data(), sealed.data() + 1);
  }
}

TEST(Seal, RefusesAlgorithmsItDoesNotKnow) {
  std::string out = "before";
  const absl::Status status = Seal(static_cast<SealAlgorithm>(7), "head", "secretrow", "secretvalue", out);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "cannot seal a value of table head: algorithm 7 is unknown");
  EXPECT_EQ(out, "before");
}

TEST(Open, RefusesWhatItDoesNotKnowAndTellsNoValue) {
  std::string scratch;
  for (int algorithm = 1; algorithm < 256; ++algorithm) {
    const auto opened =
        Open("head", "secretrow", std::string(1, static_cast<char>(algorithm)) + "secretvalue", scratch);
    EXPECT_EQ(opened.status().code(), absl::StatusCode::kDataLoss);
    EXPECT_EQ(opened.status().message(), "cannot open a value of table head: it is sealed with algorithm " +
                                             std::to_string(algorithm) + ", which this version does not know");
  }
  EXPECT_EQ(Open("head", "row", "", scratch).status().message(), "cannot open a value of table head: it is empty");
}

}  // namespace
}  // namespace smsflow::crypto
