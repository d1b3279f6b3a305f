#include "gateway/routes_config.h"

#include <gtest/gtest.h>

#include <string>

namespace smsflow::gateway {
namespace {

constexpr char kGood[] = R"(
[[plan]]
prefix = "+255"
digits_least = 12
digits_most = 12
[[route]]
name = "tz"
prefixes = ["+25574", "+25575"]
tenants = ["clinic"]
smscs = ["b", "a"]
rate = 30
[[route]]
name = "rest"
prefixes = ["+"]
[rates]
tenant = 50
route = 20
sender = 1
[rates.tenants]
clinic = 100
[rates.senders]
"clinic/CLINIC" = 10
)";

std::string Refusal(const std::string& toml) {
  const auto read = ReadRoutesConfig(toml, "routes.toml", {"a", "b"});
  return read.ok() ? "read" : std::string(read.status().message());
}

TEST(RoutesConfig, SaysWaysAndRates) {
  const auto read = ReadRoutesConfig(kGood, "routes.toml", {"a", "b"});
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->routes.Find("clinic", "+255741234567").route->name, "tz");
  EXPECT_EQ(read->routes.Find("clinic", "+255741234567").route->smscs, (std::vector<std::string>{"b", "a"}));
  EXPECT_EQ(read->routes.Find("other", "+255741234567").route->name, "rest");
  EXPECT_EQ(read->routes.Find("other", "+31612345678").cause, "foreign_recipient");
  EXPECT_EQ(read->limits.OfTenant("other"), 50);
  EXPECT_EQ(read->limits.OfTenant("clinic"), 100);
  EXPECT_EQ(read->limits.OfRoute("tz"), 30);
  EXPECT_EQ(read->limits.OfRoute("rest"), 20);
  EXPECT_EQ(read->limits.OfSender("clinic/CLINIC"), 10);
  EXPECT_EQ(read->limits.OfSender("other/CLINIC"), 1);
}

TEST(RoutesConfig, NamesTheLineTheKeyAndTheRule) {
  const std::string rate = "must be an integer of 0 to 100000";
  const std::string route = "[[route]]\nname = \"a\"\nprefixes = [\"+\"]\n";
  EXPECT_EQ(Refusal("[[route]\n"), "routes.toml:1:9: not TOML from here on");
  EXPECT_EQ(Refusal("\xff"), "routes.toml:1:1: not TOML from here on");
  EXPECT_EQ(Refusal(""), "routes.toml:1:1: route must be there");
  EXPECT_EQ(Refusal(route + "  speed = 1"), "routes.toml:4:3: speed is not a key that there is");
  EXPECT_EQ(Refusal("routes = 1\n" + route), "routes.toml:1:1: routes is not a key that there is");
  EXPECT_EQ(Refusal("route = 1"), "routes.toml:1:1: route must be 1 to 10000 sections, each begun with [[route]]");
  EXPECT_EQ(Refusal("[[route]]\nname = 1\nprefixes = [\"+\"]"),
            "routes.toml:2:1: name must be 1 to 64 characters of ASCII");
  EXPECT_EQ(Refusal("[[route]]\nname = \"a\""), "routes.toml:1:1: prefixes must be there");
  for (const char* list : {"\"+\"", "[]", "[1]", "[\"+\", 1]"})
    EXPECT_EQ(Refusal(std::string("[[route]]\nname = \"a\"\nprefixes = ") + list),
              "routes.toml:3:1: prefixes must be a list of names, each of 1 to 128 bytes")
        << list;
  for (const char* value : {"-1", "100001", "1.5", "\"1\"", "true"})
    EXPECT_EQ(Refusal(route + "rate = " + value), "routes.toml:4:1: rate " + rate) << value;
  EXPECT_EQ(Refusal(route + "smscs = [\"a\", \"c\"]"),
            "routes.toml:4:1: smscs must name connections of the file given with --smsc");
  EXPECT_EQ(Refusal(route + "[rates]\ntenant = -1\nsenders = 1\nall = 3"),
            "routes.toml:5:1: tenant " + rate + "\nroutes.toml:6:1: senders must be a section\n" +
                "routes.toml:7:1: all is not a key that there is");
  EXPECT_EQ(Refusal(route + "[rates.tenants]\na = -1"), "routes.toml:5:1: a " + rate);
  EXPECT_EQ(Refusal("rates = 1\n" + route), "routes.toml:1:1: rates must be a section");
  EXPECT_EQ(Refusal("[[plan]]\nprefix = \"+1\"\ndigits_least = 6\n" + route),
            "routes.toml:3:1: digits_least must be an integer of 7 to 15");
  EXPECT_EQ(Refusal("[[plan]]\nprefix = \"1\"\n" + route),
            "routes.toml: plan: prefix must be + and 1 to 15 digits, the first not 0");
}

TEST(RoutesConfig, RepeatsNoValueAndNoMoreOfAKeyThanCanBeShown) {
  const std::string said = Refusal("[[route]]\nname = \"a\"\nprefixes = [\"+\"]\n[rates.senders]\n\"clinic/\\u0007" +
                                   std::string(100, 'y') + "\" = \"+255741234567\"");
  EXPECT_EQ(said, "routes.toml:5:1: clinic/?" + std::string(32, 'y') + " must be an integer of 0 to 100000");
}

}  // namespace
}  // namespace smsflow::gateway
