#include "tools/cli/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace smsflow::cli {
namespace {

constexpr std::size_t kBytesMax = 1 << 20;

absl::StatusOr<std::string> ReadAll(std::istream& in, const std::string& name) {
  std::string contents(kBytesMax + 1, '\0');
  in.read(contents.data(), static_cast<std::streamsize>(contents.size()));
  contents.resize(static_cast<std::size_t>(in.gcount()));
  if (in.bad()) return absl::InvalidArgumentError(absl::StrCat(name, ": cannot be read"));
  if (contents.size() > kBytesMax) return absl::InvalidArgumentError(absl::StrCat(name, ": larger than 1 MB"));
  return contents;
}

std::string Error() { return std::error_code(errno, std::generic_category()).message(); }

}  // namespace

absl::StatusOr<std::string> ReadWholeFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return absl::InvalidArgumentError(absl::StrCat(path, ": cannot be opened: ", Error()));
  return ReadAll(in, path);
}

absl::StatusOr<std::string> ReadFileOrStdin(const std::string& path, std::istream& in) {
  return path == "-" ? ReadAll(in, "stdin") : ReadWholeFile(path);
}

absl::StatusOr<std::string> ReadEnvelope(const std::string& path, std::istream& in) {
  auto envelope = ReadFileOrStdin(path, in);
  if (envelope.ok())
    while (envelope->ends_with('\n') || envelope->ends_with('\r')) envelope->pop_back();
  return envelope;
}

absl::Status WriteNewFile(const std::string& path, std::string_view contents, Access access) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, static_cast<mode_t>(access));
  if (file < 0 && errno == EEXIST)
    return absl::FailedPreconditionError(absl::StrCat(path, ": is there already; choose another name"));
  if (file < 0) return absl::InvalidArgumentError(absl::StrCat(path, ": cannot be made: ", Error()));
  while (!contents.empty()) {
    const ssize_t written = write(file, contents.data(), contents.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) break;
    contents.remove_prefix(static_cast<std::size_t>(written));
  }
  const bool synced = contents.empty() && fsync(file) == 0;
  const std::string error = Error();
  close(file);
  if (!synced) return absl::InvalidArgumentError(absl::StrCat(path, ": cannot be written: ", error));
  return absl::OkStatus();
}

absl::StatusOr<std::ofstream> OpenOwnFile(const std::string& path) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, static_cast<mode_t>(Access::kOwner));
  if (file < 0) return absl::InvalidArgumentError(absl::StrCat(path, ": cannot be made: ", Error()));
  close(file);
  std::ofstream out(path, std::ios::binary | std::ios::app);
  if (!out) return absl::InvalidArgumentError(absl::StrCat(path, ": cannot be opened: ", Error()));
  return out;
}

}  // namespace smsflow::cli
