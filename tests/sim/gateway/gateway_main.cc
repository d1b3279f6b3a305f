// Runs seeds of a gateway's life until told to stop, and tells the first finding: seed, what was done, what did not
// hold, and the line that repeats it; or searches for the seeded bugs.
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "tests/sim/gateway/gateway_run.h"
#include "tests/sim/seeds.h"

namespace smsflow::sim {
namespace {

using Number = unsigned long long;

bool Campaign(const SeedArguments& arguments) {
  std::uint64_t attempts = 0, submits = 0, crashes = 0, digest = 0;
  std::map<std::string, std::uint64_t> ends;
  const std::int64_t held = RunSeeds(arguments, "--gateway", [&](std::uint64_t seed) {
    const GatewayRunReport report = RunGatewaySeed({.seed = seed, .steps = arguments.steps});
    if (!report.violations.empty())
      for (const std::string& line : report.trace) std::printf("%s\n", line.c_str());
    attempts += report.attempts;
    submits += report.submits;
    crashes += report.crashes;
    digest = digest * 31 + report.digest;
    for (const auto& [end, count] : report.ends) ends[end] += count;
    return report.violations;
  });
  if (held < 0) return false;
  std::printf(
      "%lld seeds from %llu: all held; %llu attempts, %llu submits, %llu crashes; digest %016llx; %.1f s of CPU\n",
      static_cast<long long>(held), static_cast<Number>(arguments.first), static_cast<Number>(attempts),
      static_cast<Number>(submits), static_cast<Number>(crashes), static_cast<Number>(digest), CpuS());
  for (const auto& [end, count] : ends) std::printf("%12llu  %s\n", static_cast<Number>(count), end.c_str());
  return true;
}

std::vector<SeededBug> Bugs(const SeedArguments& arguments) {
  return Planted<GatewayHooks>(AllGatewayBugs(), [&arguments](std::uint64_t seed, const GatewayHooks& hooks) {
    return RunGatewaySeed({.seed = seed, .steps = arguments.steps, .bug = hooks}).violations;
  });
}

}  // namespace
}  // namespace smsflow::sim

int main(int argc, char** argv) {
  using namespace smsflow::sim;
  return SeedsMain(argc, argv, "Simulated lives of a gateway between an engine and an SMSC", /*steps=*/300, Campaign,
                   Bugs);
}
