// Runs seeds over the modelled Kafka until told to stop, every fifth also with a broker that is away for an hour, and
// tells the first finding with the line that repeats it; or searches for the seeded bugs.
#include <spdlog/spdlog.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "tests/sim/kafka_run.h"
#include "tests/sim/seeds.h"

namespace smsflow::sim {
namespace {

using Number = unsigned long long;

constexpr std::uint64_t kOutageEvery = 5;

void Add(const KafkaReport& report, KafkaReport& all) {
  all.records += report.records;
  all.submits += report.submits;
  all.crashes += report.crashes;
  all.letters += report.letters;
  all.stopped += report.stopped;
  all.late += report.late;
  all.canceled += report.canceled;
  all.trace_hash = all.trace_hash * 31 + report.trace_hash;
}

Finding PlayBoth(std::uint64_t seed, const Played& played, KafkaReport& all) {
  const KafkaRunOptions options{.seed = seed, .played = played};
  KafkaReport rough = RunKafkaSeed(options);
  Add(rough, all);
  if (!rough.violations.empty() || seed % kOutageEvery != 0) return rough;
  KafkaReport outage = RunKafkaOutage(options);
  Add(outage, all);
  return outage;
}

void Tell(const KafkaReport& all, std::int64_t held, std::uint64_t first) {
  std::printf(
      "%lld seeds from %llu: all held; %llu records, %llu submits, %llu crashes, %llu letters, %llu partitions "
      "stopped, %llu expired late, %llu canceled; digest %016llx; %.1f s of CPU\n",
      static_cast<long long>(held), static_cast<Number>(first), static_cast<Number>(all.records),
      static_cast<Number>(all.submits), static_cast<Number>(all.crashes), static_cast<Number>(all.letters),
      static_cast<Number>(all.stopped), static_cast<Number>(all.late), static_cast<Number>(all.canceled),
      static_cast<Number>(all.trace_hash), CpuS());
}

KafkaReport Play(std::uint64_t seed, const Played& played, const KafkaHooks& hooks) {
  return RunKafkaSeed({.seed = seed, .played = played, .bug = hooks});
}

}  // namespace
}  // namespace smsflow::sim

int main(int argc, char** argv) {
  using namespace smsflow::sim;
  spdlog::set_level(spdlog::level::off);  // the engine speaks of each fault
  KafkaReport all;
  SeedsCampaign campaign;
  campaign.about = "Simulated lives of an engine on a modelled Kafka";
  campaign.steps = 120;
  campaign.simulator = {"--kafka", KafkaFaultKinds(),
                        [&all](std::uint64_t seed, const Played& played) { return PlayBoth(seed, played, all); }};
  campaign.sum_up = [&all](std::int64_t held, std::uint64_t first) { Tell(all, held, first); };
  campaign.bugs = Planted<KafkaHooks>(KafkaBugs(), Play);
  return SeedsMain(argc, argv, campaign);
}
