#include "crypto/hmac.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/crypto/hex.h"

namespace smsflow::crypto {
namespace {

struct Vector {
  std::string key, data, mac;
};

// RFC 4231, test cases 1 to 4, 6 and 7.
const std::vector<Vector>& Rfc4231() {
  static const std::vector<Vector> vectors = {
      {std::string(20, '\x0b'), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {"Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {std::string(20, '\xaa'), std::string(50, '\xdd'),
       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {FromHex("0102030405060708090a0b0c0d0e0f10111213141516171819"), std::string(50, '\xcd'),
       "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
      {std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
      {std::string(131, '\xaa'),
       "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be "
       "hashed before being used by the HMAC algorithm.",
       "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
  };
  return vectors;
}

TEST(HmacKey, GivesThePublishedVectorsAgainAndAgain) {
  for (const Vector& vector : Rfc4231()) {
    const HmacKey key(vector.key);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(ToHex(AsView(key.Mac(vector.data))), vector.mac);
  }
}

TEST(HmacKey, OfPartsIsThatOfTheWhole) {
  const HmacKey key("Jefe");
  EXPECT_EQ(key.Mac({"what do ya ", "", "want for nothing?"}), key.Mac("what do ya want for nothing?"));
}

TEST(HmacKey, DiffersByKey) { EXPECT_NE(HmacKey("a").Mac("x"), HmacKey("b").Mac("x")); }

TEST(HmacKey, ServesManyThreadsAtOnce) {
  const Vector& vector = Rfc4231()[1];
  const HmacKey key(vector.key);
  const Digest want = key.Mac(vector.data);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 20; ++t)  // more than the pool has places
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        key.Mac(std::to_string(i));
        if (key.Mac(vector.data) != want) ++wrong;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace smsflow::crypto
