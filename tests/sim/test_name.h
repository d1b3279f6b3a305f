// The name of a test of one of many seeded bugs: that of the bug, without what no name may have.
#pragma once

#include <gtest/gtest.h>

#include <cctype>
#include <string>

namespace smsflow::sim {

template <class Bug>
std::string TestName(const ::testing::TestParamInfo<Bug>& info) {
  std::string name;
  bool upper = true;
  for (const char c : info.param.name) {
    const auto letter = static_cast<unsigned char>(c);
    if (std::isalnum(letter) != 0) name += static_cast<char>(upper ? std::toupper(letter) : letter);
    upper = std::isalnum(letter) == 0;
  }
  return name;
}

}  // namespace smsflow::sim
