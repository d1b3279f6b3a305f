#include "ids/ids.h"

#include <gtest/gtest.h>

#include <unordered_set>

namespace smsflow {
namespace {

TEST(InstanceId, CarriesTimeAndShardAndIsUuidVersion7) {
  const auto id = InstanceId::Make(0x0190'1234'5678, ShardId{0xABC}, 0xFFFF'FFFF'FFFF'FFFF);
  EXPECT_EQ(id.ToString(), "01901234-5678-7abc-bfff-ffffffffffff");
  EXPECT_EQ(id.shard(), ShardId{0xABC});
  EXPECT_EQ(id.created_ms(), 0x0190'1234'5678);
  EXPECT_EQ(InstanceId::Parse("01901234-5678-7ABC-BFFF-FFFFFFFFFFFF"), id);
  EXPECT_EQ(InstanceId::FromBytes(id.AsBytes()), id);
}

TEST(InstanceId, SortsByTimeInBytesAndInText) {
  const auto early = InstanceId::Make(1000, ShardId{63}, ~0ULL);
  const auto late = InstanceId::Make(1001, ShardId{0}, 0);
  EXPECT_LT(early, late);
  EXPECT_LT(early.ToString(), late.ToString());
}

TEST(InstanceId, OrdersLikeItsBytes) {
  const auto first = InstanceId::Make(1000, ShardId{1}, 1), second = InstanceId::Make(1000, ShardId{1}, 2);
  EXPECT_LT(first, second);
  EXPECT_GT(second, first);
  EXPECT_LE(first, first);
}

// The characters just beside the digits and letters are the ones that a careless comparison lets in.
TEST(InstanceId, TakesHexDigitsAndNothingBesideThem) {
  const std::string text = "01901234-5678-7abc-bfff-fffffffffff";
  for (const char c : std::string("09afAF")) EXPECT_TRUE(InstanceId::Parse(text + c)) << c;
  for (const char c : std::string("/:@G`g ")) EXPECT_FALSE(InstanceId::Parse(text + c)) << c;
}

TEST(InstanceId, RefusesWhatIsNoVersion7Uuid) {
  for (const char* text : {"", "01901234-5678-7abc-bfff-fffffffffff", "01901234-5678-7abc-bfff-ffffffffffff0",
                           "01901234x5678-7abc-bfff-ffffffffffff", "g1901234-5678-7abc-bfff-ffffffffffff",
                           "01901234-5678-4abc-bfff-ffffffffffff", "01901234-5678-7abc-7fff-ffffffffffff"})
    EXPECT_EQ(InstanceId::Parse(text), std::nullopt) << text;
  EXPECT_EQ(InstanceId::FromBytes("short"), std::nullopt);
}

TEST(Ids, AreKeysOfHashMaps) {
  const auto one = InstanceId::Make(5, ShardId{1}, 7), two = InstanceId::Make(5, ShardId{1}, 8);
  EXPECT_EQ((std::unordered_set<InstanceId>{one, two, one}.size()), 2u);
  EXPECT_EQ((std::unordered_set<AttemptId>{{one, 1}, {one, 2}, {two, 1}, {one, 1}}.size()), 3u);
  EXPECT_NE(std::hash<AttemptId>{}({one, 1}), std::hash<AttemptId>{}({one, 2}));
}

TEST(AttemptId, IsInstanceDotNumber) {
  const AttemptId id{InstanceId::Make(5, ShardId{1}, 7), 12};
  EXPECT_EQ(AttemptId::Parse(id.ToString()), id);
  const std::string instance = id.instance.ToString();
  for (const char* tail : {"", ".", ".0", ".01", ".-1", ".+1", ".1x", ".:", ".4294967296", "1", "11"})
    EXPECT_EQ(AttemptId::Parse(instance + tail), std::nullopt) << tail;
  EXPECT_EQ(AttemptId::Parse("g" + instance.substr(1) + ".1"), std::nullopt);
}

}  // namespace
}  // namespace smsflow
