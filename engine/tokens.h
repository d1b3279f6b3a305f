// Where a list or a watch goes on, as the opaque text that callers carry: base64url over bytes of our own.
//
//   list token  := 'L' digest(16) last(16) seen       digest: of the query, so that a token fits no other one
//   watch token := 'W' seen
//   member token := 'M' digest(16) key(48 at most)
//   seen        := count(varint) { sequence(varint) }* [ epoch(varint) ]     without it: epoch 1
//
// A sequence of an epoch that is over says nothing: another record may have it now (storage/epoch.h).
// Tokens are not secret and prove nothing: whatever they say, only rows of the caller's tenant are shown.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "engine/reader.h"
#include "ids/ids.h"

namespace smsflow::engine {

struct ListToken {
  std::string digest;
  InstanceId last;
  ShardVector seen;
  std::uint64_t epoch = 1;
};
std::string EncodeListToken(const ListToken& token);
std::optional<ListToken> DecodeListToken(std::string_view text);

struct WatchToken {
  ShardVector seen;
  std::uint64_t epoch = 1;
  bool operator==(const WatchToken&) const = default;
};
std::string EncodeWatchToken(const WatchToken& token);
std::optional<WatchToken> DecodeWatchToken(std::string_view text);

// OUT_OF_RANGE: the folder is in another epoch than the token.
absl::Status CheckEpoch(std::uint64_t of_token, std::uint64_t of_folder);

struct MemberToken {
  std::string digest;
  std::string last_key;
};
std::string EncodeMemberToken(const MemberToken& token);
std::optional<MemberToken> DecodeMemberToken(std::string_view text);

}  // namespace smsflow::engine
