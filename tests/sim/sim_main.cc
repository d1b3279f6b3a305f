// Runs seeds until told to stop, and tells the first finding: seed, step, the life of the SMS it is about, and the line
// that repeats it.
//
// Exit codes: 0 all held, 1 something did not, 2 the command line is wrong.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <sstream>
#include <string>
#include <vector>

#include "tests/sim/bugs.h"
#include "tests/sim/campaign.h"
#include "tests/sim/page.h"
#include "tests/sim/seeds.h"
#include "tests/sim/simulation.h"

namespace smsflow::sim {
namespace {

struct Arguments {
  std::uint64_t first = 1;
  std::uint64_t seeds = 0;
  double minutes = 0;
  Played played;
  bool coverage = false;
  bool standard = false;
  int jobs = 1;
  bool bugs = false;
  std::string bug;
  std::string page;
};

// What a run of that many seeds must have met each name.
constexpr std::uint64_t kTimesMin = 1'000;

int ToldCoverage(const Arguments& arguments, const CampaignResult& result) {
  const std::vector<std::string> names = NamesToReach();
  for (const auto& [name, count] : result.coverage.counts())
    std::printf("%12llu  %s\n", static_cast<unsigned long long>(count), name.c_str());
  const std::string table = CoverageTable(result.coverage, names);
  std::printf("\n%s", table.c_str());
  // Of fewer seeds less is asked: that nothing was left out, and of a few nothing.
  const std::uint64_t times = result.done >= kStandardSeeds ? kTimesMin : result.done >= 1'000 ? 1 : 0;
  const auto seldom = Below(result.coverage, names, times);
  for (const std::string& name : seldom)
    std::printf("below %llu: %llu  %s\n", static_cast<unsigned long long>(times),
                static_cast<unsigned long long>(result.coverage.Of(name)), name.c_str());
  if (!arguments.page.empty()) {
    char run[320];
    std::snprintf(
        run, sizeof(run),
        "\nOf %llu seeds from %llu on: %llu SMS, %llu submits, %llu lives of an engine, each ended by a crash; "
        "%.0f s of CPU, %.0f lives a second.\n",
        static_cast<unsigned long long>(result.done), static_cast<unsigned long long>(arguments.first),
        static_cast<unsigned long long>(result.sum.scheduled), static_cast<unsigned long long>(result.sum.submits),
        static_cast<unsigned long long>(result.sum.crashes), result.cpu_s,
        static_cast<double>(result.sum.crashes) / result.cpu_s);
    if (!WriteTable(arguments.page, "coverage", table + run)) return 2;
  }
  return seldom.empty() ? 0 : 1;
}

int RunCampaign(const Arguments& arguments) {
  const auto begun = std::chrono::steady_clock::now();
  CampaignOptions options;
  options.first = arguments.first;
  // Without a number, as many as the time allows; without either, a thousand.
  options.seeds = arguments.standard      ? kStandardSeeds
                  : arguments.seeds != 0  ? arguments.seeds
                  : arguments.minutes > 0 ? ~0ULL
                                          : 1'000;
  options.minutes = arguments.minutes;
  options.played = arguments.played;
  options.jobs = arguments.jobs;
  const CampaignResult result = Campaign(options);
  if (result.failed) return 1;
  std::printf(
      "%llu seeds from %llu: all held; %llu scheduled, %llu submits, %llu delivered, %llu crashes; digest of all "
      "journals %016llx; %.1f s, %.1f s of CPU\n",
      static_cast<unsigned long long>(result.done), static_cast<unsigned long long>(arguments.first),
      static_cast<unsigned long long>(result.sum.scheduled), static_cast<unsigned long long>(result.sum.submits),
      static_cast<unsigned long long>(result.sum.delivered), static_cast<unsigned long long>(result.sum.crashes),
      static_cast<unsigned long long>(result.sum.journals),
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count(), result.cpu_s);
  return arguments.coverage || arguments.standard ? ToldCoverage(arguments, result) : 0;
}

// The whole table, or the one row that was searched for.
bool WritePage(const Arguments& arguments, const std::string& table) {
  std::string all = table;
  if (!arguments.bug.empty()) {
    const std::string row = table.substr(TableHead().size());
    const std::string begin = "| " + arguments.bug + " |";
    std::istringstream before(ReadTable(arguments.page, "bugs").value_or(""));
    all = "";
    for (std::string line; std::getline(before, line);)
      if (!line.empty()) all += line.rfind(begin, 0) == 0 ? row : line + "\n";
  }
  if (WriteTable(arguments.page, "bugs", all)) return true;
  std::fprintf(stderr, "sim: %s cannot be written, or has no table of the bugs\n", arguments.page.c_str());
  return false;
}

// Searches for the seeded bugs afresh, and prints what the page shows.
int HuntAll(const Arguments& arguments) {
  std::string table = TableHead();
  int missed = 0, hunted = 0;
  for (const Bug& bug : AllBugs()) {
    if (!arguments.bug.empty() && bug.name != arguments.bug) continue;
    ++hunted;
    const Hunt hunt = HuntFor(bug, arguments.first, arguments.seeds != 0 ? arguments.seeds : ~0ULL);
    missed += hunt.found ? 0 : 1;
    const std::string row = TableRow(bug, hunt);
    std::printf("%s%s", hunted == 1 ? TableHead().c_str() : "", row.c_str());
    std::fflush(stdout);
    table += row;
  }
  if (hunted == 0) {
    std::fprintf(stderr, "sim: no seeded bug is called \"%s\"\n", arguments.bug.c_str());
    return 2;
  }
  if (!arguments.page.empty() && !WritePage(arguments, table)) return 2;
  if (missed != 0) std::fprintf(stderr, "sim: %d were not found within a minute of CPU time each\n", missed);
  return missed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace smsflow::sim

int main(int argc, char** argv) {
  CLI::App app("The simulator: one seed, one thread, virtual time");
  smsflow::sim::Arguments arguments;
  app.add_option("--first", arguments.first, "The first seed");
  app.add_option("--seeds", arguments.seeds, "How many");
  app.add_option("--minutes", arguments.minutes, "For how long at most");
  smsflow::sim::AddPlayed(app, arguments.played, smsflow::sim::FaultKinds());
  app.add_flag("--bugs", arguments.bugs, "Search for every seeded bug instead, and print the table");
  app.add_option("--bug", arguments.bug, "Only for this one");
  app.add_option("--page", arguments.page, "Write the table there as well");
  app.add_flag("--coverage", arguments.coverage, "Tell how often what was reached");
  app.add_flag("--standard", arguments.standard, "The standard run, which must reach each name 1,000 times");
  app.add_option("--jobs", arguments.jobs, "Processes that share the seeds")->check(CLI::Range(1, 64));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return arguments.bugs || !arguments.bug.empty() ? smsflow::sim::HuntAll(arguments)
                                                  : smsflow::sim::RunCampaign(arguments);
}
