// Just enough JSON for the header of an envelope and for public JWKs: one object, whose values are strings, integers,
// objects and arrays, and anything else that is only noted as present.
//
// Strict: RFC 8259 grammar, no member twice, nothing before or after the object. Safe to use from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace smsflow::crypto {

struct JsonMember;

struct JsonObject {
  std::vector<JsonMember> members;

  const JsonMember* Find(std::string_view name) const;  // null: absent
  // The text of a member that is a string; nullopt when it is absent or something else.
  std::optional<std::string_view> String(std::string_view name) const;
};

struct JsonMember {
  enum class Kind { kString, kInteger, kObject, kArray, kOther };

  std::string name;
  Kind kind = Kind::kOther;
  std::string text;          // kString, unescaped, UTF-8
  std::int64_t integer = 0;  // kInteger, 0 or above
  JsonObject object;         // kObject; kArray: its elements, as members without a name
};

// nullopt for everything that is not such an object, or nests deeper than 4.
std::optional<JsonObject> ParseJsonObject(std::string_view text);

// `text` as a JSON string, quotes included. Control characters are escaped; other bytes stand as they are.
std::string JsonQuoted(std::string_view text);
void AppendJsonQuoted(std::string_view text, std::string& out);  // the same, behind what is there

}  // namespace smsflow::crypto
