#include "tests/crash/call_orders.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <set>
#include <sstream>
#include <string>

namespace smsflow::crash {
namespace {

TEST(CallOrders, GiveEachOfAllOnceBeforeAnyComesAgain) {
  CallOrders orders("", 17);
  std::set<std::string> given;
  for (std::uint64_t i = 0; i < CallOrders::kAll; ++i) {
    const CallOrder order = orders.Next();
    EXPECT_GE(order.number, 1U);
    EXPECT_LE(order.number, CallOrders::kMost);
    EXPECT_TRUE(given.insert(order.text()).second) << order.text();
    orders.Note(order, true);
  }
  EXPECT_TRUE(given.contains("fdatasync:EIO:1"));
  EXPECT_TRUE(given.contains("write:short:200"));
  EXPECT_TRUE(given.contains("rename:ENOSPC:200"));
  EXPECT_EQ(orders.Next().text(), *given.find(orders.Next().text()));
}

TEST(CallOrders, PassOverWhatNoLifeReaches) {
  CallOrders orders("", 0);
  int renames = 0;
  for (int i = 0; i < 900; ++i) {
    const CallOrder order = orders.Next();
    const bool came = order.call != "rename" || order.number <= 3;
    if (order.call == "rename" && !came) ++renames;
    orders.Note(order, came);
  }
  EXPECT_GT(renames, 0);
  EXPECT_LT(renames, 30);  // of some 200 that nobody could have made
}

TEST(CallOrders, GoOnWhereTheLastRunEnded) {
  const std::string record = testing::TempDir() + "call-orders-" + std::to_string(getpid());
  std::filesystem::remove(record);
  std::set<std::string> given;
  for (int run = 0; run < 10; ++run) {
    CallOrders orders(record, static_cast<std::uint64_t>(run));
    for (int i = 0; i < 18; ++i) {
      const CallOrder order = orders.Next();
      EXPECT_TRUE(given.insert(order.text()).second) << order.text();
      orders.Note(order, i % 2 == 0);
    }
    if (run < 9) continue;
    std::ostringstream said;
    orders.Print(said);
    // What was passed over is noted too.
    EXPECT_NE(said.str().find("  fdatasync with EIO "), std::string::npos) << said.str();
    EXPECT_EQ(said.str().find("\n180 of 1800"), std::string::npos);
  }
  std::filesystem::remove(record);
}

TEST(CallOrders, KnowWhenHardlyAnyCameTrue) {
  CallOrders none("", 0), some("", 0);
  for (int i = 0; i < 30; ++i) {
    const CallOrder order = none.Next();
    none.Note(order, false);
    const CallOrder other = some.Next();
    some.Note(other, i % 2 == 0);
  }
  EXPECT_TRUE(none.TooFewCame());
  EXPECT_FALSE(some.TooFewCame());
}

}  // namespace
}  // namespace smsflow::crash
