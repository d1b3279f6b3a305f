#include "smpp/text.h"

#include <algorithm>
#include <utility>

#include "smpp/gsm.h"
#include "smpp/unicode.h"

namespace smsflow::smpp {
namespace {

constexpr char kConcat8Bit = 0x00, kConcat16Bit = 0x08;

struct Limits {
  std::size_t alone, part8, part16;  // octets on the wire
};

Limits LimitsOf(Alphabet alphabet) {
  switch (alphabet) {
    case Alphabet::kGsm:
      return {160, 153, 152};
    case Alphabet::kOctets:
      return {140, 134, 133};
    case Alphabet::kUtf16:
      return {140, 134, 132};
  }
  return {};
}

// Where a part of at most `most` octets that begins `rest` must end.
std::size_t CutOf(std::string_view rest, Alphabet alphabet, std::size_t most) {
  if (rest.size() <= most) return rest.size();
  if (alphabet == Alphabet::kUtf16) {
    const auto high = static_cast<unsigned char>(rest[most - 2]);
    return high >= 0xd8 && high < 0xdc ? most - 2 : most;  // a high surrogate takes its low one along
  }
  if (alphabet == Alphabet::kGsm) {
    // Of escapes in a row every second is one that escapes.
    std::size_t escapes = 0;
    while (escapes < most && rest[most - 1 - escapes] == kGsmEscape) ++escapes;
    return most - escapes % 2;
  }
  return most;
}

std::uint8_t OctetAt(std::string_view octets, std::size_t at) { return static_cast<std::uint8_t>(octets[at]); }

std::optional<Concatenation> ReadConcatenation(char element, std::string_view value) {
  Concatenation part;
  if (element == kConcat8Bit && value.size() == 3) {
    part = {.reference = OctetAt(value, 0), .total = OctetAt(value, 1), .number = OctetAt(value, 2)};
  } else if (element == kConcat16Bit && value.size() == 4) {
    part = {.reference = static_cast<std::uint16_t>(OctetAt(value, 0) << 8 | OctetAt(value, 1)),
            .total = OctetAt(value, 2),
            .number = OctetAt(value, 3)};
  }
  if (part.number == 0 || part.number > part.total) return std::nullopt;
  return part;
}

}  // namespace

absl::StatusOr<CodedText> EncodeText(std::string_view utf8) {
  Unsayable why;
  if (auto septets = Utf8ToGsm(utf8, why)) {
    return CodedText{.alphabet = Alphabet::kGsm, .data_coding = kCodingDefault, .octets = std::move(*septets)};
  }
  auto units = Utf8ToUtf16(utf8);
  if (!units) return absl::InvalidArgumentError("text: must be well-formed UTF-8");
  return CodedText{.alphabet = Alphabet::kUtf16, .data_coding = kCodingUcs2, .octets = std::move(*units)};
}

Alphabet AlphabetOf(std::uint8_t data_coding) {
  if (data_coding >= 0xf0) return (data_coding & 0x04) != 0 ? Alphabet::kOctets : Alphabet::kGsm;
  // TS 23.038 §4: the general groups, with or without a class; bits 3 and 2 name the alphabet.
  if (data_coding >= 0x10 && data_coding < 0x80) {
    switch (data_coding >> 2 & 0x03) {
      case 0:
        return Alphabet::kGsm;
      case 2:
        return Alphabet::kUtf16;
      default:
        return Alphabet::kOctets;
    }
  }
  if (data_coding == kCodingDefault || data_coding == kCodingAscii) return Alphabet::kGsm;
  return data_coding == kCodingUcs2 ? Alphabet::kUtf16 : Alphabet::kOctets;
}

std::optional<std::string> DecodeText(std::uint8_t data_coding, std::string_view octets) {
  // An ASCII of 7 bits: what is above stands for Latin-1 at those that send it.
  if (data_coding == kCodingAscii || data_coding == kCodingLatin1) return Latin1ToUtf8(octets);
  switch (AlphabetOf(data_coding)) {
    case Alphabet::kGsm:
      return GsmToUtf8(octets);
    case Alphabet::kUtf16:
      return Utf16ToUtf8(octets);
    case Alphabet::kOctets:
      return std::nullopt;
  }
  return std::nullopt;
}

absl::StatusOr<std::vector<std::string_view>> Split(std::string_view octets, Alphabet alphabet, Reference reference) {
  const Limits limits = LimitsOf(alphabet);
  if (octets.size() <= limits.alone) return std::vector<std::string_view>{octets};
  const std::size_t most = reference == Reference::k8Bit ? limits.part8 : limits.part16;
  std::vector<std::string_view> parts;
  parts.reserve(std::min(octets.size() / most + 1, kSegmentsMax));
  while (!octets.empty()) {
    if (parts.size() == kSegmentsMax) {
      return absl::ResourceExhaustedError("text: must fit into 255 segments");
    }
    const std::size_t cut = CutOf(octets, alphabet, most);
    parts.push_back(octets.substr(0, cut));
    octets.remove_prefix(cut);
  }
  return parts;
}

std::string ConcatenationHeader(const Concatenation& part, Reference reference) {
  std::string header;
  if (reference == Reference::k8Bit) {
    header = {5, kConcat8Bit, 3};
  } else {
    header = {6, kConcat16Bit, 4, static_cast<char>(part.reference >> 8)};
  }
  header += static_cast<char>(part.reference & 0xff);
  header += static_cast<char>(part.total);
  header += static_cast<char>(part.number);
  return header;
}

void AddSar(const Concatenation& part, TlvWriter& tlvs) {
  tlvs.AddShort(Tag::kSarMsgRefNum, part.reference);
  tlvs.AddOctet(Tag::kSarTotalSegments, part.total);
  tlvs.AddOctet(Tag::kSarSegmentSeqnum, part.number);
}

std::optional<Concatenation> ReadSar(const Tlvs& tlvs) {
  const auto reference = tlvs.Short(Tag::kSarMsgRefNum);
  const auto total = tlvs.Octet(Tag::kSarTotalSegments);
  const auto number = tlvs.Octet(Tag::kSarSegmentSeqnum);
  if (!reference || !total || !number || *number == 0 || *number > *total) return std::nullopt;
  return Concatenation{.reference = *reference, .total = *total, .number = *number};
}

absl::StatusOr<UserData> ReadUserData(std::string_view octets) {
  if (octets.empty() || octets.size() - 1 < OctetAt(octets, 0)) {
    return absl::InvalidArgumentError("user data header: must not be longer than the user data");
  }
  UserData data;
  data.header = octets.substr(0, OctetAt(octets, 0) + std::size_t{1});
  data.text = octets.substr(data.header.size());
  std::string_view elements = data.header.substr(1);
  while (!elements.empty()) {
    if (elements.size() < 2 || elements.size() - 2 < OctetAt(elements, 1)) {
      return absl::InvalidArgumentError("user data header: an element must not be longer than the header");
    }
    const std::size_t length = OctetAt(elements, 1);
    // The last of several counts (TS 23.040 §9.2.3.24).
    if (const auto part = ReadConcatenation(elements[0], elements.substr(2, length))) data.part = part;
    elements.remove_prefix(2 + length);
  }
  return data;
}

}  // namespace smsflow::smpp
