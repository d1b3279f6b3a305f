// The schedule grammar: what is taken has a normal form that means the same, and each end of a slot is where it
// belongs.
#include <algorithm>
#include <string>

#include "tests/fuzz/fuzz.h"
#include "workflows/delivery/slots.h"
#include "workflows/delivery/zones.h"

namespace delivery = smsflow::workflows::delivery;
using smsflow::fuzz::Require;

namespace {

int DigitsInARow(std::string_view text) {
  int most = 0, now = 0;
  for (const char c : text) most = std::max(most, now = c >= '0' && c <= '9' ? now + 1 : 0);
  return most;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto zones = delivery::MakeZoneResolver();
  const std::string_view text = smsflow::fuzz::View(data, size);
  const delivery::ParsedSlots parsed = delivery::ParseSlots(text, zones.get());
  if (!parsed.ok()) {
    Require(DigitsInARow(parsed.error) < 5, "an error repeats no time of the text");
    return 0;
  }
  const delivery::Slots& slots = parsed.slots;
  const auto again = delivery::ParseSlots(delivery::ToText(slots), nullptr);
  Require(again.ok() && again.slots == slots, "the normal form means the same");
  Require(delivery::Normalise(slots) == slots, "slots are kept normalised");
  for (std::size_t i = 0; i < slots.size(); ++i) {
    Require(slots[i].from_s < slots[i].till_s && slots[i].till_s <= delivery::kLatestSecond, "a slot has an inside");
    Require(i == 0 || slots[i - 1].till_s < slots[i].from_s, "slots neither overlap nor touch");
    Require(delivery::DeadlineOf(slots, slots[i].from_s) == slots[i].till_s, "the first second is in");
    Require(delivery::DeadlineOf(slots, slots[i].till_s) != slots[i].till_s, "the last one is out");
  }
  (void)delivery::CheckLimits(slots, {}, 1'700'000'000'000);
  return 0;
}
