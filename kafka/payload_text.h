// A payload as a JSON string: as it is when it is UTF-8, else as base64. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace smsflow::kafka {

bool IsUtf8(std::string_view bytes);
// RFC 4648, section 4, with padding.
std::string ToBase64(std::string_view bytes);
// Strict: nullopt for anything that ToBase64() would not have written.
std::optional<std::string> FromBase64(std::string_view text);

}  // namespace smsflow::kafka
