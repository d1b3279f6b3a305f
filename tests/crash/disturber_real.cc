// What the machine does to a real engine: calls that fail, a clock that jumps, too little memory, a full disk, a minute
// in which nothing runs.
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>
#include <utility>

#include "tests/crash/disturber.h"
#include "tests/crash/patience.h"

namespace smsflow::crash {
namespace {

using std::chrono::milliseconds;

constexpr int kFatal = 75;  // after 78 the unit would never start it again

}  // namespace

// A read that fails once, or a write that is cut short, may also do no harm; and a table that found no room is written
// again, from what is still there.
bool Disturber::MayBeSurvived(const CallOrder& order, const Said& said) {
  return order.error == "short" || order.call == "open" ||
         (order.error == "ENOSPC" && said("(ENOSPC) on ") && said(".sst\n"));
}

std::optional<int> Disturber::AwaitFault(const CallOrder& order, Process& process, const Said& said, bool& came) {
  const auto start = std::chrono::steady_clock::now();
  std::optional<int> code;
  // Long enough to come true under load, where it will at all, and then to end.
  for (std::int64_t left_ms = order.call == "open" || order.call == "rename" ? 4'000 : 8'000;
       SinceMs(start) < Patient(left_ms) && !code.has_value();) {
    code = process.Await(milliseconds(50));
    if (came || !said("call-faults: ")) continue;
    came = true;
    left_ms = SinceMs(start) + 6'000;
  }
  came = came || said("call-faults: ");
  calls_.Note(order, came);
  return code;
}

// It must end with a word and a code of its own, and be whole when it is started again.
void Disturber::FailCall() {
  const CallOrder order = calls_.Next();
  EngineDies();
  const auto started = std::chrono::steady_clock::now();
  site_.StartEngine(site_.WithCallFault(order.text()));
  bool came = false;
  const Said said = [this](const std::string& words) { return site_.EngineSaid(words); };
  const auto code = AwaitFault(order, site_.engine, said, came);
  EngineEnded(started);
  moments_.Note("engine: the " + order.what() + ", came true", came);
  if (!code.has_value()) {
    moments_.Note("… and did no harm", came);
    if (came && !MayBeSurvived(order, said)) {
      findings_.Add("the engine goes on after " + order.text() + " came true:\n" + Tail(site_.File("engine.log"), 8));
    }
    EngineDies();
  } else {
    moments_.Note("… ended with exit code " + std::to_string(*code), true);
    const bool clean = *code == kFatal;
    const bool told = said("going on would be wrong") || said("smsflowd: ");
    if (!came || !clean || !told) {
      findings_.Add("after " + order.text() + " the engine ended with status " + std::to_string(*code) +
                    (told ? "" : " and without a word") + ":\n" + Tail(site_.File("engine.log"), 8));
    }
  }
  site_.StartEngine();
}

// The same of the gateway, whose store is what keeps an attempt from being submitted twice.
void Disturber::FailGatewayCall() {
  const CallOrder order = calls_.Next();
  GatewayDies();
  site_.StartGateway(site_.GatewayWithCallFault(order.text()));
  bool came = false;
  const Said said = [this](const std::string& words) { return site_.GatewaySaid(words); };
  const auto code = AwaitFault(order, site_.gateway, said, came);
  moments_.Note("gateway: the " + order.what() + ", came true", came);
  if (!code.has_value()) {
    moments_.Note("… and did the gateway no harm", came);
    if (came && !MayBeSurvived(order, said)) {
      findings_.Add("the gateway goes on after " + order.text() + " came true:\n" + Tail(site_.File("gateway.log"), 8));
    }
    GatewayDies();
  } else {
    ++gateway_disturbed_;
    moments_.Note("… ended the gateway with exit code " + std::to_string(*code), true);
    const bool told = said("; stopping") || said("smsflow-gateway: ");
    if (!came || *code != kFatal || !told) {
      findings_.Add("after " + order.text() + " the gateway ended with status " + std::to_string(*code) +
                    (told ? "" : " and without a word") + ":\n" + Tail(site_.File("gateway.log"), 8));
    }
  }
  site_.StartGateway();
}

double Disturber::Figure(const std::string& name) {
  const auto figures = api_.Stats();
  if (!figures.ok()) return -1;
  const auto figure = figures->find(name);
  return figure == figures->end() ? -1 : figure->second;
}

bool Disturber::AwaitFigure(const std::string& name, double wanted, std::int64_t within_ms) {
  const auto start = std::chrono::steady_clock::now();
  while (SinceMs(start) < Patient(within_ms)) {
    if (Figure(name) == wanted) return true;
    std::this_thread::sleep_for(milliseconds(20));
  }
  return false;
}

// Ten minutes and more, and then right again: nothing leaves meanwhile, and all goes on afterwards.
void Disturber::TurnClock() {
  const std::string file = site_.File("clock");
  std::int64_t none = 0;
  std::ofstream(file, std::ios::binary).write(reinterpret_cast<const char*>(&none), sizeof none);
  const int fd = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
  void* page = ::mmap(nullptr, sizeof none, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  if (page == MAP_FAILED) return findings_.Add("the clock's file cannot be mapped");
  auto& wrong_ms = *static_cast<std::int64_t*>(page);
  if (random_() % 3 == 0)
    TurnClockBeforeStart(wrong_ms);
  else
    TurnClockWhileRunning(wrong_ms);
  ::munmap(page, sizeof none);
}

void Disturber::TurnClockWhileRunning(std::int64_t& wrong_ms) {
  EngineDies();
  site_.StartEngine(site_.WithTurnedClock());
  if (!AwaitEngine()) return;
  const bool forward = random_() % 2 == 0;
  const std::int64_t turn_ms = Between(600'000, 86'400'000).count();
  __atomic_store_n(&wrong_ms, forward ? turn_ms : -turn_ms, __ATOMIC_RELAXED);
  const bool noticed = AwaitFigure("smsflow_clock_guard", 1, 5'000);
  Pause(200, 2'000);
  __atomic_store_n(&wrong_ms, 0, __ATOMIC_RELAXED);
  const bool ended = AwaitFigure("smsflow_clock_guard", 0, 5'000);
  moments_.Note(std::string("engine's clock turned ") + (forward ? "forward" : "back") + ": nothing fires", noticed);
  moments_.Note("engine's clock right again: it goes on", ended);
  if (!noticed || !ended) findings_.Add("the clock was turned, and the guard did not begin, or did not end");
}

// As a machine without a battery starts, until its time daemon has found the time.
void Disturber::TurnClockBeforeStart(std::int64_t& wrong_ms) {
  EngineDies();
  wrong_ms = -Between(600'000, 86'400'000).count();
  site_.StartEngine(site_.WithTurnedClock());
  if (!AwaitEngine()) return;
  const bool noticed = AwaitFigure("smsflow_clock_guard", 1, 5'000);
  Pause(200, 2'000);
  __atomic_store_n(&wrong_ms, 0, __ATOMIC_RELAXED);
  const bool ended = AwaitFigure("smsflow_clock_guard", 0, 5'000);
  moments_.Note("engine started with its clock turned back: nothing fires", noticed);
  moments_.Note("engine's clock put right after its start: it goes on", ended);
  if (!noticed || !ended)
    findings_.Add("it started by a clock that was behind, and the guard did not begin, or did not end");
}

// It may refuse to start, refuse work, or die; what it answered must be there afterwards. Some libraries abort
// without a word of why, but what is thrown has its own end, and no assertion may fail but librdkafka's own of what it
// allocates (rd.h). gRPC does not look whether it was given memory, nor does jemalloc whether a new thread could get an
// arena.
void Disturber::LittleMemory() {
  const std::uint64_t megabytes = 64ULL << (random_() % 5);
  EngineDies();
  site_.StartEngine(site_.WithLittleMemory((megabytes + random_() % megabytes) << 20));
  const auto code = site_.engine.Await(milliseconds(Patient(2'000)));
  moments_.Note("engine with little memory, ended by it", code.has_value());
  if (code.has_value()) {
    moments_.Note("… with status " + std::to_string(*code), true);
    const bool careless = *code == 128 + SIGSEGV && site_.EngineSaid("call-faults: used what was not given, in ") &&
                          (site_.EngineSaid("/libgrpc") || site_.EngineSaid("/libjemalloc"));
    const bool assertion = site_.EngineSaid("Assertion") && !site_.EngineSaid("smsflowd: rd.h:");
    const bool library = *code == 128 + SIGABRT && !site_.EngineSaid("terminate called") && !assertion;
    if (*code != kFatal && !library && !careless) {
      findings_.Add("with little memory the engine ended with status " + std::to_string(*code) + ":\n" +
                    Tail(site_.File("engine.log"), 8));
    }
  } else {
    EngineDies();
  }
  site_.StartEngine();
}

void Disturber::StopLong(Process& process, const std::string& name) {
  const std::uint64_t lost = load_.figures().lost_answers;
  process.Signal(SIGSTOP);
  std::this_thread::sleep_for(std::chrono::seconds(options_.stop_s));
  const bool missed = load_.figures().lost_answers != lost;
  process.Signal(SIGCONT);
  moments_.Note(name + " stopped for " + (options_.stop_s == 60 ? "a minute" : std::to_string(options_.stop_s) + " s"),
                true);
  if (&process == &site_.engine) moments_.Note("… and calls ended without an answer", missed);
}

void Disturber::StopEngineLong() {
  StopLong(site_.engine, "engine");
  AwaitNewWork("engine goes on after a long stop");
}

void Disturber::StopGatewayLong() {
  StopLong(site_.gateway, "gateway");
  ++gateway_disturbed_;
  const bool again = AwaitSubmits(30'000);
  moments_.Note("gateway goes on after a long stop: SMSes are submitted", again);
  if (!again) findings_.Add("the gateway goes on after a long stop, and nothing is submitted");
}

// What left since now.
bool Disturber::AwaitSubmits(std::int64_t within_ms) {
  const auto size = [this] {
    std::error_code none;
    const std::uintmax_t bytes = std::filesystem::file_size(site_.File("truth"), none);
    return none ? 0 : bytes;
  };
  const std::uintmax_t before = size();
  const auto start = std::chrono::steady_clock::now();
  while (SinceMs(start) < Patient(within_ms)) {
    if (!StillRunning()) return false;
    if (size() > before) return true;
    std::this_thread::sleep_for(milliseconds(50));
  }
  return false;
}

bool Disturber::AwaitRefusals(const std::string& moment) {
  const std::uint64_t refused = load_.figures().refused;
  const auto filled = std::chrono::steady_clock::now();
  while (load_.figures().refused == refused && SinceMs(filled) < Patient(10'000))
    std::this_thread::sleep_for(milliseconds(20));
  const bool noticed = load_.figures().refused != refused;
  moments_.Note(moment, noticed);
  if (!noticed) findings_.Add("the disk is full, and nobody was refused");
  return noticed;
}

void Disturber::AwaitOldWork() {
  const LoadFigures& load = load_.figures();
  // Each client may have asked before.
  const std::uint64_t cancels = load.cancels + load_.clients(), blocks = load.blocks + load_.clients();
  const double reports = Figure("smsflow_reports_total");
  const auto begun = std::chrono::steady_clock::now();
  bool canceled = false, blocked = false, reported = false;
  while (!(canceled && blocked && reported) && SinceMs(begun) < Patient(20'000)) {
    std::this_thread::sleep_for(milliseconds(50));
    canceled = load.cancels > cancels;
    blocked = load.blocks > blocks;
    reported = reports >= 0 && Figure("smsflow_reports_total") > reports;
  }
  for (const auto& [what, taken] : {std::pair("cancels", canceled), {"blocks", blocked}, {"reports", reported}}) {
    moments_.Note(std::string("… and ") + what + " taken", taken);
    if (!taken) findings_.Add(std::string("the disk is full, and no ") + what + " are taken");
  }
}

// Takes of the engine's disk all but so much, in a file of somebody else's.
bool Disturber::LeaveRoom(const std::string& filler, std::uint64_t leave) {
  struct statvfs disk {};
  if (::statvfs(site_.File("data").c_str(), &disk) != 0) return false;
  const auto room = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
  std::error_code none;
  const std::uintmax_t has = std::filesystem::exists(filler, none) ? std::filesystem::file_size(filler, none) : 0;
  const int fd = ::open(filler.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  const bool filled =
      room <= leave || ::posix_fallocate(fd, static_cast<off_t>(has), static_cast<off_t>(room - leave)) == 0;
  ::close(fd);
  return filled;
}

// New work is refused, and reports and cancels go on being taken; or, in half of them, there is no byte left.
void Disturber::FillSmallDisk() {
  const std::string filler = site_.File("data") + "/filler";
  if (random_() % 2 == 0) return FillToTheLastByte(filler);
  const double reserve = Figure("smsflow_disk_reserve_bytes");
  if (reserve < 0) return findings_.Add("the disk's room cannot be told");
  if (!LeaveRoom(filler, static_cast<std::uint64_t>(reserve) / 2)) return findings_.Add("the disk cannot be filled");
  const bool noticed = AwaitRefusals("small disk full: new SMSes refused");
  if (noticed) AwaitOldWork();
  Pause(0, 2'000);
  if (noticed && Figure("smsflow_disk_guard") != 1) findings_.Add("the disk is full, and new SMSes are taken");
  if (!StillRunning()) return;
  std::filesystem::remove(filler);
  AwaitNewWork("disk with room again");
}

// What the engine gives back is taken too. It may end, and must then be one that its unit starts again, as often as
// that takes; and all of it goes on once there is room.
void Disturber::FillToTheLastByte(const std::string& filler) {
  const auto started = std::chrono::steady_clock::now();
  const auto till = started + Between(1'000, 4'000);
  int ended = 0;
  bool full = false;
  while (std::chrono::steady_clock::now() < till) {
    full = LeaveRoom(filler, 0) || full;
    if (!StartedAgain(milliseconds(100), ended)) break;
  }
  moments_.Note("small disk full to the last byte", full);
  moments_.Note("… and the engine ended, and was started again", ended > 0);
  std::filesystem::remove(filler);
  // One that began before there was room may still find none.
  for (int times = 0; times < 10 && site_.engine.Await(milliseconds(Patient(1'000))).has_value(); ++times) {
    if (!StartedAgain(milliseconds(0), ended)) break;
  }
  if (ended > 0) EngineEnded(started);
  if (AwaitEngine()) AwaitNewWork("disk with room after the last byte");
}

// As its unit does when the engine ended within so long. False: it would not, and that is told.
bool Disturber::StartedAgain(milliseconds within, int& ended) {
  const auto code = site_.engine.Await(within);
  if (!code.has_value()) return true;
  ++ended;
  LookAtEnd(*code, "a disk without a byte");
  if (*code != kFatal) return false;
  site_.StartEngine();
  return true;
}

}  // namespace smsflow::crash
