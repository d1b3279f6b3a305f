// power_cuts: records a run of the engine on a disk, then cuts the power after its operations and flips bits of what
// they left. Exit codes: 0 all held, 1 something was broken (with --late-sync the other way round), 2 the run itself
// failed, or nothing came of it.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "crypto/random.h"
#include "tests/crash/flipped_bits.h"
#include "tests/crash/power_cuts.h"

namespace smsflow::crash {
namespace {

struct Flags {
  std::size_t commands = 2'000;
  double share = 1;
  std::size_t flips = 2'000;
  double seconds = 0;
  std::size_t jobs = 1;
  std::uint64_t seed = 0;
  bool late_sync = false;
};

// What is made of each however late it is: a slow machine is no proof.
constexpr std::size_t kLeast = 40;

// On a disk of memory where there is one: what a real disk would keep is the model's to say, so no sync need be waited
// for.
std::string Workplace() {
  const char* memory = "/dev/shm";
  std::string pattern = ::access(memory, W_OK) == 0 ? memory : std::filesystem::temp_directory_path().string();
  pattern += "/smsflow-cuts-XXXXXX";
  return ::mkdtemp(pattern.data()) == nullptr ? "" : pattern;
}

// Several at a time; the first that finds something broken ends them all.
class Jobs {
 public:
  Jobs(const RecordedRun& run, const Flags& flags, const std::string& folder)
      : run_(run), flags_(flags), folder_(folder), all_(AllCuts(run, flags.seed)) {
    all_count_ = all_.size();
    all_.resize(static_cast<std::size_t>(static_cast<double>(all_count_) * flags.share));
  }

  void Go() {
    start_ = std::chrono::steady_clock::now();
    InJobs([this](std::size_t job) { Cut(job); });
    // Three fifths of the time for the cuts, and the rest for the flips.
    if (broken_.empty()) InJobs([this](std::size_t job) { Flip(job); });
  }
  bool Print() const;  // whether all held
  bool IsEmpty() const { return (flags_.share > 0 && cuts_.cuts == 0) || (flags_.flips > 0 && flips_.flips == 0); }

