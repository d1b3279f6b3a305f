#include "server/kafka/progress.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <vector>

namespace smsflow::server {
namespace {

storage::Hash16 Digest(std::uint64_t offset) {
  storage::Hash16 digest{};
  digest[0] = static_cast<std::uint8_t>(offset);
  digest[1] = 1;
  return digest;
}

TEST(Progress, IsUpToTheFirstThatIsNotAnswered) {
  Progress progress;
  progress.Begin(10);
  EXPECT_EQ(progress.next(), 10U);
  for (const std::uint64_t offset : {10, 11, 15, 16}) progress.Give(offset, Digest(offset), 10);
  EXPECT_TRUE(progress.Answer(11));
  EXPECT_TRUE(progress.Answer(16));
  EXPECT_EQ(progress.next(), 10U);
  EXPECT_EQ(progress.digest(), storage::Hash16{});
  EXPECT_EQ(progress.unanswered(), 2U);
  EXPECT_EQ(progress.unanswered_bytes(), 20U);
  EXPECT_TRUE(progress.Answer(10));
  EXPECT_EQ(progress.next(), 12U);
  EXPECT_EQ(progress.digest(), Digest(11));
  EXPECT_TRUE(progress.Answer(15));
  EXPECT_EQ(progress.next(), 17U);
  EXPECT_EQ(progress.digest(), Digest(16));
  EXPECT_EQ(progress.unanswered(), 0U);
}

TEST(Progress, AWordThatIsNotAwaitedIsNone) {
  Progress progress;
  progress.Begin(0);
  progress.Give(3, Digest(3), 10);
  EXPECT_FALSE(progress.Answer(2));
  EXPECT_FALSE(progress.Answer(4));
  EXPECT_TRUE(progress.Answer(3));
  EXPECT_FALSE(progress.Answer(3));
  EXPECT_EQ(progress.unanswered(), 0U);
  progress.Begin(1);
  EXPECT_EQ(progress.next(), 1U);
  EXPECT_FALSE(progress.Answer(3));
}

TEST(Progress, InWhateverOrderTheAnswersCome) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    Progress progress;
    progress.Begin(0);
    std::vector<std::uint64_t> offsets;
    for (std::uint64_t offset = 0; offset < 40; ++offset)
      if (random() % 4 != 0) offsets.push_back(offset);
    for (const std::uint64_t offset : offsets) progress.Give(offset, Digest(offset), 10);
    std::vector<std::uint64_t> order = offsets;
    std::shuffle(order.begin(), order.end(), random);
    std::set<std::uint64_t> open(offsets.begin(), offsets.end());
    for (const std::uint64_t offset : order) {
      EXPECT_TRUE(progress.Answer(offset));
      open.erase(offset);
      EXPECT_EQ(progress.unanswered(), open.size());
      for (const std::uint64_t given : offsets) {
        EXPECT_FALSE(given < progress.next() && open.contains(given));
      }
    }
    ASSERT_FALSE(offsets.empty());
    EXPECT_EQ(progress.next(), offsets.back() + 1);
  }
}

}  // namespace
}  // namespace smsflow::server
