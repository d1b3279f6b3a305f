// RSA-OAEP with SHA-256 for both the label and the mask, as RFC 7518, section 4.3 asks: an internal header of crypto/.
#pragma once

#include <string>
#include <string_view>

#include "crypto/secret.h"

typedef struct evp_pkey_st EVP_PKEY;

namespace smsflow::crypto {

std::string OaepWrap(EVP_PKEY* key, const Secret& content_key);

// False, and `content_key` as it was, when `wrapped` does not open or holds another length than that. Callers put
// random bytes there before, and go on: nobody must learn which of the two it was.
[[nodiscard]] bool OaepUnwrap(EVP_PKEY* key, std::string_view wrapped, Secret& content_key);

}  // namespace smsflow::crypto
