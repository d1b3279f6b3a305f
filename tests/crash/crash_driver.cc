// Kills engine and gateway at random moments under load, starts them again, lets everything drain, and looks whether
// any promise was broken. `--seed` repeats the choices of a run (the moments are the machine's own).
//
// Exit codes: 0 all held, 1 something was broken, 2 the run itself failed, 77 it is not possible here. With
// --expect-loss 0 and 1 change places.
#include <sched.h>
#include <spdlog/spdlog.h>
#include <stdlib.h>
#include <sys/mount.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <optional>
#include <sstream>

#include "crypto/random.h"
#include "tests/crash/api.h"
#include "tests/crash/book.h"
#include "tests/crash/checks.h"
#include "tests/crash/disturber.h"
#include "tests/crash/kafka_load.h"
#include "tests/crash/lies.h"
#include "tests/crash/load.h"
#include "tests/crash/old_engine_run.h"
#include "tests/crash/own_kafka.h"
#include "tests/crash/patience.h"
#include "tests/crash/site.h"
#include "tests/crash/tale.h"
#include "tests/crash/watchers.h"

namespace smsflow::crash {
namespace {

struct Flags {
  int cycles = 20;
  std::uint64_t seed = 0;
  int clients = 6;
  bool no_sync = false;
  bool crashfs = false;
  bool expect_loss = false;
  bool lies = false;
  bool keep = false;
  bool kafka = false;
  bool old_engine = false;
  std::string only;
  int disk_mb = 0;
  int stop_s = 60;
  std::string calls;
  int seconds = 0;
  std::string tests;  // folder of this program, and of smsflowd-crashfs
  std::string bin;
  std::string folder;
};

constexpr int kSkipped = 77;
constexpr std::int64_t kLongerOnKafkaS = 15;  // a broker takes that long to start

std::string ReadAll(const std::string& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

class Run {
 public:
  // `kafka`: null where engine and gateway meet over gRPC.
  Run(const Flags& flags, OwnKafka* kafka)
      : flags_(flags),
        kafka_(kafka),
        site_({.bin = flags.bin,
               .tests = flags.tests,
               .engine = flags.crashfs ? flags.tests + "/smsflowd-crashfs" : flags.bin + "/smsflowd",
               .folder = flags.folder,
               .no_sync = flags.no_sync,
               .brokers = kafka == nullptr ? "" : kafka->address()}),
        api_(site_.address()),
        book_(site_.File("acknowledged"), findings_),
        load_(api_, book_, findings_, site_.key(), flags.seed, kafka == nullptr ? 0 : kLongerOnKafkaS),
        kafka_load_(api_, book_, findings_, site_.key(), flags.seed, kLongerOnKafkaS),
        watchers_(api_, findings_),
        disturber_(site_, api_, book_, load_, findings_,
                   {flags.seed, flags.crashfs, flags.disk_mb != 0, kafka, flags.only, flags.stop_s, flags.calls}) {}

  // How many promises were broken.
  std::size_t Go() {
    site_.StartEngine();
    site_.StartGateway();
    if (disturber_.AwaitEngine()) {
      watchers_.Start();
      load_.Start(flags_.clients);
      if (kafka_ != nullptr) kafka_load_.Start(kafka_->address());
      const auto begun = std::chrono::steady_clock::now();
      const auto in_time = [&](int cycle) {  // a run without any disturbance would prove nothing
        return cycle == 1 || flags_.seconds == 0 || SinceMs(begun) < flags_.seconds * 1'000;
      };
      for (int cycle = 1; cycle <= flags_.cycles && in_time(cycle) && findings_.count() == 0; ++cycle)
        disturber_.Step(cycle);
      Settle();
    }
    load_.Stop();
    watchers_.Stop();
    return Report();
  }

 private:
  void Settle() {
    load_.Stop();
    if (disturber_.calls().TooFewCame())
      findings_.Add("hardly any call that was to fail did: the order did not arrive");
    if (kafka_ != nullptr && !kafka_load_.Stop()) findings_.Add("the broker did not take all records");
    if (findings_.count() != 0 || !disturber_.StillRunning()) return;
    if (kafka_ != nullptr) kafka_load_.Settle();
    if (!load_.SettleOpen()) findings_.Add("some calls never got an answer");
    std::cout << "drain" << std::endl;
    outcome_ =
        CheckAll(api_, book_, site_.File("truth"), /*patience_ms=*/kafka_ == nullptr ? 30'000 : 60'000, findings_);
    const std::uint64_t most = static_cast<std::uint64_t>(disturber_.windows_lost()) * site_.credit();
    if (outcome_.lost_window.size() > most) {
      findings_.Add(std::to_string(outcome_.lost_window.size()) + " became UNKNOWN, the windows lost allow " +
                        std::to_string(most) + "; one of them is " + IdText(outcome_.lost_window.front()),
                    outcome_.lost_window.front());
    }
    if (!disturber_.StillRunning()) return;
    watchers_.Check(book_, outcome_.journals, /*patience_ms=*/20'000);
    if (kafka_ != nullptr) kafka_load_.Check(outcome_.journals);
    if (!flags_.expect_loss && (book_.Acknowledged().empty() || outcome_.submits == 0))
      findings_.Add("nothing was acknowledged, or nothing submitted: a run that shows nothing");
    if (flags_.lies && findings_.count() == 0) Lie();
    disturber_.EndGracefully(site_.gateway, "gateway", std::chrono::seconds(5));
    disturber_.EndGracefully(site_.engine, "engine", std::chrono::seconds(12));
    // The gateway is honest and the folder always the same: what it shows, it was given.
    if (ReadAll(site_.File("engine.log")).find("never gave out") != std::string::npos) {
      findings_.Add("the engine does not know marks that it gave out; engine.log has the line");
    }
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

  void PrintFigures() const {
    const LoadFigures& load = load_.figures();
    const auto line = [](const char* what, auto count, const std::string& more = "") {
      std::cout << std::left << std::setw(30) << what << std::right << std::setw(9) << count
                << (more.empty() ? "" : "   " + more) << "\n";
    };
    const auto text = [](const auto& count) { return std::to_string(count); };
    std::cout << "\n";
    line("calls", load.calls.load(),
         text(load.lost_answers) + " answers lost, " + text(load.asked_again) + " asked again");
    line("streams", load.streams.load(), text(load.streams_cut) + " cut");
    line("rescheduled", load.rescheduled.load(), text(load.too_late) + " too late");
    line("canceled", load.cancels.load());
    line("blocked", load.blocks.load());
    line("strangers refused", load_.strangers().refused(), text(load_.strangers().unanswered()) + " unanswered");
    line("refused, the disk being full", load.refused.load());
    if (kafka_ != nullptr) {
      const KafkaLoad::Figures& kafka = kafka_load_.figures();
      line("records", kafka.records,
           text(kafka.scheduled) + " new, " + text(kafka.again) + " asked again, " + text(kafka.commands) +
               " commands, " + text(kafka.poison) + " poison, " + text(kafka.unknown) + " nobody knows of");
      line("producers made anew", kafka.remade);
      line("dead letters", kafka.letters);
      line("transitions that left", kafka.events);
    }
    line("transitions watched", watchers_.seen(), "resumed " + text(watchers_.cuts()) + " times");
    line("acknowledged", book_.Acknowledged().size());
    line("submitted", outcome_.submits);
    for (const auto& [state, count] : outcome_.states) line(("  " + state).c_str(), count);
    line("UNKNOWN in lost windows", outcome_.lost_window.size());
    line("kills", disturber_.kills());
    std::cout << "\n";
    disturber_.moments().Print(std::cout);
    disturber_.calls().Print(std::cout << "\n");
    std::cout << std::endl;
  }

  std::size_t Report() {
    PrintFigures();
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
    disturber_.AwaitEngine();
    std::ostringstream report;
    TellFindings(findings, book_, site_.File("truth"), api_, /*tales=*/10, report);
    std::ofstream(site_.File("report")) << report.str();
    std::cout << report.str() << std::flush;
  }

  const Flags flags_;
  OwnKafka* const kafka_;
  Findings findings_;
  Site site_;
  Api api_;
  Book book_;
  Load load_;
  KafkaLoad kafka_load_;
  Watchers watchers_;
  Disturber disturber_;
  Outcome outcome_;
};

// The gateway alone, for an engine of before: how many promises were broken.
std::size_t RunOldEngine(const Flags& flags, OwnKafka& kafka) {
  Findings findings;
  Site site({.bin = flags.bin,
             .tests = flags.tests,
             .engine = "",
             .folder = flags.folder,
             .brokers = kafka.address(),
             .old_engine = true});
  OldEngineRun run(site, kafka, flags.seed, findings);
  run.Go(flags.cycles);
  run.Print();
  std::ofstream report(site.File("report"));
  const auto found = findings.Take();
  for (const Finding& finding : found) {
    report << finding.what << "\n";
    std::cout << finding.what << std::endl;
  }
  return found.size();
}

// The command that repeats the choices of this run.
std::string Again(const Flags& flags) {
  std::string command = "tools/dev crash --seed " + std::to_string(flags.seed) + " --cycles " +
                        std::to_string(flags.cycles) + " --clients " + std::to_string(flags.clients);
  for (const auto& [set, name] :
       {std::pair(flags.crashfs, " --crashfs"), std::pair(flags.no_sync, " --no-sync"),
        std::pair(flags.lies, " --lies"), std::pair(flags.kafka, " --kafka"),
        std::pair(flags.old_engine, " --old-engine"), std::pair(flags.expect_loss, " --expect-loss")}) {
    if (set) command += name;
  }
  if (flags.disk_mb != 0) command += " --disk " + std::to_string(flags.disk_mb);
  if (!flags.only.empty()) command += " --only '" + flags.only + "'";
  if (!flags.calls.empty()) command += " --calls " + flags.calls;
  if (flags.stop_s != 60) command += " --stop-seconds " + std::to_string(flags.stop_s);
  return command;
}

// A disk of its own for the engine's data, of memory and so small; it goes with this process.
bool MountSmallDisk(const std::string& data, int megabytes) {
  if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return false;
  std::filesystem::create_directory(data);
  const std::string size = "size=" + std::to_string(megabytes) + "m,mode=0700";
  return ::mount("smsflow-crash", data.c_str(), "tmpfs", 0, size.c_str()) == 0;
}

int Main(Flags flags) {
  if (flags.seed == 0) flags.seed = crypto::Random64() % 1'000'000 + 1;
  if (flags.folder.empty()) {
    char folder[] = "/tmp/smsflow-crash-XXXXXX";  // short: the socket's path has a limit
    if (mkdtemp(folder) == nullptr) return 2;
    flags.folder = folder;
  }
  if (flags.disk_mb != 0 && !MountSmallDisk(flags.folder + "/data", flags.disk_mb)) {
    std::cout << "skipped: a small disk cannot be mounted here (" << std::strerror(errno) << ")\n";
    std::filesystem::remove_all(flags.folder);
    return kSkipped;
  }
  std::cout << "seed " << flags.seed << ", folder " << flags.folder << std::endl;
  std::optional<OwnKafka> kafka;
  if (flags.kafka) {
    spdlog::set_level(spdlog::level::off);  // its client speaks of each broker that is away
    kafka.emplace(flags.folder + "/kafka", /*life_s=*/900 + 60 * flags.cycles);
    if (!kafka->Open()) {
      std::cout << "no broker could be started:\n" << Tail(kafka->Log(), 8);
      return Tail(kafka->Log(), 1).find("skipped") != std::string::npos ? kSkipped : 2;
    }
  }
  const std::size_t broken =
      flags.old_engine ? RunOldEngine(flags, *kafka) : Run(flags, kafka ? &*kafka : nullptr).Go();
  kafka.reset();
  if (flags.disk_mb != 0) ::umount2((flags.folder + "/data").c_str(), MNT_DETACH);
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
  auto* kafka =
      app.add_flag("--kafka", flags.kafka, "engine and gateway meet on a broker, which is killed too; needs Java");
  auto* only = app.add_option("--only", flags.only, "one kind of disturbance alone, by its name")
                   ->check(CLI::IsMember(smsflow::crash::Disturber::Names()));
  app.add_flag("--old-engine", flags.old_engine,
               "with --kafka: the gateway serves an engine without attempts of its own; it and the broker are killed")
      ->needs(kafka)
      ->excludes(only);
  app.add_option("--disk", flags.disk_mb,
                 "a disk of so many megabytes for the data, to be filled; needs the right to mount")
      ->check(CLI::Range(64, 4096));
  app.add_option("--stop-seconds", flags.stop_s, "how long a long stop lasts")->check(CLI::Range(1, 3'600));
  app.add_option("--calls", flags.calls,
                 "a file that keeps which calls were told to fail: a run with the same file goes on behind them");
  app.add_option("--seconds", flags.seconds,
                 "but for the first no disturbance begins after so long; 0: only --cycles counts")
      ->check(CLI::Range(0, 1'000'000));
  app.add_flag("--keep", flags.keep, "keep logs and data also when all held");
  app.add_option("--bin", flags.bin, "folder of the programs")->check(CLI::ExistingDirectory);
  app.add_option("--dir", flags.folder, "an empty folder for everything; its path must be short");
  CLI11_PARSE(app, argc, argv);
  return smsflow::crash::Main(flags);
}
