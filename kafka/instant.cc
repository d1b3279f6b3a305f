#include "kafka/instant.h"

#include <fmt/format.h>

#include <chrono>

namespace smsflow::kafka {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kFirstMs = -62'167'219'200'000;  // 0000-01-01T00:00:00Z
constexpr std::int64_t kLastMs = 253'402'300'799'999;   // 9999-12-31T23:59:59.999Z

// Digits from the left; -1 where there are fewer.
int TakeDigits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return -1;
  int value = 0;
  for (const char c : text.substr(0, count)) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool Take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

// What follows the dot, as milliseconds; -1: not 1 to 9 digits.
int TakeFraction(std::string_view& text) {
  int ms = 0;
  int digits = 0;
  for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; ++digits) {
    if (digits < 3) ms = ms * 10 + (text.front() - '0');
    text.remove_prefix(1);
  }
  for (int missing = digits; missing < 3; ++missing) ms *= 10;
  return digits >= 1 && digits <= 9 ? ms : -1;
}

// Minutes east; nullopt: no offset, or none that there is.
std::optional<int> TakeOffset(std::string_view& text) {
  if (Take(text, 'Z')) return 0;
  const bool west = !text.empty() && text.front() == '-';
  if (!Take(text, '+') && !Take(text, '-')) return std::nullopt;
  const int hours = TakeDigits(text, 2);
  if (!Take(text, ':')) return std::nullopt;
  const int minutes = TakeDigits(text, 2);
  if (hours < 0 || hours > 18 || minutes < 0 || minutes > 59) return std::nullopt;
  return (west ? -1 : 1) * (hours * 60 + minutes);
}

}  // namespace

std::string FormatInstant(std::int64_t unix_ms) {
  const std::int64_t ms = std::min(std::max(unix_ms, kFirstMs), kLastMs);
  const std::int64_t days = (ms - (ms % kDayMs + kDayMs) % kDayMs) / kDayMs;
  const std::int64_t in_day_ms = ms - days * kDayMs;
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(days))};
  std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                                 static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                                 in_day_ms / 3'600'000, in_day_ms / 60'000 % 60, in_day_ms / 1000 % 60);
  if (in_day_ms % 1000 != 0) text += fmt::format(".{:03}", in_day_ms % 1000);
  return text + "Z";
}

std::optional<std::int64_t> ParseInstant(std::string_view text) {
  const int year = TakeDigits(text, 4);
  if (!Take(text, '-')) return std::nullopt;
  const int month = TakeDigits(text, 2);
  if (!Take(text, '-')) return std::nullopt;
  const int day = TakeDigits(text, 2);
  if (!Take(text, 'T')) return std::nullopt;
  const int hour = TakeDigits(text, 2);
  if (!Take(text, ':')) return std::nullopt;
  const int minute = TakeDigits(text, 2);
  int second = 0;
  int ms = 0;
  if (Take(text, ':')) {
    second = TakeDigits(text, 2);
    if (Take(text, '.')) ms = TakeFraction(text);
  }
  const auto offset = TakeOffset(text);
  if (year < 0 || month < 0 || day < 0 || hour < 0 || minute < 0 || second < 0 || ms < 0) return std::nullopt;
  if (!offset.has_value() || !text.empty() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return (((days * 24 + hour) * 60 + minute - *offset) * 60 + second) * 1000 + ms;
}

}  // namespace smsflow::kafka
