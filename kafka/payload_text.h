// Whether a payload can be a JSON string as it is; else it is one in base64 (crypto/base64url.h). Pure.
#pragma once

#include <string_view>

namespace smsflow::kafka {

bool IsUtf8(std::string_view bytes);

}  // namespace smsflow::kafka
