#include "gateway/key_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"

namespace smsflow::gateway {
namespace {

// Until the end or `bytes` are full; how many were read, negative on an error.
ssize_t ReadWhole(int descriptor, crypto::Secret& bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t more = read(descriptor, bytes.bytes().data() + done, bytes.size() - done);
    if (more < 0 && errno == EINTR) continue;
    if (more < 0) return -1;
    if (more == 0) break;
    done += static_cast<std::size_t>(more);
  }
  return static_cast<ssize_t>(done);
}

absl::StatusOr<crypto::Secret> ReadChecked(int descriptor, const std::string& file) {
  struct stat about {};
  if (fstat(descriptor, &about) != 0 || !S_ISREG(about.st_mode))
    return absl::InvalidArgumentError(absl::StrCat(file, ": not a file with a key"));
  if ((about.st_mode & 077) != 0)
    return absl::FailedPreconditionError(absl::StrCat(file, ": others can read this private key; chmod 600 it"));
  if (about.st_size > static_cast<off_t>(crypto::kVaultBytesMax))
    return absl::InvalidArgumentError(absl::StrCat(file, ": must be at most 1 MB"));
  crypto::Secret bytes(static_cast<std::size_t>(about.st_size));
  if (ReadWhole(descriptor, bytes) != static_cast<ssize_t>(bytes.size()))
    return absl::InternalError(absl::StrCat(file, ": cannot be read"));
  return bytes;
}

// The file itself; of a folder, the key files in it.
absl::StatusOr<std::vector<std::string>> FilesOf(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) return std::vector{path};
  std::vector<std::string> files;
  for (std::filesystem::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error)) {
    std::string name = entry->path().string();
    if (name.ends_with(".key.pem") || name.ends_with(".p12")) files.push_back(std::move(name));
  }
  if (error) return absl::ErrnoToStatus(error.value(), absl::StrCat(path, ": cannot be listed"));
  std::sort(files.begin(), files.end());
  return files;
}

absl::Status AddKeysOf(const std::string& file, const crypto::Secret& password, std::vector<crypto::VaultKey>& all) {
  const auto contents = ReadPrivateFile(file);
  if (!contents.ok()) return contents.status();
  auto keys = crypto::ReadVaultFile(contents->Reveal(), password);
  if (!keys.ok()) return absl::InvalidArgumentError(absl::StrCat(file, ": ", keys.status().message()));
  for (crypto::VaultKey& key : *keys) all.push_back(std::move(key));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<crypto::Secret> ReadPrivateFile(const std::string& file) {
  const int descriptor = open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return absl::ErrnoToStatus(errno, absl::StrCat(file, ": cannot be opened"));
  auto bytes = ReadChecked(descriptor, file);
  close(descriptor);
  return bytes;
}

absl::StatusOr<crypto::Secret> ReadPassword(const std::string& file) {
  if (file.empty()) return crypto::Secret();
  const auto text = ReadPrivateFile(file);
  if (!text.ok()) return text.status();
  std::string_view line = text->Reveal().substr(0, text->Reveal().find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.empty()) return absl::InvalidArgumentError(absl::StrCat(file, ": its first line must hold the password"));
  return crypto::Secret(line);
}

absl::StatusOr<std::vector<crypto::VaultKey>> LoadKeys(const std::vector<std::string>& paths,
                                                       const std::string& password_file) {
  const auto password = ReadPassword(password_file);
  if (!password.ok()) return password.status();
  std::vector<crypto::VaultKey> all;
  for (const std::string& path : paths) {
    const auto files = FilesOf(path);
    if (!files.ok()) return files.status();
    for (const std::string& file : *files)
      if (const auto status = AddKeysOf(file, *password, all); !status.ok()) return status;
  }
  return all;
}

}  // namespace smsflow::gateway
