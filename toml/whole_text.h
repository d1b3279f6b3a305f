// All that a stream still has, for whoever parses a file. Blocks for as long as reading does; any thread, one per
// stream.
#pragma once

#include <istream>
#include <optional>
#include <string>

namespace smsflow {

// nullopt: it cannot be read. Nothing is thrown where reading fails, as iterators over the stream's buffer would.
std::optional<std::string> WholeTextOf(std::istream& in);

}  // namespace smsflow
