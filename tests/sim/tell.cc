#include "tests/sim/tell.h"

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/sim/shrink.h"

namespace smsflow::sim {
namespace {

std::string AboutOf(const Shrunk& shrunk) {
  const Played& played = shrunk.played;
  std::string about = absl::StrCat(played.steps - static_cast<int>(played.left_out.size()), " steps of ", played.steps);
  if (!played.without.empty()) absl::StrAppend(&about, ", and without: ", absl::StrJoin(played.without, ", "));
  char tried[80];
  std::snprintf(tried, sizeof(tried), " (%d runs tried in %.1f s of CPU)", shrunk.runs, shrunk.cpu_s);
  return about + tried;
}

}  // namespace

Finding PlayWatched(const Simulator& simulator, std::uint64_t seed, const Played& played) {
  const SeedWatch watch(seed, LineOf(simulator.flag, seed, played), simulator.hangs_after_s);
  return simulator.play(seed, played);
}

void TellFinding(const Simulator& simulator, std::uint64_t seed, const Played& played, const Finding& found) {
  std::printf("\n");
  for (const std::string& violation : found.violations)
    std::printf("seed %llu, step %d: %s\n", static_cast<unsigned long long>(seed), found.step, violation.c_str());
  std::fflush(stdout);
  Shrunk shrunk{played, found};
  if (played.whole()) {
    shrunk =
        Shrink(played, found, simulator.faults, [&](const Played& less) { return PlayWatched(simulator, seed, less); });
    std::printf("\nas short as it could be made, %s:\n", AboutOf(shrunk).c_str());
  }
  for (const std::string& line : shrunk.finding.trace) std::printf("  %s\n", line.c_str());
  for (const std::string& violation : shrunk.finding.violations) std::printf("  %s\n", violation.c_str());
  std::printf("\n%s\n", shrunk.finding.journal.c_str());
  if (played.whole()) std::printf("the short run again: %s\n", LineOf(simulator.flag, seed, shrunk.played).c_str());
  std::printf("again: %s\n", LineOf(simulator.flag, seed, played).c_str());
  std::fflush(stdout);
}

}  // namespace smsflow::sim
