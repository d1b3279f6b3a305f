// Besides those that say something through spdlog, the only file that knows it.
#include "logging/logging.h"

#include <fmt/format.h>
#include <spdlog/formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <ctime>
#include <memory>

namespace smsflow {
namespace {

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

std::string TimeOf(spdlog::log_clock::time_point at) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch()).count();
  const std::time_t seconds = static_cast<std::time_t>(ms / 1000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                     utc.tm_hour, utc.tm_min, utc.tm_sec, ms % 1000);
}

// A line is formatted on the thread that says it, before Log() returns.
thread_local const std::vector<LogField>* fields_of_line = nullptr;

class Formatter final : public spdlog::formatter {
 public:
  explicit Formatter(LogFormat format) : format_(format) {}

  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    const auto level = spdlog::level::to_string_view(message.level);
    const std::string_view name(level.data(), level.size()), text(message.payload.data(), message.payload.size());
    std::string line =
        format_ == LogFormat::kJson ? Json(TimeOf(message.time), name, text) : Text(TimeOf(message.time), name, text);
    line.push_back('\n');
    out.append(line.data(), line.data() + line.size());
  }
  std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<Formatter>(format_); }

 private:
  static std::string Json(const std::string& time, std::string_view level, std::string_view text) {
    std::string line = "{\"time\":\"" + time + "\",\"level\":";
    AppendJsonString(line, level);
    line += ",\"message\":";
    AppendJsonString(line, text);
    if (fields_of_line != nullptr) {
      for (const LogField& field : *fields_of_line) {
        line.push_back(',');
        AppendJsonString(line, field.name);
        line.push_back(':');
        AppendJsonString(line, field.value);
      }
    }
    line.push_back('}');
    return line;
  }
  static std::string Text(const std::string& time, std::string_view level, std::string_view text) {
    std::string line = fmt::format("{} {:<5} ", time, level);
    AppendPlain(line, text);
    if (fields_of_line != nullptr) {
      for (const LogField& field : *fields_of_line) {
        line += "  " + field.name + "=";
        AppendPlain(line, field.value);
      }
    }
    return line;
  }

  const LogFormat format_;
};

}  // namespace

void SetUpLogging(const LogConfig& config) {
  auto logger = std::make_shared<spdlog::logger>("smsflow", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_formatter(std::make_unique<Formatter>(config.format));
  logger->set_level(spdlog::level::from_str(config.level));
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

void Log(LogLevel level, std::string_view message, const std::vector<LogField>& fields) {
  fields_of_line = &fields;
  spdlog::default_logger_raw()->log(LevelOf(level), spdlog::string_view_t(message.data(), message.size()));
  fields_of_line = nullptr;
}

void LogAbout(LogLevel level, const InstanceId& id, std::string_view message, std::vector<LogField> fields) {
  fields.insert(fields.begin(), {"id", id.ToString()});
  Log(level, message, fields);
}

}  // namespace smsflow
