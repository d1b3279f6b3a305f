#include "gateway/audit_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <ctime>
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

class Descriptor {
 public:
  explicit Descriptor(const std::string& file)
      : number_(open(file.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600)) {}
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }
  // -1: it is no file.
  std::int64_t size() const {
    struct stat about {};
    return number_ >= 0 && fstat(number_, &about) == 0 && S_ISREG(about.st_mode) ? about.st_size : -1;
  }

 private:
  const int number_;
};

// Whole lines or nothing: of what did not fit, no part is left.
absl::Status WriteAll(const Descriptor& file, std::int64_t size, std::string bytes) {
  char last = '\n';
  if (size > 0 && pread(file.number(), &last, 1, size - 1) == 1 && last != '\n') bytes.insert(0, 1, '\n');
  std::string_view rest = bytes;
  while (!rest.empty()) {
    const ssize_t written = write(file.number(), rest.data(), rest.size());
    if (written >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      const absl::Status status = absl::ErrnoToStatus(errno, "audit: cannot write");
      if (rest.size() != bytes.size() && ftruncate(file.number(), size) != 0) return status;
      return status;
    }
  }
  return absl::OkStatus();
}

}  // namespace

AuditLog::AuditLog(AuditOptions options, const engine::Clock& clock, NoticeHandler notice)
    : options_(std::move(options)), clock_(clock), notice_(std::move(notice)) {}

absl::StatusOr<std::unique_ptr<AuditLog>> AuditLog::Open(AuditOptions options, const engine::Clock& clock,
                                                         NoticeHandler notice) {
  const std::string& folder = options.folder;
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    return absl::InvalidArgumentError(absl::StrCat("audit: cannot make the folder ", folder));
  struct stat about {};
  if (stat(folder.c_str(), &about) != 0 || !S_ISDIR(about.st_mode) || access(folder.c_str(), W_OK | X_OK) != 0)
    return absl::InvalidArgumentError(absl::StrCat("audit: ", folder, " must be a folder that can be written to"));
  return std::unique_ptr<AuditLog>(new AuditLog(std::move(options), clock, std::move(notice)));
}

AuditLog::~AuditLog() {
  for (const auto& [tenant, state] : tenants_)
    if (state.opened) Write(tenant, Own("CLOSED", "-"), 0);
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

std::string AuditLog::Own(std::string_view word, std::string_view what) const {
  return absl::StrCat(UtcOf(clock_.WallMs()), "\t-\t", std::string(word), "\t", std::string(what), "\n");
}

void AuditLog::Append(const std::vector<Report>& reports) {
  std::map<std::string, std::pair<std::string, std::uint64_t>> by_tenant;  // lines and how many
  for (const Report& report : reports) {
    if (report.tenant.empty()) continue;
    auto& [lines, count] = by_tenant[report.tenant];
    absl::StrAppend(&lines, UtcOf(report.at_ms), "\t", report.attempt.ToString(), "\t",
                    std::string(workflows::delivery::NameOf(report.result)), "\t",
                    report.cause.empty() ? "-" : report.cause, "\n");
    ++count;
  }
  const std::lock_guard lock(mutex_);
  for (const auto& [tenant, lines] : by_tenant) Write(tenant, lines.first, lines.second);
}

void AuditLog::Write(const std::string& tenant, const std::string& lines, std::uint64_t count) {
  Tenant& state = tenants_[tenant];
  std::string bytes;
  if (!state.opened) bytes += Own("OPENED", "-");
  if (state.lost > 0) bytes += Own("LOST", std::to_string(state.lost));
  const absl::Status status = AppendTo(absl::StrCat(options_.folder, "/", FileNameOf(tenant)), bytes + lines);
  if (status.ok()) {
    state = {.opened = true};
    figures_.written += count;
  } else {
    state.lost += count;
    figures_.lost += count;
  }
  if (status.ok() != failing_) return;
  failing_ = !failing_;
  if (!notice_) return;
  notice_(failing_ ? LogLevel::kError : LogLevel::kInfo,
          failing_ ? absl::StrCat(std::string(status.message()), ": its lines are lost from now on, SMSes go on")
                   : "audit: it can be written again; the log says how many lines it lost");
}

absl::Status AuditLog::AppendTo(const std::string& file, std::string bytes) const {
  {
    const Descriptor descriptor(file);
    const std::int64_t size = descriptor.size();
    if (size < 0) return absl::UnavailableError(absl::StrCat("audit: cannot open ", file));
    if (size == 0 || size + static_cast<std::int64_t>(bytes.size()) <= options_.file_bytes)
      return WriteAll(descriptor, size, std::move(bytes));
  }
  if (auto status = MakeRoom(file); !status.ok()) return status;
  const Descriptor descriptor(file);
  if (descriptor.size() < 0) return absl::UnavailableError(absl::StrCat("audit: cannot open ", file));
  return WriteAll(descriptor, 0, std::move(bytes));
}

// Each becomes one older; the oldest goes.
absl::Status AuditLog::MakeRoom(const std::string& file) const {
  const auto name = [&file](int age) { return age == 0 ? file : absl::StrCat(file, ".", age); };
  if (options_.files == 1) {
    if (unlink(file.c_str()) != 0) return absl::ErrnoToStatus(errno, absl::StrCat("audit: cannot remove ", file));
    return absl::OkStatus();
  }
  for (int age = options_.files - 2; age >= 0; --age)
    if (rename(name(age).c_str(), name(age + 1).c_str()) != 0 && errno != ENOENT)
      return absl::ErrnoToStatus(errno, absl::StrCat("audit: cannot move ", name(age)));
  return absl::OkStatus();
}

AuditFigures AuditLog::figures() const {
  const std::lock_guard lock(mutex_);
  return figures_;
}

}  // namespace smsflow::gateway
