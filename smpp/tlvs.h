// Optional parameters, TLVs (§3.2.4, §5.3): tag, length, value, one after the other, in the order in which they came.
//
//   tlv := tag:u16 length:u16 value:length*octet      big-endian
//
// A Tlvs is a view over bytes that someone else owns; a TlvWriter owns the bytes that it made. Nothing allocates but
// the writer. What is not known is a TLV like any other: it is kept, and encoded again as it was. Not locked; values
// may be read from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "smpp/protocol.h"

namespace smsflow::smpp {

struct Tlv {
  Tag tag{};
  std::string_view value;
};

class Tlvs {
 public:
  class Iterator {
   public:
    explicit Iterator(std::string_view rest) : rest_(rest) {}
    Tlv operator*() const;
    Iterator& operator++();
    bool operator!=(const Iterator& other) const { return rest_.size() != other.rest_.size(); }

   private:
    std::string_view rest_;
  };

  Tlvs() = default;
  // nullopt unless `bytes` is whole TLVs and nothing else.
  static std::optional<Tlvs> Parse(std::string_view bytes);

  Iterator begin() const { return Iterator(bytes_); }
  Iterator end() const { return Iterator(bytes_.substr(bytes_.size())); }
  bool empty() const { return bytes_.empty(); }
  std::string_view bytes() const { return bytes_; }

  // The first with that tag.
  std::optional<std::string_view> Find(Tag tag) const;
  // The first with that tag, as a number. nullopt also when its length is not the number's: whoever does not need it
  // goes on without.
  std::optional<std::uint8_t> Octet(Tag tag) const;
  std::optional<std::uint16_t> Short(Tag tag) const;
  // As text: without the NUL at its end, which many peers leave out.
  std::optional<std::string_view> Text(Tag tag) const;

 private:
  friend class TlvWriter;
  explicit Tlvs(std::string_view bytes) : bytes_(bytes) {}

  std::string_view bytes_;  // whole TLVs
};

// Makes TLVs, in the order in which they are added.
class TlvWriter {
 public:
  // `value` is at most 65,535 octets; what is longer is cut, so that the bytes stay whole TLVs.
  TlvWriter& Add(Tag tag, std::string_view value);
  TlvWriter& AddOctet(Tag tag, std::uint8_t value);
  TlvWriter& AddShort(Tag tag, std::uint16_t value);
  TlvWriter& AddText(Tag tag, std::string_view text);  // a NUL is put at its end

  // Valid until the writer is changed or goes.
  Tlvs view() const { return Tlvs(bytes_); }

 private:
  std::string bytes_;
};

}  // namespace smsflow::smpp
