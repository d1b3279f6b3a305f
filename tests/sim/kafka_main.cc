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
  all.violations.insert(all.violations.end(), report.violations.begin(), report.violations.end());
  all.records += report.records;
  all.submits += report.submits;
  all.crashes += report.crashes;
  all.letters += report.letters;
  all.stopped += report.stopped;
  all.late += report.late;
  all.canceled += report.canceled;
}

bool Campaign(const SeedArguments& arguments) {
  if (arguments.seeds > 1) spdlog::set_level(spdlog::level::off);  // the engine speaks of each fault
  KafkaReport all;
  const std::int64_t held = RunSeeds(arguments, "--kafka", [&](std::uint64_t seed) {
    Add(RunKafka(seed, arguments.steps), all);
    if (seed % kOutageEvery == 0) Add(RunKafkaOutage(seed), all);
    return all.violations;
  });
  if (held < 0) return false;
  std::printf(
      "%lld seeds from %llu: all held; %llu records, %llu submits, %llu crashes, %llu letters, %llu partitions "
      "stopped, "
      "%llu expired late, %llu canceled; %.1f s of CPU\n",
      static_cast<long long>(held), static_cast<Number>(arguments.first), static_cast<Number>(all.records),
      static_cast<Number>(all.submits), static_cast<Number>(all.crashes), static_cast<Number>(all.letters),
      static_cast<Number>(all.stopped), static_cast<Number>(all.late), static_cast<Number>(all.canceled), CpuS());
  return true;
}

std::vector<SeededBug> Bugs(const SeedArguments& arguments) {
  spdlog::set_level(spdlog::level::off);
  return Planted<KafkaHooks>(KafkaBugs(), [&arguments](std::uint64_t seed, const KafkaHooks& hooks) {
    return RunKafka(seed, arguments.steps, hooks).violations;
  });
}

}  // namespace
}  // namespace smsflow::sim

int main(int argc, char** argv) {
  using namespace smsflow::sim;
  return SeedsMain(argc, argv, "Simulated lives of an engine on a modelled Kafka", /*steps=*/120, Campaign, Bugs);
}
