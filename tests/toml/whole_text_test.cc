#include "toml/whole_text.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace smsflow {
namespace {

TEST(WholeText, IsAllThatThereIs) {
  for (const char* const text : {"", "a = 1\n", "\n"}) {
    std::istringstream in(text);
    EXPECT_EQ(WholeTextOf(in), text);
  }
}

TEST(WholeText, IsNoneWhereReadingFails) {
  std::ifstream nowhere("/nowhere");
  EXPECT_EQ(WholeTextOf(nowhere), std::nullopt);
  // It opens, and each read of it fails.
  std::ifstream folder("/");
  EXPECT_EQ(WholeTextOf(folder), std::nullopt);
  std::ifstream memory("/proc/self/mem");
  EXPECT_EQ(WholeTextOf(memory), std::nullopt);
}

}  // namespace
}  // namespace smsflow
