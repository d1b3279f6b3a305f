// Everything that was asked of a disk, in its order, and what a power cut after any of it could have left there.
//
// A recording stands between RocksDB and a file layer that does the work. From it a model of the disk is built, one
// operation after the other, that tells at each of them what may be found after a power cut: POSIX promises only what
// was synced, file by file and folder by folder, and real disks use that freedom.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace rocksdb {
class FileSystem;
}

namespace smsflow::crash {

struct DiskOperation {
  enum Kind { kMake, kWrite, kTruncate, kSync, kRename, kDelete, kSyncFolder } kind = kMake;
  std::size_t file = 0;      // which file was made, written, cut or synced: a number, for names change
  std::uint64_t offset = 0;  // of a write; the new size, of a cut
  std::string bytes;         // of a write
  std::string path, to;      // of a file or folder
};
std::string_view NameOf(DiskOperation::Kind kind);

// Thread-safe.
class Recording {
 public:
  // Does it and notes it as one: the order noted is the order in which it happened.
  template <class Do>
  auto Note(DiskOperation operation, Do&& perform) {
    const std::lock_guard lock(mutex_);
    auto status = perform();
    if (status.ok()) operations_.push_back(std::move(operation));
    return status;
  }
  std::size_t NewFile() {
    const std::lock_guard lock(mutex_);
    return files_++;
  }
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return operations_.size();
  }
  // `look` sees all that was noted, and nothing happens meanwhile.
  void Hold(const std::function<void(const std::vector<DiskOperation>&)>& look) const {
    const std::lock_guard lock(mutex_);
    look(operations_);
  }
  // REQUIRES: nothing uses the disk any more.
  const std::vector<DiskOperation>& operations() const { return operations_; }

 private:
  mutable std::mutex mutex_;
  std::vector<DiskOperation> operations_;
  std::size_t files_ = 0;
};

// RocksDB's log for people and lock files are left out.
std::shared_ptr<rocksdb::FileSystem> Record(std::shared_ptr<rocksdb::FileSystem> below,
                                            std::shared_ptr<Recording> recording);

// What a power cut leaves of what was not synced.
enum class Loss {
  kUnsynced,  // all of it is gone, and no name is new
  kNothing,   // all of it is there, as after the death of the process alone
  kTorn,      // of every file a part from its beginning; of the names, those of some first changes
  kHoles,     // every byte but for sectors of 512 that never came and are zeros
  kNames,     // every byte, but no change of a name: renames, new files and deletions are undone
  kAnything,  // each file and the names by a dice of their own
};
inline constexpr Loss kLosses[] = {Loss::kUnsynced, Loss::kNothing, Loss::kTorn,
                                   Loss::kHoles,    Loss::kNames,   Loss::kAnything};
std::string_view NameOf(Loss loss);

using Image = std::map<std::string, std::string>;  // bytes by path

class DiskModel {
 public:
  void Apply(const DiskOperation& operation);
  Image After(Loss loss, std::mt19937_64& random) const;

 private:
  struct File {
    std::string durable;
    struct Write {
      std::uint64_t offset = 0;
      std::string bytes;
    };
    std::vector<Write> unsynced;  // and cuts, which have no bytes
    std::uint64_t size = 0;       // that the process sees
  };
  using Names = std::map<std::string, std::size_t>;
  static std::string Left(const File& file, Loss loss, std::mt19937_64& random);
  static void Change(Names& names, const DiskOperation& change);

  std::map<std::size_t, File> files_;
  Names durable_names_;
  std::vector<DiskOperation> changes_;  // of names, not durable yet
};

}  // namespace smsflow::crash
