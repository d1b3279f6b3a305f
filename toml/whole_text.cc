#include "toml/whole_text.h"

#include <sstream>
#include <utility>

namespace smsflow {

std::optional<std::string> WholeTextOf(std::istream& in) {
  if (!in) return std::nullopt;
  std::ostringstream text;
  // An empty one is no failure; to copy nothing would be.
  if (in.peek() != std::istream::traits_type::eof()) text << in.rdbuf();
  if (in.bad() || text.fail()) return std::nullopt;
  return std::move(text).str();
}

}  // namespace smsflow
