#include "tools/bench/scratch.h"

#include <linux/magic.h>
#include <stdlib.h>
#include <sys/vfs.h>

#include <filesystem>
#include <utility>

namespace smsflow::bench {

absl::StatusOr<Scratch> Scratch::Make(const std::string& parent) {
  struct statfs disk {};
  if (::statfs(parent.c_str(), &disk) != 0) return absl::NotFoundError("--dir: " + parent + " is not there");
  if (disk.f_type == TMPFS_MAGIC || disk.f_type == RAMFS_MAGIC)
    return absl::FailedPreconditionError("--dir: " + parent +
                                         " lies in memory, where a sync costs nothing; name a folder on a disk");
  std::string pattern = parent + "/smsflow-bench-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr)
    return absl::PermissionDeniedError("--dir: cannot make a folder in " + parent);
  return Scratch(std::move(pattern));
}

Scratch::Scratch(Scratch&& other) noexcept : path_(std::exchange(other.path_, {})) {}

Scratch::~Scratch() {
  std::error_code ignored;  // what cannot be removed is left to whoever cleans the disk
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace smsflow::bench
