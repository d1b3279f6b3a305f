#include "smpp/unicode.h"

#include "smpp/wiped.h"

namespace smsflow::smpp {
namespace {

constexpr char32_t kSurrogates = 0xd800, kLowSurrogates = 0xdc00, kAfterSurrogates = 0xe000;
constexpr char32_t kAstral = 0x10000, kLast = 0x10ffff;

bool IsSurrogate(char32_t unit) { return unit >= kSurrogates && unit < kAfterSurrogates; }

void AppendUnit(std::string& out, char32_t unit) {
  out += static_cast<char>(unit >> 8 & 0xff);
  out += static_cast<char>(unit & 0xff);
}

char32_t UnitAt(std::string_view octets, std::size_t at) {
  return static_cast<char32_t>(static_cast<unsigned char>(octets[at])) << 8 |
         static_cast<unsigned char>(octets[at + 1]);
}

}  // namespace

std::optional<char32_t> TakeCodePoint(std::string_view& utf8) {
  const auto first = static_cast<unsigned char>(utf8.front());
  if (first < 0x80) {
    utf8.remove_prefix(1);
    return first;
  }
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || utf8.size() < length) return std::nullopt;
  char32_t code_point = first & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(utf8[i]);
    if ((next & 0xc0) != 0x80) return std::nullopt;
    code_point = code_point << 6 | (next & 0x3f);
  }
  constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, kAstral};
  if (code_point < kLeast[length] || code_point > kLast || IsSurrogate(code_point)) return std::nullopt;
  utf8.remove_prefix(length);
  return code_point;
}

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    if (!TakeCodePoint(text)) return false;
  }
  return true;
}

void AppendUtf8(std::string& out, char32_t code_point) {
  if (code_point < 0x80) {
    out += static_cast<char>(code_point);
    return;
  }
  const auto tail = [&](int shift) { out += static_cast<char>(0x80 | (code_point >> shift & 0x3f)); };
  if (code_point < 0x800) {
    out += static_cast<char>(0xc0 | code_point >> 6);
  } else if (code_point < kAstral) {
    out += static_cast<char>(0xe0 | code_point >> 12);
    tail(6);
  } else {
    out += static_cast<char>(0xf0 | code_point >> 18);
    tail(12);
    tail(6);
  }
  tail(0);
}

std::optional<std::string> Utf8ToUtf16(std::string_view utf8) {
  std::string octets = ToBeWiped(utf8.size() * 2);
  while (!utf8.empty()) {
    const auto code_point = TakeCodePoint(utf8);
    if (!code_point) {
      Wipe(octets);
      return std::nullopt;
    }
    if (*code_point < kAstral) {
      AppendUnit(octets, *code_point);
    } else {
      AppendUnit(octets, kSurrogates + ((*code_point - kAstral) >> 10));
      AppendUnit(octets, kLowSurrogates + ((*code_point - kAstral) & 0x3ff));
    }
  }
  return octets;
}

std::string Utf16ToUtf8(std::string_view octets) {
  std::string text = ToBeWiped((octets.size() + 1) / 2 * 3);
  std::size_t at = 0;
  while (at + 2 <= octets.size()) {
    const char32_t unit = UnitAt(octets, at);
    at += 2;
    if (!IsSurrogate(unit)) {
      AppendUtf8(text, unit);
      continue;
    }
    const char32_t low = unit < kLowSurrogates && at + 2 <= octets.size() ? UnitAt(octets, at) : 0;
    if (low < kLowSurrogates || low >= kAfterSurrogates) {
      AppendUtf8(text, kReplacement);
      continue;
    }
    at += 2;
    AppendUtf8(text, kAstral + ((unit - kSurrogates) << 10) + (low - kLowSurrogates));
  }
  if (at < octets.size()) AppendUtf8(text, kReplacement);
  return text;
}

std::optional<std::string> Utf8ToLatin1(std::string_view utf8) {
  std::string octets = ToBeWiped(utf8.size());
  while (!utf8.empty()) {
    const auto code_point = TakeCodePoint(utf8);
    if (!code_point || *code_point > 0xff) {
      Wipe(octets);
      return std::nullopt;
    }
    octets += static_cast<char>(*code_point);
  }
  return octets;
}

std::string Latin1ToUtf8(std::string_view octets) {
  std::string text = ToBeWiped(octets.size() * 2);
  for (const char octet : octets) AppendUtf8(text, static_cast<unsigned char>(octet));
  return text;
}

}  // namespace smsflow::smpp
