#include "tests/sim/bugs.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <sstream>
#include <utility>

#include "tests/sim/simulation.h"

namespace smsflow::sim {
namespace {

double CpuSeconds(int of) {
  rusage usage{};
  getrusage(of, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

bool IsFinder(const std::string& bug, const std::string& violation) {
  std::string_view left = FinderOf(bug);
  if (left.empty()) return true;
  while (!left.empty()) {
    const std::string_view one = left.substr(0, left.find('|'));
    if (violation.find(one) != violation.npos) return true;
    left.remove_prefix(std::min(left.size(), one.size() + 1));
  }
  return false;
}

// What the child tells: the number of each seed as it begins; then, when it was found, zero and by what.
[[noreturn]] void HuntInChild(const Bug& bug, std::uint64_t first_seed, std::uint64_t seeds_max, int out) {
  // An assertion's message would only disturb; the signal tells.
  if (const int nowhere = open("/dev/null", O_WRONLY); nowhere >= 0) dup2(nowhere, STDERR_FILENO);
  const auto tell = [out](const void* bytes, std::size_t size) { return write(out, bytes, size) >= 0; };
  for (std::uint64_t done = 0; done < seeds_max && CpuSeconds(RUSAGE_SELF) < kHuntMaxCpuS; ++done) {
    RunOptions options;
    options.seed = first_seed + done;
    if (!tell(&options.seed, sizeof(options.seed))) break;
    bug.plant(options.bug);
    const RunReport report = RunSeed(options);
    const auto by = std::find_if(report.violations.begin(), report.violations.end(),
                                 [&bug](const std::string& violation) { return IsFinder(bug.name, violation); });
    if (by == report.violations.end()) continue;
    const std::uint64_t found = 0;
    if (tell(&found, sizeof(found))) tell(by->data(), by->size());
    break;
  }
  _exit(0);
}

std::string ReadAll(int from) {
  std::string all;
  char buffer[4096];
  for (ssize_t got; (got = read(from, buffer, sizeof(buffer))) > 0;) all.append(buffer, static_cast<std::size_t>(got));
  return all;
}

// A finding without ids and times, short enough for a cell.
std::string WithoutIds(const std::string& text) {
  constexpr std::size_t kCellMax = 80;
  std::string plain;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t digits = text.find_first_not_of("0123456789", at) - at;
    if (at + 36 <= text.size() && InstanceId::Parse(std::string_view(text).substr(at, 36))) {
      plain += "ID";
      at += 36;
    } else if (digits >= 10 && digits <= 20) {
      plain += "T";
      at += digits;
    } else {
      plain += text[at++];
    }
  }
  if (plain.size() <= kCellMax) return plain;
  return plain.substr(0, plain.rfind(' ', kCellMax)) + " …";
}

}  // namespace

std::vector<Bug> AllBugs() {
  std::vector<Bug> all;
  for (auto part : {StoreBugs(), WorkflowBugs(), DoorBugs()})
    std::move(part.begin(), part.end(), std::back_inserter(all));
  return all;
}

Hunt HuntFor(const Bug& bug, std::uint64_t first_seed, std::uint64_t seeds_max) {
  const double before_s = CpuSeconds(RUSAGE_CHILDREN);
  Hunt hunt;
  int ends[2];
  if (pipe(ends) != 0) return hunt;
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    HuntInChild(bug, first_seed, seeds_max, ends[1]);
  }
  close(ends[1]);
  const std::string told = ReadAll(ends[0]);
  close(ends[0]);
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) return hunt;
  hunt.cpu_s = CpuSeconds(RUSAGE_CHILDREN) - before_s;
  for (std::size_t at = 0; at + 8 <= told.size(); at += 8) {
    std::uint64_t seed = 0;
    std::memcpy(&seed, told.data() + at, sizeof(seed));
    if (seed == 0) {
      hunt.found = true;
      hunt.by = told.substr(at + 8);
      return hunt;
    }
    hunt.seed = seed;
  }
  if (WIFSIGNALED(status)) {
    hunt.by = WTERMSIG(status) == SIGABRT ? "an assertion of the engine" : "signal " + std::to_string(WTERMSIG(status));
    hunt.found = IsFinder(bug.name, hunt.by);
  }
  return hunt;
}

std::string TableHead() {
  return "| seeded bug | what it does | seed that finds it | CPU s | found by |\n|---|---|---:|---:|---|\n";
}

std::string TableRow(const Bug& bug, const Hunt& hunt) {
  char cpu_s[32];
  std::snprintf(cpu_s, sizeof(cpu_s), "%.1f", hunt.cpu_s);
  return "| " + bug.name + " | " + bug.what + " | " + (hunt.found ? std::to_string(hunt.seed) : "none") + " | " +
         cpu_s + " | " + WithoutIds(hunt.by) + " |\n";
}

std::map<std::string, std::uint64_t> SeedsOfTable(const std::string& table) {
  std::map<std::string, std::uint64_t> seeds;
  std::istringstream lines(table);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream cells(line);
    std::string edge, name, what, seed;
    std::getline(cells, edge, '|');
    std::getline(cells, name, '|');
    std::getline(cells, what, '|');
    std::getline(cells, seed, '|');
    if (name.size() < 3) continue;
    const std::uint64_t number = std::strtoull(seed.c_str(), nullptr, 10);
    if (number != 0) seeds[name.substr(1, name.size() - 2)] = number;
  }
  return seeds;
}

}  // namespace smsflow::sim
