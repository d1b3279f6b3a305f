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
  // What is sealed here opens to itself, whatever it says and whatever it is for; a change of its header does not.
  if (size > 0 && size < 2000 && data[size - 1] != 0) {
    const std::string subject = crypto::EnvelopeSubject("acme", text.substr(0, 64));
    const auto sealed = crypto::SealEnvelope(key.public_key(), subject, text);
    Require(sealed.ok(), "every text can be sealed");
    const auto own = crypto::OpenEnvelope(key, subject, *sealed);
    Require(own.ok() && own->Reveal() == text, "what was sealed opens to itself");
    Require(!crypto::OpenEnvelope(key, subject + "x", *sealed).ok(), "it opens for its own SMS alone");
  }
  return 0;
}
