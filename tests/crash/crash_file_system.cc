#include "tests/crash/crash_file_system.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "rocksdb/file_system.h"
#include "tests/crash/crash_file.h"

namespace smsflow::crash {
namespace {

using rocksdb::FileOptions, rocksdb::IODebugContext, rocksdb::IOOptions, rocksdb::IOStatus, rocksdb::Slice;
using FilePtr = std::shared_ptr<CrashFile>;

std::string Normal(const std::string& path) {
  std::string normal = std::filesystem::path(path).lexically_normal().string();
  if (normal.size() > 1 && normal.back() == '/') normal.pop_back();
  return normal;
}
std::string DirectoryOf(const std::string& path) { return std::filesystem::path(path).parent_path().string(); }
std::string NameOf(const std::string& path) { return std::filesystem::path(path).filename().string(); }
// RocksDB's log for people, and locks: durability means nothing to them.
bool PassesThrough(const std::string& path) { return NameOf(path).starts_with("LO"); }

IOStatus NotFound(const std::string& path) { return IOStatus::PathNotFound(path, "no such file"); }

class WritableFile final : public rocksdb::FSWritableFile {
 public:
  WritableFile(FilePtr file, FileKind kind, Faults& faults) : file_(std::move(file)), kind_(kind), faults_(faults) {}
  using FSWritableFile::Append;
  using FSWritableFile::PositionedAppend;
  IOStatus Append(const Slice& data, const IOOptions&, IODebugContext*) override { return Add(data); }
  IOStatus Append(const Slice& data, const IOOptions&, const rocksdb::DataVerificationInfo&, IODebugContext*) override {
    return Add(data);
  }
  IOStatus Truncate(std::uint64_t size, const IOOptions&, IODebugContext*) override { return file_->Truncate(size); }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }  // closing syncs nothing
  IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Sync(const IOOptions&, IODebugContext*) override { return SyncNow(); }
  IOStatus Fsync(const IOOptions&, IODebugContext*) override { return SyncNow(); }
  bool IsSyncThreadSafe() const override { return true; }
  std::uint64_t GetFileSize(const IOOptions&, IODebugContext*) override { return file_->size(); }
  IOStatus Allocate(std::uint64_t, std::uint64_t, const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }

 private:
  IOStatus Add(const Slice& data) {
    auto status = faults_.Write(kind_);
    return status.ok() ? file_->Append(data) : status;
  }
  IOStatus SyncNow() {
    return faults_.Sync(kind_, [this] { return file_->Sync(); });
  }

  const FilePtr file_;
  const FileKind kind_;
  Faults& faults_;
};

class RandomRWFile final : public rocksdb::FSRandomRWFile {
 public:
  RandomRWFile(FilePtr file, FileKind kind, Faults& faults) : file_(std::move(file)), kind_(kind), faults_(faults) {}
  IOStatus Write(std::uint64_t offset, const Slice& data, const IOOptions&, IODebugContext*) override {
    auto status = faults_.Write(kind_);
    return status.ok() ? file_->Write(offset, data) : status;
  }
  IOStatus Read(std::uint64_t offset, std::size_t n, const IOOptions&, Slice* result, char* scratch,
                IODebugContext*) const override {
    return file_->Read(offset, n, result, scratch);
  }
  IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Sync(const IOOptions&, IODebugContext*) override {
    return faults_.Sync(kind_, [this] { return file_->Sync(); });
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }

 private:
  const FilePtr file_;
  const FileKind kind_;
  Faults& faults_;
};

class RandomAccessFile final : public rocksdb::FSRandomAccessFile {
 public:
  explicit RandomAccessFile(FilePtr file) : file_(std::move(file)) {}
  IOStatus Read(std::uint64_t offset, std::size_t n, const IOOptions&, Slice* result, char* scratch,
                IODebugContext*) const override {
    return file_->Read(offset, n, result, scratch);
  }

