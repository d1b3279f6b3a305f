// The tables that the simulator writes into docs/testing.md, each between two lines of its own:
//
//   <!-- table NAME -->
//   …
//   <!-- end -->
//
// Blocks for the file.
#pragma once

#include <optional>
#include <string>

namespace smsflow::sim {

// nullopt: the file cannot be read, or has no such table.
std::optional<std::string> ReadTable(const std::string& path, const std::string& name);
// False: the same, or it cannot be written.
bool WriteTable(const std::string& path, const std::string& name, const std::string& table);

}  // namespace smsflow::sim
