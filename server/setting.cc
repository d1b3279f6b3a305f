#include "server/setting.h"

#include <array>
#include <charconv>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace smsflow::server {

namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};
constexpr std::array<Unit, 5> kDurations{{{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::array<Unit, 4> kSizes{{{"GB", 1 << 30}, {"MB", 1 << 20}, {"KB", 1 << 10}, {"B", 1}}};

template <std::size_t N>
std::optional<std::int64_t> Parse(std::string_view text, const std::array<Unit, N>& units) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number < 0) return std::nullopt;
  std::string_view name = text.substr(static_cast<std::size_t>(end - text.data()));
  if (!name.empty() && name.front() == ' ') name.remove_prefix(1);
  for (const Unit& unit : units) {
    if (unit.name != name) continue;
    if (number > std::numeric_limits<std::int64_t>::max() / unit.factor) return std::nullopt;
    return number * unit.factor;
  }
  return std::nullopt;
}

template <std::size_t N>
std::string Format(std::int64_t value, const std::array<Unit, N>& units) {
  for (const Unit& unit : units) {
    if (value != 0 && value % unit.factor == 0) return absl::StrCat(value / unit.factor, std::string(unit.name));
  }
  return absl::StrCat(value, std::string(units.back().name));
}

}  // namespace

std::string Setting::Name() const { return absl::StrJoin(path, "."); }

std::optional<std::int64_t> ParseDuration(std::string_view text) { return Parse(text, kDurations); }
std::string FormatDuration(std::int64_t ms) { return Format(ms, kDurations); }

std::optional<std::uint64_t> ParseSize(std::string_view text) {
  const std::optional<std::int64_t> bytes = Parse(text, kSizes);
  if (!bytes) return std::nullopt;
  return static_cast<std::uint64_t>(*bytes);
}
std::string FormatSize(std::uint64_t bytes) { return Format(static_cast<std::int64_t>(bytes), kSizes); }

}  // namespace smsflow::server
