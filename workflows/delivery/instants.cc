#include "workflows/delivery/instants.h"

#include <chrono>
#include <optional>

namespace smsflow::workflows::delivery {
namespace {

constexpr const char* kForm = "a time must be YYYY-MM-DDThh:mm[:ss] with an offset or a [zone]";
constexpr const char* kNoSuchTime = "a date or time must exist in the calendar";
constexpr const char* kNoOffset = "a time must have an offset or a [zone]";
constexpr const char* kZone = "a zone must be one of the time zone database";
constexpr const char* kDisagree = "an offset must be one that its [zone] has at that time";

// Reads a text from the left. Nothing is consumed where a function says no.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool done() const { return rest_.empty(); }
  char peek() const { return rest_.empty() ? '\0' : rest_.front(); }
  std::string_view rest() const { return rest_; }

  bool Take(char c) {
    if (peek() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::optional<int> Digits(std::size_t count) {
    if (rest_.size() < count) return std::nullopt;
    int value = 0;
    for (const char c : rest_.substr(0, count)) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(count);
    return value;
  }

 private:
  std::string_view rest_;
};

// A wall clock's reading as if it were UTC.
Instant ReadLocal(Reader& in) {
  const auto year = in.Digits(4);
  if (!year || !in.Take('-')) return {0, kForm};
  const auto month = in.Digits(2);
  if (!month || !in.Take('-')) return {0, kForm};
  const auto day = in.Digits(2);
  if (!day || !(in.Take('T') || in.Take('t'))) return {0, kForm};
  const auto hour = in.Digits(2);
  if (!hour || !in.Take(':')) return {0, kForm};
  const auto minute = in.Digits(2);
  if (!minute) return {0, kForm};
  std::optional<int> second = 0;
  if (in.Take(':')) {
    second = in.Digits(2);
    if (!second) return {0, kForm};
    if (in.Take('.')) {
      int digits = 0;
      while (in.Digits(1)) ++digits;
      if (digits == 0 || digits > 9) return {0, kForm};
    }
  }
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 59) return {0, kNoSuchTime};
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return {((days * 24 + *hour) * 60 + *minute) * 60 + *second, nullptr};
}

struct Offset {
  std::optional<std::int64_t> seconds;  // nullopt: none is given
  const char* error = nullptr;
};

Offset ReadOffset(Reader& in) {
  if (in.Take('Z') || in.Take('z')) return {0, nullptr};
  const int sign = in.peek() == '-' ? -1 : 1;
  if (!in.Take('+') && !in.Take('-')) return {};
  const auto hours = in.Digits(2);
  if (!hours) return {std::nullopt, kForm};
  int minutes = 0, seconds = 0;
  if (in.Take(':')) {
    const auto read = in.Digits(2);
    if (!read) return {std::nullopt, kForm};
    minutes = *read;
    if (in.Take(':')) {
      const auto more = in.Digits(2);
      if (!more) return {std::nullopt, kForm};
      seconds = *more;
    }
  }
  const std::int64_t total = (*hours * 60 + minutes) * 60 + seconds;
  if (minutes > 59 || seconds > 59 || total > 18 * 3600) return {std::nullopt, "an offset must be at most 18 hours"};
  return {sign * total, nullptr};
}

Instant Resolve(std::int64_t local_s, const Offset& offset, std::string_view zone, const ZoneResolver* zones,
                Edge edge) {
  if (zones == nullptr) return {0, "a zone cannot be resolved here; give an offset"};
  const auto utc = zones->ToUtc(local_s, zone, edge);
  if (!utc) return {0, kZone};
  if (!offset.seconds) return {*utc, nullptr, true};
  const std::int64_t told = local_s - *offset.seconds;
  const auto other = zones->ToUtc(local_s, zone, edge == Edge::kStart ? Edge::kEnd : Edge::kStart);
  if (told != *utc && told != other) return {0, kDisagree};
  return {told, nullptr};
}

}  // namespace

Instant ParseInstant(std::string_view text, const ZoneResolver* zones, Edge edge) {
  Reader in(text);
  const Instant local = ReadLocal(in);
  if (local.error != nullptr) return local;
  const Offset offset = ReadOffset(in);
  if (offset.error != nullptr) return {0, offset.error};
  if (in.done()) {
    if (!offset.seconds) return {0, kNoOffset};
    return {local.second - *offset.seconds, nullptr};
  }
  std::string_view zone = in.rest();
  if (!zone.starts_with('[') || !zone.ends_with(']')) return {0, kForm};
  zone = zone.substr(1, zone.size() - 2);
  if (zone.starts_with('!')) zone.remove_prefix(1);  // RFC 9557: "must be understood"; it always is here
  if (zone.empty() || zone.find_first_of("[]=") != zone.npos) return {0, kZone};
  return Resolve(local.second, offset, zone, zones, edge);
}

}  // namespace smsflow::workflows::delivery
