#include "workflows/delivery/slots.h"

#include <algorithm>
#include <cassert>

#include "workflows/delivery/instants.h"

namespace smsflow::workflows::delivery {
namespace {

bool AllDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// One slot, or the rule that it breaks.
struct ParsedSlot {
  Slot slot;
  const char* error = nullptr;
  bool zoned = false;
};
constexpr const char* kForm = "a time slot must be SECONDS-SECONDS or TIME/TIME";

std::optional<std::int64_t> Seconds(std::string_view digits) {
  std::int64_t value = 0;
  for (const char c : digits) {
    value = value * 10 + (c - '0');
    if (value > kLatestSecond) return std::nullopt;
  }
  return value;
}

// What stands before the dash is digits.
ParsedSlot ParseSeconds(std::string_view text, std::size_t dash) {
  const std::string_view from = text.substr(0, dash), till = text.substr(dash + 1);
  if (!AllDigits(till)) return {{}, kForm};
  const auto from_s = Seconds(from), till_s = Seconds(till);
  if (!from_s || !till_s) return {{}, "a time must not lie beyond the year 9999"};
  return {{*from_s, *till_s}, nullptr};
}

ParsedSlot ParseTimes(std::string_view from, std::string_view till, const ZoneResolver* zones) {
  const Instant start = ParseInstant(from, zones, Edge::kStart);
  if (start.error != nullptr) return {{}, start.error};
  const Instant end = ParseInstant(till, zones, Edge::kEnd);
  if (end.error != nullptr) return {{}, end.error};
  return {{start.second, end.second}, nullptr, start.zoned || end.zoned};
}

// A zone's name may hold a slash: only those outside of brackets divide.
std::vector<std::string_view> DivideAtSlash(std::string_view text) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  bool in_brackets = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '[') in_brackets = true;
    if (text[i] == ']') in_brackets = false;
    if (text[i] != '/' || in_brackets) continue;
    parts.push_back(text.substr(begin, i - begin));
    begin = i + 1;
  }
  parts.push_back(text.substr(begin));
  return parts;
}

ParsedSlot ParseSlot(std::string_view text, const ZoneResolver* zones) {
  if (text.empty()) return {{}, "a time slot must not be empty"};
  ParsedSlot parsed;
  const std::size_t dash = text.find('-');
  if (dash != text.npos && AllDigits(text.substr(0, dash)) && text.find('/') == text.npos) {
    parsed = ParseSeconds(text, dash);
  } else {
    const auto parts = DivideAtSlash(text);
    if (parts.size() != 2) return {{}, kForm};
    parsed = ParseTimes(parts[0], parts[1], zones);
  }
  if (parsed.error == nullptr && parsed.slot.from_s < 0) parsed.error = "a time must not lie before 1970";
  if (parsed.error == nullptr && parsed.slot.till_s > kLatestSecond)
    parsed.error = "a time must not lie beyond the year 9999";
  if (parsed.error == nullptr && parsed.slot.from_s >= parsed.slot.till_s)
    parsed.error = "time slot must end after it starts";
  return parsed;
}

}  // namespace

ParsedSlots ParseSlots(std::string_view text, const ZoneResolver* zones) {
  if (text.starts_with(';')) text.remove_prefix(1);
  if (text.ends_with(';')) text.remove_suffix(1);
  ParsedSlots parsed;
  bool zoned = false;
  if (text.empty()) return parsed;
  for (std::size_t number = 1;; ++number) {
    const std::size_t end = text.find(';');
    const ParsedSlot one = ParseSlot(text.substr(0, end), zones);
    if (one.error != nullptr) return {{}, {}, "slot " + std::to_string(number) + ": " + one.error};
    parsed.slots.push_back(one.slot);
    zoned |= one.zoned;
    if (end == text.npos) break;
    text.remove_prefix(end + 1);
  }
  parsed.slots = Normalise(std::move(parsed.slots));
  if (zoned) parsed.tzdata = zones->Version();
  return parsed;
}

std::vector<std::string> CheckLimits(const Slots& slots, const SlotLimits& limits, std::int64_t now_ms) {
  std::vector<std::string> broken;
  if (limits.slots_max != 0 && slots.size() > limits.slots_max)
    broken.push_back("must have at most " + std::to_string(limits.slots_max) + " slots");
  if (limits.horizon_ms != 0 && !slots.empty() && slots.back().till_s * 1000 - now_ms > limits.horizon_ms)
    broken.push_back("the last slot must end within " + std::to_string(limits.horizon_ms / 86'400'000) + " days");
  const auto too_short = [&](const Slot& slot) { return slot.till_s - slot.from_s < limits.slot_min_s; };
  if (std::any_of(slots.begin(), slots.end(), too_short))
    broken.push_back("a slot must last at least " + std::to_string(limits.slot_min_s) + " s");
  return broken;
}

Slots Normalise(Slots slots) {
  std::sort(slots.begin(), slots.end(), [](const Slot& a, const Slot& b) { return a.from_s < b.from_s; });
  Slots merged;
  merged.reserve(slots.size());
  for (const Slot& slot : slots) {
    assert(slot.from_s < slot.till_s);
    if (!merged.empty() && slot.from_s <= merged.back().till_s)
      merged.back().till_s = std::max(merged.back().till_s, slot.till_s);
    else
      merged.push_back(slot);
  }
  return merged;
}

std::string ToText(const Slots& slots) {
  std::string text;
  for (const Slot& slot : slots) {
    if (!text.empty()) text += ';';
    text += std::to_string(slot.from_s) + '-' + std::to_string(slot.till_s);
  }
  return text;
}

std::optional<std::int64_t> DeadlineOf(const Slots& slots, std::int64_t second) {
  for (const Slot& slot : slots)
    if (slot.from_s <= second && second < slot.till_s) return slot.till_s;
  return std::nullopt;
}

}  // namespace smsflow::workflows::delivery
