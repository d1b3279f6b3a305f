// Stands in for whoever sits before the program: what was typed, what was shown, and the exit code.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <sstream>
#include <string>
#include <vector>

#include "tools/cli/run.h"

namespace smsflow::cli {

inline constexpr std::int64_t kNowMs = 1'795'251'600'000;  // 2026-11-21T09:00:00Z

// Of this process alone.
inline std::string TempFile(const std::string& name) {
  return testing::TempDir() + "cli-" + std::to_string(::getpid()) + "-" + name;
}

struct Person {
  std::istringstream in;
  std::ostringstream out, err;
  Terminal terminal{in, out, err};
  int exit_code = -1;

  explicit Person(bool sees_tables = false) {
    terminal.out_is_terminal = sees_tables;
    terminal.now_ms = [] { return kNowMs; };
    terminal.interrupted = [] { return false; };
    terminal.wait_ms = [](std::int64_t) {};
  }

  Person& Types(const std::vector<std::string>& words) {
    out.str("");
    err.str("");
    exit_code = Run(words, terminal);
    return *this;
  }
};

}  // namespace smsflow::cli
