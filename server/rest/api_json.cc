#include "server/rest/api_json.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <array>
#include <boost/json/memory_resource.hpp>
#include <boost/json/parser.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <cstdio>
#include <limits>
#include <new>
#include <optional>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "crypto/json_object.h"
#include "ids/ids.h"
#include "server/rest/json_members.h"

namespace smsflow::server::rest {

namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
namespace json = boost::json;

constexpr std::size_t kDepthMax = 16;
constexpr std::size_t kScratchBytes = 2'048;
constexpr std::size_t kViolationsMax = 100;  // of a body that is wrong all over

std::string NumberText(double value) {
  if (!std::isfinite(value)) return "null";
  char text[32];
  std::snprintf(text, sizeof text, "%.15g", value);
  return text;
}

std::string BytesText(const FieldDescriptor& field, const std::string& bytes) {
  if (IsId(field)) {
    const auto id = InstanceId::FromBytes(bytes);
    return crypto::JsonQuoted(id ? id->ToString() : "");
  }
  std::string text;
  absl::Base64Escape(bytes, &text);
  return crypto::JsonQuoted(text);
}

// `index` below 0: the field is not repeated.
void AppendValue(const Message& message, const FieldDescriptor& field, int index, std::string& out);

void Append(const Message& message, std::string& out) {
  const auto& reflection = *message.GetReflection();
  const Descriptor& type = *message.GetDescriptor();
  out += '{';
  bool first = true;
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (field.has_presence() && !reflection.HasField(message, &field)) continue;
    absl::StrAppend(&out, std::exchange(first, false) ? "\"" : ",\"", field.name(), "\":");
    if (!field.is_repeated()) {
      AppendValue(message, field, -1, out);
      continue;
    }
    out += '[';
    for (int item = 0; item < reflection.FieldSize(message, &field); ++item) {
      if (item > 0) out += ',';
      AppendValue(message, field, item, out);
    }
    out += ']';
  }
  out += '}';
}

void AppendValue(const Message& message, const FieldDescriptor& field, int index, std::string& out) {
  const auto& r = *message.GetReflection();
  const bool one = index < 0;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      absl::StrAppend(&out, one ? r.GetInt32(message, &field) : r.GetRepeatedInt32(message, &field, index));
      break;
    case FieldDescriptor::CPPTYPE_INT64:
      absl::StrAppend(&out, one ? r.GetInt64(message, &field) : r.GetRepeatedInt64(message, &field, index));
      break;
    case FieldDescriptor::CPPTYPE_UINT32:
      absl::StrAppend(&out, one ? r.GetUInt32(message, &field) : r.GetRepeatedUInt32(message, &field, index));
      break;
    case FieldDescriptor::CPPTYPE_UINT64:
      absl::StrAppend(&out, one ? r.GetUInt64(message, &field) : r.GetRepeatedUInt64(message, &field, index));
      break;
    case FieldDescriptor::CPPTYPE_DOUBLE:
      out += NumberText(one ? r.GetDouble(message, &field) : r.GetRepeatedDouble(message, &field, index));
      break;
    case FieldDescriptor::CPPTYPE_FLOAT:
      out += NumberText(one ? r.GetFloat(message, &field) : r.GetRepeatedFloat(message, &field, index));
      break;
    case FieldDescriptor::CPPTYPE_BOOL:
      out += (one ? r.GetBool(message, &field) : r.GetRepeatedBool(message, &field, index)) ? "true" : "false";
      break;
    case FieldDescriptor::CPPTYPE_ENUM:
      out += crypto::JsonQuoted((one ? r.GetEnum(message, &field) : r.GetRepeatedEnum(message, &field, index))->name());
      break;
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string text = one ? r.GetString(message, &field) : r.GetRepeatedString(message, &field, index);
      out += field.type() == FieldDescriptor::TYPE_BYTES ? BytesText(field, text) : crypto::JsonQuoted(text);
      break;
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      Append(one ? r.GetMessage(message, &field) : r.GetRepeatedMessage(message, &field, index), out);
      break;
  }
}

// Writes scalars, in whichever form they came, and notes what does not fit.
class Setter {
 public:
  Setter(Message& message, const FieldDescriptor& field) : message_(message), field_(field) {}

