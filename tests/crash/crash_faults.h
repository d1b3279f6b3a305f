// What goes wrong below the engine, on order: at the n-th sync of a kind of file the process dies, or the sync fails,
// or from the n-th write on the disk is full. And what is free on the disk, as somebody else says. Thread-safe.
//
// Ordered by the environment, so that smsflowd-crashfs needs no flags of its own:
//   CRASHFS_FAULT=WHAT:FILES:N   see the two enums, N from 1; each order comes true once, but for a full disk, which
//   stays CRASHFS_FREE=FILE            while there is such a file, the number in it is what is free, in bytes
// What comes true is said in one line on standard error, before it does.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "rocksdb/io_status.h"

namespace smsflow::crash {

// kill-before, kill-after, fail-before, fail-after, full: before or after the bytes went down.
enum class Fault { kKillBefore, kKillAfter, kFailBefore, kFailAfter, kFull };
// log, table, manifest, mark (the high-water file), directory, any.
enum class FileKind { kLog, kTable, kManifest, kMark, kDirectory, kOther, kAny };
FileKind KindOf(const std::string& path);

class Faults {
 public:
  struct Order {
    Fault fault = Fault::kFailBefore;
    FileKind files = FileKind::kAny;
    std::uint64_t number = 1;
  };
  Faults() = default;
  explicit Faults(Order order) : order_(order) {}
  // Ends the process with a word when an order cannot be read.
  static Faults FromEnvironment();
  Faults(Faults&& other) noexcept
      : order_(other.order_), free_file_(std::move(other.free_file_)), count_(other.count_.load()) {}

  // Around what makes the bytes of such a file durable.
  rocksdb::IOStatus Sync(FileKind kind, const std::function<rocksdb::IOStatus()>& sync);
  // Before bytes are added to such a file.
  rocksdb::IOStatus Write(FileKind kind);
  std::optional<std::uint64_t> FreeBytes() const;

 private:
  bool Concerns(FileKind kind) const;

  std::optional<Order> order_;
  std::string free_file_;
  std::atomic<std::uint64_t> count_{0};
};

}  // namespace smsflow::crash
