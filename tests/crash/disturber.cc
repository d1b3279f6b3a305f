#include "tests/crash/disturber.h"

#include <signal.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <thread>

#include "crypto/seal.h"
#include "ids/ids.h"
#include "smsflow/stored/v1/gateway.pb.h"
#include "storage/rocks_store.h"
#include "tests/crash/patience.h"
#include "tests/crash/truth.h"

namespace smsflow::crash {
namespace {

using std::chrono::milliseconds;

constexpr int kKilled = 128 + SIGKILL;
#ifdef SMSFLOW_SANITIZED
constexpr bool kSanitized = true;  // nothing can be preloaded, and memory not be bounded
#else
constexpr bool kSanitized = false;
#endif
constexpr int kFatal = 75;                   // what smsflowd ends with; after 78 its unit would never start it again
constexpr std::int64_t kLongAwayMs = 2'000;  // with a gateway that attaches again, half of an attempt's patience

}  // namespace

Disturber::Disturber(Site& site, Api& api, const Book& book, const Load& load, Findings& findings, Options options)
    : site_(site),
      api_(api),
      book_(book),
      load_(load),
      findings_(findings),
      random_(options.seed),
      options_(std::move(options)),
      calls_(options_.calls, options_.seed * 613) {}

const std::vector<Disturber::Kind>& Disturber::Kinds() {
  static const std::vector<Kind> kinds = {
      {"kill the engine", 18, Kind::kAnywhere, &Disturber::KillEngine},
      {"kill the engine while it recovers", 14, Kind::kAnywhere, &Disturber::KillWhileRecovering},
      {"kill the engine while it compacts", 10, Kind::kAnywhere, &Disturber::KillWhileCompacting},
      {"kill the engine during its graceful stop", 8, Kind::kAnywhere, &Disturber::KillWhileStopping},
      {"kill the gateway", 14, Kind::kAnywhere, &Disturber::KillGateway},
      {"kill both", 10, Kind::kAnywhere, &Disturber::KillBoth},
      {"stop the engine for a while", 5, Kind::kAnywhere, &Disturber::StopEngine},
      {"stop the gateway for a while", 5, Kind::kAnywhere, &Disturber::StopGateway},
      {"end the engine gracefully", 4, Kind::kAnywhere, &Disturber::EndEngine},
      {"end the gateway gracefully", 3, Kind::kAnywhere, &Disturber::EndGateway},
      {"kill the engine at a sync", 14, Kind::kCrashFs, &Disturber::KillAtSync},
      {"let a sync of the engine fail", 8, Kind::kCrashFs, &Disturber::FailSync},
      {"let the engine's writes find no space", 4, Kind::kCrashFs, &Disturber::FillLog},
      {"let the disk fill", 4, Kind::kCrashFs, &Disturber::FillDisk},
      {"let a call of the engine fail", 14, Kind::kReal, &Disturber::FailCall},
      {"let a call of the gateway fail", 6, Kind::kReal, &Disturber::FailGatewayCall},
      {"turn the engine's clock", 6, Kind::kReal, &Disturber::TurnClock},
      {"give the engine little memory", 4, Kind::kReal, &Disturber::LittleMemory},
      {"fill the engine's disk", 8, Kind::kSmallDisk, &Disturber::FillSmallDisk},
      {"kill the broker", 20, Kind::kBroker, &Disturber::KillBroker},
      {"kill while the broker starts", 20, Kind::kBroker, &Disturber::KillWhileBrokerStarts},
      {"kill engine, gateway and broker in any order", 30, Kind::kBroker, &Disturber::KillInAnyOrder},
      {"stop the broker for a while", 10, Kind::kBroker, &Disturber::StopBroker},
      {"kill engine or gateway while there is no broker", 20, Kind::kBroker, &Disturber::KillBesideNoBroker},
      // Long, so only when asked for.
      {"no broker for a minute", 0, Kind::kBroker, &Disturber::NoBrokerForAMinute},
      {"stop the engine for a minute", 0, Kind::kAnywhere, &Disturber::StopEngineLong},
      {"stop the gateway for a minute", 0, Kind::kAnywhere, &Disturber::StopGatewayLong},
  };
  return kinds;
}

std::vector<std::string> Disturber::Names() {
  std::vector<std::string> names;
  for (const Kind& kind : Kinds()) names.push_back(kind.name);
  return names;
}

bool Disturber::Happens(const Kind& kind) const {
  if (!options_.only.empty()) return options_.only == kind.name;
  switch (kind.where) {
    case Kind::kAnywhere:
      return true;
    case Kind::kCrashFs:
      return options_.crashfs;
    case Kind::kReal:
      return !options_.crashfs && !kSanitized;
    case Kind::kSmallDisk:
      return options_.small_disk;
    case Kind::kBroker:
      return options_.kafka != nullptr;
  }
  return false;
}

milliseconds Disturber::Between(std::int64_t least_ms, std::int64_t most_ms) {
  return milliseconds(least_ms +
                      static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(most_ms - least_ms + 1)));
}
void Disturber::Pause(std::int64_t least_ms, std::int64_t most_ms) {
  std::this_thread::sleep_for(Between(least_ms, most_ms));
}
void Disturber::MaybeAbsence() {
  if (random_() % 4 == 0) Pause(0, 1500);
}

