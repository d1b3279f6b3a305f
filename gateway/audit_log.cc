#include "gateway/audit_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <ctime>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "workflows/delivery/events.h"

namespace smsflow::gateway {
namespace {

std::string UtcOf(std::int64_t at_ms) {
  const std::time_t seconds = static_cast<std::time_t>(at_ms / 1000);
  std::tm utc{};
  if (gmtime_r(&seconds, &utc) == nullptr) return "-";
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", utc.tm_year + 1900, utc.tm_mon + 1,
                utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, static_cast<int>(at_ms % 1000));
  return text;
}

// At the end of the file, in one write where the system allows it, so that lines of two writers do not mix.
absl::Status AppendTo(const std::string& file, std::string_view lines) {
  const int descriptor = open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) return absl::ErrnoToStatus(errno, absl::StrCat("audit: cannot open ", file));
  absl::Status status;
  while (!lines.empty() && status.ok()) {
    const ssize_t written = write(descriptor, lines.data(), lines.size());
    if (written >= 0)
      lines.remove_prefix(static_cast<std::size_t>(written));
    else if (errno != EINTR)
      status = absl::ErrnoToStatus(errno, absl::StrCat("audit: cannot write to ", file));
  }
  close(descriptor);
  return status;
}

}  // namespace

absl::StatusOr<AuditLog> AuditLog::Open(std::string folder) {
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    return absl::ErrnoToStatus(errno, absl::StrCat("audit: cannot make ", folder));
  struct stat about {};
  if (stat(folder.c_str(), &about) != 0 || !S_ISDIR(about.st_mode))
    return absl::InvalidArgumentError(absl::StrCat("audit: ", folder, " must be a folder"));
  return AuditLog(std::move(folder));
}

std::string AuditLog::FileNameOf(std::string_view tenant) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string name;
  for (const char c : tenant) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = absl::ascii_isalnum(byte) || c == '_' || c == '-' || (c == '.' && !name.empty());
    if (plain)
      name += c;
    else
      absl::StrAppend(&name, "%", std::string{kHex[byte >> 4], kHex[byte & 15]});
  }
  return name + ".log";
}

absl::Status AuditLog::Append(const std::vector<AuditLine>& lines) const {
  std::map<std::string_view, std::string> by_tenant;
  for (const AuditLine& line : lines) {
    const Report& report = line.report;
    absl::StrAppend(&by_tenant[line.tenant], UtcOf(report.at_ms), "\t", report.attempt.ToString(), "\t",
                    std::string(workflows::delivery::NameOf(report.result)), "\t",
                    report.cause.empty() ? "-" : report.cause, "\n");
  }
  absl::Status first;
  for (const auto& [tenant, text] : by_tenant)
    first.Update(AppendTo(absl::StrCat(folder_, "/", FileNameOf(tenant)), text));
  return first;
}

}  // namespace smsflow::gateway
