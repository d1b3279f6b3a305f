// Opens what a client sealed. Carriers know envelopes by this seam alone: which formats and vaults there are is its
// implementation's business.
#pragma once

#include <memory>
#include <optional>

#include "crypto/secret.h"
#include "crypto/vault.h"
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

// What a vault opens: JWE and, where it was told to, the old format. Of what is not authentic `why` never tells more
// than that it could not be opened: whoever changes it must not learn what became of it.
class EnvelopeOpener : public Opener {
 public:
  explicit EnvelopeOpener(std::shared_ptr<const crypto::Vault> vault);
  std::optional<OpenedSms> Open(const engine::Lease& lease, Unreadable& why) const override;

 private:
  const std::shared_ptr<const crypto::Vault> vault_;
};

}  // namespace smsflow::gateway
