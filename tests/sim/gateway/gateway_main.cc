// Runs seeds of a gateway's life until told to stop, and tells the first finding: seed, what was done, what did not
// hold, and the line that repeats it; or searches for the seeded bugs.
//
// Exit codes: 0 all held, 1 something did not, 2 the command line is wrong.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <map>
#include <string>

#include "tests/sim/gateway/gateway_run.h"

namespace smsflow::sim {
namespace {

struct Arguments {
  std::uint64_t first = 1, seeds = 1'000;
  double minutes = 0;
  int steps = 300;
  bool bugs = false;
};

double CpuS() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

int RunSeeds(const Arguments& arguments) {
  const auto begun = std::chrono::steady_clock::now();
  const auto elapsed_s = [begun] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  };
  std::uint64_t done = 0, attempts = 0, submits = 0, crashes = 0, digest = 0;
  std::map<std::string, std::uint64_t> ends;
  for (std::uint64_t seed = arguments.first; done < arguments.seeds; ++seed, ++done) {
    if (arguments.minutes > 0 && elapsed_s() > arguments.minutes * 60) break;
    const GatewayRunReport report = RunGatewaySeed({.seed = seed, .steps = arguments.steps});
    if (!report.violations.empty()) {
      for (const std::string& line : report.trace) std::printf("%s\n", line.c_str());
      for (const std::string& violation : report.violations) std::printf("%s\n", violation.c_str());
      std::printf("repeat:  tools/dev sim --gateway --first %llu --seeds 1 --steps %d\n",
                  static_cast<unsigned long long>(seed), arguments.steps);
      return 1;
    }
    attempts += report.attempts;
    submits += report.submits;
    crashes += report.crashes;
    digest = digest * 31 + report.digest;
    for (const auto& [end, count] : report.ends) ends[end] += count;
  }
  std::printf(
      "%llu seeds from %llu: all held; %llu attempts, %llu submits, %llu crashes; digest %016llx; %.1f s of CPU\n",
      static_cast<unsigned long long>(done), static_cast<unsigned long long>(arguments.first),
      static_cast<unsigned long long>(attempts), static_cast<unsigned long long>(submits),
      static_cast<unsigned long long>(crashes), static_cast<unsigned long long>(digest), CpuS());
  for (const auto& [end, count] : ends)
    std::printf("%12llu  %s\n", static_cast<unsigned long long>(count), end.c_str());
  return 0;
}

int Hunt(const Arguments& arguments) {
  int missed = 0;
  std::printf("| bug | what | seed | CPU s |\n|---|---|---|---|\n");
  for (const GatewayBug& bug : AllGatewayBugs()) {
    const double begun_s = CpuS();
    GatewayRunOptions options{.seed = arguments.first, .steps = arguments.steps};
    bool found = false;
    for (; !found && CpuS() - begun_s < 60; options.seed += found ? 0 : 1) {
      options.bug = {};
      bug.plant(options.bug);
      found = !RunGatewaySeed(options).violations.empty();
    }
    missed += found ? 0 : 1;
    std::printf("| %s | %s | %s | %.2f |\n", bug.name.c_str(), bug.what.c_str(),
                found ? std::to_string(options.seed).c_str() : "none", CpuS() - begun_s);
  }
  return missed == 0 ? 0 : 1;
}

int Main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Simulated lives of a gateway between an engine and an SMSC");
  app.add_option("--first", arguments.first, "the first seed");
  app.add_option("--seeds", arguments.seeds, "how many")->check(CLI::PositiveNumber);
  app.add_option("--minutes", arguments.minutes, "at most so long")->check(CLI::NonNegativeNumber);
  app.add_option("--steps", arguments.steps, "of each rough phase")->check(CLI::Range(1, 100'000));
  app.add_flag("--bugs", arguments.bugs, "search for the seeded bugs instead");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return arguments.bugs ? Hunt(arguments) : RunSeeds(arguments);
}

}  // namespace
}  // namespace smsflow::sim

int main(int argc, char** argv) { return smsflow::sim::Main(argc, argv); }
