#include "tools/cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <thread>

namespace smsflow::cli {
namespace {

volatile std::sig_atomic_t g_interrupted = 0;

// The first signal asks politely, the second finds the default action again and ends the program.
extern "C" void OnSignal(int) { g_interrupted = 1; }

void InstallHandlers() {
  struct sigaction action {};
  action.sa_handler = OnSignal;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool WantsColor() {
  const char* const none = std::getenv("NO_COLOR");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  const char* const term = std::getenv("TERM");      // NOLINT(concurrency-mt-unsafe): nor this
  return (none == nullptr || *none == '\0') && term != nullptr && std::string_view(term) != "dumb";
}

std::int64_t NowMs() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

void WaitMs(std::int64_t wait_ms) {
  const std::int64_t step_ms = 20;
  for (; wait_ms > 0 && g_interrupted == 0; wait_ms -= step_ms)
    std::this_thread::sleep_for(std::chrono::milliseconds(std::min(wait_ms, step_ms)));
}

std::string_view Code(Color color) {
  switch (color) {
    case Color::kNone:
      return "";
    case Color::kDim:
      return "\033[2m";
    case Color::kBold:
      return "\033[1m";
    case Color::kRed:
      return "\033[31m";
    case Color::kGreen:
      return "\033[32m";
    case Color::kYellow:
      return "\033[33m";
    case Color::kBlue:
      return "\033[34m";
    case Color::kMagenta:
      return "\033[35m";
    case Color::kCyan:
      return "\033[36m";
  }
  return "";
}

}  // namespace

Terminal RealTerminal() {
  InstallHandlers();
  Terminal terminal{std::cin, std::cout, std::cerr};
  terminal.in_is_terminal = isatty(STDIN_FILENO) == 1;
  terminal.out_is_terminal = isatty(STDOUT_FILENO) == 1;
  terminal.err_is_terminal = isatty(STDERR_FILENO) == 1;
  terminal.color = terminal.out_is_terminal && WantsColor();
  winsize size{};
  if (terminal.out_is_terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    terminal.width = size.ws_col;
    terminal.height = size.ws_row;
  }
  terminal.now_ms = NowMs;
  terminal.interrupted = [] { return g_interrupted != 0; };
  terminal.wait_ms = WaitMs;
  return terminal;
}

std::string Painted(const Terminal& terminal, Color color, std::string_view text) {
  if (!terminal.color || color == Color::kNone || text.empty()) return std::string(text);
  return std::string(Code(color)).append(text).append("\033[0m");
}

std::string Visible(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool c1 = byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (byte < 0x20 || byte == 0x7F || c1) {
      out += '?';
      i += c1;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::size_t Columns(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace smsflow::cli
