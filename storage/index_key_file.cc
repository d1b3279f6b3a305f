#include "storage/index_key_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "crypto/random.h"
#include "storage/owner_file.h"

namespace smsflow::storage {
namespace {

constexpr std::size_t kSize = 32;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  const int fd_;
};

}  // namespace

absl::StatusOr<crypto::Secret> ReadIndexKey(const std::string& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info {};
  if (fd.get() < 0 || ::fstat(fd.get(), &info) != 0)
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot open index key ", path));
  if ((info.st_mode & 077) != 0)
    return absl::FailedPreconditionError(
        absl::StrCat("index key ", path, " can be read by others; chmod 600 it, and think of it as known to them"));
  crypto::Secret key(kSize);
  const ssize_t read = ::read(fd.get(), key.bytes().data(), kSize);
  if (read < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot read index key ", path));
  if (info.st_size != static_cast<off_t>(kSize) || read != static_cast<ssize_t>(kSize))
    return absl::FailedPreconditionError(absl::StrCat("index key ", path, " is not ", kSize, " bytes long"));
  return key;
}

absl::Status MakeIndexKey(const std::string& path) {
  crypto::Secret key(kSize);
  crypto::FillRandom(key.bytes());
  return MakeOwnerFile(path, key.Reveal());
}

}  // namespace smsflow::storage
