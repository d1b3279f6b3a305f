#include "tests/sim/seed_watch.h"

#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string_view>

// Of the sanitizers; null where there are none.
extern "C" [[gnu::weak]] void __sanitizer_set_death_callback(void (*callback)());

namespace smsflow::sim {
namespace {

// All that a handler may touch: written before, and only read by it.
std::array<char, 128> who;
std::array<char, 16'384> line_of_it;  // a list of steps may be long
volatile std::sig_atomic_t watching = 0;

void Write(std::string_view text) {
  if (write(STDERR_FILENO, text.data(), text.size()) < 0) _exit(1);
}

void Say(std::string_view what) {
  if (watching == 0) return;
  watching = 0;  // once
  Write(who.data());
  Write(what);
  Write("\nagain: ");
  Write(line_of_it.data());
  Write("\n");
}

void OnSignal(int signal) {
  if (signal == SIGALRM) {
    Say(" hangs");
    std::signal(SIGABRT, SIG_DFL);
    std::abort();
  }
  Say(signal == SIGABRT ? " ended by an assertion, or by what nobody caught" : " ended by a signal");
  raise(signal);  // comes when this returns, and finds what it would have found without a watch
}
void OnDeath() { Say(" ended by a sanitizer"); }

// Sanitizers have better to say of faults of memory, and call OnDeath() then.
constexpr std::array kSignals{SIGALRM, SIGABRT, SIGFPE, SIGILL, SIGSEGV, SIGBUS};
constexpr std::size_t kWithSanitizer = 2;
std::array<struct sigaction, kSignals.size()> before;
std::array<char, 65'536> stack;  // that of the process may be used up

std::size_t Signals() { return __sanitizer_set_death_callback != nullptr ? kWithSanitizer : kSignals.size(); }

void SetTimer(int seconds) {
  itimerval timer{};
  timer.it_value.tv_sec = seconds;
  setitimer(ITIMER_REAL, &timer, nullptr);
}

}  // namespace

SeedWatch::SeedWatch(std::uint64_t seed, const std::string& line, int hangs_after_s) {
  std::snprintf(who.data(), who.size(), "\nseed %llu", static_cast<unsigned long long>(seed));
  std::snprintf(line_of_it.data(), line_of_it.size(), "%s", line.c_str());
  watching = 1;
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(OnDeath);
  stack_t other{};
  other.ss_sp = stack.data();
  other.ss_size = stack.size();
  if (Signals() == kSignals.size()) sigaltstack(&other, nullptr);
  struct sigaction action {};
  action.sa_handler = OnSignal;
  action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_ONSTACK;
  for (std::size_t i = 0; i < Signals(); ++i) sigaction(kSignals[i], &action, &before[i]);
  SetTimer(hangs_after_s);
}

SeedWatch::~SeedWatch() {
  SetTimer(0);
  watching = 0;
  for (std::size_t i = 0; i < Signals(); ++i) sigaction(kSignals[i], &before[i], nullptr);
}

}  // namespace smsflow::sim
