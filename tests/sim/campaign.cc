#include "tests/sim/campaign.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <sstream>
#include <string>
#include <vector>

#include "tests/sim/seed_watch.h"
#include "tests/sim/tell.h"

namespace smsflow::sim {
namespace {

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Every jobs-th seed, from `job` on, until `stop`.
CampaignResult Share(const CampaignOptions& campaign, std::uint64_t job, std::atomic<bool>& stop) {
  using Clock = std::chrono::steady_clock;
  const auto begun = Clock::now();
  const auto passed_s = [&] { return std::chrono::duration<double>(Clock::now() - begun).count(); };
  const auto play = [&campaign](std::uint64_t seed, const Played& played) -> Finding {
    return RunSeed({.seed = seed, .played = played, .bug = campaign.bug});
  };
  const Simulator simulator{"", FaultKinds(), play, campaign.hangs_after_s};
  CampaignResult result;
  for (std::uint64_t at = job; at < campaign.seeds && !stop.load(); at += static_cast<std::uint64_t>(campaign.jobs)) {
    if (campaign.minutes > 0 && passed_s() >= campaign.minutes * 60) break;
    RunOptions options;
    options.seed = campaign.first + at;
    options.played = campaign.played;
    options.bug = campaign.bug;
    options.coverage = &result.coverage;
    const RunReport report = [&] {
      const SeedWatch watch(options.seed, LineOf("", options.seed, options.played), campaign.hangs_after_s);
      return RunSeed(options);
    }();
    if (!report.violations.empty()) {
      stop.store(true);
      TellFinding(simulator, options.seed, options.played, report);
      result.failed = true;
      return result;
    }
    ++result.done;
    result.sum.scheduled += report.scheduled;
    result.sum.crashes += report.crashes;
    result.sum.submits += report.submits;
    result.sum.delivered += report.delivered;
    result.sum.journals += report.journals * (2 * options.seed + 1);  // in whatever order
    if (result.done % 1'000 == 0)
      std::fprintf(stderr, "%llu seeds, %.0f s\n", static_cast<unsigned long long>(result.done), passed_s());
  }
  result.cpu_s = CpuSeconds();
  return result;
}

// A count and its name a line; the sums first.
void Write(const CampaignResult& result, FILE* out) {
  std::fprintf(out, "%llu %llu %llu %llu %llu %llu %.3f\n", static_cast<unsigned long long>(result.done),
               static_cast<unsigned long long>(result.sum.scheduled),
               static_cast<unsigned long long>(result.sum.crashes), static_cast<unsigned long long>(result.sum.submits),
               static_cast<unsigned long long>(result.sum.delivered),
               static_cast<unsigned long long>(result.sum.journals), result.cpu_s);
  for (const auto& [name, count] : result.coverage.counts())
    std::fprintf(out, "%llu %s\n", static_cast<unsigned long long>(count), name.c_str());
}

// False: it ended before it had told all.
bool Add(int from, CampaignResult& all) {
  std::string text;
  char buffer[4'096];
  for (ssize_t got; (got = read(from, buffer, sizeof(buffer))) > 0;) text.append(buffer, static_cast<std::size_t>(got));
  std::istringstream lines(text);
  CampaignResult one;
  if (!(lines >> one.done >> one.sum.scheduled >> one.sum.crashes >> one.sum.submits >> one.sum.delivered >>
        one.sum.journals >> one.cpu_s))
    return false;
  all.done += one.done;
  all.sum.scheduled += one.sum.scheduled;
  all.sum.crashes += one.sum.crashes;
  all.sum.submits += one.sum.submits;
  all.sum.delivered += one.sum.delivered;
  all.sum.journals += one.sum.journals;
  all.cpu_s += one.cpu_s;
  std::uint64_t count = 0;
  for (std::string name; lines >> count && lines.get() == ' ' && std::getline(lines, name);)
    all.coverage.Hit(name, count);
  return true;
}

}  // namespace

CampaignResult Campaign(const CampaignOptions& options) {
  std::atomic<bool> alone = false;
  if (options.jobs == 1) return Share(options, 0, alone);
  void* shared = mmap(nullptr, sizeof(std::atomic<bool>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CampaignResult all;
  all.failed = true;
  if (shared == MAP_FAILED) return all;
  auto* stop = new (shared) std::atomic<bool>(false);
  struct Child {
    pid_t pid;
    int from;
  };
  std::vector<Child> children;
  for (int job = 0; job < options.jobs; ++job) {
    int ends[2];
    if (pipe(ends) != 0) break;
    std::fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
      close(ends[0]);
      const CampaignResult result = Share(options, static_cast<std::uint64_t>(job), *stop);
      FILE* out = fdopen(ends[1], "w");
      if (out != nullptr && !result.failed) Write(result, out);
      if (out != nullptr) std::fclose(out);
      _exit(0);
    }
    close(ends[1]);
    if (child > 0) children.push_back({child, ends[0]});
  }
  all.failed = static_cast<int>(children.size()) != options.jobs;
  if (all.failed) stop->store(true);
  for (const Child& child : children) {
    if (!Add(child.from, all)) {
      all.failed = true;
      stop->store(true);  // it may have ended by an assertion
    }
    close(child.from);
    int status = 0;
    waitpid(child.pid, &status, 0);
  }
  munmap(shared, sizeof(std::atomic<bool>));
  return all;
}

}  // namespace smsflow::sim
