// Texts as Java serialises them: what is read is UTF-8, and written again as Java would it is read as the same.
#include <string>

#include "smpp/unicode.h"
#include "tests/fuzz/fuzz.h"
#include "tools/flowable/java_text.h"

using smsflow::flowable::DecodeJavaText;
using smsflow::fuzz::Require;

namespace {

void AppendSurrogate(std::string& out, char32_t half) {
  out += static_cast<char>(0xED);
  out += static_cast<char>(0x80 | (half >> 6 & 0x3F));
  out += static_cast<char>(0x80 | (half & 0x3F));
}

// As Java's DataOutput writes it, with the long form's head.
std::string Written(std::string_view text) {
  std::string body;
  while (!text.empty()) {
    const char32_t point = *smsflow::smpp::TakeCodePoint(text);
    if (point == 0) {
      body += "\xC0\x80";
    } else if (point > 0xFFFF) {
      AppendSurrogate(body, 0xD800 + ((point - 0x10000) >> 10));
      AppendSurrogate(body, 0xDC00 + ((point - 0x10000) & 0x3FF));
    } else {
      smsflow::smpp::AppendUtf8(body, point);
    }
  }
  std::string bytes("\xAC\xED\x00\x05\x7C", 5);
  for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(body.size() >> shift & 0xFF);
  return bytes + body;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = DecodeJavaText(smsflow::fuzz::View(data, size));
  if (!text) return 0;
  Require(smsflow::smpp::IsUtf8(*text), "a text is UTF-8");
  Require(text->size() <= size, "and not longer than its bytes");
  Require(DecodeJavaText(Written(*text)) == text, "and is read as the same when Java writes it");
  return 0;
}
