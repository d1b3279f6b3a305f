// Where a list or a watch goes on, as the opaque text that callers carry: base64url over bytes of our own.
//
//   list token  := 'L' digest(16) last(16) vector     digest: of the query, so that a token fits no other one
//   watch token := 'W' vector
//   member token := 'M' digest(16) key(48 at most)
//   vector      := count(varint) { sequence(varint) }*
//
// Tokens are not secret and prove nothing: whatever they say, only rows of the caller's tenant are shown.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/reader.h"
#include "ids/ids.h"

namespace smsflow::engine {

struct ListToken {
  std::string digest;
  InstanceId last;
  ShardVector seen;
};
std::string EncodeListToken(const ListToken& token);
std::optional<ListToken> DecodeListToken(std::string_view text);

std::string EncodeWatchToken(const ShardVector& seen);
std::optional<ShardVector> DecodeWatchToken(std::string_view text);

struct MemberToken {
  std::string digest;
  std::string last_key;
};
std::string EncodeMemberToken(const MemberToken& token);
std::optional<MemberToken> DecodeMemberToken(std::string_view text);

}  // namespace smsflow::engine
