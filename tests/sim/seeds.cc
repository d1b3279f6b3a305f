#include "tests/sim/seeds.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>

namespace smsflow::sim {

double CpuS() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

void AddPlayed(CLI::App& app, Played& played, const std::vector<std::string>& faults) {
  app.add_option("--steps", played.steps, "Of each rough phase")->check(CLI::Range(0, 100'000));
  app.add_option_function<std::string>(
      "--leave-out",
      [&played](const std::string& text) {
        const auto steps = StepsOf(text);
        if (!steps) throw CLI::ValidationError("--leave-out", "wants steps such as 1-7,9");
        played.left_out = *steps;
      },
      "Steps in which nothing is done, such as 1-7,9");
  app.add_option("--without", played.without, "Kinds of fault that do not happen")
      ->delimiter(',')
      ->check(CLI::IsMember(faults));
}

std::int64_t RunSeeds(const SeedArguments& arguments, const Simulator& simulator) {
  const auto begun = std::chrono::steady_clock::now();
  std::int64_t held = 0;
  for (std::uint64_t seed = arguments.first; seed - arguments.first < arguments.seeds; ++seed, ++held) {
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begun;
    if (arguments.minutes > 0 && elapsed.count() > arguments.minutes * 60) break;
    const Finding finding = PlayWatched(simulator, seed, arguments.played);
    if (finding.violations.empty()) continue;
    TellFinding(simulator, seed, arguments.played, finding);
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

Simulator With(const SeededBug& bug, const Simulator& simulator) {
  return {simulator.flag + " --bug \"" + bug.name + "\"", simulator.faults, bug.play, simulator.hangs_after_s};
}

Found Search(const SeedArguments& arguments, const Simulator& simulator) {
  const double begun_s = CpuS();
  Found found;
  for (std::uint64_t seed = arguments.first; found.as.empty() && CpuS() - begun_s < 60; ++seed) {
    const Finding finding = PlayWatched(simulator, seed, arguments.played);
    if (!finding.violations.empty()) found = {std::to_string(seed), finding.violations.front()};
  }
  found.cpu_s = CpuS() - begun_s;
  return found;
}

bool Hunt(const SeedArguments& arguments, const SeedsCampaign& campaign) {
  bool all = true;
  std::printf("| seeded bug | what it does | found by seed | as | CPU s |\n|---|---|---|---|---|\n");
  for (const SeededBug& bug : campaign.bugs) {
    const Found found = Search(arguments, With(bug, campaign.simulator));
    all = all && !found.as.empty();
    std::printf("| %s | %s | %s | %s | %.2f |\n", bug.name.c_str(), bug.what.c_str(), found.seed.c_str(),
                found.as.c_str(), found.cpu_s);
  }
  return all;
}

bool Play(const SeedArguments& arguments, const SeedsCampaign& campaign) {
  const auto bug = std::find_if(campaign.bugs.begin(), campaign.bugs.end(),
                                [&](const SeededBug& one) { return one.name == arguments.bug; });
  if (bug != campaign.bugs.end()) return RunSeeds(arguments, With(*bug, campaign.simulator)) >= 0;
  const std::int64_t held = RunSeeds(arguments, campaign.simulator);
  if (held >= 0) campaign.sum_up(held, arguments.first);
  return held >= 0;
}

}  // namespace

int SeedsMain(int argc, char** argv, const SeedsCampaign& campaign) {
  SeedArguments arguments;
  arguments.played.steps = campaign.steps;
  CLI::App app(campaign.about);
  app.add_option("--first", arguments.first, "The first seed");
  app.add_option("--seeds", arguments.seeds, "How many")->check(CLI::PositiveNumber);
  app.add_option("--minutes", arguments.minutes, "At most so long")->check(CLI::NonNegativeNumber);
  AddPlayed(app, arguments.played, campaign.simulator.faults);
  app.add_flag("--bugs", arguments.bugs, "Search for the seeded bugs instead");
  std::vector<std::string> names;
  for (const SeededBug& bug : campaign.bugs) names.push_back(bug.name);
  app.add_option("--bug", arguments.bug, "Play the seeds with this one")->check(CLI::IsMember(names));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return (arguments.bugs ? Hunt(arguments, campaign) : Play(arguments, campaign)) ? 0 : 1;
}

}  // namespace smsflow::sim
