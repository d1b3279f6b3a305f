#include "gateway/kafka_offsets.h"

#include <gtest/gtest.h>

#include "tests/gateway/fakes.h"

namespace smsflow::gateway {
namespace {

using Asks = KafkaOffsets::Asks;
using Positions = std::map<std::int32_t, std::int64_t>;

TEST(KafkaOffsets, WhatIsReadIsDoneUnlessItIsOpen) {
  KafkaOffsets offsets;
  offsets.Begin({{0, 5}, {2, -2}});
  EXPECT_EQ(offsets.Positions(), (Positions{{0, 5}, {2, -2}}));
  EXPECT_TRUE(offsets.Read(0, 5));
  EXPECT_TRUE(offsets.Read(0, 9)) << "a log may have gaps";
  EXPECT_TRUE(offsets.Read(2, 0));
  EXPECT_EQ(offsets.Positions(), (Positions{{0, 10}, {2, 1}}));
}

TEST(KafkaOffsets, TheFirstThatIsNotDoneIsThePosition) {
  KafkaOffsets offsets;
  offsets.Begin({{0, 0}});
  for (int at = 0; at < 3; ++at) {
    ASSERT_TRUE(offsets.Read(0, at));
    EXPECT_TRUE(offsets.Open(0, at, Attempt(static_cast<std::uint64_t>(at + 1)), Asks::kLease));
  }
  EXPECT_EQ(offsets.open(), 3u);
  offsets.Done(Attempt(2));
  EXPECT_EQ(offsets.Positions(), (Positions{{0, 0}}));
  offsets.Done(Attempt(1));
  EXPECT_EQ(offsets.Positions(), (Positions{{0, 2}}));
  offsets.Done(Attempt(3));
  EXPECT_EQ(offsets.Positions(), (Positions{{0, 3}}));
  EXPECT_EQ(offsets.open(), 0u);
}

TEST(KafkaOffsets, OneAttemptMayStandInManyRecords) {
  KafkaOffsets offsets;
  offsets.Begin({{0, 0}, {1, 0}});
  for (const auto& [partition, offset] : {std::pair(0, 0), std::pair(0, 1), std::pair(1, 0)}) {
    ASSERT_TRUE(offsets.Read(partition, offset));
    EXPECT_EQ(offsets.Open(partition, offset, Attempt(1), Asks::kLease), partition == 0 && offset == 0);
  }
  EXPECT_EQ(offsets.open(), 2u);
  offsets.Done(Attempt(1));
  EXPECT_EQ(offsets.Positions(), (Positions{{0, 2}, {1, 1}}));
}

TEST(KafkaOffsets, OfWhatIsAskedAgainTheNewestRecordIsOpen) {
  KafkaOffsets offsets;
  offsets.Begin({{0, 0}});
  for (int at = 0; at < 5'000; ++at) {
    ASSERT_TRUE(offsets.Read(0, at));
    EXPECT_EQ(offsets.Open(0, at, Attempt(1), Asks::kLease), at == 0);
  }
  EXPECT_EQ(offsets.open(), 1u);
  EXPECT_EQ(offsets.Positions(), (Positions{{0, 4'999}})) << "one of them must be read again, or it is lost";
  for (int at = 5'000; at < 5'003; ++at) {
    ASSERT_TRUE(offsets.Read(0, at));
    EXPECT_EQ(offsets.Open(0, at, Attempt(1), Asks::kProbe), at == 5'000);
  }
  EXPECT_EQ(offsets.open(), 2u) << "a probe says nothing of what is to be sent";
  EXPECT_EQ(offsets.Positions(), (Positions{{0, 4'999}}));
  offsets.Done(Attempt(1));
  EXPECT_EQ(offsets.open(), 0u);
  EXPECT_EQ(offsets.Positions(), (Positions{{0, 5'003}}));
}

TEST(KafkaOffsets, WhatWasReadBeforeOrIsNotOursIsLeftOut) {
  KafkaOffsets offsets;
  offsets.Begin({{0, 3}});
  EXPECT_FALSE(offsets.Read(0, 2));
  EXPECT_FALSE(offsets.Read(1, 0));
  EXPECT_TRUE(offsets.Read(0, 3));
  EXPECT_FALSE(offsets.Read(0, 3));
}

TEST(KafkaOffsets, ANewBeginningForgetsWhatWasOpen) {
  KafkaOffsets offsets;
  offsets.Begin({{0, 0}});
  ASSERT_TRUE(offsets.Read(0, 0));
  EXPECT_TRUE(offsets.Open(0, 0, Attempt(1), Asks::kLease));
  offsets.Begin({{0, 0}});
  EXPECT_EQ(offsets.open(), 0u);
  offsets.Done(Attempt(1));
  EXPECT_EQ(offsets.Positions(), (Positions{{0, 0}}));
  ASSERT_TRUE(offsets.Read(0, 0));
  offsets.Open(0, 0);
  offsets.Done(0, 0);
  EXPECT_EQ(offsets.Positions(), (Positions{{0, 1}}));
}

}  // namespace
}  // namespace smsflow::gateway