 private:
  const FilePtr file_;
};

class SequentialFile final : public rocksdb::FSSequentialFile {
 public:
  explicit SequentialFile(FilePtr file) : file_(std::move(file)) {}
  IOStatus Read(std::size_t n, const IOOptions&, Slice* result, char* scratch, IODebugContext*) override {
    auto status = file_->Read(at_, n, result, scratch);
    if (status.ok()) at_ += result->size();
    return status;
  }
  IOStatus Skip(std::uint64_t n) override {
    at_ += n;
    return IOStatus::OK();
  }

 private:
  const FilePtr file_;
  std::uint64_t at_ = 0;
};

class CrashFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  explicit CrashFileSystem(Faults faults)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), faults_(std::move(faults)) {}
  const char* Name() const override { return "smsflow-crash"; }

  IOStatus NewSequentialFile(const std::string& path, const FileOptions& options,
                             std::unique_ptr<rocksdb::FSSequentialFile>* result, IODebugContext* debug) override {
    const FilePtr file = Changed(path);
    if (file) return Give(result, std::make_unique<SequentialFile>(file));
    return Gone(path) ? NotFound(path) : target()->NewSequentialFile(path, options, result, debug);
  }
  IOStatus NewRandomAccessFile(const std::string& path, const FileOptions& options,
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* result, IODebugContext* debug) override {
    const FilePtr file = Changed(path);
    if (file) return Give(result, std::make_unique<RandomAccessFile>(file));
    return Gone(path) ? NotFound(path) : target()->NewRandomAccessFile(path, options, result, debug);
  }
  IOStatus NewWritableFile(const std::string& path, const FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext* debug) override {
    if (PassesThrough(path)) return target()->NewWritableFile(path, options, result, debug);
    const std::lock_guard lock(mutex_);
    const auto file = std::make_shared<CrashFile>();
    entries_[Normal(path)] = file;
    pending_.push_back({Change::kMake, Normal(path), "", file});
    return Give(result, std::make_unique<WritableFile>(file, KindOf(path), faults_));
  }
  IOStatus ReopenWritableFile(const std::string& path, const FileOptions& options,
                              std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext* debug) override {
    if (!FileExists(path, options.io_options, debug).ok()) return NewWritableFile(path, options, result, debug);
    FilePtr file;
    auto status = Take(path, &file);
    return status.ok() ? Give(result, std::make_unique<WritableFile>(file, KindOf(path), faults_)) : status;
  }
  IOStatus NewRandomRWFile(const std::string& path, const FileOptions&,
                           std::unique_ptr<rocksdb::FSRandomRWFile>* result, IODebugContext*) override {
    FilePtr file;
    auto status = Take(path, &file);
    return status.ok() ? Give(result, std::make_unique<RandomRWFile>(file, KindOf(path), faults_)) : status;
  }
  IOStatus NewDirectory(const std::string& path, const IOOptions& options,
                        std::unique_ptr<rocksdb::FSDirectory>* result, IODebugContext* debug) override;

  IOStatus FileExists(const std::string& path, const IOOptions& options, IODebugContext* debug) override {
    if (Changed(path)) return IOStatus::OK();
    return Gone(path) ? NotFound(path) : target()->FileExists(path, options, debug);
  }
  IOStatus GetFileSize(const std::string& path, const IOOptions& options, std::uint64_t* size,
                       IODebugContext* debug) override {
    const FilePtr file = Changed(path);
    if (!file) return Gone(path) ? NotFound(path) : target()->GetFileSize(path, options, size, debug);
    *size = file->size();
    return IOStatus::OK();
  }
  IOStatus GetChildren(const std::string& path, const IOOptions& options, std::vector<std::string>* result,
                       IODebugContext* debug) override;
  IOStatus GetChildrenFileAttributes(const std::string& path, const IOOptions& options,
                                     std::vector<rocksdb::FileAttributes>* result, IODebugContext* debug) override;
  IOStatus DeleteFile(const std::string& path, const IOOptions& options, IODebugContext* debug) override;
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      IODebugContext* debug) override;

  // What RocksDB does without when a file system has it not.
  IOStatus ReuseWritableFile(const std::string&, const std::string&, const FileOptions&,
                             std::unique_ptr<rocksdb::FSWritableFile>*, IODebugContext*) override {
    return IOStatus::NotSupported("reuse of files");
  }
  IOStatus LinkFile(const std::string&, const std::string&, const IOOptions&, IODebugContext*) override {
    return IOStatus::NotSupported("links");
  }
  IOStatus NewMemoryMappedFileBuffer(const std::string&, std::unique_ptr<rocksdb::MemoryMappedFileBuffer>*) override {
    return IOStatus::NotSupported("mapped files");
  }

  IOStatus GetFreeSpace(const std::string& path, const IOOptions& options, std::uint64_t* bytes,
                        IODebugContext* debug) override {
    const auto free = faults_.FreeBytes();
    if (!free.has_value()) return target()->GetFreeSpace(path, options, bytes, debug);
    *bytes = *free;
    return IOStatus::OK();
  }

  // Everything that happened to the entries of this directory becomes durable, in its order.
  IOStatus SyncDirectory(const std::string& directory) {
    return faults_.Sync(Matters(directory) ? FileKind::kDirectory : FileKind::kOther,
                        [&] { return ApplyPending(directory); });
  }

 private:
  // Something is to become durable that RocksDB or the folder cannot do without.
  bool Matters(const std::string& directory) {
    const std::lock_guard lock(mutex_);
    return std::any_of(pending_.begin(), pending_.end(), [&](const Change& change) {
      return change.kind != Change::kDelete && DirectoryOf(change.path) == directory &&
             KindOf(change.path) != FileKind::kOther;
    });
  }
  IOStatus ApplyPending(const std::string& directory);
  struct Change {
    enum Kind { kMake, kRename, kDelete } kind;
    std::string path, to;
    FilePtr file;
  };

  template <class Base, class File>
  static IOStatus Give(std::unique_ptr<Base>* result, std::unique_ptr<File> file) {
    *result = std::move(file);
    return IOStatus::OK();
  }
  // The file, when this process wrote, made or renamed it; else it is as on disk, or gone.
  FilePtr Changed(const std::string& path) {
    const std::lock_guard lock(mutex_);
    const auto entry = entries_.find(Normal(path));
    return entry == entries_.end() ? nullptr : entry->second;
  }
  bool Gone(const std::string& path) {
    const std::lock_guard lock(mutex_);
    const auto entry = entries_.find(Normal(path));
    return entry != entries_.end() && !entry->second;
  }
  IOStatus Take(const std::string& path, FilePtr* file) {
    const std::lock_guard lock(mutex_);
    return TakeLocked(Normal(path), file);
  }
  IOStatus TakeLocked(const std::string& path, FilePtr* file);
  static IOStatus Apply(const Change& change);

  Faults faults_;
  std::mutex mutex_;
  std::map<std::string, FilePtr> entries_;  // that differ from the disk's, or did; null: gone
  std::vector<Change> pending_;
};

