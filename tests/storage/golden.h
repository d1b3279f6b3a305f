// Stored bytes pinned in a text file: lines of `name: hex`. A difference means that folders in the field would be read
// wrongly. SMSFLOW_REWRITE_GOLDEN=1 writes the file anew, for bytes that were never released.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

namespace smsflow::storage {

inline std::string Hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += {kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return text;
}

// `name` is a file of tests/storage/golden; the working directory is the root of the sources.
inline void ExpectGolden(const std::string& name, const std::string& lines) {
  const std::string path = "tests/storage/golden/" + name;
  if (const char* rewrite = std::getenv("SMSFLOW_REWRITE_GOLDEN"); rewrite != nullptr && *rewrite == '1') {
    std::ofstream(path, std::ios::trunc) << lines;
    return;
  }
  std::ifstream in(path);
  ASSERT_TRUE(in) << "cannot read " << path;
  std::stringstream expected;
  expected << in.rdbuf();
  std::istringstream is(lines), should_be(expected.str());
  std::string line, expected_line;
  while (std::getline(should_be, expected_line)) {
    std::getline(is, line);
    EXPECT_EQ(line, expected_line) << "in " << path;
  }
  EXPECT_EQ(lines, expected.str());
}

}  // namespace smsflow::storage
