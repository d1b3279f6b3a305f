#include "toml/nesting.h"

#include <gtest/gtest.h>
#include <toml++/toml.h>

#include <string>

namespace smsflow {
namespace {

std::string Key(std::uint32_t dots) {
  std::string key = "a";
  for (std::uint32_t i = 0; i < dots; ++i) key += ".a";
  return key;
}

TEST(TomlNesting, ALineMayHoldSoManyDotsAndNotOneMore) {
  EXPECT_EQ(LineWithTooManyDots(""), std::nullopt);
  EXPECT_EQ(LineWithTooManyDots(Key(kTomlDotsMax) + "=1"), std::nullopt);
  EXPECT_EQ(LineWithTooManyDots(Key(kTomlDotsMax + 1) + "=1"), 1);
  EXPECT_EQ(LineWithTooManyDots("\r\n\n" + Key(kTomlDotsMax + 1)), 3);
}

TEST(TomlNesting, EachLineIsCountedByItself) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "[x" + std::to_string(i) + "]\n" + Key(kTomlDotsMax) + "=1\n";
  EXPECT_EQ(LineWithTooManyDots(text), std::nullopt);
  EXPECT_EQ(toml::parse(text).size(), 100);
}

TEST(TomlNesting, TextsAndCommentsMayHoldAnyNumber) {
  const std::string dots(1'000, '.');
  for (const std::string& line : {"a=\"" + dots + "\"", "a='" + dots + "'", "a=1 # " + dots,
                                  "a=[\"\\\"" + dots + "\", '" + dots + "'] # \"" + dots}) {
    EXPECT_EQ(LineWithTooManyDots(line), std::nullopt) << line;
    EXPECT_NO_THROW(toml::parse(line)) << line;
  }
  for (const std::string& line : {"a=\"" + dots, "a='" + dots, "a=\"\"\"" + dots + "\"\"\"", "'a#'" + dots,
                                  "'\\'" + dots + "'", "\"\\\\\"" + dots + "\""})
    EXPECT_EQ(LineWithTooManyDots(line), 1) << line;
}

TEST(TomlNesting, TheMessageNamesTheBound) {
  EXPECT_NE(kTomlTooManyDots.find(" " + std::to_string(kTomlDotsMax) + " "), std::string_view::npos);
}

// Arrays may go over lines: the bound of the parser itself holds there, and what both let through can be freed.
TEST(TomlNesting, TheDeepestThatIsLetThroughIsParsedAndFreed) {
  const auto nested = [](int values) {
    std::string text = "x=[\n", ends = "]";
    for (int i = 1; i < values; i += 2) {
      text += "{" + Key(kTomlDotsMax) + "=[\n";
      ends += "}]";
    }
    return text + std::string(ends.rbegin(), ends.rend());
  };
  EXPECT_EQ(LineWithTooManyDots(nested(255)), std::nullopt);
  EXPECT_NO_THROW(toml::parse(nested(255)));
  EXPECT_THROW(toml::parse(nested(1000)), toml::parse_error);
}

}  // namespace
}  // namespace smsflow
