// The only file that knows spdlog.
#include "server/logging.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

namespace smsflow::server {

namespace {

bool as_json = false;  // set once, before there is a second thread

spdlog::level::level_enum LevelOf(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

void AppendJsonString(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out.push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (byte < 0x20) {
      out += "\\u00";
      out.push_back(kHex[byte >> 4]);
      out.push_back(kHex[byte & 15]);
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

// Line breaks would let a value pass for a line of its own.
void AppendPlain(std::string& out, std::string_view text) {
  for (const char c : text) out.push_back(static_cast<unsigned char>(c) < 0x20 ? ' ' : c);
}

}  // namespace

void SetUpLogging(const LogConfig& config) {
  as_json = config.format == LogFormat::kJson;
  auto logger = std::make_shared<spdlog::logger>("smsflowd", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern(as_json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ",%v})" : "%Y-%m-%dT%H:%M:%S.%eZ %-5l %v",
                      spdlog::pattern_time_type::utc);
  logger->set_level(spdlog::level::from_str(config.level));
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

std::string JsonLine(std::string_view level, std::string_view message, const std::vector<LogField>& fields) {
  std::string line = "\"level\":";
  AppendJsonString(line, level);
  line += ",\"message\":";
  AppendJsonString(line, message);
  for (const LogField& field : fields) {
    line.push_back(',');
    AppendJsonString(line, field.name);
    line.push_back(':');
    AppendJsonString(line, field.value);
  }
  return line;
}

void Log(LogLevel level, std::string_view message, const std::vector<LogField>& fields) {
  const auto spd_level = LevelOf(level);
  spdlog::logger* logger = spdlog::default_logger_raw();
  if (!logger->should_log(spd_level)) return;
  std::string line;
  if (as_json) {
    const auto name = spdlog::level::to_string_view(spd_level);
    line = JsonLine({name.data(), name.size()}, message, fields);
  } else {
    AppendPlain(line, message);
    for (const LogField& field : fields) {
      line += "  " + field.name + "=";
      AppendPlain(line, field.value);
    }
  }
  logger->log(spd_level, line);
}

void LogAbout(LogLevel level, const InstanceId& id, std::string_view message, std::vector<LogField> fields) {
  fields.insert(fields.begin(), {"id", id.ToString()});
  Log(level, message, fields);
}

}  // namespace smsflow::server
