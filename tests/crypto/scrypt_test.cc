#include "crypto/scrypt.h"

#include <gtest/gtest.h>

#include <string>

#include "crypto/hash.h"
#include "tests/crypto/hex.h"

namespace smsflow::crypto {
namespace {

std::string HexOf(std::string_view password, std::string_view salt, const ScryptCost& cost) {
  const auto key = Scrypt(password, salt, cost);
  EXPECT_TRUE(key.ok()) << key.status();
  return key.ok() ? ToHex(AsView(*key)) : "";
}

// The vectors of RFC 7914, section 12, cut to 32 bytes: what we derive is a prefix of what any other length gives.
TEST(Scrypt, DoesAsTheStandardSays) {
  EXPECT_EQ(HexOf("", "", {4, 1, 1}), "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442");
  EXPECT_EQ(HexOf("password", "NaCl", {10, 8, 16}), "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162");
  EXPECT_EQ(HexOf("pleaseletmein", "SodiumChloride", {14, 8, 1}),
            "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2");
}

TEST(Scrypt, WhatWouldTakeAllTheMemoryIsRefused) {
  for (const ScryptCost& cost :
       {ScryptCost{0, 8, 1}, {25, 8, 1}, {63, 8, 1}, {15, 0, 1}, {15, 65, 1}, {15, 8, 0}, {15, 8, 17}, {17, 8, 1}}) {
    EXPECT_FALSE(IsSane(cost)) << cost.log2_n << " " << cost.r << " " << cost.p;
    EXPECT_TRUE(absl::IsInvalidArgument(Scrypt("p", "s", cost).status()));
  }
  EXPECT_TRUE(IsSane({16, 8, 1}));
  EXPECT_TRUE(IsSane({15, 8, 3}));
}

}  // namespace
}  // namespace smsflow::crypto
