// What a gateway knows, and says, of one attempt. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ids/ids.h"
#include "workflows/delivery/codec/codec.h"
#include "workflows/submission/submission.h"

namespace smsflow::gateway {

using workflows::delivery::About;
using workflows::delivery::Reported;

// How an engine that has no attempts of its own names an SMS, in every try of it; both empty: an engine that has.
struct OldName {
  std::string client, correl_id;
  bool empty() const { return correl_id.empty(); }
  bool operator==(const OldName&) const = default;
};
// Such an engine takes a word that it hears again for one of its next try, and may submit once more. So it is told
// once, be it lost, but for what ends the SMS.
inline bool IsToldOnce(const OldName& old, Reported result) {
  return !old.empty() && result != Reported::kDelivered && result != Reported::kInvalid;
}

// One word about an attempt, from the carrier to the store and from there to the engine.
struct Report {
  AttemptId attempt;
  Reported result = Reported::kAccepted;
  About about = About::kNotSaid;
  std::string cause;        // of the closed list in docs/hand-over.md
  std::int64_t at_ms = 0;   // this gateway's clock; for people, never for rules
  std::string tenant = {};  // for the audit log; empty: it is not known
  OldName old = {};         // whom it is for
};

// What is durably known of an attempt.
struct Record {
  std::int64_t deadline_ms = 0;
  std::optional<Reported> result;  // nullopt: INTENT, it may be on its way
  About about = About::kNotSaid;
  std::string cause;
  std::int64_t at_ms = 0;
  workflows::submission::Data data = {};  // of its parts; a carrier that knows none leaves it empty
  std::string account = {};               // whose ids those of the parts are
  std::vector<std::string> ids = {};      // of the parts, as smpp::NormalId has them; empty: none
  std::string tenant = {};
  OldName old = {};  // who asked
  bool operator==(const Record&) const = default;
};

// Two recipients that have the same tag are likely the same one. It is made with a key that no other process has, so
// that nothing can be learnt from it on a disk.
struct RecipientTag {
  std::uint32_t process = 0;  // drawn at its start; 0: no tag
  std::uint32_t hash = 0;
  bool operator==(const RecipientTag&) const = default;
};

// What became of the submit of one part.
struct PartAnswer {
  AttemptId attempt;
  std::uint8_t number = 1;  // 1 to parts
  std::uint8_t parts = 1;
  workflows::submission::PartsRule rule = workflows::submission::PartsRule::kAll;
  workflows::submission::Answer answer = workflows::submission::Answer::kUnknown;
  About about = About::kNotSaid;
  std::string_view cause = {};  // of a failure; lives as long as the program
  std::string account = {};     // of an accepted one: who gave the id
  std::string message_id = {};
  RecipientTag recipient = {};
  std::int64_t at_ms = 0;
};

// A receipt, before anyone knows of what.
struct SmscReceipt {
  std::string account = {};
  std::string tlv_id = {}, text_id = {};  // as they came; either may be empty
  workflows::submission::Heard heard = workflows::submission::Heard::kInDoubt;
  About about = About::kNotSaid;
  std::string cause = {};
  RecipientTag recipient = {};  // of its source address, which is the phone's
  std::int64_t at_ms = 0;
  RecipientTag destination = {};  // the phone's where an SMSC leaves the addresses as they were; not kept on disk
};

// How the carrier knows what it waits to acknowledge.
struct Handle {
  std::uint32_t connection = 0;
  std::uint64_t key = 0;
};

}  // namespace smsflow::gateway
