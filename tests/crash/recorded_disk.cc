#include "tests/crash/recorded_disk.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "rocksdb/file_system.h"

namespace smsflow::crash {
namespace {

using rocksdb::FileOptions, rocksdb::IODebugContext, rocksdb::IOOptions, rocksdb::IOStatus, rocksdb::Slice;
using Recorded = std::shared_ptr<Recording>;

std::string Normal(const std::string& path) {
  std::string normal = std::filesystem::path(path).lexically_normal().string();
  if (normal.size() > 1 && normal.back() == '/') normal.pop_back();
  return normal;
}
std::string FolderOf(const std::string& path) { return std::filesystem::path(path).parent_path().string(); }
bool IsLeftOut(const std::string& path) { return std::filesystem::path(path).filename().string().starts_with("LO"); }

class WritableFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  WritableFile(std::unique_ptr<rocksdb::FSWritableFile> below, std::size_t file, std::uint64_t size, Recorded recording)
      : FSWritableFileOwnerWrapper(std::move(below)), file_(file), size_(size), recording_(std::move(recording)) {}
  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    return Add(data, [&] { return target()->Append(data, options, debug); });
  }
  IOStatus Append(const Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo& info,
                  IODebugContext* debug) override {
    return Add(data, [&] { return target()->Append(data, options, info, debug); });
  }
  IOStatus Truncate(std::uint64_t size, const IOOptions& options, IODebugContext* debug) override {
    auto status = recording_->Note({DiskOperation::kTruncate, file_, size, "", "", ""},
                                   [&] { return target()->Truncate(size, options, debug); });
    if (status.ok()) size_ = size;
    return status;
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    return Durable([&] { return target()->Sync(options, debug); });
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return Durable([&] { return target()->Fsync(options, debug); });
  }

 private:
  template <class Do>
  IOStatus Add(const Slice& data, Do perform) {
    auto status = recording_->Note({DiskOperation::kWrite, file_, size_, data.ToString(), "", ""}, perform);
    if (status.ok()) size_ += data.size();
    return status;
  }
  template <class Do>
  IOStatus Durable(Do perform) {
    return recording_->Note({DiskOperation::kSync, file_, 0, "", "", ""}, perform);
  }

  const std::size_t file_;
  std::uint64_t size_;
  const Recorded recording_;
};

class RandomRWFile final : public rocksdb::FSRandomRWFileOwnerWrapper {
 public:
  RandomRWFile(std::unique_ptr<rocksdb::FSRandomRWFile> below, std::size_t file, Recorded recording)
      : FSRandomRWFileOwnerWrapper(std::move(below)), file_(file), recording_(std::move(recording)) {}
  IOStatus Write(std::uint64_t offset, const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    return recording_->Note({DiskOperation::kWrite, file_, offset, data.ToString(), "", ""},
                            [&] { return target()->Write(offset, data, options, debug); });
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    return recording_->Note({DiskOperation::kSync, file_, 0, "", "", ""},
                            [&] { return target()->Sync(options, debug); });
  }

 private:
  const std::size_t file_;
  const Recorded recording_;
};

class Folder final : public rocksdb::FSDirectoryWrapper {
 public:
  Folder(std::unique_ptr<rocksdb::FSDirectory> below, std::string path, Recorded recording)
      : FSDirectoryWrapper(std::move(below)), path_(std::move(path)), recording_(std::move(recording)) {}
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return Durable([&] { return FSDirectoryWrapper::Fsync(options, debug); });
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* debug,
                               const rocksdb::DirFsyncOptions& how) override {
    return Durable([&] { return FSDirectoryWrapper::FsyncWithDirOptions(options, debug, how); });
  }

 private:
  template <class Do>
  IOStatus Durable(Do perform) {
    return recording_->Note({DiskOperation::kSyncFolder, 0, 0, "", path_, ""}, perform);
  }

  const std::string path_;
  const Recorded recording_;
};

class RecordingFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  RecordingFileSystem(std::shared_ptr<rocksdb::FileSystem> below, Recorded recording)
      : FileSystemWrapper(std::move(below)), recording_(std::move(recording)) {}
  const char* Name() const override { return "smsflow-recorded"; }

  IOStatus NewWritableFile(const std::string& path, const FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext* debug) override {
    if (IsLeftOut(path)) return target()->NewWritableFile(path, options, result, debug);
    const std::size_t file = recording_->NewFile();
    std::unique_ptr<rocksdb::FSWritableFile> below;
    auto status = recording_->Note({DiskOperation::kMake, file, 0, "", Normal(path), ""},
                                   [&] { return target()->NewWritableFile(path, options, &below, debug); });
    if (!status.ok()) return status;
    {
      const std::lock_guard lock(mutex_);
      files_[Normal(path)] = file;
    }
    *result = std::make_unique<WritableFile>(std::move(below), file, 0, recording_);
    return status;
  }
  IOStatus NewRandomRWFile(const std::string& path, const FileOptions& options,
                           std::unique_ptr<rocksdb::FSRandomRWFile>* result, IODebugContext* debug) override {
    std::unique_ptr<rocksdb::FSRandomRWFile> below;
    auto status = target()->NewRandomRWFile(path, options, &below, debug);
    if (!status.ok()) return status;
    *result = std::make_unique<RandomRWFile>(std::move(below), FileAt(Normal(path)), recording_);
    return status;
  }
  IOStatus NewDirectory(const std::string& path, const IOOptions& options,
                        std::unique_ptr<rocksdb::FSDirectory>* result, IODebugContext* debug) override {
    std::unique_ptr<rocksdb::FSDirectory> below;
    auto status = target()->NewDirectory(path, options, &below, debug);
    if (status.ok()) *result = std::make_unique<Folder>(std::move(below), Normal(path), recording_);
    return status;
  }
  IOStatus DeleteFile(const std::string& path, const IOOptions& options, IODebugContext* debug) override {
    if (IsLeftOut(path)) return target()->DeleteFile(path, options, debug);
    auto status = recording_->Note({DiskOperation::kDelete, 0, 0, "", Normal(path), ""},
                                   [&] { return target()->DeleteFile(path, options, debug); });
    const std::lock_guard lock(mutex_);
    if (status.ok()) files_.erase(Normal(path));
    return status;
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      IODebugContext* debug) override {
    if (IsLeftOut(from)) return target()->RenameFile(from, to, options, debug);
    auto status = recording_->Note({DiskOperation::kRename, 0, 0, "", Normal(from), Normal(to)},
                                   [&] { return target()->RenameFile(from, to, options, debug); });
    const std::lock_guard lock(mutex_);
    if (auto moved = files_.extract(Normal(from)); status.ok() && !moved.empty()) files_[Normal(to)] = moved.mapped();
    return status;
  }

 private:
  std::size_t FileAt(const std::string& path) {
    const std::lock_guard lock(mutex_);
    return files_.at(path);  // made since the recording began: nothing is reopened that was there before
  }

  const Recorded recording_;
  std::mutex mutex_;
  std::map<std::string, std::size_t> files_;
};

}  // namespace

std::string_view NameOf(DiskOperation::Kind kind) {
  constexpr std::string_view kNames[] = {"Make", "Append", "Truncate", "Sync", "Rename", "Delete", "SyncFolder"};
  return kNames[kind];
}

std::string_view NameOf(Loss loss) {
  constexpr std::string_view kNames[] = {"all that was not synced", "nothing", "torn tails", "zeroed holes",
                                         "renames are undone",      "anything"};
  return kNames[static_cast<int>(loss)];
}

std::shared_ptr<rocksdb::FileSystem> Record(std::shared_ptr<rocksdb::FileSystem> below, Recorded recording) {
  return std::make_shared<RecordingFileSystem>(std::move(below), std::move(recording));
}

