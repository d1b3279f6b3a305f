// Envelopes and keys, as strangers may write them. Nothing that was not sealed for the key opens.
#include <string>

#include "crypto/envelope.h"
#include "crypto/keys.h"
#include "tests/fuzz/fuzz.h"

namespace crypto = smsflow::crypto;
using smsflow::fuzz::Require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // ECDH-ES and RSA-OAEP-256: each has its own way through a header, and the other's envelopes are refused.
  static const crypto::PrivateKey keys[] = {crypto::PrivateKey::Generate(crypto::KeyKind::kP256),
                                            crypto::PrivateKey::Generate(crypto::KeyKind::kRsa)};
  const std::string_view text = smsflow::fuzz::View(data, size);
  const auto header = crypto::ReadEnvelopeHeader(text);
  for (const crypto::PrivateKey& key : keys) {
    const auto opened = crypto::OpenEnvelope(key, header.ok() ? header->subject : "acme/k", text);
    Require(!opened.ok(), "what was sealed for another key stays shut");
  }
  for (const auto& parsed :
       {crypto::PublicKey::FromPem(text), crypto::PublicKey::FromJwk(text), crypto::PublicKey::FromFile(text)})
    if (parsed.ok()) (void)crypto::SealEnvelope(*parsed, "acme/k", "text");
  // What is sealed here opens to itself, whatever it says and whatever it is for; a change of its header does not.
  if (size > 0 && size < 2000 && data[size - 1] != 0) {
    const std::size_t rsa = data[size - 1] % 8 == 7 ? 1 : 0;  // it takes a hundred times as long
    const crypto::PrivateKey& key = keys[rsa];
    const crypto::PrivateKey& other = keys[1 - rsa];
    const std::string subject = crypto::EnvelopeSubject("acme", text.substr(0, 64));
    const auto sealed = crypto::SealEnvelope(key.public_key(), subject, text);
    Require(sealed.ok(), "every text can be sealed");
    const auto own = crypto::OpenEnvelope(key, subject, *sealed);
    Require(own.ok() && own->Reveal() == text, "what was sealed opens to itself");
    Require(!crypto::OpenEnvelope(key, subject + "x", *sealed).ok(), "it opens for its own SMS alone");
    Require(!crypto::OpenEnvelope(other, subject, *sealed).ok(), "it opens with its own key alone");
    // One character of its key, its nonce, its text or its tag is another.
    const std::size_t body = sealed->find('.') + 1, at = body + data[0] * 256U % (sealed->size() - body);
    std::string changed = *sealed;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    Require(!crypto::OpenEnvelope(key, subject, changed).ok(), "what was changed stays shut");
  }
  return 0;
}