  // What it must be, or nullptr: it was.
  const char* Text(std::string text) const {
    switch (field_.cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        return field_.type() == FieldDescriptor::TYPE_BYTES ? Bytes(text) : Put(std::move(text));
      case FieldDescriptor::CPPTYPE_ENUM:
        return Enum(text);
      case FieldDescriptor::CPPTYPE_BOOL:
        if (text != "true" && text != "false") return "must be true or false";
        return Flag(text == "true");
      case FieldDescriptor::CPPTYPE_UINT64:
      case FieldDescriptor::CPPTYPE_UINT32: {
        std::uint64_t value = 0;
        return absl::SimpleAtoi(text, &value) ? Unsigned(value) : "must be a whole number from 0";
      }
      default: {
        std::int64_t value = 0;
        return absl::SimpleAtoi(text, &value) ? Signed(value) : "must be a whole number";
      }
    }
  }

  const char* Json(const json::value& value) const {
    if (field_.cpp_type() == FieldDescriptor::CPPTYPE_STRING || field_.cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
      if (!value.is_string()) return "must be a text";
      return Text(std::string(value.get_string()));
    }
    if (field_.cpp_type() == FieldDescriptor::CPPTYPE_BOOL)
      return value.is_bool() ? Flag(value.get_bool()) : "must be true or false";
    if (value.is_int64()) return Signed(value.get_int64());
    if (value.is_uint64()) return Unsigned(value.get_uint64());
    return "must be a whole number";
  }

 private:
  using Reflection = google::protobuf::Reflection;
  const Reflection& reflection() const { return *message_.GetReflection(); }

  const char* Put(std::string text) const {
    field_.is_repeated() ? reflection().AddString(&message_, &field_, std::move(text))
                         : reflection().SetString(&message_, &field_, std::move(text));
    return nullptr;
  }
  const char* Bytes(const std::string& text) const {
    if (IsId(field_)) {
      const auto id = InstanceId::Parse(text);
      return id ? Put(std::string(id->AsBytes())) : "must be the id of an SMS, a UUID";
    }
    std::string bytes;
    if (!absl::Base64Unescape(text, &bytes) && !absl::WebSafeBase64Unescape(text, &bytes)) return "must be base64";
    return Put(std::move(bytes));
  }
  const char* Enum(const std::string& text) const {
    const auto* value = field_.enum_type()->FindValueByName(text);
    if (value == nullptr) return "must be one of the names that the contract gives";
    field_.is_repeated() ? reflection().AddEnum(&message_, &field_, value)
                         : reflection().SetEnum(&message_, &field_, value);
    return nullptr;
  }
  const char* Flag(bool value) const {
    if (field_.is_repeated()) return "must not be here";  // no contract has such a list
    reflection().SetBool(&message_, &field_, value);
    return nullptr;
  }
  const char* Signed(std::int64_t value) const {
    switch (field_.cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT64:
        reflection().SetInt64(&message_, &field_, value);
        return nullptr;
      case FieldDescriptor::CPPTYPE_INT32:
        if (value < std::numeric_limits<std::int32_t>::min() || value > std::numeric_limits<std::int32_t>::max())
          return "must be a whole number of 32 bits";
        reflection().SetInt32(&message_, &field_, static_cast<std::int32_t>(value));
        return nullptr;
      default:
        return value < 0 ? "must be a whole number from 0" : Unsigned(static_cast<std::uint64_t>(value));
    }
  }
  const char* Unsigned(std::uint64_t value) const {
    switch (field_.cpp_type()) {
      case FieldDescriptor::CPPTYPE_UINT64:
        reflection().SetUInt64(&message_, &field_, value);
        return nullptr;
      case FieldDescriptor::CPPTYPE_UINT32:
        if (value > std::numeric_limits<std::uint32_t>::max()) return "must be a whole number from 0, of 32 bits";
        reflection().SetUInt32(&message_, &field_, static_cast<std::uint32_t>(value));
        return nullptr;
      default:
        return "must be a whole number of 64 bits";
    }
  }

  Message& message_;
  const FieldDescriptor& field_;
};

class Reader {
 public:
  explicit Reader(Violations& violations) : violations_(violations) {}

  void Read(const json::object& object, Message& message, const std::string& prefix) {
    const Descriptor& type = *message.GetDescriptor();
    for (const auto& member : object) {
      if (violations_.size() >= kViolationsMax) return;
      const std::string name(member.key());
      const FieldDescriptor* field = type.FindFieldByName(name);
      if (field == nullptr) {
        Violate(prefix + ShownMember(name), "there is no such field");
      } else if (!member.value().is_null()) {
        ReadField(*field, member.value(), message, prefix + name);
      }
    }
  }
  void Violate(std::string field, std::string rule) { violations_.push_back({std::move(field), std::move(rule)}); }

