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

struct Sum {
  std::uint64_t attempts = 0, submits = 0, crashes = 0, digest = 0;
  std::map<std::string, std::uint64_t> ends;
};

void Add(const GatewayRunReport& report, Sum& sum) {
  sum.attempts += report.attempts;
  sum.submits += report.submits;
  sum.crashes += report.crashes;
  sum.digest = sum.digest * 31 + report.digest;
  for (const auto& [end, count] : report.ends) sum.ends[end] += count;
}

void Tell(const Sum& sum, std::int64_t held, std::uint64_t first) {
  std::printf(
      "%lld seeds from %llu: all held; %llu attempts, %llu submits, %llu crashes; digest %016llx; %.1f s of CPU\n",
      static_cast<long long>(held), static_cast<Number>(first), static_cast<Number>(sum.attempts),
      static_cast<Number>(sum.submits), static_cast<Number>(sum.crashes), static_cast<Number>(sum.digest), CpuS());
  for (const auto& [end, count] : sum.ends) std::printf("%12llu  %s\n", static_cast<Number>(count), end.c_str());
}

GatewayRunReport Play(std::uint64_t seed, const Played& played, const GatewayHooks& hooks) {
  return RunGatewaySeed({.seed = seed, .played = played, .bug = hooks});
}

}  // namespace
}  // namespace smsflow::sim

int main(int argc, char** argv) {
  using namespace smsflow::sim;
  Sum sum;
  SeedsCampaign campaign;
  campaign.about = "Simulated lives of a gateway between an engine and an SMSC";
  campaign.simulator = {"--gateway", GatewayFaultKinds(), [&sum](std::uint64_t seed, const Played& played) -> Finding {
                          GatewayRunReport report = Play(seed, played, {});
                          Add(report, sum);
                          return report;
                        }};
  campaign.sum_up = [&sum](std::int64_t held, std::uint64_t first) { Tell(sum, held, first); };
  campaign.bugs = Planted<GatewayHooks>(AllGatewayBugs(), Play);
  return SeedsMain(argc, argv, campaign);
}
