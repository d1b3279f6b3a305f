// The error texts of old gateways, in the words of smsflow.
#include "workflows/delivery/causes.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/match.h"
#include "kafka/records.h"

namespace smsflow::kafka {
namespace {

struct Beginning {
  std::string_view text;  // how such a text begins
  std::string_view cause;
  About about;
};

constexpr Beginning kBeginnings[] = {
    {"Client ID is unknown or disallowed", "no_route", About::kRoute},
    {"Request lacks Payload field", "invalid_message", About::kMessage},
    {"Request lacks Deadline field", "invalid", About::kNotSaid},
    {"Invalid deadline value", "invalid", About::kNotSaid},
    {"SMS lacks recipient", "invalid_recipient", About::kRecipient},
    {"SMS recipient not", "invalid_recipient", About::kRecipient},
    {"Recipient number invalid", "invalid_recipient", About::kRecipient},
    {"Gateway disallows foreign", "foreign_recipient", About::kRecipient},
    {"SMS body is empty", "invalid_message", About::kMessage},
    {"Failed to parse request payload", "envelope", About::kMessage},
    {"Failed to send SMS through SMSC", "smsc_error", About::kNotSaid},
    {"Exception while handling", "failed", About::kNotSaid},
    {"Message was deleted", "deleted", About::kNotSaid},
    {"SMSC delivery state UNKNOWN", "smsc_unknown", About::kNotSaid},
    {"Message was undeliverable", "undeliverable", About::kNotSaid},
    {"SMSC rejects message", "rejected", About::kNotSaid},
    {"Expired", "expired", About::kNotSaid},
    {"Invalid", "requested", About::kNotSaid},
    {"Failed after successful", "requested", About::kNotSaid},
    {"Reporting failed", "requested", About::kNotSaid},
    {"You requested this", "requested", About::kNotSaid},
};

// What a result means where nothing is said.
std::string_view Silent(Reported result) {
  switch (result) {
    case Reported::kExpired:
      return "expired";
    case Reported::kInvalid:
    case Reported::kFailedPermanent:
      return "invalid";
    case Reported::kFailedTransient:
      return "failed";
    case Reported::kUnknown:
      return "unknown";
    case Reported::kNeverSeen:
      return "never_seen";
    case Reported::kAccepted:
    case Reported::kSent:
    case Reported::kDelivered:
      return "";
  }
  return "";
}

}  // namespace

Told CauseOfErrorText(Reported result, std::string_view text) {
  if (text.empty()) return {Silent(result), About::kNotSaid};
  const auto* const found = std::find_if(std::begin(kBeginnings), std::end(kBeginnings), [&](const Beginning& one) {
    return absl::StartsWith({text.data(), text.size()}, {one.text.data(), one.text.size()});
  });
  if (found != std::end(kBeginnings)) return {found->cause, found->about};
  return {workflows::delivery::CauseWord(text), About::kNotSaid};
}

std::string_view ErrorTextOf(Reported result, std::string_view cause) {
  if (cause == Silent(result)) return {};
  // Of several the last one: it says least of what is not known here.
  const auto found = std::find_if(std::rbegin(kBeginnings), std::rend(kBeginnings),
                                  [&](const Beginning& one) { return one.cause == cause; });
  return found == std::rend(kBeginnings) ? cause : found->text;
}

}  // namespace smsflow::kafka
