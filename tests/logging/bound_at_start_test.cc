#include "logging/bound_at_start.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>

namespace smsflow {
namespace {

// In the program that was started anew, before it lists its tests.
[[maybe_unused]] const bool was_bound = [] {
  const char* value = std::getenv("LD_BIND_NOW");
  if (std::getenv("STARTED_ANEW") != nullptr && (value == nullptr || *value != '1')) ::_exit(5);
  return true;
}();

class BoundAtStart : public testing::Test {
 protected:
  BoundAtStart() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

// To be called in a process of its own. Returns only if the program was not started anew, which then lists its tests;
// one that was, and lists nothing, ends here.
std::string StartAnew(std::string argument = "--gtest_list_tests") {
  if (std::getenv("STARTED_ANEW") != nullptr) ::_exit(4);
  ::setenv("STARTED_ANEW", "1", 1);
  ::unsetenv("LD_BIND_NOW");
  std::string name = "logging_test";
  const std::array<char*, 3> argv{name.data(), argument.data(), nullptr};
  return BindAtStart(const_cast<char**>(argv.data()));
}

TEST_F(BoundAtStart, StartsTheProgramAnewWithTheSameArguments) {
  const auto start = [] {
    (void)StartAnew();
    ::_exit(1);
  };
  EXPECT_EXIT(start(), testing::ExitedWithCode(0), "");
}

TEST_F(BoundAtStart, DoesNothingWhenItIsSo) {
  const auto start = [] {
    ::setenv("LD_BIND_NOW", "1", 1);
    ::_exit(BindAtStart(nullptr).empty() ? 3 : 1);
  };
  EXPECT_EXIT(start(), testing::ExitedWithCode(3), "");
}

TEST_F(BoundAtStart, SaysWhyItCannot) {
  const auto start = [] {
    const std::string why =
        StartAnew(std::string(32 * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)), 'x'));  // execve(2): too long
    ::_exit(why.find("could not be started anew: Argument list too long") != std::string::npos ? 3 : 1);
  };
  EXPECT_EXIT(start(), testing::ExitedWithCode(3), "");
}

}  // namespace
}  // namespace smsflow
