// What a client sealed: header lines, a blank line, the text.
//
//   To: +255123456789
//   Sender: CLINIC
//
//   The text; CR LF becomes LF, one newline at its end is dropped, a blank first line is kept.
//
// Header names are case-sensitive, a repeated one counts last, one without a value counts as absent, unknown ones are
// ignored. Pure; an error names the rule and never what was read.
//
// No number and no text is copied into memory that is not wiped when it is given back.
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "crypto/secret.h"
#include "gateway/attempt.h"

namespace smsflow::gateway {

struct Sms {
  std::string_view recipient;  // within what was read: `+` and 7 to 15 digits, the first not 0 (E.164)
  std::string_view sender;     // within what was read; may be empty
  crypto::Secret text;         // never empty
};

// Why a plaintext is no SMS, in the terms of a report.
struct Unreadable {
  About about = About::kMessage;
  std::string_view cause;  // of the closed list
};

// InvalidArgument says in words what `why` says in terms.
absl::StatusOr<Sms> ParsePlaintext(std::string_view plaintext, Unreadable& why);

}  // namespace smsflow::gateway
