// By what each seeded bug is to be found.
#include <algorithm>
#include <iterator>
#include <utility>

#include "tests/sim/bugs.h"

namespace smsflow::sim {
namespace {

constexpr std::pair<std::string_view, std::string_view> kFinders[] = {
    {"answer before sync", "I9: shard"},
    {"a sync forgotten", "I9: shard"},
    {"torn batch", "I12"},
    {"write error swallowed", "went on with a disk that had failed"},
    {"mark ahead of the fired timer", "I12"},
    {"outbox mark ahead", "I12"},
    {"recovery passes over the outbox", "I12"},
    {"recovery passes over tells", "tells from shard"},
    {"outbox row lost", "without a row in the outbox"},
    {"ready row dropped", "waits for its timer"},
    {"timer row dropped", "waits for its timer"},
    {"timer passed over", "waits for its timer"},
    {"ready row passed over", "I19"},
    {"place in a log not stored", "I13: "},
    {"tell lost", "passed over"},
    {"tell applied twice", "tells to shard"},
    {"idempotency key forgotten", "idempotency key"},
    {"journal record skipped", "I16: a gap"},
    {"journal record changed", "I16: the chain"},
    {"state not written", "I4|I11"},
    {"state read stale", "I11"},
    {"index row lost", "index rows of instances are missing"},
    {"index row outlives its SMS", "an index row of"},
    {"key outlives its SMS", "the dedupe row"},
    {"block lost", "left for a blocked target"},
    {"membership of another shard", "left for a blocked target"},
    {"pause lost in a crash", "left under a pause"},
    {"sweep lost in a crash", "passed over"},
    {"sweep passes over some", "passed over"},
    {"payload in the outbox", "I17: a payload in a row"},
    {"deadline outside the slot", "I1, I2"},
    {"jitter over the slot's end", "I1: the next attempt"},
    {"slot not looked at when leaving", "I1, I2: attempt"},
    {"second slot not used", "became EXPIRED though a slot is left"},
    {"no wait after a failure", "is planned for earlier"},
    {"turn kept", "waits for its turn"},
    {"block not read", "left for a blocked target"},
    {"report forgotten", "I14"},
    {"UNKNOWN taken for a failure", "I14"},
    {"retry after a permanent failure", "I14"},
    {"probe answer ACCEPTED taken for NEVER_SEEN", "I14"},
    {"second SENT taken for a failure", "I14"},
    {"hold overridden", "I8"},
    {"receipt credited to the wrong attempt", "I14"},
    {"an end that is left", "I5"},
    {"attempt number repeated", "I4: attempt|I18"},
    {"cancel that forbids nothing", "left after cancel"},
    {"block that forbids nothing", "left after sweep"},
    {"payload erased too early", "carries a payload that nobody sent"},
    {"payload not erased", "I17"},
    {"erased too early", "I9"},
    {"never erased", "I20"},
    {"credit leaked", "I19"},
    {"ACCEPTED not kept", "I7"},
    {"new payload not taken", "payload or for a key that was replaced"},
    {"no timer at the slot's end", "waits for no timer"},
    {"no timer for the receipt", "waits for no timer"},
    {"no timer for a silent gateway", "waits for no timer"},
    {"lease to a second store", "I7"},
    {"gateway of all tenants", "I15"},
    {"gateway of all keys", "which does not hold its key"},
    {"tenant of a command not checked", "I15"},
    {"fingerprint not compared", "I10"},
    {"idempotency key not stored", "I10"},
    {"cancel told as done", "I5"},
    {"unblock forgotten", "I5"},
    {"resume forgotten", "I19"},
    {"block without its row", "left for a blocked target"},
    {"block without its sweep", "passed over"},
    {"cancel of the whole tenant", "heard what nobody had asked of it"},
    {"cancel of another tenant's batch", "heard what nobody had asked of it"},
    {"block of strangers", "heard what nobody had asked of it"},
    {"look now at nobody", "a look now passed over"},
    {"gateway's pause ignored", "left under a pause"},
    {"sweep answered too early", "passed over"},
    {"report answered before it is durable", "I14"},
    {"report on the first attempt", "I14"},
    {"disk guard ignored", "I20"},
    {"drain ignored", "left while the engine drained"},
    {"deadline lost on the way", "I1, I2"},
    {"half of the credit of who comes back", "I20"},
    {"queue without a bound", "I20"},
    {"full for good", "I20|I19"},
    {"lease sent twice", "I18"},
    {"payloads swapped", "I10"},
    {"every clock trusted", "I18"},
    {"clock a little ahead", "by another clock"},
    {"fire budget ignored", "I19"},
    {"high-water mark ahead of the data", "I9"},
    {"chance repeats", "I4"},
};

}  // namespace

std::string_view FinderOf(std::string_view bug) {
  const auto* const known =
      std::find_if(std::begin(kFinders), std::end(kFinders), [bug](const auto& finder) { return finder.first == bug; });
  return known == std::end(kFinders) ? std::string_view() : known->second;
}

}  // namespace smsflow::sim
