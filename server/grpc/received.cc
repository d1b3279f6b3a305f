#include "server/grpc/received.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <cstdint>
#include <string>

#include "server/grpc/status.h"

namespace smsflow::server {

namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

constexpr int kDepthMax = 100;  // as protobuf's own

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

}  // namespace

bool HasMoreFields(google::protobuf::io::ZeroCopyInputStream& bytes, const Descriptor& type, std::size_t most) {
  CodedInputStream in(&bytes);
  return !Count(most).Fields(in, &type, 0);
}

absl::Status WhyRefused(bool too_many_fields) {
  if (!too_many_fields) return absl::InternalError("message: cannot be read as what the verb takes");
  return ToStatus({{"message", "must have at most " + std::to_string(kFieldsMax) + " fields"}});
}

}  // namespace smsflow::server
