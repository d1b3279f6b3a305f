// What a client sealed: header lines, a blank line, the text.
//
//   To: +255123456789
//   Sender: CLINIC
//   Priority: code
//
//   The text; CR LF becomes LF, one newline at its end is dropped, a blank first line is kept.
//
// Priority is `code` (a one-time code), `transactional` or `bulk`; without it, or with another word, transactional.
// Header names are case-sensitive, a repeated one counts last, one without a value counts as absent, unknown ones are
// ignored. Pure; an error names the rule and never what was read.
//
// No number and no text is copied into memory that is not wiped when it is given back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"
#include "crypto/secret.h"
#include "gateway/attempt.h"

namespace smsflow::gateway {

// What a client may say of how soon an SMS should leave, when not all can leave at once.
enum class Priority : std::uint8_t { kCode, kTransactional, kBulk };
inline constexpr std::size_t kPriorities = 3;

struct Sms {
  std::string_view recipient;  // within what was read: `+` and 7 to 15 digits, the first not 0 (E.164)
  std::string_view sender;     // within what was read; may be empty
  Priority priority = Priority::kTransactional;
  crypto::Secret text;  // never empty
};

// Why a plaintext is no SMS, in the terms of a report.
struct Unreadable {
  About about = About::kMessage;
  std::string_view cause;  // of the closed list
  bool for_now = false;    // another gateway, or this one later, may be able to
};

// InvalidArgument says in words what `why` says in terms.
absl::StatusOr<Sms> ParsePlaintext(std::string_view plaintext, Unreadable& why);

}  // namespace smsflow::gateway
