#include "tests/sim/seeds.h"

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <ctime>

namespace smsflow::sim {

double CpuS() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

std::int64_t RunSeeds(const SeedArguments& arguments, const std::string& kind, const RunSeed& run) {
  const auto begun = std::chrono::steady_clock::now();
  std::int64_t held = 0;
  for (std::uint64_t seed = arguments.first; seed - arguments.first < arguments.seeds; ++seed, ++held) {
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begun;
    if (arguments.minutes > 0 && elapsed.count() > arguments.minutes * 60) break;
    const std::vector<std::string> violations = run(seed);
    if (violations.empty()) continue;
    for (const std::string& violation : violations) std::printf("%s\n", violation.c_str());
    std::printf("repeat:  tools/dev sim %s --first %llu --seeds 1 --steps %d\n", kind.c_str(),
                static_cast<unsigned long long>(seed), arguments.steps);
    return -1;
  }
  return held;
}

namespace {

struct Found {
  std::string seed = "none";
  std::string as;  // the first thing that it violates
  double cpu_s = 0;
};

Found Search(const SeedArguments& arguments, const RunSeed& run) {
  const double begun_s = CpuS();
  Found found;
  for (std::uint64_t seed = arguments.first; found.as.empty() && CpuS() - begun_s < 60; ++seed) {
    const std::vector<std::string> violations = run(seed);
    if (!violations.empty()) found = {std::to_string(seed), violations.front()};
  }
  found.cpu_s = CpuS() - begun_s;
  return found;
}

bool Hunt(const SeedArguments& arguments, const std::vector<SeededBug>& bugs) {
  bool all = true;
  std::printf("| seeded bug | what it does | found by seed | as | CPU s |\n|---|---|---|---|---|\n");
  for (const SeededBug& bug : bugs) {
    const Found found = Search(arguments, bug.run);
    all = all && !found.as.empty();
    std::printf("| %s | %s | %s | %s | %.2f |\n", bug.name.c_str(), bug.what.c_str(), found.seed.c_str(),
                found.as.c_str(), found.cpu_s);
  }
  return all;
}

}  // namespace

int SeedsMain(int argc, char** argv, const std::string& what, int steps, bool (*campaign)(const SeedArguments&),
              std::vector<SeededBug> (*bugs)(const SeedArguments&)) {
  SeedArguments arguments;
  arguments.steps = steps;
  CLI::App app(what);
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
  return (arguments.bugs ? Hunt(arguments, bugs(arguments)) : campaign(arguments)) ? 0 : 1;
}

}  // namespace smsflow::sim
