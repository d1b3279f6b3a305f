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

struct Sum {
  std::uint64_t scheduled = 0, submits = 0, digest = 0;
  std::map<std::string, std::uint64_t> ends, faults;
};

void Add(const PairRunReport& report, Sum& sum) {
  sum.scheduled += report.scheduled;
  sum.submits += report.submits;
  sum.digest = sum.digest * 31 + report.digest;
  for (const auto& [end, count] : report.ends) sum.ends[end] += count;
  for (const auto& [fault, count] : report.faults) sum.faults[fault] += count;
}

void Tell(Sum& sum, std::int64_t held, std::uint64_t first) {
  std::printf("%lld seeds from %llu: all held; %llu SMSes, %llu submits, %llu crashes; digest %016llx; %.1f s of CPU\n",
              static_cast<long long>(held), static_cast<Number>(first), static_cast<Number>(sum.scheduled),
              static_cast<Number>(sum.submits),
              static_cast<Number>(sum.faults["the engine is killed"] + sum.faults["the gateway is killed"]),
              static_cast<Number>(sum.digest), CpuS());
  for (const auto* counts : {&sum.ends, &sum.faults})
    for (const auto& [name, count] : *counts) std::printf("%12llu  %s\n", static_cast<Number>(count), name.c_str());
}

PairRunReport Play(std::uint64_t seed, const Played& played, const PairHooks& hooks) {
  return RunPairSeed({.seed = seed, .played = played, .bug = hooks});
}

}  // namespace
}  // namespace smsflow::sim

int main(int argc, char** argv) {
  using namespace smsflow::sim;
  spdlog::set_level(spdlog::level::off);
  Sum sum;
  SeedsCampaign campaign;
  campaign.about = "Simulated lives of an engine and a gateway together";
  campaign.simulator = {"--pair", PairFaultKinds(), [&sum](std::uint64_t seed, const Played& played) -> Finding {
                          PairRunReport report = Play(seed, played, {});
                          Add(report, sum);
                          return report;
                        }};
  campaign.sum_up = [&sum](std::int64_t held, std::uint64_t first) { Tell(sum, held, first); };
  campaign.bugs = Planted<PairHooks>(AllPairBugs(), Play);
  return SeedsMain(argc, argv, campaign);
}
