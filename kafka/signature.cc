#include "kafka/signature.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "crypto/base64url.h"
#include "crypto/hash.h"
#include "crypto/hmac.h"

namespace smsflow::kafka {
namespace {

constexpr std::size_t kNameBytesMax = 64;
constexpr std::int64_t kAheadS = 300;  // clocks differ

bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= kNameBytesMax && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
  });
}

std::string MacOf(const SignedRecord& record, std::string_view name, std::string_view key, std::string_view seconds) {
  const std::string length = std::to_string(record.idempotency_key.size());
  return crypto::ToBase64Url(
      crypto::AsView(crypto::HmacKey(key).Mac({"smsflow-1\n", name, "\n", seconds, "\n", record.topic, "\n", length,
                                               "\n", record.idempotency_key, "\n", record.value})));
}

absl::Status Wrong(const std::string& rule) {
  return absl::UnauthenticatedError(std::string(kSignature) + ": " + rule);
}

std::vector<std::string_view> Split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(at);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool AreDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// The bytes of hexadecimal digits; empty for anything else.
std::string FromHex(std::string_view text) {
  const auto is_digit = [](char c) { return absl::ascii_isxdigit(static_cast<unsigned char>(c)); };
  if (text.size() % 2 != 0 || !std::all_of(text.begin(), text.end(), is_digit)) return {};
  return absl::HexStringToBytes(std::string(text));
}

}  // namespace

absl::StatusOr<SigningKeys> ParseSigningKeys(std::string_view text) {
  SigningKeys keys;
  int number = 0;
  for (std::string_view line : Split(text, '\n')) {
    ++number;
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    const std::size_t space = line.find(' ');
    const std::string_view name = line.substr(0, space);
    const std::string key = space == std::string_view::npos ? "" : FromHex(line.substr(space + 1));
    if (!IsName(name) || key.size() < kSigningKeyBytesMin) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", number,
                       " must be a name of 1 to 64 characters of A-Z a-z 0-9 . _ -, a space, and a key of at least ",
                       kSigningKeyBytesMin, " bytes in hexadecimal digits"));
    }
    keys[std::string(name)].push_back(key);
  }
  return keys;
}

std::string Sign(const SignedRecord& record, std::string_view name, std::string_view key, std::int64_t at_s) {
  const std::string seconds = std::to_string(at_s);
  return std::string(name) + ":" + seconds + ":" + MacOf(record, name, key, seconds);
}

absl::StatusOr<std::string> SignerOf(const SignedRecord& record, std::span<const HeaderView> headers,
                                     const SigningKeys& keys, const SignatureRules& rules) {
  const auto header = FindHeader(headers, kSignature);
  if (!header.has_value()) return Wrong("is missing");
  const std::vector<std::string_view> parts = Split(*header, ':');
  std::int64_t at_s = 0;
  const bool whole = parts.size() == 3 && IsName(parts[0]) && parts[1].size() <= 12 && AreDigits(parts[1]);
  if (!whole || !absl::SimpleAtoi(std::string(parts[1]), &at_s)) return Wrong("must be NAME:SECONDS:MAC");
  const auto found = keys.find(parts[0]);
  const bool good =
      found != keys.end() && std::any_of(found->second.begin(), found->second.end(), [&](const std::string& key) {
        return crypto::EqualConstantTime(MacOf(record, parts[0], key, parts[1]), parts[2]);
      });
  if (!good) return Wrong("was made by no key that is known here, or for another record");
  if (at_s > rules.now_s + kAheadS) return Wrong("was made in the future");
  if (at_s < rules.now_s - rules.valid_s) return Wrong("is older than kafka.signed_for allows");
  return std::string(parts[0]);
}

}  // namespace smsflow::kafka
