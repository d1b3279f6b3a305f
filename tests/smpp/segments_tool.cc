// For tests/smpp/peers/segments.js: a text in hexadecimal a line comes in, its alphabet and count of segments go out.
#include <iostream>
#include <string>

#include "smpp/text.h"
#include "tests/smpp/hex.h"

int main() {
  namespace smpp = smsflow::smpp;
  std::string line;
  while (std::getline(std::cin, line)) {
    const auto coded = smpp::EncodeText(smpp::Unhex(line));
    if (!coded.ok()) return 1;
    const auto parts = smpp::Split(coded->octets, coded->alphabet, smpp::Reference::k8Bit);
    if (!parts.ok()) return 1;
    std::cout << (coded->alphabet == smpp::Alphabet::kGsm ? "GSM-7 " : "UCS-2 ") << parts->size() << '\n';
  }
  return 0;
}
