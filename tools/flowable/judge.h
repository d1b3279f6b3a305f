// What becomes of an SMS of the old system: a pure decision over what its database holds of it.
//
// Only what the old system has certainly not handed over, and can still leave, is taken over. All else is named with
// its reason, and stays there: nothing is guessed. Values; safe from any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace smsflow::flowable {

// A row of the old table of variables.
struct Variable {
  std::string type;                    // string, longString, integer, null, serializable …
  std::optional<std::string> text;     // text_
  std::optional<std::int64_t> number;  // long_
  std::optional<std::string> bytes;    // of act_ge_bytearray
  bool is_too_long = false;            // there are bytes, more than any SMS has; they were not read
};

struct OldInstance {
  std::string id;                                          // the old correl-id, and the id of the old REST
  std::map<std::string, std::vector<Variable>> variables;  // by name; more than one row is possible
  std::set<std::string> places;                            // where it waits: the act_id_ of its executions
  bool being_fired = false;                                // one of its jobs is locked by an executor
};

enum class Standing {
  kPending,     // it waits for its slot: to be scheduled
  kInFlight,    // handed over, or being so: it must end where it is
  kPast,        // its last slot is over
  kUnreadable,  // the reason says what could not be read, or does not fit together
};
std::string_view StandingName(Standing standing);  // "pending", "in_flight", "past", "unreadable"

struct OldSms {
  std::string id;
  std::string tenant, batch, key, target, user, payload;
  std::string schedule;      // normalised
  std::int64_t retries = 0;  // 0 when the old system had not planned it yet
  Standing standing = Standing::kUnreadable;
  std::string reason;  // a rule and a variable's name, never a value
};

// `take_locked`: what was being fired is pending too; only somebody who knows that the old scheduler ended cleanly can
// say so.
OldSms Judge(const OldInstance& instance, std::int64_t now_s, bool take_locked);

}  // namespace smsflow::flowable
