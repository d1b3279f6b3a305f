// When an SMS may leave: its slots, the text they are written in, and which instant is next.
//
// A schedule is `slot(;slot)*`; one leading and one trailing `;` are forgiven, and the empty text has no slot. A slot
// is
//   SECONDS-SECONDS     Unix seconds, digits only
//   TIME/TIME           YYYY-MM-DDThh:mm[:ss[.fraction]] and an offset (Z, +hh, +hh:mm, +hh:mm:ss), a zone in brackets
//                       (RFC 9557: `[Europe/Berlin]`), or both; a fraction is dropped
// The first time is the first second in the slot, the second is the first second out of it. Slots are kept normalised:
// in order, and merged where they overlap or touch.
//
// Pure functions over values; safe from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace smsflow::workflows::delivery {

struct Slot {
  std::int64_t from_s = 0;  // Unix seconds, the first one in
  std::int64_t till_s = 0;  // the first one out; above from_s
  bool operator==(const Slot&) const = default;
};
using Slots = std::vector<Slot>;

// The latest second a slot may name: the end of the year 9999. Keeps every instant in milliseconds far from overflow.
inline constexpr std::int64_t kLatestSecond = 253402300799;

// Which end of a slot a local time is: they differ where the clocks are turned.
enum class Edge : std::uint8_t { kStart, kEnd };

// Where local times become UTC; the real one is in zones.h.
class ZoneResolver {
 public:
  virtual ~ZoneResolver() = default;
  // `local_s`: the wall clock's reading, counted as if it were UTC. A time that the clocks skip becomes the first
  // instant after the gap; one they show twice becomes its first occurrence as a start and its second as an end.
  // nullopt: there is no such zone. Safe from any thread.
  virtual std::optional<std::int64_t> ToUtc(std::int64_t local_s, std::string_view zone, Edge edge) const = 0;
  // Of the database that answers, such as "2025b"; "unknown" when it does not say.
  virtual std::string Version() const = 0;
};

struct ParsedSlots {
  Slots slots;         // normalised
  std::string tzdata;  // the version by which local times became seconds; empty: there were none
  std::string error;   // empty: fine. Else which slot broke which rule; it repeats nothing of the text
  bool ok() const { return error.empty(); }
};

// `zones` may be null: a zone is then an error.
ParsedSlots ParseSlots(std::string_view text, const ZoneResolver* zones);

// What the newer doors ask for beyond the grammar. 0 means no limit.
struct SlotLimits {
  std::size_t slots_max = 64;
  std::int64_t horizon_ms = 400LL * 24 * 3600 * 1000;  // from now to the last slot's end
  std::int64_t slot_min_s = 0;                         // shorter slots are refused
};
// The broken rules, one text each; empty when all hold.
std::vector<std::string> CheckLimits(const Slots& slots, const SlotLimits& limits, std::int64_t now_ms);

// Sorts and merges. Slots that are empty or turned around must not be given.
Slots Normalise(Slots slots);

// The normal form: `SECONDS-SECONDS;…`. ParseSlots() of it yields the same slots.
std::string ToText(const Slots& slots);

// The end of the slot that holds `second`: its deadline. nullopt when none does.
std::optional<std::int64_t> DeadlineOf(const Slots& slots, std::int64_t second);

}  // namespace smsflow::workflows::delivery
