// A store in memory that shows which rows pass through it, and a clock that stands still: what an SMS writes is found
// by walking one through. Used by one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/seams.h"
#include "storage/memory_store.h"
#include "tools/bench/shape.h"

namespace smsflow::bench {

class FixedClock : public engine::Clock {
 public:
  std::int64_t WallMs() const override { return now_ms; }
  std::int64_t SteadyMs() const override { return now_ms; }
  std::int64_t now_ms = 1'800'000'000'000;
};

// Keeps the rows of what is written, whoever writes it.
class WatchedStore : public storage::Store {
 public:
  explicit WatchedStore(const FixedClock& clock) : clock_(clock) {}

  absl::StatusOr<std::optional<std::string>> Get(storage::Family family, std::string_view key) const override {
    return rows_.Get(family, key);
  }
  std::unique_ptr<storage::Cursor> Scan(storage::Family family, std::string_view from, std::string_view till,
                                        bool reverse) const override {
    return rows_.Scan(family, from, till, reverse);
  }
  absl::Status Write(const storage::Batch& batch, storage::Sync sync) override;
  // Rows that belong to an SMS, since this was last asked; how far a shard has come is nobody's own.
  BatchShape Take();

 private:
  const FixedClock& clock_;
  storage::MemoryStore rows_;
  BatchShape seen_;
};

}  // namespace smsflow::bench
