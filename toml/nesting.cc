#include "toml/nesting.h"

namespace smsflow {

namespace {

// Where the text that begins at `from` with a quotation mark ends; npos: not in this line.
std::size_t EndOfText(std::string_view line, std::size_t from) {
  const char mark = line[from];
  for (std::size_t at = from + 1; at < line.size(); ++at) {
    if (line[at] == mark) return at;
    if (line[at] == '\\' && mark == '"') ++at;
  }
  return std::string_view::npos;
}

// Of texts and comments only where it is certain that they are: a text over several lines may begin or end here.
std::uint32_t DotsOf(std::string_view line) {
  const bool is_certain = line.find("\"\"\"") == std::string_view::npos && line.find("'''") == std::string_view::npos;
  std::uint32_t dots = 0;
  for (std::size_t at = 0; at < line.size(); ++at) {
    const char c = line[at];
    if (is_certain && c == '#') break;
    if (is_certain && (c == '"' || c == '\'')) {
      const std::size_t end = EndOfText(line, at);
      if (end != std::string_view::npos) at = end;
    }
    dots += c == '.' ? 1 : 0;
  }
  return dots;
}

}  // namespace

std::optional<std::uint32_t> LineWithTooManyDots(std::string_view toml) {
  for (std::uint32_t number = 1;; ++number) {
    const std::size_t end = toml.find('\n');
    if (DotsOf(toml.substr(0, end)) > kTomlDotsMax) return number;
    if (end == std::string_view::npos) return std::nullopt;
    toml.remove_prefix(end + 1);
  }
}

}  // namespace smsflow
