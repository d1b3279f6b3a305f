#include "engine/tokens.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "absl/strings/escaping.h"
#include "storage/keys.h"

namespace smsflow::engine {
namespace {

const std::string kDigest(16, 'd');
constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

InstanceId Last() { return InstanceId::Make(1'700'000'000'000, ShardId{3}, 7); }

// As a caller writes it who knows the form.
std::string Written(const std::string& bytes) { return absl::WebSafeBase64Escape(bytes); }

TEST(Tokens, ReadAsTheyWereWritten) {
  for (const ShardVector& seen : {ShardVector{}, ShardVector{0}, ShardVector{1, 127, 128, 300, 1ULL << 40, kMost}}) {
    const auto list = DecodeListToken(EncodeListToken({kDigest, Last(), seen}));
    ASSERT_TRUE(list.has_value());
    EXPECT_EQ(list->digest, kDigest);
    EXPECT_EQ(list->last, Last());
    EXPECT_EQ(list->seen, seen);
    EXPECT_EQ(DecodeWatchToken(EncodeWatchToken({seen, 1})), (WatchToken{seen, 1}));
    for (const std::uint64_t epoch : {std::uint64_t{2}, std::uint64_t{300}, kMost}) {
      EXPECT_EQ(DecodeWatchToken(EncodeWatchToken({seen, epoch})), (WatchToken{seen, epoch}));
      EXPECT_EQ(DecodeListToken(EncodeListToken({kDigest, Last(), seen, epoch}))->epoch, epoch);
    }
  }
  for (const std::string& key : {std::string(), std::string("k"), std::string(storage::Key::kSizeMax, 'k')}) {
    const auto member = DecodeMemberToken(EncodeMemberToken({kDigest, key}));
    ASSERT_TRUE(member.has_value());
    EXPECT_EQ(member->digest, kDigest);
    EXPECT_EQ(member->last_key, key);
  }
}

TEST(Tokens, OfAnotherKindAreNone) {
  const std::string list = EncodeListToken({kDigest, Last(), {1}}), watch = EncodeWatchToken({{1}}),
                    member = EncodeMemberToken({kDigest, "k"});
  for (const std::string& token : {watch, member, std::string(), std::string("?")})
    EXPECT_FALSE(DecodeListToken(token).has_value()) << token;
  for (const std::string& token : {list, member, std::string(), std::string("?")})
    EXPECT_FALSE(DecodeWatchToken(token).has_value()) << token;
  for (const std::string& token : {list, watch, std::string(), std::string("?")})
    EXPECT_FALSE(DecodeMemberToken(token).has_value()) << token;
}

TEST(Tokens, CutAnywhereAreNone) {
  const std::string bytes = "L" + kDigest + std::string(Last().AsBytes()) + "\x02\x01\xAC\x02";
  ASSERT_TRUE(DecodeListToken(Written(bytes)).has_value());
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(DecodeListToken(Written(bytes.substr(0, size))).has_value()) << size;
  EXPECT_FALSE(DecodeListToken(Written(bytes + '\0')).has_value());
  EXPECT_FALSE(DecodeMemberToken(Written("M" + kDigest.substr(1))).has_value());
}

TEST(Tokens, WhatNobodyWroteIsNone) {
  EXPECT_FALSE(DecodeListToken(Written("L" + kDigest + std::string(16, '\0') + '\0')).has_value()) << "no UUIDv7";
  EXPECT_FALSE(DecodeMemberToken(Written("M" + kDigest + std::string(storage::Key::kSizeMax + 1, 'k'))).has_value());
  EXPECT_FALSE(DecodeWatchToken(Written("W\x81\x20")).has_value()) << "more shards than there may be";
  EXPECT_FALSE(DecodeWatchToken(Written("W\x01\x05\x80")).has_value()) << "an epoch that does not end";
  EXPECT_FALSE(DecodeWatchToken(Written("W\x01\x05\x01")).has_value()) << "the first epoch is not said";
  EXPECT_FALSE(DecodeWatchToken(Written("W\x01" + std::string(10, '\x80'))).has_value()) << "a number without an end";
  EXPECT_FALSE(DecodeWatchToken(Written("W\x01\x05\x01")).has_value()) << "the first epoch is not written";
  EXPECT_FALSE(DecodeWatchToken(Written("W\x01\x05\x02\x02")).has_value()) << "two epochs";
}

}  // namespace
}  // namespace smsflow::engine
