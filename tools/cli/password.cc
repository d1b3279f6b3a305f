#include "tools/cli/password.h"

#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "tools/cli/files.h"

namespace smsflow::cli {
namespace {

// What is typed is not shown, until this goes.
class NoEcho {
 public:
  NoEcho() {
    is_set_ = ::tcgetattr(STDIN_FILENO, &before_) == 0;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    if (is_set_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
  }
  ~NoEcho() {
    if (is_set_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;

 private:
  termios before_{};
  bool is_set_ = false;
};

std::string FirstLine(std::string text) {
  text.resize(std::min(text.find_first_of("\r\n"), text.size()));
  return text;
}

absl::StatusOr<std::string> Line(const Terminal& terminal) {
  std::string line;
  if (!std::getline(terminal.in, line)) return absl::InvalidArgumentError("password: nothing came on standard input");
  return FirstLine(std::move(line));
}

absl::StatusOr<std::string> Typed(const Terminal& terminal) {
  const NoEcho no_echo;
  terminal.err << "Password: " << std::flush;
  auto first = Line(terminal);
  terminal.err << "\nOnce more: " << std::flush;
  const auto second = first.ok() ? Line(terminal) : first;
  terminal.err << std::endl;
  if (!second.ok()) return second.status();
  if (*first != *second) return absl::InvalidArgumentError("password: the two are not the same");
  return first;
}

}  // namespace

absl::StatusOr<std::string> ReadPassword(const Terminal& terminal, const std::string& file) {
  if (file.empty() && terminal.in_is_terminal) return Typed(terminal);
  if (file.empty() || file == "-") return Line(terminal);
  auto text = ReadWholeFile(file);
  if (!text.ok()) return text.status();
  return FirstLine(*std::move(text));
}

}  // namespace smsflow::cli
