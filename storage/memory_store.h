// A store in ordered maps, for tests and the simulator: the same batches, the same order, and a power cut on request.
//
// Thread-safe like every store. A write without sync is visible at once and lost by Crash(); a synced one makes itself
// and all before it durable, as a write-ahead log does. Cursors keep seeing the store as it was when they were made.
#pragma once

#include <cstddef>
#include <memory>

#include "storage/store.h"

namespace smsflow::storage {

class MemoryStore final : public Store {
 public:
  MemoryStore();
  ~MemoryStore() override;

  absl::StatusOr<std::optional<std::string>> Get(Family family, std::string_view key) const override;
  std::unique_ptr<Cursor> Scan(Family family, std::string_view from, std::string_view till,
                               bool reverse = false) const override;
  [[nodiscard]] absl::Status Write(const Batch& batch, Sync sync) override;
  std::unique_ptr<Store> Frozen() const override;

  // How many batches were written since the last synced one.
  std::size_t unsynced() const;
  // A power cut: of the unsynced batches the first `kept` are still there, the rest was never written.
  // REQUIRES: no cursor and no frozen view lives; kept <= unsynced().
  void Crash(std::size_t kept = 0);
  std::size_t rows(Family family) const;

 private:
  struct Rows;
  class MemoryCursor;
  class FrozenStore;
  std::unique_ptr<Rows> rows_;
};

}  // namespace smsflow::storage
