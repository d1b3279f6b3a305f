// What the runs of some seeds come to stands in a file beside the test, and every build must come to it: debug, release
// and with sanitizers.
#pragma once

#include <gtest/gtest.h>

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace smsflow::sim {

// `found` has a line a seed; `how` writes the file anew, and `about` says what its lines are.
inline void ExpectDigests(const std::string& file, const std::string& about, const std::string& how,
                          const std::vector<std::string>& found) {
  if (std::getenv("SMSFLOW_REWRITE") != nullptr) {
    std::ofstream out(file);
    out << "# What the runs of some seeds come to, in every build: " << about << ".\n# Written by SMSFLOW_REWRITE=1 "
        << how << "\n";
    for (const std::string& line : found) out << line << "\n";
    ASSERT_TRUE(out.flush().good()) << file << " cannot be written";
  }
  std::vector<std::string> stored;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);)
    if (line.rfind('#', 0) != 0) stored.push_back(line);
  EXPECT_EQ(stored, found) << "When what is played, or the simulator, is meant to do something else now:\n"
                              "SMSFLOW_REWRITE=1 "
                           << how << " writes them anew.";
}

// Of the first seeds: `run(seed)` gives the digest and how many submits there were.
inline void ExpectSeedDigests(const std::string& file, const std::string& about, const std::string& how,
                              const std::function<std::pair<std::uint64_t, std::uint64_t>(std::uint64_t)>& run) {
  constexpr std::uint64_t kSeeds = 12;
  std::vector<std::string> found;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const auto [digest, submits] = run(seed);
    char line[80];
    std::snprintf(line, sizeof(line), "%" PRIu64 " %016" PRIx64 " %" PRIu64, seed, digest, submits);
    found.emplace_back(line);
  }
  ExpectDigests(file, "seed, digest of " + about + ", and how many submits", how, found);
}

}  // namespace smsflow::sim
