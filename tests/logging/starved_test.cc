#include "logging/starved.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <cassert>
#include <exception>
#include <functional>
#include <new>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace smsflow {
namespace {

constexpr int kCode = 75;
constexpr char kLine[] = "^program: out of memory or threads: the system refused more; ending at once\n$";

// In a thread, where nobody catches anything.
void InThread(const std::function<void()>& act) {
  EndWhenStarved("program", kCode);
  std::thread(act).join();
}

[[gnu::noinline]] void Throw() { throw std::bad_alloc(); }

class Starved : public testing::Test {
 protected:
  Starved() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(Starved, NoMemoryAndNoThreadAreOneLine) {
  const auto ends = testing::ExitedWithCode(kCode);
  EXPECT_EXIT(InThread([] { throw std::bad_alloc(); }), ends, kLine);
  EXPECT_EXIT(InThread([] { throw std::system_error(EAGAIN, std::generic_category()); }), ends, kLine);
  EXPECT_EXIT(InThread([] { throw std::system_error(ENOMEM, std::system_category()); }), ends, kLine);
  EXPECT_EXIT(InThread([]() noexcept { Throw(); }), ends, kLine);
}

TEST_F(Starved, WhatIsCaughtGoesOn) {
  const auto caught = [] {
    InThread([] {
      try {
        throw std::bad_alloc();
      } catch (const std::bad_alloc&) {
      }
    });
    ::_exit(0);
  };
  EXPECT_EXIT(caught(), testing::ExitedWithCode(0), "^$");
}

TEST_F(Starved, AnythingElseAbortsAsBefore) {
  const auto aborts = testing::KilledBySignal(SIGABRT);
  EXPECT_EXIT(InThread([] { throw std::runtime_error("why"); }), aborts, "why");
  EXPECT_EXIT(InThread([] { throw std::system_error(EIO, std::generic_category()); }), aborts, "Input/output");
  EXPECT_EXIT(InThread([] { throw std::bad_array_new_length(); }), aborts, "bad_array_new_length");
  EXPECT_EXIT(InThread([] { throw 1; }), aborts, "int");
  EXPECT_EXIT(InThread([] { std::terminate(); }), aborts, "without an active exception");
  EXPECT_EXIT(InThread([] { assert(false); }), aborts, "Assertion");
}

}  // namespace
}  // namespace smsflow
