#include "server/grpc/received.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/stubs/common.h>
#include <google/protobuf/wire_format_lite.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include <cstdint>
#include <map>
#include <string>

#include "crypto/secret.h"

namespace smsflow::server {

namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

constexpr int kDepthMax = 100;  // as protobuf's own
constexpr std::size_t kViolationsMax = 100;
constexpr char kPassword[] = "password";

class Count {
 public:
  explicit Count(std::size_t left) : left_(left) {}

  // False: there are too many. What cannot be read ends the count: nobody else will read on either.
  bool Fields(CodedInputStream& in, const Descriptor* type, int depth) {
    for (std::uint32_t tag = in.ReadTag(); tag != 0; tag = in.ReadTag()) {
      if (!Take(1)) return false;
      std::uint64_t number = 0;
      switch (WireFormatLite::GetTagWireType(tag)) {
        case WireFormatLite::WIRETYPE_VARINT:
          if (!in.ReadVarint64(&number)) return true;
          break;
        case WireFormatLite::WIRETYPE_FIXED64:
          if (!in.Skip(8)) return true;
          break;
        case WireFormatLite::WIRETYPE_FIXED32:
          if (!in.Skip(4)) return true;
          break;
        case WireFormatLite::WIRETYPE_LENGTH_DELIMITED:
          if (!Bytes(in, type == nullptr ? nullptr : type->FindFieldByNumber(WireFormatLite::GetTagFieldNumber(tag)),
                     depth)) {
            return false;
          }
          break;
        default:  // a group is known to nobody here: what stands in it is counted as it comes
          break;
      }
    }
    return true;
  }

 private:
  bool Bytes(CodedInputStream& in, const FieldDescriptor* field, int depth) {
    std::uint32_t length = 0;
    if (!in.ReadVarint32(&length) || length > INT32_MAX) return true;
    if (field != nullptr && field->type() == FieldDescriptor::TYPE_MESSAGE && depth < kDepthMax) {
      const auto outer = in.PushLimit(static_cast<int>(length));
      const bool fits = Fields(in, field->message_type(), depth + 1);
      // Where the count ended early, the rest is skipped.
      in.Skip(in.BytesUntilLimit());
      in.PopLimit(outer);
      return fits;
    }
    // Numbers packed together: a byte is one at least.
    if (field != nullptr && field->is_packable() && !Take(length)) return false;
    in.Skip(static_cast<int>(length));
    return true;
  }
  bool Take(std::size_t fields) {
    if (fields > left_) return false;
    left_ -= fields;
    return true;
  }

  std::size_t left_;
};

// Looks for texts that are not UTF-8, as protobuf sees it when it reads them. All that is read stands within a limit: a
// length that goes beyond it is no message, and nothing is made room for by what a stranger says its length is.
class Texts {
 public:
  explicit Texts(Violations& violations) : violations_(violations) {}

  // False: there is another reason why it cannot be read.
  bool Fields(CodedInputStream& in, const Descriptor& type, const std::string& prefix, int depth) {
    std::map<const FieldDescriptor*, int> items;  // of a repeated field, so far
    for (std::uint32_t tag = in.ReadTag(); tag != 0; tag = in.ReadTag()) {
      const FieldDescriptor* const field = type.FindFieldByNumber(WireFormatLite::GetTagFieldNumber(tag));
      const bool is_text = field != nullptr && field->type() == FieldDescriptor::TYPE_STRING;
      const bool is_message = field != nullptr && field->type() == FieldDescriptor::TYPE_MESSAGE;
      if (WireFormatLite::GetTagWireType(tag) != WireFormatLite::WIRETYPE_LENGTH_DELIMITED ||
          (!is_text && !is_message)) {
        if (!WireFormatLite::SkipField(&in, tag)) return false;
        continue;
      }
      std::uint32_t length = 0;
      if (!in.ReadVarint32(&length) || length > INT32_MAX) return false;
      if (static_cast<int>(length) > in.BytesUntilLimit()) return false;
      const std::string path =
          prefix + field->name() + (field->is_repeated() ? "[" + std::to_string(items[field]++) + "]" : "");
      if (!(is_text ? Text(in, length, path) : Within(in, length, *field->message_type(), path, depth))) return false;
    }
    return in.ConsumedEntireMessage();
  }

