// Texts both ways: from a client into segments, from the wire into a text.
#include <string>

#include "smpp/gsm.h"
#include "smpp/text.h"
#include "smpp/unicode.h"
#include "tests/fuzz/fuzz.h"

namespace smpp = smsflow::smpp;
using smsflow::fuzz::Require;

namespace {

void TryClient(std::string_view text, smpp::Reference reference) {
  const auto coded = smpp::EncodeText(text);
  Require(coded.ok() == smpp::IsUtf8(text), "every text can be said");
  if (!coded.ok()) return;
  Require(smpp::DecodeText(coded->data_coding, coded->octets) == text, "a text comes back");
  const auto parts = smpp::Split(coded->octets, coded->alphabet, reference);
  if (!parts.ok()) return;
  std::string joined;
  for (const std::string_view part : *parts) joined += *smpp::DecodeText(coded->data_coding, part);
  Require(joined == text, "no part begins within a character");
}

void TryWire(std::string_view octets) {
  for (const int coding : {0x00, 0x01, 0x03, 0x08, 0x10, 0x18, 0xf0}) {
    const auto text = smpp::DecodeText(static_cast<std::uint8_t>(coding), octets);
    Require(text && smpp::IsUtf8(*text), "what is shown is UTF-8");
  }
  if (const auto user = smpp::ReadUserData(octets); user.ok()) {
    Require(user->header.size() + user->text.size() == octets.size(), "a header and a text are the whole");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = smsflow::fuzz::View(data, size);
  if (input.empty()) return 0;
  TryClient(input.substr(1), (input[0] & 1) != 0 ? smpp::Reference::k16Bit : smpp::Reference::k8Bit);
  TryWire(input);
  return 0;
}
