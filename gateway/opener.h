// Opens what a client sealed. Carriers know envelopes by this seam alone: which formats and vaults there are is its
// implementation's business.
#pragma once

#include <optional>
#include <vector>

#include "crypto/keys.h"
#include "crypto/secret.h"
#include "engine/bus.h"
#include "gateway/plaintext.h"

namespace smsflow::gateway {

struct OpenedSms {
  crypto::Secret plaintext;  // what `sms` points into
  Sms sms;
};

// Thread-safe; does not block but for the arithmetic.
class Opener {
 public:
  virtual ~Opener() = default;
  // nullopt: it cannot be opened, was sealed for another SMS than `lease` says, or is no SMS; `why` tells in the terms
  // of a report, and nothing else of it is ever told.
  virtual std::optional<OpenedSms> Open(const engine::Lease& lease, Unreadable& why) const = 0;
};

// JWE envelopes, by key id. The first key of an id counts.
class EnvelopeOpener : public Opener {
 public:
  explicit EnvelopeOpener(std::vector<crypto::PrivateKey> keys);
  std::optional<OpenedSms> Open(const engine::Lease& lease, Unreadable& why) const override;

 private:
  std::vector<crypto::PrivateKey> keys_;
};

}  // namespace smsflow::gateway
