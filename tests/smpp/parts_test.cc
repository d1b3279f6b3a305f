#include "smpp/parts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

namespace smsflow::smpp {
namespace {

using Meaning = ReceiptMeaning;
using Heard = std::vector<std::pair<std::uint8_t, Meaning>>;

// The same in every order, or the test fails.
std::optional<Meaning> WholeOf(PartsRule rule, Heard heard) {
  std::optional<std::optional<Meaning>> whole;
  std::sort(heard.begin(), heard.end());
  do {
    PartsReceipts parts(3, rule);
    for (const auto& [number, meaning] : heard) parts.Hear(number, meaning);
    EXPECT_EQ(whole.value_or(parts.Meaning()), parts.Meaning());
    whole = parts.Meaning();
  } while (std::next_permutation(heard.begin(), heard.end()));
  return *whole;
}

TEST(PartsTest, AllMustBeDeliveredAndOneFailureIsEnough) {
  const auto all = [](Heard heard) { return WholeOf(PartsRule::kAll, std::move(heard)); };
  EXPECT_EQ(all({}), std::nullopt);
  EXPECT_EQ(all({{1, Meaning::kDelivered}, {2, Meaning::kDelivered}}), Meaning::kUnderWay);
  EXPECT_EQ(all({{1, Meaning::kDelivered}, {2, Meaning::kDelivered}, {3, Meaning::kDelivered}}), Meaning::kDelivered);
  EXPECT_EQ(all({{1, Meaning::kDelivered}, {2, Meaning::kFailedTransient}}), Meaning::kFailedTransient);
  EXPECT_EQ(all({{1, Meaning::kFailedPermanent}, {2, Meaning::kFailedTransient}}), Meaning::kFailedPermanent);
  EXPECT_EQ(all({{1, Meaning::kDelivered}, {2, Meaning::kInDoubt}, {3, Meaning::kDelivered}}), Meaning::kInDoubt);
  EXPECT_EQ(all({{1, Meaning::kUnderWay}, {2, Meaning::kDelivered}, {3, Meaning::kDelivered}}), Meaning::kUnderWay);
  // What failed and then arrived after all.
  EXPECT_EQ(all({{1, Meaning::kDelivered},
                 {2, Meaning::kFailedTransient},
                 {2, Meaning::kDelivered},
                 {3, Meaning::kDelivered}}),
            Meaning::kDelivered);
}

TEST(PartsTest, OneReceiptForTheWhole) {
  EXPECT_EQ(WholeOf(PartsRule::kAny, {{2, Meaning::kDelivered}}), Meaning::kDelivered);
  EXPECT_EQ(WholeOf(PartsRule::kAny, {{2, Meaning::kFailedTransient}, {3, Meaning::kUnderWay}}),
            Meaning::kFailedTransient);
  EXPECT_EQ(WholeOf(PartsRule::kFirst, {{1, Meaning::kUnderWay}, {3, Meaning::kDelivered}}), Meaning::kUnderWay);
  EXPECT_EQ(WholeOf(PartsRule::kFirst, {{3, Meaning::kDelivered}}), std::nullopt);
  EXPECT_EQ(WholeOf(PartsRule::kLast, {{1, Meaning::kUnderWay}, {3, Meaning::kDelivered}}), Meaning::kDelivered);
}

TEST(PartsTest, APartThatIsNoneIsIgnored) {
  EXPECT_EQ(WholeOf(PartsRule::kAny, {{0, Meaning::kDelivered}, {4, Meaning::kDelivered}}), std::nullopt);
  PartsReceipts alone(1, PartsRule::kLast);
  alone.Hear(1, Meaning::kDelivered);
  EXPECT_EQ(alone.Meaning(), Meaning::kDelivered);
}

}  // namespace
}  // namespace smsflow::smpp
