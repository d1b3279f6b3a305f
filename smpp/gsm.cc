#include "smpp/gsm.h"

#include <array>
#include <cstdint>

#include "smpp/unicode.h"
#include "smpp/wiped.h"

namespace smsflow::smpp {
namespace {

// By septet; ESC itself stands for nothing.
constexpr std::u32string_view kBasic =
    U"@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u001bÆæßÉ"
    U" !\"#¤%&'()*+,-./0123456789:;<=>?"
    U"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    U"¿abcdefghijklmnopqrstuvwxyzäöñüà";
static_assert(kBasic.size() == 128);

struct Extended {
  char32_t character;
  std::uint8_t septet;
};
constexpr std::array kExtension = {
    Extended{U'\f', 0x0a}, Extended{U'^', 0x14}, Extended{U'{', 0x28}, Extended{U'}', 0x29}, Extended{U'\\', 0x2f},
    Extended{U'[', 0x3c},  Extended{U'~', 0x3d}, Extended{U']', 0x3e}, Extended{U'|', 0x40}, Extended{U'€', 0x65},
};

// By code point: the septet, with kExtendedBit when an escape stands before it. The euro lies beyond and is asked for
// by name.
constexpr char32_t kTableSize = 0x400;
constexpr std::uint8_t kNone = 0xff;
constexpr std::uint8_t kExtendedBit = 0x80;
constexpr char32_t kEuro = U'€';
constexpr std::uint8_t kEuroSeptet = 0x65 | kExtendedBit;

constexpr std::array<std::uint8_t, kTableSize> MakeTable() {
  std::array<std::uint8_t, kTableSize> table{};
  for (std::uint8_t& septet : table) septet = kNone;
  for (std::size_t i = 0; i < kBasic.size(); ++i) {
    if (i != kGsmEscape) table[kBasic[i]] = static_cast<std::uint8_t>(i);
  }
  for (const Extended& extended : kExtension) {
    if (extended.character < kTableSize) {
      table[extended.character] = static_cast<std::uint8_t>(extended.septet | kExtendedBit);
    }
  }
  return table;
}
constexpr auto kTable = MakeTable();

std::uint8_t SeptetOf(char32_t character) {
  if (character < kTableSize) return kTable[character];
  return character == kEuro ? kEuroSeptet : kNone;
}

std::optional<char32_t> ExtendedAt(unsigned char septet) {
  for (const Extended& extended : kExtension) {
    if (extended.septet == septet) return extended.character;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> Utf8ToGsm(std::string_view utf8, Unsayable& why) {
  why = {};
  std::string septets = ToBeWiped(utf8.size() * 2);
  for (std::size_t index = 0; !utf8.empty(); ++index) {
    const auto character = TakeCodePoint(utf8);
    if (!character) {
      why = {.characters = 0, .first = index};
      Wipe(septets);
      return std::nullopt;
    }
    const std::uint8_t septet = SeptetOf(*character);
    if (septet == kNone) {
      if (why.characters++ == 0) why.first = index;
      continue;
    }
    if ((septet & kExtendedBit) != 0) septets += kGsmEscape;
    septets += static_cast<char>(septet & ~kExtendedBit);
  }
  if (why.characters > 0) {
    Wipe(septets);
    return std::nullopt;
  }
  return septets;
}

std::string GsmToUtf8(std::string_view septets) {
  std::string text = ToBeWiped(septets.size() * 3);  // an octet that is no septet becomes U+FFFD
  for (std::size_t i = 0; i < septets.size(); ++i) {
    auto septet = static_cast<unsigned char>(septets[i]);
    if (septet == kGsmEscape) {
      const auto next = i + 1 < septets.size() ? static_cast<unsigned char>(septets[i + 1]) : kGsmEscape;
      if (next == kGsmEscape) {
        text += ' ';
        i += i + 1 < septets.size() ? 1 : 0;
        continue;
      }
      if (const auto extended = ExtendedAt(next)) {
        AppendUtf8(text, *extended);
        ++i;
        continue;
      }
      septet = next;
      ++i;
    }
    AppendUtf8(text, septet < kBasic.size() ? kBasic[septet] : kReplacement);
  }
  return text;
}

}  // namespace smsflow::smpp
