// The text of an SMS on its way to the wire: which alphabet, how many segments, where it is cut (3GPP TS 23.038 for the
// alphabets, TS 23.040 §9.2.3.24 for the user data header).
//
//                   alone   a part, 8-bit reference   a part, 16-bit reference
//   GSM septets       160                       153                        152
//   octets            140                       134                        133
//   UTF-16 units       70                        67                         66
//
// Pure; safe from any thread. No error repeats any of a text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "smpp/tlvs.h"

namespace smsflow::smpp {

enum class Alphabet : std::uint8_t { kGsm, kOctets, kUtf16 };

// §5.2.19. What data_coding 0 means is the SMSC's to say: GSM, or at some Latin-1.
inline constexpr std::uint8_t kCodingDefault = 0x00;
inline constexpr std::uint8_t kCodingAscii = 0x01;
inline constexpr std::uint8_t kCodingLatin1 = 0x03;
inline constexpr std::uint8_t kCodingUcs2 = 0x08;

struct CodedText {
  Alphabet alphabet = Alphabet::kGsm;
  std::uint8_t data_coding = kCodingDefault;
  std::string octets = {};
};

// GSM where it can say everything, else UTF-16. InvalidArgument when `utf8` is not well-formed.
[[nodiscard]] absl::StatusOr<CodedText> EncodeText(std::string_view utf8);

// The alphabet in which the octets of a data_coding are counted and cut, message classes (§5.2.19, 0xf0 to 0xff, and
// the groups below) included.
Alphabet AlphabetOf(std::uint8_t data_coding);
// To UTF-8, whatever comes. nullopt for a data_coding of octets that are no text.
std::optional<std::string> DecodeText(std::uint8_t data_coding, std::string_view octets);

enum class Reference : std::uint8_t { k8Bit, k16Bit };

inline constexpr std::size_t kSegmentsMax = 255;

// Cuts what does not fit into one SMS, views into `octets`; one part when it does, also when empty. An escape and a
// surrogate pair are never torn apart. ResourceExhausted when it would take more than kSegmentsMax parts.
[[nodiscard]] absl::StatusOr<std::vector<std::string_view>> Split(std::string_view octets, Alphabet alphabet,
                                                                  Reference reference);

// Which part of what: `number` is 1 to `total`.
struct Concatenation {
  std::uint16_t reference = 0;
  std::uint8_t total = 0, number = 0;
  bool operator==(const Concatenation&) const = default;
};

// The header that stands before a part's text when esm_class has kEsmUdhi: 6 octets, or 7. Of the reference the low 8
// bits are used, or all 16.
std::string ConcatenationHeader(const Concatenation& part, Reference reference);

// The same as TLVs, from which the SMSC makes the header (§5.3.2.22 to §5.3.2.24). Never both: the parts would be
// counted twice.
void AddSar(const Concatenation& part, TlvWriter& tlvs);
// nullopt when one of the three is missing, or they are no part.
std::optional<Concatenation> ReadSar(const Tlvs& tlvs);

// A user data with its header taken apart.
struct UserData {
  std::optional<Concatenation> part;
  std::string_view header;  // with its length octet
  std::string_view text;
};
// InvalidArgument when the header or an element of it is longer than what holds it. An element that is not known is
// passed over, one of a concatenation that cannot be (number 0 or above the total) too, as the standard wants.
[[nodiscard]] absl::StatusOr<UserData> ReadUserData(std::string_view octets);

}  // namespace smsflow::smpp
