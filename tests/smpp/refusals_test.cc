#include "smpp/refusals.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace smsflow::smpp {
namespace {

constexpr RefusalMeaning kGuess{.permanent = false, .fault = FaultOf::kRoute};

TEST(RefusalsTest, WhatFollowsFromEachStatus) {
  const RefusalMap map;
  const std::vector<std::pair<RefusalMeaning, std::vector<std::uint32_t>>> table = {
      {{true, FaultOf::kMessage},
       {0x01, 0x02, 0x03, 0x06, 0x07, 0x43, 0x54, 0x61, 0x62, 0x65, 0x66, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4}},
      {{true, FaultOf::kRecipient}, {0x0b, 0x50, 0x51}},
      {{true, FaultOf::kSender}, {0x0a, 0x48, 0x49}},
      {{true, FaultOf::kRoute}, {0x15, 0x53}},
      {{false, FaultOf::kMessage}, {0x45, 0x64, 0xfe}},
      {{false, FaultOf::kRoute}, {0x04, 0x05, 0x08, 0x0d, 0x0e, 0x0f, 0x14, 0x58, 0xff}},
  };
  std::size_t count = 0;
  for (const auto& [meaning, statuses] : table) {
    for (const std::uint32_t status : statuses) {
      bool known = false;
      EXPECT_EQ(map.MeaningOf(static_cast<CommandStatus>(status), &known), meaning) << status;
      EXPECT_TRUE(known) << status;
      ++count;
    }
  }
  // Every status that has a name stands above, but those that no submit is answered with.
  std::size_t named = 0;
  for (std::uint32_t status = 0; status <= 0x4ff; ++status) {
    if (NameOf(static_cast<CommandStatus>(status)) != nullptr) ++named;
  }
  EXPECT_EQ(count, named - 3);
}

TEST(RefusalsTest, AVendorsStatusIsAGuessUntilItIsMapped) {
  RefusalMap map;
  bool known = true;
  EXPECT_EQ(map.MeaningOf(static_cast<CommandStatus>(0x401), &known), kGuess);
  EXPECT_FALSE(known);
  map.Map(static_cast<CommandStatus>(0x401), {.permanent = true, .fault = FaultOf::kRecipient});
  map.Map(CommandStatus::kSystemError, {.permanent = true, .fault = FaultOf::kSender});
  EXPECT_EQ(map.MeaningOf(static_cast<CommandStatus>(0x401), &known).fault, FaultOf::kRecipient);
  EXPECT_TRUE(known);
  EXPECT_EQ(map.MeaningOf(CommandStatus::kSystemError).fault, FaultOf::kSender);
}

}  // namespace
}  // namespace smsflow::smpp
