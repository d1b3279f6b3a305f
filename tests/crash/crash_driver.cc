// Kills engine and gateway at random moments under load, starts them again, lets everything drain, and looks whether
// any promise was broken. `--seed` repeats the choices of a run (the moments are the machine's own).
//
// Exit codes: 0 all held, 1 something was broken, 2 the run itself failed. With --expect-loss 0 and 1 change places.
#include <signal.h>
#include <stdlib.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>
#include <sstream>
#include <thread>

#include "crypto/random.h"
#include "ids/ids.h"
#include "tests/crash/api.h"
#include "tests/crash/book.h"
#include "tests/crash/checks.h"
#include "tests/crash/lies.h"
#include "tests/crash/load.h"
#include "tests/crash/site.h"
#include "tests/crash/tale.h"
#include "tests/crash/watchers.h"

namespace smsflow::crash {
namespace {

using std::chrono::milliseconds;

struct Flags {
  int cycles = 20;
  std::uint64_t seed = 0;
  int clients = 6;
  bool no_sync = false;
  bool crashfs = false;
  bool expect_loss = false;
  bool lies = false;
  bool keep = false;
  std::string tests;  // folder of this program, and of smsflowd-crashfs
  std::string bin;
  std::string folder;
};

class Run {
 public:
  explicit Run(const Flags& flags)
      : flags_(flags),
        random_(flags.seed),
        site_({.bin = flags.bin,
               .engine = flags.crashfs ? flags.tests + "/smsflowd-crashfs" : flags.bin + "/smsflowd",
               .folder = flags.folder,
               .no_sync = flags.no_sync}),
        api_(site_.address()),
        book_(site_.File("acknowledged"), findings_),
        load_(api_, book_, findings_, site_.key(), flags.seed),
        watchers_(api_, findings_) {}

  // How many promises were broken.
  std::size_t Go() {
    site_.StartEngine();
    site_.StartGateway();
    if (AwaitEngine()) {
      watchers_.Start();
      load_.Start(flags_.clients);
      for (int cycle = 1; cycle <= flags_.cycles && findings_.count() == 0; ++cycle) Disturb(cycle);
      Settle();
    }
    load_.Stop();
    watchers_.Stop();
    return Report();
  }

 private:
  milliseconds Between(int least_ms, int most_ms) {
    return milliseconds(least_ms + static_cast<int>(random_() % static_cast<std::uint64_t>(most_ms - least_ms + 1)));
  }
  void Pause(int least_ms, int most_ms) { std::this_thread::sleep_for(Between(least_ms, most_ms)); }

  // True when it answers. A process that ended by itself is a finding.
  bool AwaitEngine() {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    const std::string nobody(InstanceId::Make(0, ShardId{0}, 0).AsBytes());
    while (std::chrono::steady_clock::now() < until) {
      if (!StillRunning()) return false;
      if (!IsIndefinite(api_.Get(kTenants[0], nobody).status())) return true;
      std::this_thread::sleep_for(milliseconds(10));
    }
    findings_.Add("the engine does not answer 60 s after its start");
    return false;
  }
  bool StillRunning() {
    for (auto [name, process] : {std::pair("engine", &site_.engine), std::pair("gateway", &site_.gateway)}) {
      if (process->running()) continue;
      findings_.Add(std::string("the ") + name + " ended by itself with status " +
                    std::to_string(process->Await(milliseconds(0)).value_or(-1)) + ":\n" +
                    Tail(site_.File(std::string(name) + ".log"), 8));
      return false;
    }
    return true;
  }