 private:
  bool Text(CodedInputStream& in, std::uint32_t length, const std::string& path) {
    std::string text;  // may be a password
    const bool is_there = in.ReadString(&text, static_cast<int>(length));
    if (is_there && violations_.size() < kViolationsMax &&
        !google::protobuf::internal::IsStructurallyValidUTF8(text.data(), static_cast<int>(length))) {
      violations_.push_back({path, "must be UTF-8"});
    }
    crypto::WipeString(text);
    return is_there;
  }
  bool Within(CodedInputStream& in, std::uint32_t length, const Descriptor& type, const std::string& path, int depth) {
    if (depth >= kDepthMax) return false;
    const auto outer = in.PushLimit(static_cast<int>(length));
    const bool is_read = Fields(in, type, path + ".", depth + 1) && in.BytesUntilLimit() == 0;
    in.PopLimit(outer);
    return is_read;
  }

  Violations& violations_;
};

}  // namespace

bool HasMoreFields(google::protobuf::io::ZeroCopyInputStream& bytes, const Descriptor& type, std::size_t most) {
  CodedInputStream in(&bytes);
  return !Count(most).Fields(in, &type, 0);
}

Violations TextsThatAreNotUtf8(google::protobuf::io::ZeroCopyInputStream& bytes, std::size_t length,
                               const Descriptor& type) {
  if (length > INT32_MAX) return {};
  CodedInputStream in(&bytes);
  in.PushLimit(static_cast<int>(length));
  Violations violations;
  if (!Texts(violations).Fields(in, type, "", 0)) violations.clear();
  return violations;
}

absl::Status TakeApart(grpc::ByteBuffer& bytes, google::protobuf::Message& into, Violations& violations) {
  const Descriptor& type = *into.GetDescriptor();
  const absl::Status unreadable = absl::InternalError("message: cannot be read as what the verb takes");
  if (!bytes.Valid()) return unreadable;
  if (bytes.Length() > kSmallBytes) {
    grpc::ProtoBufferReader reader(&bytes);
    if (reader.status().ok() && HasMoreFields(reader, type, kFieldsMax)) {
      violations = {{"message", "must have at most " + std::to_string(kFieldsMax) + " fields"}};
      return ToStatus(violations);
    }
  }
  {
    grpc::ProtoBufferReader reader(&bytes);
    if (reader.status().ok() && into.ParseFromZeroCopyStream(&reader)) return absl::OkStatus();
  }
  grpc::ProtoBufferReader reader(&bytes);
  if (!reader.status().ok()) return unreadable;
  violations = TextsThatAreNotUtf8(reader, bytes.Length(), type);
  return violations.empty() ? unreadable : ToStatus(violations);
}

// They are this message's own: nobody else looks at them, though the memory around them may be another's.
void WipeBytes(grpc::ByteBuffer& bytes) {
  if (!bytes.Valid()) return;
  grpc::ProtoBufferReader reader(&bytes);
  const void* part = nullptr;
  int size = 0;
  while (reader.status().ok() && reader.Next(&part, &size)) {
    auto* const at = static_cast<volatile char*>(const_cast<void*>(part));
    for (int i = 0; i < size; ++i) at[i] = 0;
  }
}

bool MayHoldPassword(const Descriptor& type) {
  const FieldDescriptor* const field = type.FindFieldByName(kPassword);
  return field != nullptr && field->type() == FieldDescriptor::TYPE_STRING;
}

// In the message's own memory: to set the field anew would leave the old bytes to whoever gets them next.
void WipePassword(google::protobuf::Message& message) {
  if (!MayHoldPassword(*message.GetDescriptor())) return;
  std::string scratch;
  const std::string& text = message.GetReflection()->GetStringReference(
      message, message.GetDescriptor()->FindFieldByName(kPassword), &scratch);
  if (!text.empty()) crypto::WipeString(const_cast<std::string&>(text));
}

}  // namespace smsflow::server
