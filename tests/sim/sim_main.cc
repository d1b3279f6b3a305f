// Runs seeds until told to stop, and tells the first finding: seed, step, the life of the SMS it is about, and the line
// that repeats it.
//
// Exit codes: 0 all held, 1 something did not, 2 the command line is wrong.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

#include "tests/sim/simulation.h"

namespace smsflow::sim {
namespace {

struct Arguments {
  std::uint64_t first = 1;
  std::uint64_t seeds = 0;
  double minutes = 0;
  int steps = 400;
  bool coverage = false;
};

int ToldFinding(const Arguments& arguments, std::uint64_t seed, const RunReport& report) {
  std::printf("\n");
  for (const std::string& violation : report.violations)
    std::printf("seed %llu, step %d: %s\n", static_cast<unsigned long long>(seed), report.step, violation.c_str());
  std::printf("\n%s\nagain: tools/dev sim --first %llu --seeds 1 --steps %d\n", report.journal.c_str(),
              static_cast<unsigned long long>(seed), arguments.steps);
  return 1;
}

int Campaign(const Arguments& arguments) {
  using Clock = std::chrono::steady_clock;
  const auto begun = Clock::now();
  const auto passed_s = [&] { return std::chrono::duration<double>(Clock::now() - begun).count(); };
  // Without a number, as many as the time allows; without either, a thousand.
  const std::uint64_t seeds = arguments.seeds != 0 ? arguments.seeds : arguments.minutes > 0 ? ~0ULL : 1'000;
  Coverage coverage;
  RunReport sum;
  std::uint64_t done = 0;
  for (; done < seeds && (arguments.minutes <= 0 || passed_s() < arguments.minutes * 60); ++done) {
    RunOptions options;
    options.seed = arguments.first + done;
    options.steps = arguments.steps;
    options.coverage = &coverage;
    const RunReport report = RunSeed(options);
    if (!report.violations.empty()) return ToldFinding(arguments, options.seed, report);
    sum.scheduled += report.scheduled;
    sum.crashes += report.crashes;
    sum.submits += report.submits;
    sum.delivered += report.delivered;
    sum.journals = sum.journals * 31 + report.journals;
    if ((done + 1) % 1'000 == 0)
      std::fprintf(stderr, "%llu seeds, %.0f s\n", static_cast<unsigned long long>(done + 1), passed_s());
  }
  std::printf("%llu seeds from %llu: all held; %llu scheduled, %llu submits, %llu delivered, %llu crashes; digest of all "
              "journals %016llx; %.1f s\n",
              static_cast<unsigned long long>(done), static_cast<unsigned long long>(arguments.first),
              static_cast<unsigned long long>(sum.scheduled), static_cast<unsigned long long>(sum.submits),
              static_cast<unsigned long long>(sum.delivered), static_cast<unsigned long long>(sum.crashes),
              static_cast<unsigned long long>(sum.journals), passed_s());
  if (arguments.coverage)
    for (const auto& [name, count] : coverage.counts())
      std::printf("%12llu  %s\n", static_cast<unsigned long long>(count), name.c_str());
  return 0;
}

}  // namespace
}  // namespace smsflow::sim

int main(int argc, char** argv) {
  CLI::App app("The simulator: one seed, one thread, virtual time");
  smsflow::sim::Arguments arguments;
  app.add_option("--first", arguments.first, "The first seed");
  app.add_option("--seeds", arguments.seeds, "How many");
  app.add_option("--minutes", arguments.minutes, "For how long at most");
  app.add_option("--steps", arguments.steps, "Of the rough phase of each run")->check(CLI::Range(1, 100'000));
  app.add_flag("--coverage", arguments.coverage, "Tell how often what was reached");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return smsflow::sim::Campaign(arguments);
}
