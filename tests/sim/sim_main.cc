// Runs seeds until told to stop, and tells the first finding: seed, step, the life of the SMS it is about, and the line
// that repeats it.
//
// Exit codes: 0 all held, 1 something did not, 2 the command line is wrong.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <sstream>
#include <string>
#include <vector>

#include "tests/sim/bugs.h"
#include "tests/sim/page.h"
#include "tests/sim/shrink.h"
#include "tests/sim/simulation.h"

namespace smsflow::sim {
namespace {

struct Arguments {
  std::uint64_t first = 1;
  std::uint64_t seeds = 0;
  double minutes = 0;
  int steps = 400;
  bool coverage = false;
  bool bugs = false;
  std::string bug;
  std::string page;
};

// An assertion of the engine ends the process; the seed is told all the same.
std::uint64_t seed_running = 0;
int steps_running = 0;
void TellAbort(int) {
  char line[160];
  const int length = std::snprintf(line, sizeof(line),
                                   "\nan assertion failed; again: tools/dev sim --first %llu --seeds 1 --steps %d\n",
                                   static_cast<unsigned long long>(seed_running), steps_running);
  if (write(STDERR_FILENO, line, static_cast<std::size_t>(length)) < 0) _exit(1);
}

int ToldFinding(const RunOptions& options, const RunReport& report) {
  std::printf("\n");
  for (const std::string& violation : report.violations)
    std::printf("seed %llu, step %d: %s\n", static_cast<unsigned long long>(options.seed), report.step,
                violation.c_str());
  std::fflush(stdout);
  const RunReport shrunk = Shrink(options, report);
  std::printf("\nas short as it could be made:\n");
  for (const std::string& line : shrunk.trace) std::printf("  %s\n", line.c_str());
  for (const std::string& violation : shrunk.violations) std::printf("  %s\n", violation.c_str());
  std::printf("\n%s\nagain: tools/dev sim --first %llu --seeds 1 --steps %d\n", shrunk.journal.c_str(),
              static_cast<unsigned long long>(options.seed), options.steps);
  return 1;
}

int ToldCoverage(const Arguments& arguments, const Coverage& coverage, std::uint64_t seeds) {
  const std::vector<std::string> names = NamesToReach();
  for (const auto& [name, count] : coverage.counts())
    std::printf("%12llu  %s\n", static_cast<unsigned long long>(count), name.c_str());
  const std::string table = CoverageTable(coverage, names);
  std::printf("\n%s", table.c_str());
  const auto never = NeverReached(coverage, names);
  for (const std::string& name : never) std::printf("never reached: %s\n", name.c_str());
  if (!arguments.page.empty() && !WriteTable(arguments.page, "coverage", table)) return 2;
  return never.empty() || seeds < 1'000 ? 0 : 1;
}

int Campaign(const Arguments& arguments) {
  using Clock = std::chrono::steady_clock;
  const auto begun = Clock::now();
  std::signal(SIGABRT, TellAbort);
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
    seed_running = options.seed;
    steps_running = options.steps;
    const RunReport report = RunSeed(options);
    if (!report.violations.empty()) return ToldFinding(options, report);
    sum.scheduled += report.scheduled;
    sum.crashes += report.crashes;
    sum.submits += report.submits;
    sum.delivered += report.delivered;
    sum.journals = sum.journals * 31 + report.journals;
    if ((done + 1) % 1'000 == 0)
      std::fprintf(stderr, "%llu seeds, %.0f s\n", static_cast<unsigned long long>(done + 1), passed_s());
  }
  std::printf(
      "%llu seeds from %llu: all held; %llu scheduled, %llu submits, %llu delivered, %llu crashes; digest of all "
      "journals %016llx; %.1f s\n",
      static_cast<unsigned long long>(done), static_cast<unsigned long long>(arguments.first),
      static_cast<unsigned long long>(sum.scheduled), static_cast<unsigned long long>(sum.submits),
      static_cast<unsigned long long>(sum.delivered), static_cast<unsigned long long>(sum.crashes),
      static_cast<unsigned long long>(sum.journals), passed_s());
  return arguments.coverage ? ToldCoverage(arguments, coverage, done) : 0;
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
  app.add_option("--steps", arguments.steps, "Of the rough phase of each run")->check(CLI::Range(1, 100'000));
  app.add_flag("--bugs", arguments.bugs, "Search for every seeded bug instead, and print the table");
  app.add_option("--bug", arguments.bug, "Only for this one");
  app.add_option("--page", arguments.page, "Write the table there as well");
  app.add_flag("--coverage", arguments.coverage, "Tell how often what was reached");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return arguments.bugs || !arguments.bug.empty() ? smsflow::sim::HuntAll(arguments)
                                                  : smsflow::sim::Campaign(arguments);
}
