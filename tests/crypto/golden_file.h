// Files that other implementations made.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

namespace smsflow::crypto {

inline std::string GoldenFile(const std::string& name) {
  std::ifstream file("tests/crypto/golden/" + name, std::ios::binary);
  EXPECT_TRUE(file) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

inline constexpr char kGoldenPassword[] = "golden-password";

}  // namespace smsflow::crypto
