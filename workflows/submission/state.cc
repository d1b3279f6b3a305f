#include "workflows/submission/state.h"

#include <algorithm>

namespace smsflow::workflows::submission {
namespace {

bool Has(std::uint8_t heard, Heard what) { return (heard & static_cast<std::uint8_t>(what)) != 0; }

State Higher(State one, State other) { return RankOf(one) >= RankOf(other) ? one : other; }

// kNew where nothing failed.
State FailureOf(Answer answer) {
  if (answer == Answer::kExpired) return State::kExpired;
  if (answer == Answer::kGivenUp || answer == Answer::kRefused) return State::kFailed;
  return answer == Answer::kRefusedForGood ? State::kFailedForGood : State::kNew;
}

State FailureOf(std::uint8_t heard) {
  if (Has(heard, Heard::kFailedForGood)) return State::kFailedForGood;
  return Has(heard, Heard::kFailed) ? State::kFailed : State::kNew;
}

bool Delivered(const Part& part) { return Has(part.heard, Heard::kDelivered); }

// The parts whose receipts count.
std::vector<Part> Telling(const Data& data) {
  if (data.rule == PartsRule::kFirst) return {data.parts.front()};
  if (data.rule == PartsRule::kLast) return {data.parts.back()};
  return data.parts;
}

}  // namespace

std::string_view NameOf(State state) {
  switch (state) {
    case State::kNew:
      return "new";
    case State::kNeverSeen:
      return "NEVER_SEEN";
    case State::kIntent:
      return "INTENT";
    case State::kUnknown:
      return "UNKNOWN";
    case State::kSent:
      return "SENT";
    case State::kFailed:
      return "FAILED";
    case State::kFailedForGood:
      return "FAILED_PERMANENT";
    case State::kInvalid:
      return "INVALID";
    case State::kDelivered:
      return "DELIVERED";
    case State::kExpired:
      return "EXPIRED";
  }
  return "?";
}

std::string_view NameOf(Answer answer) {
  constexpr std::string_view names[] = {"none",     "unknown", "accepted",        "expired",
                                        "given_up", "refused", "refused_for_good"};
  const auto number = static_cast<std::size_t>(answer);
  return number < std::size(names) ? names[number] : "?";
}

std::string_view NameOf(Heard heard) {
  switch (heard) {
    case Heard::kInDoubt:
      return "in_doubt";
    case Heard::kUnderWay:
      return "under_way";
    case Heard::kFailed:
      return "failed";
    case Heard::kFailedForGood:
      return "failed_for_good";
    case Heard::kDelivered:
      return "delivered";
  }
  return "?";
}

std::string_view NameOf(PartsRule rule) {
  constexpr std::string_view names[] = {"all", "any", "first", "last"};
  const auto number = static_cast<std::size_t>(rule);
  return number < std::size(names) ? names[number] : "?";
}

int RankOf(State state) {
  constexpr State kRising[] = {State::kUnknown, State::kSent,          State::kExpired,  State::kFailed,
                               State::kInvalid, State::kFailedForGood, State::kDelivered};
  const auto* found = std::find(std::begin(kRising), std::end(kRising), state);
  return found == std::end(kRising) ? 0 : 1 + static_cast<int>(found - std::begin(kRising));
}

std::optional<State> Amounts(const Data& data) {
  const auto& parts = data.parts;
  const auto answered = [](Answer answer) { return [answer](const Part& part) { return part.answer == answer; }; };
  if (parts.empty() || std::any_of(parts.begin(), parts.end(), answered(Answer::kNone))) return std::nullopt;
  const bool taken = std::all_of(parts.begin(), parts.end(), answered(Answer::kAccepted));
  const auto telling = Telling(data);
  const bool delivered = data.rule == PartsRule::kAny ? std::any_of(telling.begin(), telling.end(), Delivered)
                                                      : std::all_of(telling.begin(), telling.end(), Delivered);
  if (taken && delivered) return State::kDelivered;
  State failure = State::kNew;
  for (const Part& part : parts) failure = Higher(failure, FailureOf(part.answer));
  for (const Part& part : telling) failure = Higher(failure, FailureOf(part.heard));
  if (failure != State::kNew) return failure;
  return taken ? State::kSent : State::kUnknown;
}

State WorstOf(const std::vector<Part>& parts) {
  State worst = State::kNew;
  for (const Part& part : parts) worst = Higher(worst, Higher(FailureOf(part.answer), FailureOf(part.heard)));
  return worst;
}

}  // namespace smsflow::workflows::submission
