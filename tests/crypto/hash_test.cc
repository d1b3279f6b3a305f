#include "crypto/hash.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "tests/crypto/hex.h"

namespace smsflow::crypto {
namespace {

// FIPS 180-2, appendix B.
TEST(Sha256, GivesThePublishedVectors) {
  EXPECT_EQ(ToHex(AsView(Sha256(""))), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(ToHex(AsView(Sha256("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(ToHex(AsView(Sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(ToHex(AsView(Sha256(std::string(1'000'000, 'a')))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, OfPartsIsThatOfTheWhole) {
  const std::string b = "b";
  EXPECT_EQ(Sha256("a", b, std::string_view("c")), Sha256("abc"));
  EXPECT_EQ(Sha256({"", "ab", "", "c"}), Sha256("abc"));
  EXPECT_NE(Sha256("ab", "d"), Sha256("abc"));
  EXPECT_EQ(Sha256({}), Sha256(""));
}

TEST(Sha256, LeavesNothingOfOneCallInTheNextNorOfOneThreadInAnother) {
  const Digest want = Sha256("abc");
  std::vector<std::thread> threads;
  std::array<int, 4> wrong{};
  for (std::size_t t = 0; t < wrong.size(); ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) {
        Sha256("something else of another length", std::to_string(i));
        wrong[t] += Sha256("abc") != want;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, (std::array<int, 4>{}));
}

TEST(Digest16, IsTheFirstHalf) { EXPECT_EQ(ToHex(AsView(Cut(Sha256("abc")))), "ba7816bf8f01cfea414140de5dae2223"); }

TEST(EqualConstantTime, ComparesBytesAndLengths) {
  EXPECT_TRUE(EqualConstantTime("", ""));
  EXPECT_TRUE(EqualConstantTime("abc", "abc"));
  EXPECT_FALSE(EqualConstantTime("abc", "abd"));
  EXPECT_FALSE(EqualConstantTime("abc", "ab"));
  EXPECT_FALSE(EqualConstantTime(std::string_view("a\0b", 3), std::string_view("a\0c", 3)));
}

}  // namespace
}  // namespace smsflow::crypto
