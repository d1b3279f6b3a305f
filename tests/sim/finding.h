// What a run shows that does not hold, which part of a run is played, and the line that repeats it. The same for every
// simulator, so that one piece shrinks (shrink.h), watches (seed_watch.h) and tells (tell.h) them all.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace smsflow::sim {

struct Finding {
  std::vector<std::string> violations;  // empty: all held
  int step = 0;                         // at which the first was found; the quiet phase is one step
  std::vector<std::string> trace;       // what was done, step by step
  std::string journal;                  // readable, of the SMSes that the violations name; else of all
};

// A step does the same whichever others are left out, as far as it finds the same.
struct Played {
  int steps = 400;                     // of the rough phase
  std::set<int> left_out = {};         // of them, those in which nothing is done
  std::set<std::string> without = {};  // kinds of fault that do not happen
  bool whole() const { return left_out.empty() && without.empty(); }
};

// The first violation without what differs from run to run: "I19", or the sentence without ids and numbers. Empty:
// there is none.
std::string KindOf(const Finding& finding);

// "1-7,9". nullopt: it is not so written.
std::string TextOf(const std::set<int>& steps);
std::optional<std::set<int>> StepsOf(std::string_view text);

// What repeats it; `flag` is the simulator's, of tools/dev sim.
std::string LineOf(const std::string& flag, std::uint64_t seed, const Played& played);

// All of it, as a test that fails shows it.
std::string TextOf(const Finding& finding, const std::string& line);

}  // namespace smsflow::sim
