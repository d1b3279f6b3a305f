// What an SMSC says, in the words of a report: the closed list of causes in docs/hand-over.md. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "gateway/attempt.h"
#include "smpp/receipt.h"
#include "smpp/refusals.h"

namespace smsflow::gateway {

workflows::submission::Heard HeardOf(smpp::ReceiptMeaning meaning);
// Of a receipt that tells of a failure. Lives as long as the program, as all of these.
std::string_view CauseOf(const std::optional<smpp::MessageState>& state);

struct Blame {
  About about = About::kNotSaid;
  std::string_view cause = {};
};
// Of a submit that was refused with `status`, which means `meaning` there.
Blame BlameOf(const smpp::RefusalMeaning& meaning, smpp::CommandStatus status);

// A receipt's word for the state, as it may be shown. It is whatever stands there, be it from the text of an SMS: only
// what looks like a state is; of `word`'s memory.
std::string_view ShownWord(std::string_view word);

}  // namespace smsflow::gateway
