// Octets as people write them in tests, and the golden PDUs.
#pragma once

#include <cstddef>
#include <fstream>
#include <map>
#include <string>
#include <string_view>

namespace smsflow::smpp {

// Blanks are passed over.
inline std::string Unhex(std::string_view text) {
  std::string octets;
  int half = -1;
  for (const char c : text) {
    if (c == ' ') continue;
    const int value = c <= '9' ? c - '0' : c - 'a' + 10;
    if (half < 0) {
      half = value;
    } else {
      octets += static_cast<char>(half << 4 | value);
      half = -1;
    }
  }
  return octets;
}

inline std::string Hex(std::string_view octets) {
  std::string text;
  for (const char octet : octets) {
    text += "0123456789abcdef"[static_cast<unsigned char>(octet) >> 4];
    text += "0123456789abcdef"[static_cast<unsigned char>(octet) & 15];
  }
  return text;
}

// By name, as another implementation encoded them: see tests/smpp/peers/golden.js.
inline std::map<std::string, std::string> GoldenPdus() {
  std::ifstream in("tests/smpp/golden/pdus.txt");
  std::map<std::string, std::string> pdus;
  std::string name, hex;
  while (in >> name >> hex) pdus[name] = Unhex(hex);
  return pdus;
}

}  // namespace smsflow::smpp
