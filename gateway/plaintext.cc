#include "gateway/plaintext.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/ascii.h"

namespace smsflow::gateway {
namespace {

constexpr std::size_t kDigitsMin = 7;
constexpr std::size_t kDigitsMax = 15;

absl::Status Refuse(Unreadable& why, About about, std::string_view cause, const char* rule) {
  why = {about, cause};
  return absl::InvalidArgumentError(rule);
}

std::string_view Strip(std::string_view text) {
  const auto space = [](char c) { return absl::ascii_isspace(static_cast<unsigned char>(c)); };
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  return text;
}

bool IsName(std::string_view name) {
  const auto word = [](char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  return !name.empty() && word(name.front()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return word(c) || c == '-'; });
}

Priority PriorityOf(std::string_view word) {
  if (word == "code") return Priority::kCode;
  return word == "bulk" ? Priority::kBulk : Priority::kTransactional;
}

// One line `name: value`. False when it is none.
bool ReadHeader(std::string_view line, Sms& sms) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view name = Strip(line.substr(0, colon));
  if (!IsName(name)) return false;
  const std::string_view value = Strip(line.substr(colon + 1));
  if (name == "To") sms.recipient = value;
  if (name == "Sender") sms.sender = value;
  if (name == "Priority") sms.priority = PriorityOf(value);
  return true;
}

bool IsE164(std::string_view number) {
  if (!number.starts_with('+')) return false;
  number.remove_prefix(1);
  return number.size() >= kDigitsMin && number.size() <= kDigitsMax && number.front() != '0' &&
         std::all_of(number.begin(), number.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// CR LF becomes LF.
crypto::Secret UnixLines(std::string_view text) {
  const auto is_pair = [text](std::size_t i) { return text.substr(i, 2) == "\r\n"; };
  std::size_t size = 0;
  for (std::size_t i = 0; i < text.size(); ++i) size += is_pair(i) ? 0 : 1;
  crypto::Secret lines(size);
  auto to = lines.bytes().begin();
  for (std::size_t i = 0; i < text.size(); ++i)
    if (!is_pair(i)) *to++ = static_cast<std::uint8_t>(text[i]);
  return lines;
}

}  // namespace

absl::StatusOr<Sms> ParsePlaintext(std::string_view plaintext, Unreadable& why) {
  std::string_view rest = plaintext;
  Sms sms;
  for (;;) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) {
      return Refuse(why, About::kMessage, "invalid_message", "there is no blank line between header and text");
    }
    const std::string_view line = Strip(rest.substr(0, end));
    rest.remove_prefix(end + 1);
    if (line.empty()) break;
    if (!ReadHeader(line, sms))
      return Refuse(why, About::kMessage, "invalid_message", "a header line is not `Name: value`");
  }
  if (rest.ends_with('\n')) rest.remove_suffix(rest.ends_with("\r\n") ? 2 : 1);
  if (sms.recipient.empty()) return Refuse(why, About::kRecipient, "invalid_recipient", "there is no header To");
  if (!IsE164(sms.recipient)) {
    return Refuse(why, About::kRecipient, "invalid_recipient", "To is not a full international number");
  }
  if (Strip(rest).empty()) return Refuse(why, About::kMessage, "invalid_message", "the text is empty");
  sms.text = UnixLines(rest);
  return sms;
}

}  // namespace smsflow::gateway
