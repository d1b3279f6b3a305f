#include "engine/tokens.h"

#include <utility>

#include "absl/strings/escaping.h"

namespace smsflow::engine {

namespace {

constexpr std::size_t kDigest = 16;

void PutVarint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

std::optional<std::uint64_t> TakeVarint(std::string_view& in) {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64 && !in.empty(); shift += 7) {
    const auto byte = static_cast<std::uint8_t>(in.front());
    in.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if ((byte & 0x80) == 0) return value;
  }
  return std::nullopt;
}

void PutSeen(std::string& out, const ShardVector& vector, std::uint64_t epoch) {
  PutVarint(out, vector.size());
  for (const std::uint64_t sequence : vector) PutVarint(out, sequence);
  if (epoch > 1) PutVarint(out, epoch);
}

// All that is left must be that.
std::optional<WatchToken> TakeSeen(std::string_view in) {
  const auto count = TakeVarint(in);
  if (!count || *count > kShardsMax) return std::nullopt;
  ShardVector vector;
  for (std::uint64_t i = 0; i < *count; ++i) {
    const auto sequence = TakeVarint(in);
    if (!sequence) return std::nullopt;
    vector.push_back(*sequence);
  }
  if (in.empty()) return WatchToken{std::move(vector)};
  const auto epoch = TakeVarint(in);
  if (!epoch || *epoch <= 1 || !in.empty()) return std::nullopt;
  return WatchToken{std::move(vector), *epoch};
}

std::string Text(const std::string& bytes) { return absl::WebSafeBase64Escape(bytes); }

// The bytes after the kind, when it is this one.
std::optional<std::string> Bytes(std::string_view text, char kind) {
  std::string bytes;
  if (!absl::WebSafeBase64Unescape({text.data(), text.size()}, &bytes)) return std::nullopt;
  if (bytes.empty() || bytes.front() != kind) return std::nullopt;
  return bytes.substr(1);
}

}  // namespace

std::string EncodeListToken(const ListToken& token) {
  std::string bytes = "L" + token.digest + std::string(token.last.AsBytes());
  PutSeen(bytes, token.seen, token.epoch);
  return Text(bytes);
}

std::optional<ListToken> DecodeListToken(std::string_view text) {
  const std::optional<std::string> bytes = Bytes(text, 'L');
  if (!bytes || bytes->size() < kDigest + 16) return std::nullopt;
  const auto last = InstanceId::FromBytes(std::string_view(*bytes).substr(kDigest, 16));
  auto seen = TakeSeen(std::string_view(*bytes).substr(kDigest + 16));
  if (!last || !seen) return std::nullopt;
  return ListToken{bytes->substr(0, kDigest), *last, std::move(seen->seen), seen->epoch};
}

std::string EncodeWatchToken(const WatchToken& token) {
  std::string bytes = "W";
  PutSeen(bytes, token.seen, token.epoch);
  return Text(bytes);
}

std::optional<WatchToken> DecodeWatchToken(std::string_view text) {
  const std::optional<std::string> bytes = Bytes(text, 'W');
  if (!bytes) return std::nullopt;
  return TakeSeen(*bytes);
}

absl::Status CheckEpoch(std::uint64_t of_token, std::uint64_t of_folder) {
  if (of_token == of_folder) return absl::OkStatus();
  return absl::OutOfRangeError("token: it is from before the data was repaired; begin anew with a List");
}

std::string EncodeMemberToken(const MemberToken& token) { return Text("M" + token.digest + token.last_key); }

std::optional<MemberToken> DecodeMemberToken(std::string_view text) {
  const std::optional<std::string> bytes = Bytes(text, 'M');
  if (!bytes || bytes->size() < kDigest || bytes->size() > kDigest + storage::Key::kSizeMax) return std::nullopt;
  return MemberToken{bytes->substr(0, kDigest), bytes->substr(kDigest)};
}

}  // namespace smsflow::engine
