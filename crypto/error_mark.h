// Leaves OpenSSL's error queue as it was: an internal header of crypto/.
#pragma once

#include <openssl/err.h>

namespace smsflow::crypto {

// A refusal here is an ordinary outcome, but OpenSSL also puts it into the thread's error queue, where a TLS connection
// served by the same thread would take it for its own.
class ErrorMark {
 public:
  ErrorMark() { ERR_set_mark(); }
  ~ErrorMark() { ERR_pop_to_mark(); }
  ErrorMark(const ErrorMark&) = delete;
  ErrorMark& operator=(const ErrorMark&) = delete;
};

}  // namespace smsflow::crypto