 private:
  void InJobs(const std::function<void(std::size_t)>& work) {
    std::vector<std::thread> threads;
    for (std::size_t job = 0; job < flags_.jobs; ++job) threads.emplace_back(work, job);
    for (std::thread& thread : threads) thread.join();
  }
  std::string FolderOf(std::size_t job, const char* what) const {
    const std::string folder = folder_ + "/" + what + std::to_string(job);
    std::filesystem::create_directory(folder);
    return folder;
  }
  bool Late(double share, std::size_t done) const {
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start_;
    const bool over = flags_.seconds > 0 && passed.count() > flags_.seconds * share;
    return found_ || (over && done >= kLeast);
  }
  void Cut(std::size_t job) {
    std::vector<PowerCut> mine;
    for (std::size_t i = job; i < all_.size(); i += flags_.jobs) mine.push_back(all_[i]);
    PowerCuts cuts(run_, FolderOf(job, "cuts"), flags_.seed, judged_);
    cuts.Cut(mine, [&] { return Late(0.6, cuts.figures().cuts); });
    Take(cuts, cuts_);
  }
  void Flip(std::size_t job) {
    FlippedBits flips(run_, FolderOf(job, "flips"), flags_.seed * 1'000 + job);
    flips.Flip((flags_.flips + job) / flags_.jobs, [&] { return Late(1, flips.figures().flips); });
    Take(flips, flips_);
  }
  template <class Done, class Figures>
  void Take(const Done& done, Figures& figures) {
    const std::lock_guard lock(mutex_);
    figures.Add(done.figures());
    broken_.insert(broken_.end(), done.broken().begin(), done.broken().end());
    if (!broken_.empty()) found_ = true;
  }

  const RecordedRun& run_;
  const Flags& flags_;
  const std::string folder_;
  std::vector<PowerCut> all_;
  std::size_t all_count_ = 0;
  std::chrono::steady_clock::time_point start_;
  JudgedDisks judged_;
  std::atomic<bool> found_ = false;
  std::mutex mutex_;
  CutFigures cuts_;
  FlipFigures flips_;
  std::vector<std::string> broken_;
};

bool Jobs::Print() const {
  std::cout << "power cuts " << cuts_.cuts << " (" << cuts_.same << " more left the same), tried " << cuts_.tried()
            << " of " << all_count_ << ": recovered " << cuts_.recovered << " (the engine began on " << cuts_.revived
            << "), repaired " << cuts_.repaired << "\n ";
  for (const auto& [kind, count] : cuts_.kinds) std::cout << " after " << kind << " " << count << ";";
  std::cout << "\n ";
  for (const auto& [loss, count] : cuts_.losses) std::cout << " lost " << loss << " " << count << ";";
  std::cout << "\nflipped bits " << flips_.flips << ": whole " << flips_.whole << ", refused " << flips_.refused
            << ", found when read " << flips_.found << "; of the refused and found, repaired " << flips_.repaired
            << ", not to be repaired " << flips_.beyond << "\n ";
  for (const auto& [file, count] : flips_.files) std::cout << " in " << file << " " << count << ";";
  std::cout << std::endl;
  for (const std::string& broken : broken_) std::cout << "BROKEN: " << broken << "\n";
  return broken_.empty();
}

int Main(Flags flags) {
  if (flags.seed == 0) flags.seed = crypto::Random64() % 1'000'000 + 1;
  const std::string folder = Workplace();
  if (folder.empty()) return 2;
  std::filesystem::create_directory(folder + "/run");
  std::cout << "seed " << flags.seed << ", folder " << folder << std::endl;
  const RecordedRun run = RecordRun(folder + "/run", flags.commands, flags.seed, flags.late_sync);
  std::cout << "recorded " << run.commands << " commands and reports, " << run.acknowledged << " acknowledged, "
            << run.reports << " reports, in " << run.commits << " commits: " << run.disk->operations().size()
            << " operations of the disk" << std::endl
            << "changed of what no journal speaks of:";
  for (const auto& [kind, count] : run.own_rows.changes()) std::cout << ' ' << kind << ' ' << count << ';';
  std::cout << std::endl;
  if (!run.strange.empty()) {
    std::cout << "the run itself: " << run.strange << "\n";
    return 2;
  }
  Jobs jobs(run, flags, folder);
  jobs.Go();
  const bool held = jobs.Print();
  if (!held && !flags.late_sync) return 1;
  std::filesystem::remove_all(folder);
  if (flags.late_sync) return held ? 1 : 0;
  if (jobs.IsEmpty()) std::cout << "nothing was cut, or nothing flipped\n";
  return jobs.IsEmpty() ? 2 : 0;
}

}  // namespace
}  // namespace smsflow::crash

int main(int argc, char** argv) {
  smsflow::crash::Flags flags;
  CLI::App app("Cuts the power at any operation of the disk, and looks whether anything acknowledged is lost.",
               "power_cuts");
  app.add_option("--commands", flags.commands, "of clients and gateway in the run")->check(CLI::Range(1, 100'000));
  app.add_option("--share", flags.share, "of all cuts: after each operation, with every loss")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--flips", flags.flips, "bits to flip");
  app.add_option("--seconds", flags.seconds, "end about so long after the run was recorded; 0: go to the end");
  app.add_option("--jobs", flags.jobs, "how many at a time")->check(CLI::Range(1, 64));
  app.add_option("--seed", flags.seed, "repeats what clients ask and what is drawn; 0: a new one");
  app.add_flag("--late-sync", flags.late_sync, "the engine answers before it syncs, and this must be found");
  CLI11_PARSE(app, argc, argv);
  return smsflow::crash::Main(flags);
}
