// What came for a verb, taken apart only when that is cheap. Two bytes on the wire may stand for an object of 150 in
// memory: a message within its limit of bytes could be worth gigabytes. So the fields of a large one are counted first.
//
// A message that may hold a password leaves nothing of it behind: neither in the bytes that came nor, once its call is
// over, in itself.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/zero_copy_stream.h>
#include <google/protobuf/message.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/impl/serialization_traits.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include <cstddef>

#include "absl/status/status.h"
#include "server/violations.h"

namespace smsflow::server {

// A batch of as many items as limits.batch_items may ever allow has fewer.
inline constexpr std::size_t kFieldsMax = 200'000;
// Is taken apart without a look.
inline constexpr std::size_t kSmallBytes = 4'096;

// Whether these bytes, as a message of this type, hold more than `most` fields, of all depths, unknown ones too. Bytes
// that are no message do not.
bool HasMoreFields(google::protobuf::io::ZeroCopyInputStream& bytes, const google::protobuf::Descriptor& type,
                   std::size_t most);

// Each text that is not UTF-8, as "items[2].target", for which alone no message can be made of these bytes, of which
// there are `length`. None where they are none for another reason. At most a hundred.
Violations TextsThatAreNotUtf8(google::protobuf::io::ZeroCopyInputStream& bytes, std::size_t length,
                               const google::protobuf::Descriptor& type);

// INVALID_ARGUMENT with the rule that they break; INTERNAL, as gRPC has it, for what is no such message.
absl::Status TakeApart(grpc::ByteBuffer& bytes, google::protobuf::Message& into, Violations& violations);
// They can be seen by nobody afterwards.
void WipeBytes(grpc::ByteBuffer& bytes);

// Whether it has a field for one; wipes what is there.
bool MayHoldPassword(const google::protobuf::Descriptor& type);
void WipePassword(google::protobuf::Message& message);

// Where gRPC puts a message.
template <class Message>
struct Received {
  Message* into = nullptr;
  absl::Status why = absl::OkStatus();
  Violations violations = {};  // in `why` too

  // `into` is not what was sent.
  bool Refused() const { return !why.ok(); }
};

// Goes where the message goes, before it.
template <class Message>
class WipedAfter {
 public:
  explicit WipedAfter(Message& message) : message_(message) {}
  ~WipedAfter() {
    static const bool may_hold = MayHoldPassword(*Message::descriptor());
    if (may_hold) WipePassword(message_);
  }
  WipedAfter(const WipedAfter&) = delete;
  WipedAfter& operator=(const WipedAfter&) = delete;

 private:
  Message& message_;
};

}  // namespace smsflow::server

namespace grpc {

// Is never an error to gRPC, for which a message that it cannot read is the end of what the client sends.
template <class Message>
class SerializationTraits<smsflow::server::Received<Message>, void> {
 public:
  static Status Deserialize(ByteBuffer* bytes, smsflow::server::Received<Message>* received) {
    static const bool may_hold = smsflow::server::MayHoldPassword(*Message::descriptor());
    received->violations.clear();
    received->why = smsflow::server::TakeApart(*bytes, *received->into, received->violations);
    if (may_hold) smsflow::server::WipeBytes(*bytes);
    bytes->Clear();
    return Status::OK;
  }
};

}  // namespace grpc
