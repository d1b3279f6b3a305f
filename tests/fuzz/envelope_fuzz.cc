// Envelopes and keys, as strangers may write them. Nothing that was not sealed for the key opens.
#include <string>

#include "crypto/envelope.h"
#include "crypto/keys.h"
#include "tests/fuzz/fuzz.h"

namespace crypto = smsflow::crypto;
using smsflow::fuzz::Require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const crypto::PrivateKey key = crypto::PrivateKey::Generate(crypto::KeyKind::kP256);
  const std::string_view text = smsflow::fuzz::View(data, size);
  const auto header = crypto::ReadEnvelopeHeader(text);
  const auto opened = crypto::OpenEnvelope(key, header.ok() ? header->subject : "acme/k", text);
  Require(!opened.ok(), "what was sealed for another key stays shut");
  for (const auto& parsed :
       {crypto::PublicKey::FromPem(text), crypto::PublicKey::FromJwk(text), crypto::PublicKey::FromFile(text)})
    if (parsed.ok()) (void)crypto::SealEnvelope(*parsed, "acme/k", "text");
  return 0;
}
