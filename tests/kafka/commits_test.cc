#include "kafka/commits.h"

#include <gtest/gtest.h>

namespace smsflow::kafka {
namespace {

constexpr std::chrono::seconds kSecond(1);
const TopicPartition kPlace{"send-sms", 0}, kOther{"send-sms", 1};

std::map<TopicPartition, std::int64_t> Sent(Commits& commits, Commits::Time now) {
  std::map<TopicPartition, std::int64_t> sent;
  for (const Start& start : commits.TakeDue(now)) sent[start.place] = start.offset;
  return sent;
}

using Offsets = std::map<TopicPartition, std::int64_t>;

class CommitsTest : public testing::Test {
 protected:
  void Answer(const TopicPartition& place, std::int64_t offset, bool is_taken) {
    commits_.Answered({{{place, offset}, is_taken}}, now_);
  }
  Commits commits_;
  Commits::Time now_{std::chrono::hours(1)};
};

TEST_F(CommitsTest, OneIsUnderWayAtATimeAndTheNextSaysWhatIsNewSince) {
  EXPECT_EQ(Sent(commits_, now_), Offsets{});
  commits_.Want({{kPlace, 5}, {kOther, 1}});
  EXPECT_EQ(Sent(commits_, now_), (Offsets{{kPlace, 5}, {kOther, 1}}));
  commits_.Want({{kPlace, 6}});
  commits_.Want({{kPlace, 7}});
  EXPECT_EQ(Sent(commits_, now_), Offsets{}) << "two at once could be taken in either order";
  commits_.Answered({{{kPlace, 5}, true}, {{kOther, 1}, true}}, now_);
  EXPECT_EQ(Sent(commits_, now_), (Offsets{{kPlace, 7}}));
  Answer(kPlace, 7, true);
  EXPECT_EQ(Sent(commits_, now_ + 100 * kSecond), Offsets{});
}

TEST_F(CommitsTest, WhatTheBrokerDoesNotTakeIsSentAgainASecondLater) {
  commits_.Want({{kPlace, 5}});
  EXPECT_EQ(Sent(commits_, now_).size(), 1u);
  Answer(kPlace, 5, false);
  EXPECT_EQ(Sent(commits_, now_), Offsets{});
  EXPECT_EQ(Sent(commits_, now_ + Commits::kAgainEvery), (Offsets{{kPlace, 5}}));
}

TEST_F(CommitsTest, WhatIsNeverAnsweredIsSentAgain) {
  commits_.Want({{kPlace, 5}});
  EXPECT_EQ(Sent(commits_, now_).size(), 1u);
  EXPECT_EQ(Sent(commits_, now_ + Commits::kAnswerWithin - kSecond), Offsets{});
  now_ += Commits::kAnswerWithin;
  EXPECT_EQ(Sent(commits_, now_), (Offsets{{kPlace, 5}}));
  commits_.Answered({}, now_);
  EXPECT_EQ(Sent(commits_, now_), Offsets{}) << "given up at once, and again a second later";
  EXPECT_EQ(Sent(commits_, now_ + Commits::kAgainEvery), (Offsets{{kPlace, 5}}));
}

TEST_F(CommitsTest, AnOldOneThatTheBrokerTookAfterTheNewOneIsPutRight) {
  commits_.Want({{kPlace, 25}});
  EXPECT_EQ(Sent(commits_, now_).size(), 1u);
  now_ += Commits::kAnswerWithin;
  commits_.Want({{kPlace, 100}});
  EXPECT_EQ(Sent(commits_, now_), (Offsets{{kPlace, 100}}));
  Answer(kPlace, 100, true);
  EXPECT_EQ(Sent(commits_, now_), Offsets{});
  Answer(kPlace, 25, true);
  EXPECT_EQ(Sent(commits_, now_), (Offsets{{kPlace, 100}}));
}

}  // namespace
}  // namespace smsflow::kafka
