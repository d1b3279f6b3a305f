// Envelopes in the old format, as strangers may write them. It has no tag, so changed ones may open; but what opens
// under a known key is what that key would have sealed, byte for byte.
#include <string>

#include "crypto/old_envelope.h"
#include "tests/fuzz/fuzz.h"

namespace crypto = smsflow::crypto;
using smsflow::fuzz::Require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const crypto::PrivateKey key = crypto::PrivateKey::Generate(crypto::KeyKind::kRsa);
  static const crypto::Secret content_key(std::string_view("a content key of just 32 bytes.."));
  const std::string_view text = smsflow::fuzz::View(data, size);
  const auto opened = crypto::OpenOldEnvelope({&key, 1}, text);
  if (opened.ok()) Require(opened->size() < size, "what opens is smaller than its envelope");
  if (!opened.ok()) Require(opened.status().message().size() < 120, "an error does not repeat what was read");
  const auto inner = crypto::OpenOldText(content_key, text);
  if (inner) Require(crypto::SealOldText(content_key, inner->Reveal()) == text, "one text for one plaintext");
  const auto again = crypto::OpenOldText(content_key, crypto::SealOldText(content_key, text));
  Require(again && again->Reveal() == text, "what was sealed opens to itself");
  return 0;
}