 private:
  void ReadField(const FieldDescriptor& field, const json::value& value, Message& message, const std::string& path) {
    const auto* oneof = field.containing_oneof();
    if (oneof != nullptr && message.GetReflection()->HasOneof(message, oneof))
      return Violate(path, "must not be there beside another of " + oneof->name());
    if (!field.is_repeated()) return ReadOne(field, value, message, path);
    if (!value.is_array()) return Violate(path, "must be a list");
    int at = 0;
    for (const json::value& item : value.get_array()) {
      if (violations_.size() >= kViolationsMax) return;
      ReadOne(field, item, message, absl::StrCat(path, "[", at++, "]"));
    }
  }

  void ReadOne(const FieldDescriptor& field, const json::value& value, Message& message, const std::string& path) {
    if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      if (const char* rule = Setter(message, field).Json(value)) Violate(path, rule);
      return;
    }
    if (!value.is_object()) return Violate(path, "must be an object");
    const auto& reflection = *message.GetReflection();
    Read(value.get_object(),
         field.is_repeated() ? *reflection.AddMessage(&message, &field) : *reflection.MutableMessage(&message, &field),
         path + ".");
  }

  Violations& violations_;
};

void Wipe(void* at, std::size_t size) {
  volatile auto* const bytes = static_cast<unsigned char*>(at);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = 0;
}

// In which a body is taken apart: one may hold a password.
class WipedMemory final : public json::memory_resource {
  void* do_allocate(std::size_t size, std::size_t) override { return ::operator new(size); }
  void do_deallocate(void* at, std::size_t size, std::size_t) override {
    Wipe(at, size);
    ::operator delete(at);
  }
  bool do_is_equal(const json::memory_resource& other) const noexcept override { return this == &other; }
};

}  // namespace

bool IsId(const FieldDescriptor& field) { return field.type() == FieldDescriptor::TYPE_BYTES && field.name() == "id"; }

std::string ToJson(const Message& message) {
  std::string out;
  Append(message, out);
  return out;
}

void FromJson(std::string_view text, Message& message, Violations& violations) {
  Reader reader(violations);
  json::error_code error;
  json::parse_options options;
  options.max_depth = kDepthMax;
  WipedMemory memory;
  std::array<unsigned char, kScratchBytes> scratch;  // for texts that are put together; more is taken from `memory`
  json::value value(&memory);
  {
    json::parser parser(&memory, options, scratch.data(), scratch.size());
    parser.reset(&memory);
    parser.write({text.data(), text.size()}, error);
    if (!error) value = parser.release();
  }
  Wipe(scratch.data(), scratch.size());
  if (error == json::error::too_deep)
    return reader.Violate("body", absl::StrCat("must not nest deeper than ", kDepthMax));
  if (error || !value.is_object()) return reader.Violate("body", "must be one JSON object");
  for (std::string& member : MembersThereTwice(text, kDepthMax, kViolationsMax))
    reader.Violate(std::move(member), "must not be there twice");
  reader.Read(value.get_object(), message, "");
}

const FieldDescriptor* FieldAt(const Descriptor& type, std::string_view path) {
  const std::size_t dot = path.find('.');
  const FieldDescriptor* field = type.FindFieldByName(std::string(path.substr(0, dot)));
  if (field == nullptr || dot == std::string_view::npos) return field;
  return field->message_type() == nullptr ? nullptr : FieldAt(*field->message_type(), path.substr(dot + 1));
}

void SetFromText(std::string_view path, const std::string& text, std::string_view shown_as, Message& message,
                 Violations& violations) {
  Message* at = &message;
  for (std::size_t dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.')) {
    const FieldDescriptor* field = at->GetDescriptor()->FindFieldByName(std::string(path.substr(0, dot)));
    at = at->GetReflection()->MutableMessage(at, field);
    path.remove_prefix(dot + 1);
  }
  const FieldDescriptor* field = at->GetDescriptor()->FindFieldByName(std::string(path));
  if (const char* rule = Setter(*at, *field).Text(text)) violations.push_back({std::string(shown_as), rule});
}

}  // namespace smsflow::server::rest
