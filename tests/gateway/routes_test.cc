#include "gateway/routes.h"

#include <gtest/gtest.h>

#include <string>

namespace smsflow::gateway {
namespace {

std::string Way(const Routes& routes, std::string_view tenant, std::string_view number) {
  const Routes::Way way = routes.Find(tenant, number);
  return way.route != nullptr ? way.route->name : std::string(way.cause);
}

TEST(Routes, TheLongestPrefixWins) {
  const auto routes = Routes::Make({}, {{"all", {"+"}}, {"tz", {"+255"}}, {"tz-a", {"+25574", "+25575"}}});
  ASSERT_TRUE(routes.ok()) << routes.status();
  EXPECT_EQ(Way(*routes, "a", "+255741234567"), "tz-a");
  EXPECT_EQ(Way(*routes, "a", "+255751234567"), "tz-a");
  EXPECT_EQ(Way(*routes, "a", "+255761234567"), "tz");
  EXPECT_EQ(Way(*routes, "a", "+4915112345678"), "all");
}

TEST(Routes, ThatNameATenantGoBeforeThoseOfTheSamePrefixThatDoNot) {
  const auto routes = Routes::Make({}, {{"all", {"+255"}}, {"clinic", {"+255"}, {"clinic"}}, {"fine", {"+25574"}}});
  ASSERT_TRUE(routes.ok()) << routes.status();
  EXPECT_EQ(Way(*routes, "clinic", "+255761234567"), "clinic");
  EXPECT_EQ(Way(*routes, "other", "+255761234567"), "all");
  EXPECT_EQ(Way(*routes, "clinic", "+255741234567"), "fine") << "a longer prefix is nearer still";
}

TEST(Routes, WithoutOneNothingLeaves) {
  const auto routes = Routes::Make({}, {{"tz", {"+255"}, {"clinic"}}});
  ASSERT_TRUE(routes.ok()) << routes.status();
  EXPECT_EQ(Way(*routes, "clinic", "+4915112345678"), "no_route");
  EXPECT_EQ(Way(*routes, "other", "+255741234567"), "no_route");
}

TEST(Routes, PlansSayWhichNumbersThereAre) {
  const auto routes = Routes::Make({{"+255", 12, 12}, {"+2551", 8, 12}, {"+49", 10, 13}}, {{"all", {"+"}}});
  ASSERT_TRUE(routes.ok()) << routes.status();
  EXPECT_EQ(Way(*routes, "a", "+255741234567"), "all");
  EXPECT_EQ(Way(*routes, "a", "+25574123456"), "invalid_recipient");
  EXPECT_EQ(Way(*routes, "a", "+2557412345678"), "invalid_recipient");
  EXPECT_EQ(Way(*routes, "a", "+25512345"), "all") << "the plan of the longer prefix";
  EXPECT_EQ(Way(*routes, "a", "+31612345678"), "foreign_recipient");
}

TEST(Routes, EachMistakeNamesTheRouteAndTheRule) {
  const auto said = [](std::vector<NumberPlan> plans, std::vector<Route> routes) {
    return std::string(Routes::Make(std::move(plans), std::move(routes)).status().message());
  };
  const Route good{"all", {"+"}};
  EXPECT_EQ(said({}, {}), "route: at least one is needed");
  EXPECT_EQ(said({}, {{"", {"+"}}}), "route: name must be 1 to 64 characters of A-Z a-z 0-9 . _ -");
  EXPECT_EQ(said({}, {{"a/b", {"+"}}}), "route: name must be 1 to 64 characters of A-Z a-z 0-9 . _ -");
  EXPECT_EQ(said({}, {good, good}), "route all: must not be there twice");
  EXPECT_EQ(said({}, {{"a", {}}}), "route a: prefixes: at least one is needed; + takes every number");
  for (const char* prefix : {"255", "+0", "+25x", "", "+1234567890123456"})
    EXPECT_EQ(said({}, {{"a", {prefix}}}), "route a: prefixes must be + and at most 15 digits, the first not 0")
        << prefix;
  EXPECT_EQ(said({}, {{"a", {"+1"}}, {"b", {"+2", "+1"}}}),
            "route b: prefixes: one of them is another route's already");
  EXPECT_EQ(said({}, {{"a", {"+1", "+1"}}}), "route a: prefixes: one of them is another route's already");
  EXPECT_EQ(said({{"+", 7, 15}}, {good}), "plan: prefix must be + and 1 to 15 digits, the first not 0");
  EXPECT_EQ(said({{"+1", 7, 15}, {"+1", 8, 15}}, {good}), "plan +1: must not be there twice");
  for (const auto& [least, most] : {std::pair(6, 15), std::pair(7, 16), std::pair(12, 11)})
    EXPECT_EQ(said({{"+1", std::size_t(least), std::size_t(most)}}, {good}),
              "plan +1: digits must be 7 to 15, at least those of the prefix, the least first");
}

}  // namespace
}  // namespace smsflow::gateway
