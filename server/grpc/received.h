// What came for a verb, taken apart only when that is cheap. Two bytes on the wire may stand for an object of 150 in
// memory: a message within its limit of bytes could be worth gigabytes. So the fields of a large one are counted first.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/zero_copy_stream.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/impl/serialization_traits.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/proto_buffer_reader.h>
#include <grpcpp/support/status.h>

#include <cstddef>

#include "absl/status/status.h"

namespace smsflow::server {

// A batch of as many items as limits.batch_items may ever allow has fewer.
inline constexpr std::size_t kFieldsMax = 200'000;
// Is taken apart without a look.
inline constexpr std::size_t kSmallBytes = 4'096;

// Whether these bytes, as a message of this type, hold more than `most` fields, of all depths, unknown ones too. Bytes
// that are no message do not.
bool HasMoreFields(google::protobuf::io::ZeroCopyInputStream& bytes, const google::protobuf::Descriptor& type,
                   std::size_t most);

absl::Status WhyRefused(bool too_many_fields);

// Where gRPC puts a message.
template <class Message>
struct Received {
  Message* into = nullptr;
  enum { kTaken, kTooManyFields, kUnreadable } what = kTaken;

  // `into` is not what was sent.
  bool Refused() const { return what != kTaken; }
  // INVALID_ARGUMENT with the rule that it breaks; INTERNAL, as gRPC has it, for what is no such message.
  absl::Status why() const { return what == kTaken ? absl::OkStatus() : WhyRefused(what == kTooManyFields); }
};

}  // namespace smsflow::server

namespace grpc {

// Is never an error to gRPC, for which a message that it cannot read is the end of what the client sends.
template <class Message>
class SerializationTraits<smsflow::server::Received<Message>, void> {
 public:
  static Status Deserialize(ByteBuffer* bytes, smsflow::server::Received<Message>* received) {
    using To = smsflow::server::Received<Message>;
    if (bytes->Valid() && bytes->Length() > smsflow::server::kSmallBytes) {
      ProtoBufferReader reader(bytes);
      if (reader.status().ok() &&
          smsflow::server::HasMoreFields(reader, *Message::descriptor(), smsflow::server::kFieldsMax)) {
        received->what = To::kTooManyFields;
        bytes->Clear();
        return Status::OK;
      }
    }
    const bool read = SerializationTraits<Message>::Deserialize(bytes, received->into).ok();
    received->what = read ? To::kTaken : To::kUnreadable;
    return Status::OK;
  }
};

}  // namespace grpc
