// One value as somebody wrote it, with where: what TOML file, environment and flags have in common.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"

namespace smsflow::server {

struct Setting {
  // "other" holds what no key takes: dates, fractions, lists of anything but strings.
  struct Other {};
  using Value = std::variant<std::string, std::int64_t, bool, std::vector<std::string>, Other>;

  std::vector<std::string> path;  // "delivery", "wait_after_fail"; of the second [[key]]: "key", "1", "role"
  Value value;
  bool untyped = false;  // a string that stands for any type: from the environment or a flag
  std::string origin;    // "smsflowd.toml:12:3", "environment SMSFLOW_DATA", "flag --data"

  std::string Name() const;  // its path with dots
};

// Reads a TOML file. Blocks for the disk. The error is one line with the place.
absl::StatusOr<std::vector<Setting>> ReadTomlFile(const std::string& path);

// "10m", "1500ms"; nullopt for all else.
std::optional<std::int64_t> ParseDuration(std::string_view text);
std::string FormatDuration(std::int64_t ms);
// "16KB", "300MB", "512"; nullopt for all else.
std::optional<std::uint64_t> ParseSize(std::string_view text);
std::string FormatSize(std::uint64_t bytes);

}  // namespace smsflow::server
