// What the machine does to a real engine: calls that fail, a clock that jumps, too little memory, a full disk, a minute
// in which nothing runs.
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/crash/disturber.h"
#include "tests/crash/patience.h"

namespace smsflow::crash {
namespace {

using std::chrono::milliseconds;

constexpr int kFatal = 75, kRefused = 78;

}  // namespace

// The n-th call of its kind on a file of the data, n up to 200: it must end with a word and a code of its own, and be
// whole when it is started again. A read that fails once, or a write that is cut short, may also do no harm.
void Disturber::FailCall() {
  static const std::array<std::pair<const char*, const char*>, 7> calls{{{"fdatasync", "EIO"},
                                                                         {"fdatasync", "ENOSPC"},
                                                                         {"write", "EIO"},
                                                                         {"write", "ENOSPC"},
                                                                         {"write", "short"},
                                                                         {"open", "EIO"},
                                                                         {"rename", "EIO"}}};
  const auto& [call, error] = calls[random_() % calls.size()];
  const std::string what = std::string(call) + " with " + error;
  const unsigned most = std::strcmp(call, "rename") == 0 ? 3 : std::strcmp(call, "open") == 0 ? 40 : 200;
  const std::string order = std::string(call) + ":" + error + ":" + std::to_string(1 + random_() % most);
  EngineDies();
  site_.StartEngine(site_.WithCallFault(order));
  const auto start = std::chrono::steady_clock::now();
  std::optional<int> code;
  // Long enough to come true under load, and then to end.
  bool came = false;
  for (std::int64_t left_ms = 4'000; SinceMs(start) < Patient(left_ms) && !code.has_value();) {
    code = site_.engine.Await(milliseconds(50));
    if (came || !site_.EngineSaid("call-faults: ")) continue;
    came = true;
    left_ms = SinceMs(start) + 6'000;
  }
  came = came || site_.EngineSaid("call-faults: ");
  moments_.Note("engine: the n-th " + what + ", came true", came);
  if (!code.has_value()) {
    moments_.Note("… and did no harm", came);
    const bool may = std::strcmp(error, "short") == 0 || std::strcmp(call, "open") == 0;
    if (came && !may) {
      findings_.Add("the engine goes on after " + order + " came true:\n" + Tail(site_.File("engine.log"), 8));
    }
    EngineDies();
  } else {
    moments_.Note("… ended with exit code " + std::to_string(*code), true);
    const bool clean = *code == kFatal || *code == kRefused;
    const bool said = site_.EngineSaid("going on would be wrong") || site_.EngineSaid("smsflowd: ");
    if (!came || !clean || !said) {
      findings_.Add("after " + order + " the engine ended with status " + std::to_string(*code) +
                    (said ? "" : " and without a word") + ":\n" + Tail(site_.File("engine.log"), 8));
    }
  }
  site_.StartEngine();
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

// Ten minutes and more, forward or back, and then right again: nothing leaves meanwhile, and all goes on afterwards.
void Disturber::TurnClock() {
  const std::string file = site_.File("clock");
  std::int64_t none = 0;
  std::ofstream(file, std::ios::binary).write(reinterpret_cast<const char*>(&none), sizeof none);
  EngineDies();
  site_.StartEngine(site_.WithTurnedClock());
  if (!AwaitEngine()) return;
  const int fd = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
  void* page = ::mmap(nullptr, sizeof none, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  if (page == MAP_FAILED) return findings_.Add("the clock's file cannot be mapped");
  auto* wrong_ms = static_cast<std::int64_t*>(page);
  const bool forward = random_() % 2 == 0;
  const std::int64_t turn_ms = Between(600'000, 86'400'000).count();
  __atomic_store_n(wrong_ms, forward ? turn_ms : -turn_ms, __ATOMIC_RELAXED);
  const bool noticed = AwaitFigure("smsflow_clock_guard", 1, 5'000);
  Pause(200, 2'000);
  __atomic_store_n(wrong_ms, 0, __ATOMIC_RELAXED);
  const bool ended = AwaitFigure("smsflow_clock_guard", 0, 5'000);
  ::munmap(page, sizeof none);
  moments_.Note(std::string("engine's clock turned ") + (forward ? "forward" : "back") + ": nothing fires", noticed);
  moments_.Note("engine's clock right again: it goes on", ended);
  if (!noticed || !ended) findings_.Add("the clock was turned, and the guard did not begin, or did not end");
}

// It may refuse to start, refuse work, or die; what it answered must be there afterwards.
void Disturber::LittleMemory() {
  const std::uint64_t megabytes = 64ULL << (random_() % 5);
  EngineDies();
  EngineStart how;
  how.address_space_bytes = (megabytes + random_() % megabytes) << 20;
  site_.StartEngine(how);
  const auto code = site_.engine.Await(milliseconds(Patient(2'000)));
  moments_.Note("engine with little memory: " +
                    std::string(code.has_value() ? "ended with status " + std::to_string(*code) : "went on"),
                true);
  if (!code.has_value()) EngineDies();
  site_.StartEngine();
}

void Disturber::StopEngineLong() {
  site_.engine.Signal(SIGSTOP);
  std::this_thread::sleep_for(std::chrono::seconds(60));
  site_.engine.Signal(SIGCONT);
  moments_.Note("engine stopped for a minute", true);
}

void Disturber::StopGatewayLong() {
  site_.gateway.Signal(SIGSTOP);
  std::this_thread::sleep_for(std::chrono::seconds(60));
  site_.gateway.Signal(SIGCONT);
  ++gateway_disturbed_;
  moments_.Note("gateway stopped for a minute", true);
}

// Somebody else's file takes the room. New work is refused, and reports and cancels go on being taken.
void Disturber::FillSmallDisk() {
  const std::string data = site_.File("data"), filler = data + "/filler";
  struct statvfs disk {};
  const double reserve = Figure("smsflow_disk_reserve_bytes");
  if (::statvfs(data.c_str(), &disk) != 0 || reserve < 0) return findings_.Add("the disk's room cannot be told");
  const auto room = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
  const auto leave = static_cast<std::uint64_t>(reserve) / 2;
  const int fd = ::open(filler.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (room > leave && ::posix_fallocate(fd, 0, static_cast<off_t>(room - leave)) != 0)
    return findings_.Add("the disk cannot be filled");
  ::close(fd);
  const std::uint64_t refused = load_.figures().refused, strokes = load_.figures().strokes;
  const double reports = Figure("smsflow_reports_total");
  const auto filled = std::chrono::steady_clock::now();
  while (load_.figures().refused == refused && SinceMs(filled) < Patient(10'000))
    std::this_thread::sleep_for(milliseconds(20));
  Pause(2'000, 4'000);
  const bool noticed = load_.figures().refused != refused && Figure("smsflow_disk_guard") == 1;
  const bool taken = load_.figures().strokes != strokes, reported = Figure("smsflow_reports_total") > reports;
  moments_.Note("small disk full: new SMSes refused", noticed);
  moments_.Note("… and cancels and blocks taken", taken);
  moments_.Note("… and reports taken", reported);
  if (!noticed) findings_.Add("the disk is full, and nobody was refused");
  if (!StillRunning()) return;
  std::filesystem::remove(filler);
  AwaitNewWork();
}

}  // namespace smsflow::crash