class Directory final : public rocksdb::FSDirectory {
 public:
  Directory(CrashFileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}
  IOStatus Fsync(const IOOptions&, IODebugContext*) override { return files_.SyncDirectory(path_); }
  IOStatus FsyncWithDirOptions(const IOOptions&, IODebugContext*, const rocksdb::DirFsyncOptions&) override {
    return files_.SyncDirectory(path_);
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }

 private:
  CrashFileSystem& files_;
  const std::string path_;
};

IOStatus CrashFileSystem::NewDirectory(const std::string& path, const IOOptions& options,
                                       std::unique_ptr<rocksdb::FSDirectory>* result, IODebugContext* debug) {
  std::unique_ptr<rocksdb::FSDirectory> real;
  auto status = target()->NewDirectory(path, options, &real, debug);
  return status.ok() ? Give(result, std::make_unique<Directory>(*this, Normal(path))) : status;
}

IOStatus CrashFileSystem::TakeLocked(const std::string& path, FilePtr* file) {
  if (const auto entry = entries_.find(path); entry != entries_.end()) {
    *file = entry->second;
    return *file ? IOStatus::OK() : NotFound(path);
  }
  auto adopted = std::make_shared<CrashFile>();
  auto status = adopted->Adopt(path);
  if (status.ok()) *file = entries_[path] = std::move(adopted);
  return status;
}

