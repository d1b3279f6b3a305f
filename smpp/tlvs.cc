#include "smpp/tlvs.h"

#include <cstddef>

namespace smsflow::smpp {
namespace {

constexpr std::size_t kTlvHeader = 4;
constexpr std::size_t kValueMax = 0xffff;

std::uint16_t ShortAt(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[at]) << 8 |
                                    static_cast<unsigned char>(bytes[at + 1]));
}

void AppendShort(std::string& out, std::uint16_t value) {
  out += static_cast<char>(value >> 8);
  out += static_cast<char>(value & 0xff);
}

}  // namespace

Tlv Tlvs::Iterator::operator*() const {
  return {static_cast<Tag>(ShortAt(rest_, 0)), rest_.substr(kTlvHeader, ShortAt(rest_, 2))};
}

Tlvs::Iterator& Tlvs::Iterator::operator++() {
  rest_.remove_prefix(kTlvHeader + ShortAt(rest_, 2));
  return *this;
}

std::optional<Tlvs> Tlvs::Parse(std::string_view bytes) {
  std::string_view rest = bytes;
  while (!rest.empty()) {
    if (rest.size() < kTlvHeader) return std::nullopt;
    const std::size_t size = kTlvHeader + ShortAt(rest, 2);
    if (rest.size() < size) return std::nullopt;
    rest.remove_prefix(size);
  }
  return Tlvs(bytes);
}

std::optional<std::string_view> Tlvs::Find(Tag tag) const {
  for (const Tlv& tlv : *this) {
    if (tlv.tag == tag) return tlv.value;
  }
  return std::nullopt;
}

std::optional<std::uint8_t> Tlvs::Octet(Tag tag) const {
  const auto value = Find(tag);
  if (!value || value->size() != 1) return std::nullopt;
  return static_cast<std::uint8_t>(value->front());
}

std::optional<std::uint16_t> Tlvs::Short(Tag tag) const {
  const auto value = Find(tag);
  if (!value || value->size() != 2) return std::nullopt;
  return ShortAt(*value, 0);
}

std::optional<std::string_view> Tlvs::Text(Tag tag) const {
  const auto value = Find(tag);
  if (!value) return std::nullopt;
  return value->substr(0, value->find('\0'));
}

TlvWriter& TlvWriter::Add(Tag tag, std::string_view value) {
  value = value.substr(0, kValueMax);
  AppendShort(bytes_, static_cast<std::uint16_t>(tag));
  AppendShort(bytes_, static_cast<std::uint16_t>(value.size()));
  bytes_ += value;
  return *this;
}

TlvWriter& TlvWriter::AddOctet(Tag tag, std::uint8_t value) {
  const char octet = static_cast<char>(value);
  return Add(tag, {&octet, 1});
}

TlvWriter& TlvWriter::AddShort(Tag tag, std::uint16_t value) {
  const char octets[] = {static_cast<char>(value >> 8), static_cast<char>(value & 0xff)};
  return Add(tag, {octets, sizeof octets});
}

TlvWriter& TlvWriter::AddText(Tag tag, std::string_view text) {
  std::string value(text.substr(0, kValueMax - 1));
  value += '\0';
  return Add(tag, value);
}

}  // namespace smsflow::smpp
