#include "smpp/times.h"

#include <algorithm>
#include <array>
#include <chrono>

namespace smsflow::smpp {
namespace {

constexpr std::size_t kTimeChars = 16;
constexpr int kQuartersMax = 48;
constexpr std::int64_t kDay_s = 86'400;
constexpr std::int64_t kQuarter_s = 900;

std::optional<int> TwoDigits(std::string_view text, std::size_t at) {
  const char tens = text[at], ones = text[at + 1];
  if (tens < '0' || tens > '9' || ones < '0' || ones > '9') return std::nullopt;
  return (tens - '0') * 10 + (ones - '0');
}

std::int64_t ClockSeconds(int hours, int minutes, int seconds) { return hours * 3600 + minutes * 60 + seconds; }

void AppendTwoDigits(std::string& out, std::int64_t value) {
  out += static_cast<char>('0' + value / 10);
  out += static_cast<char>('0' + value % 10);
}

void AppendClock(std::string& out, std::int64_t seconds_of_day) {
  AppendTwoDigits(out, seconds_of_day / 3600);
  AppendTwoDigits(out, seconds_of_day / 60 % 60);
  AppendTwoDigits(out, seconds_of_day % 60);
}

}  // namespace

std::optional<WireTime> ParseTime(std::string_view text) {
  if (text.size() != kTimeChars) return std::nullopt;
  std::array<int, 6> fields{};  // year, month, day, hour, minute, second
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto value = TwoDigits(text, 2 * i);
    if (!value) return std::nullopt;
    fields[i] = *value;
  }
  const auto [year, month, day, hour, minute, second] = fields;
  const auto quarters = TwoDigits(text, 13);
  if (text[12] < '0' || text[12] > '9' || !quarters || *quarters > kQuartersMax) return std::nullopt;
  if (hour > 23 || minute > 59 || second > 59) return std::nullopt;

  const char mark = text[15];
  if (mark == 'R') {
    const std::int64_t days = std::int64_t{year} * 365 + std::int64_t{month} * 30 + day;
    return WireTime{.relative = true, .seconds = days * kDay_s + ClockSeconds(hour, minute, second)};
  }
  if (mark != '+' && mark != '-') return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(2000 + year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day)));
  if (!date.ok()) return std::nullopt;
  const std::int64_t local_s = std::int64_t{std::chrono::sys_days(date).time_since_epoch().count()} * kDay_s +
                               ClockSeconds(hour, minute, second);
  // '+': local time is ahead of UTC.
  const std::int64_t ahead_s = (mark == '+' ? 1 : -1) * *quarters * kQuarter_s;
  return WireTime{.relative = false, .seconds = local_s - ahead_s};
}

std::optional<std::string> RelativeTime(std::int64_t seconds) {
  if (seconds < 1) return std::nullopt;
  seconds = std::min(seconds, kRelativeMax_s);
  std::string text = "0000";
  AppendTwoDigits(text, seconds / kDay_s);
  AppendClock(text, seconds % kDay_s);
  return text + "000R";
}

std::optional<std::string> AbsoluteTime(std::int64_t unix_s) {
  constexpr std::int64_t kFirst_s = 946'684'800, kEnd_s = 4'102'444'800;  // 2000-01-01, 2100-01-01
  if (unix_s < kFirst_s || unix_s >= kEnd_s) return std::nullopt;
  const std::chrono::sys_days day{std::chrono::days(unix_s / kDay_s)};
  const std::chrono::year_month_day date(day);
  std::string text;
  AppendTwoDigits(text, static_cast<int>(date.year()) - 2000);
  AppendTwoDigits(text, static_cast<unsigned>(date.month()));
  AppendTwoDigits(text, static_cast<unsigned>(date.day()));
  AppendClock(text, unix_s % kDay_s);
  return text + "000+";
}

}  // namespace smsflow::smpp
