// Log lines for people or machines: one line per event on standard error, in UTC, as text or as JSON, with the id of
// the SMS where it is about one. Never a payload, a target, a number, a token or a text. What a program says through
// spdlog itself, as the client of Kafka does, comes out in the same form.
//
// Thread-safe after SetUpLogging(), which is called once, at the start.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ids/ids.h"

namespace smsflow {

enum class LogFormat : std::uint8_t { kText, kJson };

struct LogConfig {
  std::string level = "info";  // trace, debug, info, warn, error, off
  LogFormat format = LogFormat::kText;
};

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarn, kError };

struct LogField {
  std::string name;
  std::string value;
};

void SetUpLogging(const LogConfig& config);
void Log(LogLevel level, std::string_view message, const std::vector<LogField>& fields = {});
// The same with the field `id`.
void LogAbout(LogLevel level, const InstanceId& id, std::string_view message, std::vector<LogField> fields = {});

}  // namespace smsflow
