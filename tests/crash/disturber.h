// Kills, stops and ends engine and gateway at random moments, lets the disk below the engine fail, starts them again,
// and counts which moments were truly met. Used from the main thread, as processes are.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/crash/api.h"
#include "tests/crash/book.h"
#include "tests/crash/call_orders.h"
#include "tests/crash/findings.h"
#include "tests/crash/load.h"
#include "tests/crash/moments.h"
#include "tests/crash/own_kafka.h"
#include "tests/crash/site.h"

namespace smsflow::crash {

class Disturber {
 public:
  struct Options {
    std::uint64_t seed = 0;
    bool crashfs = false;       // the engine stands on the file layer that forgets, and can be made to fail
    bool small_disk = false;    // its data has a disk of its own, which can be filled
    OwnKafka* kafka = nullptr;  // the broker between engine and gateway; null: there is none
    std::string only;           // the name of the one kind of disturbance that there is to be; empty: any
    int stop_s = 60;            // how long a long stop lasts
    std::string calls;          // the record of which calls failed, see CallOrders
  };
  // All outlive it.
  Disturber(Site& site, Api& api, const Book& book, const Load& load, Findings& findings, Options options);
  static std::vector<std::string> Names();

  // True when the engine answers. A process that ended by itself is a finding.
  bool AwaitEngine();
  bool StillRunning();
  // A while of peace, and then one disturbance, drawn at random; the engine answers again when it returns.
  void Step(int cycle);
  // SIGTERM, and it must end well in time.
  void EndGracefully(Process& process, const std::string& name, std::chrono::milliseconds within);

  const Moments& moments() const { return moments_; }
  const CallOrders& calls() const { return calls_; }
  int kills() const { return kills_; }
  // How often the window may have been lost: the gateway was disturbed, or the engine so long away that the time of an
  // attempt was over before anybody could be asked.
  int windows_lost() const { return gateway_disturbed_ + engine_long_away_; }

 private:
  struct Kind {
    const char* name;
    int weight;
    enum Where { kAnywhere, kCrashFs, kReal, kSmallDisk, kBroker } where;  // on which file layer it is possible
    void (Disturber::*happen)();
  };
  static const std::vector<Kind>& Kinds();

  void KillEngine();
  void KillWhileRecovering();
  void KillWhileCompacting();
  void KillWhileStopping();
  void KillGateway();
  void KillBoth();
  void StopEngine();
  void StopGateway();
  void EndEngine();
  void EndGateway();
  void KillAtSync();
  void FailSync();
  void FillLog();
  void FillDisk();
  void FailCall();
  void FailGatewayCall();
  void TurnClock();
  void LittleMemory();
  void TurnClockWhileRunning(std::int64_t& wrong_ms);
  void TurnClockBeforeStart(std::int64_t& wrong_ms);
  void StopEngineLong();
  void StopGatewayLong();
  void FillSmallDisk();
  void FillToTheLastByte(const std::string& filler);
  bool LeaveRoom(const std::string& filler, std::uint64_t leave);
  bool StartedAgain(std::chrono::milliseconds within, int& ended);
  void KillBroker();
  void KillWhileBrokerStarts();
  void KillInAnyOrder();
  void StopBroker();
  void NoBrokerForAMinute();
  void KillBesideNoBroker();

  std::chrono::milliseconds Between(std::int64_t least_ms, std::int64_t most_ms);
  void Pause(std::int64_t least_ms, std::int64_t most_ms);
  // Sometimes nobody is there for a while.
  void MaybeAbsence();
  void EngineDies();
  void BrokerDies();
  // Starts the broker, when it does not run, and waits until it does, and a while longer.
  bool AwaitBroker();
  // What stands in the store of the gateway that was just killed.
  void GatewayDies();
  void CountIntents();
  // Starts the engine with an order to its file layer, and waits until it has ended by it. The exit code; -1: it did
  // not come true.
  int EndByFault(const EngineStart& how, const std::string& order);
  // A life that began then is over, with what it was ordered to meet.
  void EngineEnded(std::chrono::steady_clock::time_point started);
  // A code of EndByFault(): it must be the one after which its unit starts it again.
  void LookAtEnd(int code, const std::string& order);
  bool Happens(const Kind& kind) const;
  using Said = std::function<bool(const std::string&)>;  // whether a process said that since it was started
  static bool MayBeSurvived(const CallOrder& order, const Said& said);
  // How that process ended by it; none: it goes on.
  std::optional<int> AwaitFault(const CallOrder& order, Process& process, const Said& said, bool& came);
  // Until new SMSes are refused, the disk being full.
  bool AwaitRefusals(const std::string& moment);
  // Until cancels, blocks and reports were taken that began after new SMSes were refused.
  void AwaitOldWork();
  // Until new SMSes are taken again, though `what` happened before.
  void AwaitNewWork(const std::string& what);
  // Stops it as a busy or a sleeping machine would, for long.
  void StopLong(Process& process, const std::string& name);
  bool AwaitSubmits(std::int64_t within_ms);
  // A figure of the engine by name; -1: it does not say.
  double Figure(const std::string& name);
  bool AwaitFigure(const std::string& name, double wanted, std::int64_t within_ms);
  std::string AnyOf(const std::vector<std::string>& words) { return words[random_() % words.size()]; }

  Site& site_;
  Api& api_;
  const Book& book_;
  const Load& load_;
  Findings& findings_;
  std::mt19937_64 random_;
  const Options options_;
  Moments moments_;
  std::int64_t start_ms_ = 200, end_ms_ = 50;  // how long the last start and the last graceful end took
  int kills_ = 0, gateway_disturbed_ = 0, engine_long_away_ = 0;
  std::optional<std::chrono::steady_clock::time_point> away_since_;  // nobody answers in the engine's place
  CallOrders calls_;
};

}  // namespace smsflow::crash
