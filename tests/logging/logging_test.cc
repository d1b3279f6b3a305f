#include "logging/logging.h"

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <functional>
#include <string>

namespace smsflow {
namespace {

constexpr std::size_t kTime = sizeof "2026-11-22T05:12:33.123Z" - 1;

// What is said on standard error.
std::string Said(const LogConfig& config, const std::function<void()>& say) {
  testing::internal::CaptureStderr();
  SetUpLogging(config);
  say();
  return testing::internal::GetCapturedStderr();
}

TEST(LoggingTest, JsonLinesHoldWhateverComes) {
  const std::string line = Said({"info", LogFormat::kJson}, [] {
    Log(LogLevel::kInfo, "said \"so\"\n", {{"id", "1\\2"}, {"n", "\x01"}});
  });
  const std::string begin = R"({"time":")";
  EXPECT_EQ(line.substr(0, begin.size()), begin);
  EXPECT_EQ(line.substr(begin.size() + kTime),
            "\",\"level\":\"info\",\"message\":\"said \\\"so\\\"\\u000a\",\"id\":\"1\\\\2\",\"n\":\"\\u0001\"}\n");
}

TEST(LoggingTest, TextLinesAreOneLineEach) {
  const std::string line = Said({"info", LogFormat::kText}, [] {
    LogAbout(LogLevel::kWarn, InstanceId::Make(0, ShardId{0}, 1), "two\nlines", {{"why", "a\nb"}});
  });
  EXPECT_EQ(line[10], 'T');
  EXPECT_EQ(line[kTime - 1], 'Z');
  EXPECT_EQ(line.substr(kTime),
            " warning two lines  id=" + InstanceId::Make(0, ShardId{0}, 1).ToString() + "  why=a b\n");
}

// As the client of Kafka and the gateway do.
TEST(LoggingTest, WhatIsSaidThroughSpdlogHasTheSameForm) {
  const auto say = [] {
    Log(LogLevel::kError, "before", {{"n", "1"}});
    spdlog::error("broker \"a\" {}", "is away");
    spdlog::debug("not asked for");
  };
  const std::string json = Said({"info", LogFormat::kJson}, say);
  const std::string second = json.substr(json.find('\n') + 1);
  EXPECT_EQ(second.substr(9 + kTime), "\",\"level\":\"error\",\"message\":\"broker \\\"a\\\" is away\"}\n");
  const std::string text = Said({"info", LogFormat::kText}, say);
  EXPECT_EQ(text.substr(text.find('\n') + 1 + kTime), " error broker \"a\" is away\n");
}

TEST(LoggingTest, WhatIsBelowTheLevelIsNotSaid) {
  EXPECT_EQ(Said({"error", LogFormat::kText}, [] { Log(LogLevel::kWarn, "not asked for"); }), "");
}

}  // namespace
}  // namespace smsflow