  void Disturb(int cycle) {
    Pause(100, 1200);
    if (!StillRunning()) return;
    const std::uint64_t dice = random_() % 100;
    const char* what = dice < 40   ? "kill the engine"
                       : dice < 55 ? "kill the gateway"
                       : dice < 65 ? "kill both"
                       : dice < 80 ? "kill the engine, and again while it recovers"
                       : dice < 87 ? "stop the engine for a while"
                       : dice < 94 ? "stop the gateway for a while"
                                   : "end the engine gracefully";
    std::cout << "cycle " << cycle << ": " << what << std::endl;
    if (dice < 40) {
      KillEngine();
    } else if (dice < 55) {
      KillGateway();
    } else if (dice < 65) {
      site_.engine.Kill();
      KillGateway();
      site_.StartEngine();
    } else if (dice < 80) {
      KillEngine();
      Pause(0, 80);
      if (StillRunning()) KillEngine();
    } else if (dice < 94) {
      Process& process = dice < 87 ? site_.engine : site_.gateway;
      process.Signal(SIGSTOP);
      Pause(100, 1500);
      process.Signal(SIGCONT);
      if (dice >= 87) ++gateway_disturbed_;
    } else {
      EndGracefully(site_.engine, "engine", 12'000);
      site_.StartEngine();
    }
    AwaitEngine();
  }
  void KillEngine() {
    site_.engine.Kill();
    ++kills_;
    if (random_() % 4 == 0) Pause(0, 1500);  // sometimes nobody is there for a while
    site_.StartEngine();
  }
  void KillGateway() {
    site_.gateway.Kill();
    ++kills_;
    ++gateway_disturbed_;
    if (random_() % 4 == 0) Pause(0, 1500);
    site_.StartGateway();
  }
  void EndGracefully(Process& process, const std::string& name, int within_ms) {
    process.Signal(SIGTERM);
    const auto status = process.Await(milliseconds(within_ms));
    if (!status.has_value()) {
      findings_.Add("the " + name + " did not end within " + std::to_string(within_ms) + " ms");
    } else if (*status != 0) {
      findings_.Add("the " + name + " ended with status " + std::to_string(*status) + ":\n" +
                    Tail(site_.File(name + ".log"), 8));
    }
    process.Kill();
  }

  void Settle() {
    load_.Stop();
    if (findings_.count() != 0 || !StillRunning()) return;
    if (!load_.SettleOpen()) findings_.Add("some calls never got an answer");
    std::cout << "drain" << std::endl;
    outcome_ = CheckAll(api_, book_, site_.File("truth"), /*patience_ms=*/30'000, findings_);
    const std::uint64_t most = static_cast<std::uint64_t>(gateway_disturbed_) * site_.credit();
    if (outcome_.lost_window > most) {
      findings_.Add(std::to_string(outcome_.lost_window) + " became UNKNOWN, the windows lost allow " +
                    std::to_string(most));
    }
    if (!StillRunning()) return;
    watchers_.Check(book_, outcome_.journals, /*patience_ms=*/20'000);
    if (flags_.lies && findings_.count() == 0) Lie();
    EndGracefully(site_.gateway, "gateway", 5'000);
    EndGracefully(site_.engine, "engine", 12'000);
    const Finished verify = site_.Verify();
    if (verify.code != 0) {
      findings_.Add("db verify ended with status " + std::to_string(verify.code) + ":\n" + verify.output);
    }
  }

  // The same checks again, after lies.
  void Lie() {
    std::cout << "lie" << std::endl;
    const std::string truth = site_.File("truth.lies");
    std::filesystem::copy_file(site_.File("truth"), truth);
    const auto lies = TellLies(book_, truth);
    CheckAll(api_, book_, truth, /*patience_ms=*/0, findings_);
    if (!AllFound(lies, findings_.Take())) findings_.Add("a lie went unnoticed, or more was found than the lies");
  }

  std::size_t Report() {
    const LoadFigures& figures = load_.figures();
    std::cout << figures.calls << " calls, " << figures.lost_answers << " answers lost, " << figures.asked_again
              << " asked again, " << figures.refused << " refused, " << figures.streams << " streams ("
              << figures.streams_cut << " cut), " << figures.rescheduled << " rescheduled (" << figures.too_late
              << " too late), " << figures.strokes << " strokes, " << load_.strangers().refused()
              << " strangers refused (" << load_.strangers().unanswered() << " unanswered), " << watchers_.seen()
              << " transitions watched over " << watchers_.cuts() << " cuts, " << kills_ << " kills; "
              << book_.Acknowledged().size() << " acknowledged, " << outcome_.submits << " submits";
    for (const auto& [state, count] : outcome_.states) std::cout << ", " << count << " " << state;
    std::cout << "; " << outcome_.lost_window << " in lost windows" << std::endl;
    const auto findings = findings_.Take();
    if (!findings.empty()) Tell(findings);
    return findings.size();
  }

  // On the terminal and in the folder's `report`. Journals are asked of the engine, which is started again for it.
  void Tell(const std::vector<Finding>& findings) {
    if (flags_.expect_loss) {
      std::cout << "broken, as expected: " << findings.front().what << std::endl;
      return;
    }
    if (!site_.engine.running()) site_.StartEngine();
    AwaitEngine();
    std::ostringstream report;
    TellFindings(findings, book_, site_.File("truth"), api_, /*tales=*/10, report);
    std::ofstream(site_.File("report")) << report.str();
    std::cout << report.str() << std::flush;
  }

  const Flags flags_;
  std::mt19937_64 random_;
  Findings findings_;
  Site site_;
  Api api_;
  Book book_;
  Load load_;
  Watchers watchers_;
  Outcome outcome_;
  int kills_ = 0, gateway_disturbed_ = 0;
};

// The command that repeats the choices of this run.
std::string Again(const Flags& flags) {
  std::string command = "tools/dev crash --seed " + std::to_string(flags.seed) + " --cycles " +
                        std::to_string(flags.cycles) + " --clients " + std::to_string(flags.clients);
  for (const auto& [set, name] : {std::pair(flags.crashfs, " --crashfs"), std::pair(flags.no_sync, " --no-sync"),
                                  std::pair(flags.lies, " --lies"), std::pair(flags.expect_loss, " --expect-loss")}) {
    if (set) command += name;
  }
  return command;
}

int Main(Flags flags) {
  if (flags.seed == 0) flags.seed = crypto::Random64() % 1'000'000 + 1;
  if (flags.folder.empty()) {
    char folder[] = "/tmp/smsflow-crash-XXXXXX";  // short: the socket's path has a limit
    if (mkdtemp(folder) == nullptr) return 2;
    flags.folder = folder;
  }
  std::cout << "seed " << flags.seed << ", folder " << flags.folder << std::endl;
  const std::size_t broken = Run(flags).Go();
  const bool as_expected = (broken != 0) == flags.expect_loss;
  if (as_expected && !flags.keep) {
    std::filesystem::remove_all(flags.folder);
  } else {
    std::cout << "again: " << Again(flags) << "\n"
              << "kept: " << flags.folder
              << " has the findings (report), the client's record (acknowledged), what left "
              << "(truth), engine.log, gateway.log and the engine's data; smsflow db verify --data " << flags.folder
              << "/data\n";
  }
  if (flags.expect_loss) std::cout << (as_expected ? "the loss was noticed\n" : "BROKEN: the loss went unnoticed\n");
  return as_expected ? 0 : 1;
}

}  // namespace
}  // namespace smsflow::crash

int main(int argc, char** argv) {
  smsflow::crash::Flags flags;
  flags.tests = std::filesystem::absolute(argv[0]).parent_path().string();
  flags.bin = (std::filesystem::path(flags.tests) / "../bin").lexically_normal().string();
  CLI::App app("Kills smsflow at random moments and looks whether any promise was broken.", "crash_driver");
  app.add_option("--cycles", flags.cycles, "how often something is killed or stopped")->check(CLI::Range(0, 1'000'000));
  app.add_option("--seed", flags.seed, "repeats the choices of a run; 0: a new one");
  app.add_option("--clients", flags.clients, "how many of them load")->check(CLI::Range(1, 64));
  app.add_flag("--no-sync", flags.no_sync, "start the engine with --no-sync");
  app.add_flag("--crashfs", flags.crashfs, "start smsflowd-crashfs, which loses at a kill what was not synced");
  app.add_flag("--expect-loss", flags.expect_loss, "the run must find something broken");
  app.add_flag("--lies", flags.lies, "when all held, check again after lies, each of which must be found");
  app.add_flag("--keep", flags.keep, "keep logs and data also when all held");
  app.add_option("--bin", flags.bin, "folder of the programs")->check(CLI::ExistingDirectory);
  app.add_option("--dir", flags.folder, "an empty folder for everything; its path must be short");
  CLI11_PARSE(app, argc, argv);
  return smsflow::crash::Main(flags);
}
