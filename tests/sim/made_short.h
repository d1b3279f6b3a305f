// What a campaign does when it finds something, for the tests of each simulator: the short run is short, shows the
// same, and is repeated by its line.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/sim/finding.h"
#include "tests/sim/shrink.h"

namespace smsflow::sim {

template <class Bug>
Bug Named(const std::vector<Bug>& bugs, const std::string& name) {
  for (const Bug& bug : bugs)
    if (bug.name == name) return bug;
  ADD_FAILURE() << "there is no bug \"" << name << "\"";
  return bugs.front();
}

template <class Hooks>
void ExpectMadeShort(int steps, const std::function<void(Hooks&)>& plant, const std::vector<std::string>& faults,
                     Finding (*run)(std::uint64_t seed, const Played&, const Hooks&)) {
  const Played whole{.steps = steps};
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const auto play = [&](const Played& played) {
      Hooks hooks;
      plant(hooks);
      return run(seed, played, hooks);
    };
    const Finding found = play(whole);
    if (found.violations.empty()) continue;
    // To its end: a campaign bounds it for whoever waits, and instrumented code does a tenth in that time.
    const Shrunk shrunk = Shrink(whole, found, faults, play, /*cpu_s_max=*/10 * kShrinkMaxCpuS);
    EXPECT_EQ(KindOf(shrunk.finding), KindOf(found));
    const auto left = static_cast<std::size_t>(shrunk.played.steps) - shrunk.played.left_out.size();
    EXPECT_LT(left * 4, static_cast<std::size_t>(steps)) << TextOf(shrunk.finding, LineOf("", seed, shrunk.played));
    EXPECT_LT(shrunk.finding.trace.size() * 2, found.trace.size());
    EXPECT_FALSE(shrunk.finding.journal.empty()) << shrunk.finding.violations.front();
    const Finding again = play(shrunk.played);
    EXPECT_EQ(again.trace, shrunk.finding.trace);
    EXPECT_EQ(again.violations, shrunk.finding.violations);
    return;
  }
  FAIL() << "no seed finds it";
}

}  // namespace smsflow::sim
