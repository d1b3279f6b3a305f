// Log lines for people or machines: one line per event on standard error, as text or as JSON, with the id of the SMS
// where it is about one. Never a payload, a target, a number, a token or a text.
//
// Thread-safe after SetUpLogging(), which is called once, at the start.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ids/ids.h"
#include "server/config.h"

namespace smsflow::server {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarn, kError };

struct LogField {
  std::string name;
  std::string value;
};

void SetUpLogging(const LogConfig& config);
void Log(LogLevel level, std::string_view message, const std::vector<LogField>& fields = {});
// The same with the field `id`.
void LogAbout(LogLevel level, const InstanceId& id, std::string_view message, std::vector<LogField> fields = {});

// A line of the JSON format, but for its time: for tests.
std::string JsonLine(std::string_view level, std::string_view message, const std::vector<LogField>& fields);

}  // namespace smsflow::server