void DiskModel::Apply(const DiskOperation& operation) {
  switch (operation.kind) {
    case DiskOperation::kMake:
      files_[operation.file];
      changes_.push_back(operation);
      break;
    case DiskOperation::kWrite: {
      File& file = files_[operation.file];
      file.unsynced.push_back({operation.offset, operation.bytes});
      file.size = std::max(file.size, operation.offset + operation.bytes.size());
      break;
    }
    case DiskOperation::kTruncate: {
      File& file = files_[operation.file];
      for (auto& write : file.unsynced)
        if (write.offset + write.bytes.size() > operation.offset)
          write.bytes.resize(operation.offset > write.offset ? operation.offset - write.offset : 0);
      file.size = operation.offset;
      break;
    }
    case DiskOperation::kSync: {
      File& file = files_[operation.file];
      file.durable.resize(file.size, '\0');
      for (const auto& write : file.unsynced) file.durable.replace(write.offset, write.bytes.size(), write.bytes);
      file.unsynced.clear();
      break;
    }
    case DiskOperation::kRename:
    case DiskOperation::kDelete:
      changes_.push_back(operation);
      break;
    case DiskOperation::kSyncFolder: {
      std::vector<DiskOperation> others;
      for (const DiskOperation& change : changes_) {
        if (FolderOf(change.path) == operation.path) {
          Change(durable_names_, change);
        } else {
          others.push_back(change);
        }
      }
      changes_ = std::move(others);
      break;
    }
  }
}

void DiskModel::Change(Names& names, const DiskOperation& change) {
  if (change.kind == DiskOperation::kMake) {
    names[change.path] = change.file;
  } else if (auto moved = names.extract(change.path); change.kind == DiskOperation::kRename && !moved.empty()) {
    names[change.to] = moved.mapped();
  }
}

std::string DiskModel::Left(const File& file, Loss loss, std::mt19937_64& random) {
  std::string left = file.durable;
  if (loss == Loss::kUnsynced) return left;
  std::size_t unsynced = 0;
  for (const auto& write : file.unsynced) unsynced += write.bytes.size();
  std::size_t kept = loss == Loss::kTorn ? random() % (unsynced + 1) : unsynced;
  for (const auto& write : file.unsynced) {
    const std::string_view bytes = std::string_view(write.bytes).substr(0, kept);
    if (bytes.empty()) continue;
    left.resize(std::max<std::size_t>(left.size(), write.offset + bytes.size()), '\0');
    left.replace(write.offset, bytes.size(), bytes);
    kept -= bytes.size();
  }
  if (loss != Loss::kHoles) return left;
  constexpr std::uint64_t kSector = 512;
  for (const auto& write : file.unsynced) {
    const std::uint64_t end = write.offset + write.bytes.size();
    for (std::uint64_t at = write.offset; at < end; at = (at / kSector + 1) * kSector) {
      if (random() % 3 != 0) continue;
      const std::uint64_t till = std::min({(at / kSector + 1) * kSector, end, std::uint64_t{left.size()}});
      // What was durable there before stays.
      for (std::uint64_t i = at; i < till; ++i) left[i] = i < file.durable.size() ? file.durable[i] : '\0';
    }
  }
  return left;
}

Image DiskModel::After(Loss loss, std::mt19937_64& random) const {
  const auto drawn = [&](Loss wanted) { return wanted == Loss::kAnything ? kLosses[random() % 4] : wanted; };
  const Loss names_loss = drawn(loss);
  std::size_t kept = changes_.size();
  if (names_loss == Loss::kUnsynced || names_loss == Loss::kNames) kept = 0;
  if (names_loss == Loss::kTorn) kept = random() % (changes_.size() + 1);
  Names names = durable_names_;
  for (std::size_t i = 0; i < kept; ++i) Change(names, changes_[i]);
  Image image;
  for (const auto& [path, file] : names) image[path] = Left(files_.at(file), drawn(loss), random);
  return image;
}

}  // namespace smsflow::crash
