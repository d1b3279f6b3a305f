// Cuts a byte stream into PDUs by their command_length (§3.2.1). What comes in may end anywhere; what goes out is
// whole.
//
// Holds what has not been taken yet, which is below the largest PDU plus what was appended last. A length that cannot
// be ends the stream: where the next PDU would begin can then no longer be known. Used by one thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "smpp/codec.h"
#include "smpp/wiped.h"

namespace smsflow::smpp {

class Framer {
 public:
  // `pdu_bytes_max` is at least a header's 16.
  explicit Framer(std::size_t pdu_bytes_max = kPduBytesMax);

  // Invalidates what Next() gave. Ignored once broken.
  void Append(std::string_view bytes);

  // The next whole PDU, valid until Append() or until there is none; nullopt: more bytes are needed, or the stream is
  // broken, and of what was given nothing is left in memory.
  std::optional<std::string_view> Next();

  // Set for good by a command_length below 16 or above the bound; answer with a generic_nack, then close.
  const std::optional<Refusal>& broken() const { return broken_; }
  // Of the PDU that broke the stream, as far as it came: what a generic_nack may quote.
  std::uint32_t broken_sequence() const { return broken_sequence_; }

  std::size_t buffered() const { return buffer_.size() - taken_; }

 private:
  void ForgetTaken();

  const std::size_t pdu_bytes_max_;
  WipedBytes buffer_;
  std::size_t taken_ = 0;  // of buffer_, from its start
  std::optional<Refusal> broken_;
  std::uint32_t broken_sequence_ = 0;
};

}  // namespace smsflow::smpp
