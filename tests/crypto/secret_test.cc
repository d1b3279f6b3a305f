#include "crypto/secret.h"

#include <gtest/gtest.h>

#include <ostream>
#include <type_traits>

#include "crypto/random.h"

namespace smsflow::crypto {
namespace {

template <typename T>
concept Printable = requires(std::ostream& out, const T& value) {
  out << value;
};

static_assert(Printable<std::string>);
static_assert(!Printable<Secret>);
static_assert(!std::is_copy_constructible_v<Secret> && !std::is_copy_assignable_v<Secret>);
static_assert(!std::is_convertible_v<Secret, std::string> && !std::is_convertible_v<Secret, std::string_view>);

TEST(Secret, TakesAStringAndLeavesNothingOfIt) {
  std::string text(100, 'k');
  const char* const memory = text.data();
  const Secret secret = Secret::Take(text);
  EXPECT_TRUE(text.empty());
  EXPECT_EQ(std::string(memory, 100), std::string(100, '\0'));  // still the string's own buffer
  EXPECT_EQ(secret.Reveal(), std::string(100, 'k'));
}

TEST(Secret, MovesAndCompares) {
  Secret a(std::string_view("hunter2"));
  Secret b = std::move(a);
  EXPECT_TRUE(a.empty());
  EXPECT_TRUE(b.Equals("hunter2"));
  EXPECT_FALSE(b.Equals("hunter3"));
  b = Secret(std::string_view("other"));
  EXPECT_TRUE(b.Equals("other"));
}

TEST(Random, FillsEveryByteAndDoesNotRepeat) {
  EXPECT_NE(RandomBytes(16), RandomBytes(16));
  EXPECT_NE(Random64(), Random64());
  EXPECT_EQ(RandomBytes(0), "");
  const std::string uuid = RandomUuid();
  EXPECT_NE(uuid, RandomUuid());
  ASSERT_EQ(uuid.size(), 36U);
  EXPECT_EQ(uuid.find_first_not_of("0123456789abcdef-"), std::string::npos) << uuid;
  for (const std::size_t at : {8, 13, 18, 23}) EXPECT_EQ(uuid[at], '-') << uuid;
  EXPECT_EQ(uuid[14], '4') << uuid;
  EXPECT_NE(std::string("89ab").find(uuid[19]), std::string::npos) << uuid;
  const std::string large = RandomBytes((1 << 20) + 100);  // more than one request to the generator
  EXPECT_NE(large.substr(large.size() - 100), std::string(100, '\0'));
}

}  // namespace
}  // namespace smsflow::crypto