bool Disturber::AwaitEngine() {
  const auto start = std::chrono::steady_clock::now();
  const std::string nobody(InstanceId::Make(0, ShardId{0}, 0).AsBytes());
  while (SinceMs(start) < Patient(30'000)) {
    if (!StillRunning()) return false;
    if (!IsIndefinite(api_.Get(kTenants[0], nobody).status())) return true;
    std::this_thread::sleep_for(milliseconds(10));
  }
  findings_.Add("the engine does not answer " + std::to_string(SinceMs(start) / 1000) + " s after its start");
  return false;
}

bool Disturber::StillRunning() {
  for (auto [name, process] : {std::pair("engine", &site_.engine), std::pair("gateway", &site_.gateway)}) {
    if (process->running()) continue;
    findings_.Add(std::string("the ") + name + " ended by itself with status " +
                  std::to_string(process->Await(milliseconds(0)).value_or(-1)) + ":\n" +
                  Tail(site_.File(std::string(name) + ".log"), 8));
    return false;
  }
  return true;
}

void Disturber::Step(int cycle) {
  Pause(100, 1200);
  if (!StillRunning()) return;
  const auto weight = [this](const Kind& kind) { return !Happens(kind) ? 0 : options_.only.empty() ? kind.weight : 1; };
  int all = 0;
  for (const Kind& kind : Kinds()) all += weight(kind);
  if (all == 0) return;
  int dice = static_cast<int>(random_() % static_cast<std::uint64_t>(all));
  for (const Kind& kind : Kinds()) {
    if (dice < weight(kind)) {
      std::cout << "cycle " << cycle << ": " << kind.name << std::endl;
      (this->*kind.happen)();
      break;
    }
    dice -= weight(kind);
  }
  const auto start = std::chrono::steady_clock::now();
  if (AwaitEngine() && site_.EngineSaid("smsflowd ready"))
    start_ms_ = std::clamp<std::int64_t>(SinceMs(start), 20, 5'000);
  if (away_since_.has_value() && SinceMs(*away_since_) > kLongAwayMs) ++engine_long_away_;
  away_since_.reset();
}

void Disturber::EngineDies() {
  if (!away_since_.has_value()) away_since_ = std::chrono::steady_clock::now();
  site_.engine.Kill();
  ++kills_;
}

void Disturber::EngineEnded(std::chrono::steady_clock::time_point started) {
  if (SinceMs(started) < start_ms_ + kLongAwayMs) return;  // perhaps too short a life for the gateway to attach
  if (start_ms_ > kLongAwayMs) ++engine_long_away_;
  away_since_ = std::chrono::steady_clock::now();
}

void Disturber::KillEngine() {
  EngineDies();
  moments_.Note("engine killed under load", true);
  MaybeAbsence();
  site_.StartEngine();
}

void Disturber::KillWhileRecovering() {
  EngineDies();
  for (std::uint64_t times = 1 + random_() % 3; times > 0; --times) {
    site_.StartEngine();
    Pause(0, start_ms_);
    if (!StillRunning()) return;
    EngineDies();
    moments_.Note("engine killed while it recovers", !site_.EngineSaid("smsflowd ready"));
  }
  MaybeAbsence();
  site_.StartEngine();
}

// A start turns the log into tables, so that a compaction is near: the engine itself says when one runs.
void Disturber::KillWhileCompacting() {
  bool compacts = false, flushes = false;
  for (int starts = 0; starts < 3 && !compacts; ++starts) {
    EngineDies();
    site_.StartEngine();
    const auto start = std::chrono::steady_clock::now();
    while (!compacts && SinceMs(start) < 1'500) {
      if (!StillRunning()) return;
      const auto figures = api_.Stats();
      if (!figures.ok()) continue;
      const auto running = [&](const char* name) {
        return std::any_of(figures->begin(), figures->end(), [&](const auto& figure) {
          return figure.first.find(name) != std::string::npos && figure.second > 0;
        });
      };
      compacts = running("compactions_running");
      flushes = running("flushes_running");
      if (flushes && random_() % 4 == 0) break;
    }
  }
  EngineDies();
  moments_.Note("engine killed while it compacts", compacts);
  if (flushes) moments_.Note("… and while it writes a memtable to disk", true);
  site_.StartEngine();
}

void Disturber::KillWhileStopping() {
  site_.engine.Signal(SIGTERM);
  Pause(0, end_ms_);
  EngineDies();
  const int status = site_.engine.Await(milliseconds(0)).value_or(-1);
  if (status != 0 && status != kKilled) {
    findings_.Add("the engine ended with status " + std::to_string(status) + ":\n" + Tail(site_.File("engine.log"), 8));
  }
  moments_.Note("engine killed during its graceful stop", status == kKilled && site_.EngineSaid("stopping"));
  MaybeAbsence();
  site_.StartEngine();
}

void Disturber::GatewayDies() {
  site_.gateway.Kill();
  ++kills_;
  ++gateway_disturbed_;
}

void Disturber::KillGateway() {
  GatewayDies();
  moments_.Note("gateway killed under load", true);
  CountIntents();
  MaybeAbsence();
  site_.StartGateway();
}

void Disturber::KillBoth() {
  if (random_() % 2 == 0) {
    EngineDies();
    GatewayDies();
  } else {
    GatewayDies();
    EngineDies();
  }
  moments_.Note("both killed at once", true);
  CountIntents();
  MaybeAbsence();
  if (random_() % 2 == 0) {
    site_.StartEngine();
    site_.StartGateway();
  } else {
    site_.StartGateway();
    Pause(0, 500);
    site_.StartEngine();
  }
}

void Disturber::CountIntents() {
  const auto rows =
      storage::RocksStore::Open({.path = site_.File("gateway"), .read_only = true, .file_system = nullptr});
  if (!rows.ok()) return findings_.Add("the gateway's store: " + rows.status().ToString());
  Findings none;
  const Truth truth = ReadTruth(site_.File("truth"), none);
  bool intent = false, unsubmitted = false, unanswered = false;
  for (auto row = (*rows)->Scan(storage::Family::kQueues, "U", "V"); row->Valid(); row->Next()) {
    std::string key(row->key()), scratch;
    key[0] = 'A';
    const auto value = (*rows)->Get(storage::Family::kInstances, key);
    if (!value.ok() || !value->has_value()) continue;
    const auto opened = crypto::Open("gateway", key, **value, scratch);
    stored::v1::GatewayAttempt attempt;
    if (!opened.ok() || !attempt.ParseFromString(std::string(*opened))) continue;
    (attempt.result() == 0 ? intent : unanswered) = true;
    unsubmitted = unsubmitted || (attempt.result() == 0 && !truth.contains(key.substr(key.size() - 20, 16)));
  }
  moments_.Note("… between INTENT and result", intent);
  moments_.Note("… between INTENT and submit", unsubmitted);
  moments_.Note("… between result and the engine's answer to it", unanswered);
}

void Disturber::StopEngine() {
  site_.engine.Signal(SIGSTOP);
  Pause(100, 1500);
  site_.engine.Signal(SIGCONT);
  moments_.Note("engine stopped for a while", true);
}

void Disturber::StopGateway() {
  site_.gateway.Signal(SIGSTOP);
  Pause(100, 1500);
  site_.gateway.Signal(SIGCONT);
  ++gateway_disturbed_;
  moments_.Note("gateway stopped for a while", true);
}

void Disturber::EndGracefully(Process& process, const std::string& name, milliseconds within) {
  const auto start = std::chrono::steady_clock::now();
  if (name == "engine") away_since_ = start;
  process.Signal(SIGTERM);
  const auto status = process.Await(milliseconds(Patient(within.count())));
  if (!status.has_value()) {
    findings_.Add("the " + name + " did not end within " + std::to_string(SinceMs(start)) + " ms:\n" +
                  Tail(site_.File(name + ".log"), 8));
  } else if (*status != 0) {
    findings_.Add("the " + name + " ended with status " + std::to_string(*status) + ":\n" +
                  Tail(site_.File(name + ".log"), 8));
  }
  if (name == "engine") end_ms_ = std::clamp<std::int64_t>(SinceMs(start), 10, 3'000);
  process.Kill();
}

void Disturber::EndEngine() {
  EndGracefully(site_.engine, "engine", milliseconds(12'000));
  moments_.Note("engine ended gracefully", true);
  site_.StartEngine();
}

void Disturber::EndGateway() {
  EndGracefully(site_.gateway, "gateway", milliseconds(5'000));
  ++gateway_disturbed_;
  moments_.Note("gateway ended gracefully", true);
  site_.StartGateway();
}

int Disturber::EndByFault(const EngineStart& how, const std::string& order) {
  EngineDies();
  const auto started = std::chrono::steady_clock::now();
  site_.StartEngine(how);
  const auto code = site_.engine.Await(milliseconds(Patient(8'000)));
  EngineEnded(started);
  if (!code.has_value() && (site_.EngineSaid("crashfs: ") || site_.EngineSaid("call-faults: "))) {
    findings_.Add("the engine goes on for long after " + order + " came true:\n" + Tail(site_.File("engine.log"), 8));
  }
  if (!code.has_value()) EngineDies();
  site_.StartEngine();
  return code.value_or(-1);
}

// Not somewhere near a moment, but at it: with this many of these files durable and not one more.
void Disturber::KillAtSync() {
  static const std::array<std::pair<const char*, int>, 6> files{
      {{"log", 150}, {"table", 12}, {"manifest", 6}, {"mark", 8}, {"directory", 6}, {"any", 40}}};
  const auto& [kind, most] = files[random_() % files.size()];
  const std::string when = AnyOf({"before", "after"});
  const std::string order =
      "kill-" + when + ":" + kind + ":" + std::to_string(1 + random_() % static_cast<unsigned>(most));
  const int code = EndByFault({{"CRASHFS_FAULT=" + order}, 0}, order);
  moments_.Note("engine killed just " + when + " a sync of " + kind, code == kKilled);
  if (code != -1 && code != kKilled) {
    findings_.Add("the engine ended with status " + std::to_string(code) + ":\n" + Tail(site_.File("engine.log"), 8));
  }
}

void Disturber::FailSync() {
  static const std::array<std::pair<const char*, int>, 5> files{
      {{"log", 150}, {"table", 12}, {"manifest", 6}, {"mark", 8}, {"directory", 6}}};
  const auto& [kind, most] = files[random_() % files.size()];
  const std::string what = AnyOf({"fail-before", "fail-after"});
  const std::string order = what + ":" + kind + ":" + std::to_string(1 + random_() % static_cast<unsigned>(most));
  const int code = EndByFault({{"CRASHFS_FAULT=" + order}, 0}, order);
  moments_.Note(std::string("engine ended by a failed sync of ") + kind, code != -1);
  LookAtEnd(code, order);
}

void Disturber::FillLog() {
  const std::string kind = AnyOf({"log", "any", "table"});
  const std::string order = "full:" + kind + ":" + std::to_string(1 + random_() % (kind == "table" ? 30 : 300));
  const int code = EndByFault({{"CRASHFS_FAULT=" + order}, 0}, order);
  moments_.Note("engine ended by writes without space to " + kind, code != -1);
  LookAtEnd(code, order);
}

void Disturber::LookAtEnd(int code, const std::string& order) {
  if (code == -1) return;
  moments_.Note("… with exit code " + std::to_string(code), true);
  if (code != kFatal) {
    findings_.Add(order + " ended the engine with status " + std::to_string(code) + ":\n" +
                  Tail(site_.File("engine.log"), 8));
  }
}

// As the guard sees it: nearly full, until somebody makes room. In some runs the engine dies meanwhile, and must refuse
// to start, for RocksDB would abort.
void Disturber::FillDisk() {
  std::ofstream(site_.File("free")) << 0;
  if (AwaitRefusals("disk full: new SMSes refused")) AwaitOldWork();
  Pause(200, 1500);
  if (!StillRunning()) return;
  if (random_() % 2 == 0) {
    EngineDies();
    site_.StartEngine();
    const auto code = site_.engine.Await(milliseconds(Patient(20'000)));
    const bool right = code == kFatal && site_.EngineSaid("is full");
    moments_.Note("disk full: no start on it, and it says so", right);
    if (!right) findings_.Add("it started on a full disk, or would not again:\n" + Tail(site_.File("engine.log"), 8));
    if (!code.has_value()) EngineDies();
    std::filesystem::remove(site_.File("free"));
    site_.StartEngine();
  } else {
    std::filesystem::remove(site_.File("free"));
  }
  AwaitNewWork("disk with room again");
}

void Disturber::AwaitNewWork(const std::string& what) {
  constexpr std::int64_t kWithinMs = 30'000;
  const std::size_t known = book_.Acknowledged().size();
  const auto begun = std::chrono::steady_clock::now();
  bool again = false;
  // However busy the machine is, so that it can be told how late it was.
  while (!again && SinceMs(begun) < 5 * kWithinMs) {
    if (!StillRunning()) return;
    std::this_thread::sleep_for(milliseconds(50));
    again = book_.Acknowledged().size() > known + 3;
  }
  const std::int64_t took_ms = SinceMs(begun);
  std::cout << what << ": new SMSes taken after " << took_ms << " ms" << std::endl;
  const bool in_time = again && took_ms <= Patient(kWithinMs);
  moments_.Note(what + ": new SMSes taken within 30 s", again && took_ms <= kWithinMs);
  if (!in_time) findings_.Add(what + ", and nothing new is taken for " + std::to_string(took_ms / 1'000) + " s");
}

}  // namespace smsflow::crash
