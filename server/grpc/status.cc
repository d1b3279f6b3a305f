#include "server/grpc/status.h"

#include <google/protobuf/unknown_field_set.h>

#include <cstdint>
#include <functional>
#include <string_view>

namespace smsflow::server {

namespace {

constexpr int kRetryAfterMs = 250;

// The three messages of google.rpc that are spoken here, by their numbers:
//   Status { int32 code = 1; string message = 2; repeated google.protobuf.Any details = 3; }
//   BadRequest { repeated FieldViolation { string field = 1; string description = 2; } field_violations = 1; }
//   RetryInfo { google.protobuf.Duration { int64 seconds = 1; int32 nanos = 2; } retry_delay = 1; }
class Wire {
 public:
  Wire& Bytes(int field, std::string_view bytes) {
    Varint(static_cast<std::uint64_t>(field) << 3 | 2);
    Varint(bytes.size());
    out_.append(bytes);
    return *this;
  }
  Wire& Number(int field, std::uint64_t number) {
    if (number == 0) return *this;
    Varint(static_cast<std::uint64_t>(field) << 3);
    Varint(number);
    return *this;
  }
  const std::string& out() const { return out_; }

 private:
  void Varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_.push_back(static_cast<char>(value | 0x80));
    out_.push_back(static_cast<char>(value));
  }
  std::string out_;
};

std::string Any(const char* type, const std::string& value) {
  return Wire().Bytes(1, std::string("type.googleapis.com/google.rpc.") + type).Bytes(2, value).out();
}

}  // namespace

std::string EncodeDetails(int code, const std::string& message, const Violations& violations, int retry_after_ms) {
  Wire status;
  status.Number(1, static_cast<std::uint64_t>(code)).Bytes(2, message);
  if (!violations.empty()) {
    Wire bad_request;
    for (const auto& violation : violations) {
      bad_request.Bytes(1, Wire().Bytes(1, violation.field).Bytes(2, violation.description).out());
    }
    status.Bytes(3, Any("BadRequest", bad_request.out()));
  }
  if (retry_after_ms > 0) {
    const Wire delay = Wire()
                           .Number(1, static_cast<std::uint64_t>(retry_after_ms / 1'000))
                           .Number(2, static_cast<std::uint64_t>(retry_after_ms % 1'000) * 1'000'000);
    status.Bytes(3, Any("RetryInfo", Wire().Bytes(1, delay.out()).out()));
  }
  return status.out();
}

namespace {

// Calls `use` with every field of this number that is text, bytes or a message.
void ForEach(const std::string& message, int number, const std::function<void(const std::string&)>& use) {
  google::protobuf::UnknownFieldSet fields;
  if (!fields.ParseFromString(message)) return;
  for (int i = 0; i < fields.field_count(); ++i) {
    const auto& field = fields.field(i);
    if (field.number() == number && field.type() == google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED)
      use(field.length_delimited());
  }
}

std::string TextOf(const std::string& message, int number) {
  std::string text;
  ForEach(message, number, [&text](const std::string& value) { text = value; });
  return text;
}

}  // namespace

Violations DecodeViolations(const std::string& details) {
  Violations violations;
  ForEach(details, 3, [&](const std::string& any) {
    if (!TextOf(any, 1).ends_with("/google.rpc.BadRequest")) return;
    ForEach(TextOf(any, 2), 1, [&](const std::string& violation) {
      violations.push_back({TextOf(violation, 1), TextOf(violation, 2)});
    });
  });
  return violations;
}

namespace {

bool MayPassLater(const absl::Status& status) {
  return status.code() == absl::StatusCode::kResourceExhausted || status.code() == absl::StatusCode::kUnavailable;
}

}  // namespace

grpc::Status ToGrpc(const absl::Status& status, const Violations& violations) {
  if (status.ok()) return grpc::Status::OK;
  std::string message(status.message());
  if (message.empty() && !violations.empty()) message = LineOf(violations);
  const int code = static_cast<int>(status.code());
  const bool later = MayPassLater(status);
  if (violations.empty() && !later) return {static_cast<grpc::StatusCode>(code), message};
  return {static_cast<grpc::StatusCode>(code), message,
          EncodeDetails(code, message, violations, later ? kRetryAfterMs : 0)};
}

grpc::Status ToGrpc(const Violations& violations) { return ToGrpc(ToStatus(violations), violations); }

void FillItemError(const absl::Status& status, const Violations& violations, v1::ItemError* error) {
  error->set_code(static_cast<int>(status.code()));
  error->set_message(std::string(status.message()));
  if (MayPassLater(status)) error->set_retry_after_ms(kRetryAfterMs);
  for (const auto& violation : violations) {
    v1::FieldViolation* row = error->add_violations();
    row->set_field(violation.field);
    row->set_description(violation.description);
  }
}

}  // namespace smsflow::server
