#include "tools/cli/time_text.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace smsflow::cli {
namespace {

constexpr std::int64_t kDefaultSlotSeconds = 600;
constexpr std::int64_t kMostSeconds = 10LL * 366 * 24 * 3600;

std::string Formatted(const std::tm& time, const char* format) {
  std::array<char, 64> text{};
  return {text.data(), std::strftime(text.data(), text.size(), format, &time)};
}

// Rounds down, also before 1970.
std::int64_t SecondsOf(std::int64_t ms) { return ms / 1000 - (ms % 1000 < 0 ? 1 : 0); }

std::string Millis(std::int64_t ms) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), ".%03d", static_cast<int>(ms - SecondsOf(ms) * 1000));
  return text.data();
}

std::tm Local(std::int64_t ms) {
  const std::time_t seconds = SecondsOf(ms);
  std::tm time{};
  localtime_r(&seconds, &time);
  return time;
}

std::optional<std::int64_t> Number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || text.front() == '-' || error != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

// `YYYY-MM-DD[(T| )hh:mm[:ss]]` at the start of `text`, which is shortened by it.
std::optional<std::tm> TakeLocalTime(std::string_view& text) {
  std::tm time{};
  const auto field = [&](std::size_t at, std::size_t size) { return Number(text.substr(at, size)); };
  if (text.size() < 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto year = field(0, 4), month = field(5, 2), day = field(8, 2);
  if (!year || !month || !day || *month < 1 || *month > 12 || *day < 1 || *day > 31) return std::nullopt;
  time.tm_year = static_cast<int>(*year) - 1900;
  time.tm_mon = static_cast<int>(*month) - 1;
  time.tm_mday = static_cast<int>(*day);
  time.tm_isdst = -1;
  if (text.size() == 10) return text.remove_prefix(10), time;
  if (text.size() < 16 || (text[10] != 'T' && text[10] != ' ') || text[13] != ':') return std::nullopt;
  const auto hour = field(11, 2), minute = field(14, 2);
  if (!hour || !minute || *hour > 23 || *minute > 59) return std::nullopt;
  time.tm_hour = static_cast<int>(*hour);
  time.tm_min = static_cast<int>(*minute);
  std::size_t used = 16;
  if (text.size() > 16 && text[16] == ':') {
    const auto second = field(17, 2);
    if (text.size() < 19 || !second || *second > 60) return std::nullopt;
    time.tm_sec = static_cast<int>(*second);
    used = 19;
  }
  text.remove_prefix(used);
  return time;
}

// `Z`, `+hh`, `+hh:mm`, in seconds east of UTC.
std::optional<std::int64_t> Offset(std::string_view text) {
  if (text == "Z" || text == "z") return 0;
  if ((text.size() != 3 && text.size() != 6) || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const auto hours = Number(text.substr(1, 2));
  const auto minutes = text.size() == 6 && text[3] == ':' ? Number(text.substr(4, 2)) : std::optional<std::int64_t>(0);
  if (!hours || !minutes || (text.size() == 6 && text[3] != ':') || *hours > 23 || *minutes > 59) return std::nullopt;
  const std::int64_t east = *hours * 3600 + *minutes * 60;
  return text[0] == '-' ? -east : east;
}

std::string UtcSecond(std::int64_t seconds) {
  const std::time_t at = seconds;
  std::tm time{};
  gmtime_r(&at, &time);
  return Formatted(time, "%Y-%m-%dT%H:%M:%SZ");
}

// `text` with its instants in UTC as `instant(seconds)` writes them, and its slots of Unix seconds as `slot(from,
// till)`.
template <typename OfInstant, typename OfSlot>
std::string WithInstants(std::string_view text, OfInstant instant, OfSlot slot) {
  constexpr std::size_t kSecondsDigits = 10;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  std::string out;
  while (!text.empty()) {
    const bool in_number = !out.empty() && is_digit(out.back());
    std::string_view rest = text;
    const bool is_slot =
        !in_number && text.size() > 2 * kSecondsDigits && text[kSecondsDigits] == '-' && text[0] != '0';
    const auto from = is_slot ? Number(text.substr(0, kSecondsDigits)) : std::nullopt;
    const auto till = is_slot ? Number(text.substr(kSecondsDigits + 1, kSecondsDigits)) : std::nullopt;
    std::optional<std::tm> utc;
    if (!in_number && text.size() >= 20 && text[10] == 'T' && (utc = TakeLocalTime(rest)) && rest.starts_with('Z')) {
      out += instant(std::int64_t{timegm(&*utc)});
      text = rest.substr(1);
    } else if (from && till) {
      out += slot(*from, *till);
      text.remove_prefix(2 * kSecondsDigits + 1);
    } else {
      out += text.front();
      text.remove_prefix(1);
    }
  }
  return out;
}

absl::StatusOr<std::string> ExpandSlot(std::string_view slot, std::int64_t now_ms) {
  slot.remove_prefix(1);
  const auto plus = slot.find('+');
  const auto after = ParseSeconds(slot.substr(0, plus));
  const auto length = plus == std::string_view::npos ? absl::StatusOr<std::int64_t>(kDefaultSlotSeconds)
                                                     : ParseSeconds(slot.substr(plus + 1));
  if (!after.ok() || !length.ok() || *length < 1)
    return absl::InvalidArgumentError(
        "a slot that begins with + is +S1[+S2]: from now + S1, for S2 (600 s), each a number with an optional s, m, h "
        "or d");
  const std::int64_t from_s = SecondsOf(now_ms) + *after;
  return absl::StrCat(from_s, "-", from_s + *length);
}

}  // namespace

std::string LocalDay(std::int64_t ms) { return Formatted(Local(ms), "%a %d %b %Y, %Z"); }
std::string LocalClock(std::int64_t ms) { return Formatted(Local(ms), "%H:%M:%S") + Millis(ms); }
std::string LocalTime(std::int64_t ms) { return Formatted(Local(ms), "%Y-%m-%d %H:%M:%S"); }

std::string ShortTime(std::int64_t ms, std::int64_t now_ms) {
  if (ms == 0) return "-";
  const std::tm time = Local(ms), today = Local(now_ms);
  const bool same_day = time.tm_year == today.tm_year && time.tm_yday == today.tm_yday;
  return Formatted(time, same_day ? "%H:%M:%S" : "%Y-%m-%d %H:%M");
}

std::string UtcTime(std::int64_t ms) {
  if (ms == 0) return "-";
  const std::time_t seconds = SecondsOf(ms);
  std::tm time{};
  gmtime_r(&seconds, &time);
  return Formatted(time, "%Y-%m-%dT%H:%M:%S") + Millis(ms) + "Z";
}

std::string Localised(std::string_view text, std::int64_t now_ms) {
  const auto instant = [now_ms](std::int64_t s) { return ShortTime(s * 1000, now_ms); };
  return WithInstants(text, instant, [&](std::int64_t from_s, std::int64_t till_s) {
    return instant(from_s) + " to " + instant(till_s);
  });
}

std::string InUtc(std::string_view text) {
  return WithInstants(text, UtcSecond, [](std::int64_t from_s, std::int64_t till_s) {
    return UtcSecond(from_s) + "/" + UtcSecond(till_s);
  });
}

std::string Span(std::int64_t ms) {
  if (ms < 0) return "-" + Span(-ms);
  if (ms < 1000) return absl::StrCat(ms, " ms");
  const std::int64_t s = ms / 1000;
  const auto two = [](std::int64_t large, const char* unit, std::int64_t small, const char* small_unit) {
    return small == 0 ? absl::StrCat(large, unit) : absl::StrCat(large, unit, " ", small, small_unit);
  };
  if (s < 60) return absl::StrCat(s, " s");
  if (s < 3600) return two(s / 60, " min", s % 60, " s");
  if (s < 24 * 3600) return two(s / 3600, " h", s % 3600 / 60, " min");
  return two(s / (24 * 3600), " d", s % (24 * 3600) / 3600, " h");
}

absl::StatusOr<std::int64_t> ParseSeconds(std::string_view text) {
  std::int64_t unit = 1;
  if (!text.empty()) {
    switch (text.back()) {
      case 's':
        unit = 1;
        break;
      case 'm':
        unit = 60;
        break;
      case 'h':
        unit = 3600;
        break;
      case 'd':
        unit = 24 * 3600;
        break;
      default:
        unit = 0;
    }
  }
  if (unit != 0 && !text.empty()) text.remove_suffix(1);
  const auto number = Number(text);
  if (unit == 0) unit = 1;
  if (!number || *number > kMostSeconds / unit)
    return absl::InvalidArgumentError("a length of time is a whole number with an optional s, m, h or d");
  return *number * unit;
}

absl::StatusOr<std::string> ExpandSlots(std::string_view text, std::int64_t now_ms) {
  std::string expanded;
  for (bool first = true;; first = false) {
    const auto end = text.find(';');
    const std::string_view slot = text.substr(0, end);
    if (!first) expanded += ';';
    if (!slot.empty() && slot.front() == '+') {
      auto seconds = ExpandSlot(slot, now_ms);
      if (!seconds.ok()) return seconds.status();
      expanded += *seconds;
    } else {
      expanded += slot;
    }
    if (end == std::string_view::npos) return expanded;
    text.remove_prefix(end + 1);
  }
}

absl::StatusOr<std::int64_t> ParseMoment(std::string_view text, std::int64_t now_ms) {
  if (const auto ago = ParseSeconds(text); ago.ok()) return now_ms - *ago * 1000;
  if (auto time = TakeLocalTime(text)) {
    if (text.empty()) return std::int64_t{std::mktime(&*time)} * 1000;
    if (const auto east = Offset(text)) return (std::int64_t{timegm(&*time)} - *east) * 1000;
  }
  return absl::InvalidArgumentError(
      "a time is a length ago (2h, 30m, 1d), a day (2026-11-21), or 2026-11-21T09:00[:00] with Z, an offset, or "
      "nothing "
      "for local time");
}

}  // namespace smsflow::cli
