// What is known of one attempt at its gateway, and of the parts in which it left. The numbers are persisted; those of
// the states are also the numbers of AttemptResult in proto/smsflow/v1/gateway.proto.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace smsflow::workflows::submission {

enum class State : std::uint8_t {
  kNew = 0,        // never heard of
  kNeverSeen = 1,  // asked for before it came: refused from then on
  kIntent = 2,     // durable, and told as ACCEPTED; any of it may be on its way
  kUnknown = 3,    // nobody can tell whether the SMSC has all of it
  kSent = 4,       // the SMSC has all of it
  kFailed = 5,     // another attempt may succeed
  kFailedForGood = 6,
  kInvalid = 7,  // no SMS; nothing left
  kDelivered = 8,
  kExpired = 9,  // not submitted, or not delivered, in time
};
inline constexpr State kAllStates[] = {State::kNew,           State::kIntent,   State::kNeverSeen, State::kUnknown,
                                       State::kSent,          State::kExpired,  State::kFailed,    State::kInvalid,
                                       State::kFailedForGood, State::kDelivered};
std::string_view NameOf(State state);  // as it is told: an INTENT is "INTENT" here
// UNKNOWN < SENT < EXPIRED < FAILED < INVALID < FAILED for good < DELIVERED; all others are below.
int RankOf(State state);

// What the SMSC, or the way to it, said to the submit of one part.
enum class Answer : std::uint8_t {
  kNone = 0,      // nothing yet
  kUnknown = 1,   // it left, or other parts did before the gateway was stopped, and no answer came
  kAccepted = 2,  // the SMSC has it
  kExpired = 3,   // never left: its deadline came first
  kGivenUp = 4,   // never left, nor did any other part: the gateway was stopped
  kRefused = 5,   // not taken, for now
  kRefusedForGood = 6,
};
std::string_view NameOf(Answer answer);

// What a receipt says of one part. As bits, for each part keeps all that it heard.
enum class Heard : std::uint8_t {
  kInDoubt = 1,   // the SMSC itself does not know
  kUnderWay = 2,  // progress, nothing is decided
  kFailed = 4,
  kFailedForGood = 8,
  kDelivered = 16,
};
std::string_view NameOf(Heard heard);

// Of which parts receipts come is the SMSC's habit, and a setting of the route.
enum class PartsRule : std::uint8_t {
  kAll = 0,    // each part has its receipts: delivered when all are, failed as soon as one has
  kAny = 1,    // one for the whole, about whichever part
  kFirst = 2,  // only the first part's count
  kLast = 3,
};
std::string_view NameOf(PartsRule rule);

inline constexpr std::size_t kPartsMax = 255;

struct Part {
  Answer answer = Answer::kNone;
  std::uint8_t heard = 0;  // bits of Heard
  bool operator==(const Part&) const = default;
};

// Why something failed, in the terms of a report: the number of FailureAbout, and a word of the closed list of causes.
struct Why {
  std::uint8_t about = 0;
  std::string cause = {};
  bool operator==(const Why&) const = default;
};

struct Data {
  PartsRule rule = PartsRule::kAll;
  std::vector<Part> parts = {};  // empty: no part has an answer
  Why failure = {};              // of the worst failure among them
  bool operator==(const Data&) const = default;
};

// What the parts amount to. nullopt while a part waits for its answer. Rises, along RankOf(), with whatever is learnt
// of a part: so the order in which that happens makes no difference.
std::optional<State> Amounts(const Data& data);
// The worst failure among the parts, by answer or by receipt; kNew: none.
State WorstOf(const std::vector<Part>& parts);

}  // namespace smsflow::workflows::submission