IOStatus CrashFileSystem::GetChildren(const std::string& path, const IOOptions& options,
                                      std::vector<std::string>* result, IODebugContext* debug) {
  auto status = target()->GetChildren(path, options, result, debug);
  if (!status.ok()) return status;
  std::set<std::string> names(result->begin(), result->end());
  const std::lock_guard lock(mutex_);
  for (const auto& [changed, file] : entries_) {
    if (DirectoryOf(changed) != Normal(path)) continue;
    if (file) {
      names.insert(NameOf(changed));
    } else {
      names.erase(NameOf(changed));
    }
  }
  result->assign(names.begin(), names.end());
  return IOStatus::OK();
}

IOStatus CrashFileSystem::GetChildrenFileAttributes(const std::string& path, const IOOptions& options,
                                                    std::vector<rocksdb::FileAttributes>* result,
                                                    IODebugContext* debug) {
  std::vector<std::string> names;
  auto status = GetChildren(path, options, &names, debug);
  if (!status.ok()) return status;
  result->clear();
  for (const auto& name : names) {
    rocksdb::FileAttributes attributes{name, 0};
    if (GetFileSize(path + "/" + name, options, &attributes.size_bytes, debug).ok()) result->push_back(attributes);
  }
  return IOStatus::OK();
}

IOStatus CrashFileSystem::DeleteFile(const std::string& path, const IOOptions& options, IODebugContext* debug) {
  if (PassesThrough(path)) return target()->DeleteFile(path, options, debug);
  auto status = FileExists(path, options, debug);
  if (!status.ok()) return status;
  const std::lock_guard lock(mutex_);
  entries_[Normal(path)] = nullptr;
  pending_.push_back({Change::kDelete, Normal(path), "", nullptr});
  return IOStatus::OK();
}

IOStatus CrashFileSystem::RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                                     IODebugContext* debug) {
  if (PassesThrough(from)) return target()->RenameFile(from, to, options, debug);
  const std::lock_guard lock(mutex_);
  FilePtr file;
  auto status = TakeLocked(Normal(from), &file);
  if (!status.ok()) return status;
  entries_[Normal(to)] = file;
  entries_[Normal(from)] = nullptr;
  pending_.push_back({Change::kRename, Normal(from), Normal(to), file});
  return IOStatus::OK();
}

IOStatus CrashFileSystem::Apply(const Change& change) {
  switch (change.kind) {
    case Change::kMake:
      return change.file->Link(change.path);
    case Change::kRename:
      if (std::rename(change.path.c_str(), change.to.c_str()) == 0) return IOStatus::OK();
      break;
    case Change::kDelete:
      if (::unlink(change.path.c_str()) == 0 || errno == ENOENT) return IOStatus::OK();
      break;
  }
  return IOStatus::IOError(change.path, std::strerror(errno));
}

IOStatus CrashFileSystem::ApplyPending(const std::string& directory) {
  const std::lock_guard lock(mutex_);
  std::vector<Change> others;
  for (auto& change : pending_) {
    if (DirectoryOf(change.path) != directory) {
      others.push_back(std::move(change));
      continue;
    }
    if (auto status = Apply(change); !status.ok()) return status;
  }
  pending_ = std::move(others);
  std::erase_if(entries_, [&](const auto& entry) { return !entry.second && DirectoryOf(entry.first) == directory; });
  return IOStatus::OK();
}

}  // namespace

std::shared_ptr<rocksdb::FileSystem> MakeCrashFileSystem(Faults faults) {
  return std::make_shared<CrashFileSystem>(std::move(faults));
}

}  // namespace smsflow::crash
