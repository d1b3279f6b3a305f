// Runs seeds of an engine and a gateway together until told to stop, and tells the first finding: seed, what was done,
// what did not hold, and the line that repeats it; or searches for the seeded bugs.
#include <spdlog/spdlog.h>

#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "tests/sim/pair/pair_run.h"
#include "tests/sim/seeds.h"

namespace smsflow::sim {
namespace {

using Number = unsigned long long;

bool Campaign(const SeedArguments& arguments) {
  spdlog::set_level(spdlog::level::off);
  std::uint64_t scheduled = 0, submits = 0, digest = 0;
  std::map<std::string, std::uint64_t> ends, faults;
  const std::int64_t held = RunSeeds(arguments, "--pair", [&](std::uint64_t seed) {
    const PairRunReport report = RunPairSeed({.seed = seed, .steps = arguments.steps});
    if (!report.violations.empty())
      for (const std::string& line : report.trace) std::printf("%s\n", line.c_str());
    scheduled += report.scheduled;
    submits += report.submits;
    digest = digest * 31 + report.digest;
    for (const auto& [end, count] : report.ends) ends[end] += count;
    for (const auto& [fault, count] : report.faults) faults[fault] += count;
    return report.violations;
  });
  if (held < 0) return false;
  std::printf("%lld seeds from %llu: all held; %llu SMSes, %llu submits, %llu crashes; digest %016llx; %.1f s of CPU\n",
              static_cast<long long>(held), static_cast<Number>(arguments.first), static_cast<Number>(scheduled),
              static_cast<Number>(submits),
              static_cast<Number>(faults["the engine is killed"] + faults["the gateway is killed"]),
              static_cast<Number>(digest), CpuS());
  for (const auto* counts : {&ends, &faults})
    for (const auto& [name, count] : *counts) std::printf("%12llu  %s\n", static_cast<Number>(count), name.c_str());
  return true;
}

std::vector<SeededBug> Bugs(const SeedArguments& arguments) {
  spdlog::set_level(spdlog::level::off);
  return Planted<PairHooks>(AllPairBugs(), [&arguments](std::uint64_t seed, const PairHooks& hooks) {
    return RunPairSeed({.seed = seed, .steps = arguments.steps, .bug = hooks}).violations;
  });
}

}  // namespace
}  // namespace smsflow::sim

int main(int argc, char** argv) {
  using namespace smsflow::sim;
  return SeedsMain(argc, argv, "Simulated lives of an engine and a gateway together", /*steps=*/300, Campaign, Bugs);
}
