// Where the program speaks to, as a value, so that tests can stand in for a person and for a pipe.
//
// Borrowed streams; used from the main thread, but for `interrupted`, which may be asked from any.
#pragma once

#include <cstdint>
#include <functional>
#include <istream>
#include <ostream>
#include <string>
#include <string_view>

namespace smsflow::cli {

enum class Color { kNone, kDim, kBold, kRed, kGreen, kYellow, kBlue, kMagenta, kCyan };

struct Terminal {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool in_is_terminal = false;   // somebody can be asked
  bool out_is_terminal = false;  // tables, colours and local times; else plain lines for scripts
  bool err_is_terminal = false;  // a progress bar may be drawn
  bool color = false;
  int width = 100;
  int height = 40;
  std::function<std::int64_t()> now_ms{};       // Unix milliseconds
  std::function<bool()> interrupted{};          // somebody pressed Ctrl-C
  std::function<void(std::int64_t)> wait_ms{};  // returns early when interrupted
};

// The real one: standard streams, NO_COLOR and TERM, the window's size. Installs handlers for SIGINT and SIGTERM.
Terminal RealTerminal();

// The text in that colour, or as it is when there are no colours.
std::string Painted(const Terminal& terminal, Color color, std::string_view text);

// What came from elsewhere, safe to show: control characters become '?', so that no name can drive the terminal.
std::string Visible(std::string_view text);

// How many columns the text takes, counting code points.
std::size_t Columns(std::string_view text);

}  // namespace smsflow::cli
