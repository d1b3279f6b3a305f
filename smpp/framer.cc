#include "smpp/framer.h"

#include <string.h>

#include <algorithm>

namespace smsflow::smpp {
namespace {

constexpr std::size_t kLengthBytes = 4;

std::uint32_t LengthOf(std::string_view bytes) {
  std::uint32_t length = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i) length = length << 8 | static_cast<unsigned char>(bytes[i]);
  return length;
}

}  // namespace

Framer::Framer(std::size_t pdu_bytes_max) : pdu_bytes_max_(std::max(pdu_bytes_max, kHeaderBytes)) {}

void Framer::Append(std::string_view bytes) {
  if (broken_) return;
  ForgetTaken();
  buffer_ += bytes;
}

// A buffer lives as long as its connection, and the last PDU of it could for days be one with a number and a text.
void Framer::ForgetTaken() {
  if (taken_ == 0) return;
  const std::size_t left = buffer_.size() - taken_;
  std::copy_n(buffer_.begin() + static_cast<std::ptrdiff_t>(taken_), left, buffer_.begin());
  explicit_bzero(buffer_.data() + left, taken_);
  buffer_.resize(left);
  taken_ = 0;
}

std::optional<std::string_view> Framer::Next() {
  if (broken_) return std::nullopt;
  const std::string_view rest = std::string_view(buffer_).substr(taken_);
  // A length is judged as soon as it is there: nobody waits for gigabytes that were only announced.
  if (rest.size() < kLengthBytes) {
    ForgetTaken();
    return std::nullopt;
  }
  const std::uint32_t length = LengthOf(rest);
  if (length < kHeaderBytes || length > pdu_bytes_max_) {
    broken_ = Refusal{CommandStatus::kInvalidCommandLength, "command_length", "must be 16 to the largest PDU taken"};
    std::uint32_t ignored = 0;
    if (const auto header = ReadHeader(rest, ignored)) broken_sequence_ = header->sequence;
    buffer_.clear();
    buffer_.shrink_to_fit();
    taken_ = 0;
    return std::nullopt;
  }
  if (rest.size() < length) {
    ForgetTaken();
    return std::nullopt;
  }
  taken_ += length;
  return rest.substr(0, length);
}

}  // namespace smsflow::smpp
