// A file system that fails one opening of a file or folder, or one look at what is there, as a full table of
// descriptors, a full disk or a bad block may at any time.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "rocksdb/file_system.h"

namespace smsflow::storage {

// Fails the n-th of the calls that stand here, and counts them; others go through.
class FailsOnce final : public rocksdb::FileSystemWrapper {
 public:
  FailsOnce(int nth, rocksdb::IOStatus how)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), nth_(nth), how_(std::move(how)) {}
  const char* Name() const override { return "FailsOnce"; }
  int calls() const { return calls_; }

  rocksdb::IOStatus NewSequentialFile(const std::string& name, const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSSequentialFile>* result,
                                      rocksdb::IODebugContext* debug) override {
    return Fails() ? how_ : target()->NewSequentialFile(name, options, result, debug);
  }
  rocksdb::IOStatus NewRandomAccessFile(const std::string& name, const rocksdb::FileOptions& options,
                                        std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                                        rocksdb::IODebugContext* debug) override {
    return Fails() ? how_ : target()->NewRandomAccessFile(name, options, result, debug);
  }
  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* debug) override {
    return Fails() ? how_ : target()->NewWritableFile(name, options, result, debug);
  }
  rocksdb::IOStatus NewRandomRWFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSRandomRWFile>* result,
                                    rocksdb::IODebugContext* debug) override {
    return Fails() ? how_ : target()->NewRandomRWFile(name, options, result, debug);
  }
  rocksdb::IOStatus NewDirectory(const std::string& name, const rocksdb::IOOptions& options,
                                 std::unique_ptr<rocksdb::FSDirectory>* result,
                                 rocksdb::IODebugContext* debug) override {
    return Fails() ? how_ : target()->NewDirectory(name, options, result, debug);
  }
  rocksdb::IOStatus FileExists(const std::string& name, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override {
    return Fails() ? how_ : target()->FileExists(name, options, debug);
  }
  rocksdb::IOStatus GetChildren(const std::string& folder, const rocksdb::IOOptions& options,
                                std::vector<std::string>* result, rocksdb::IODebugContext* debug) override {
    return Fails() ? how_ : target()->GetChildren(folder, options, result, debug);
  }

 private:
  bool Fails() { return ++calls_ == nth_; }

  std::atomic<int> calls_{0};
  const int nth_;
  const rocksdb::IOStatus how_;
};

}  // namespace smsflow::storage
