// The store of a run: the engine's own below, and in between what disks do (slow, full, broken) and what a seeded bug
// does. It looks at every byte that is written for what must not be there. Belongs to the run's one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/store.h"
#include "tests/engine/world.h"
#include "tests/sim/hooks.h"

namespace smsflow::sim {

// Outlives the store, for that is made anew with every start of the engine.
struct Disk {
  bool full = false;           // nothing is written, and the writer is told
  int write_error_in = 0;      // the n-th write from now fails; 0: none
  bool write_happens = false;  // … though it is on the disk
  int read_error_in = 0;
  int power_cut_in = 0;             // the n-th write from now is not synced when the power goes
  std::int64_t slow_ms = 0;         // the next write takes so long
  std::function<void()> meanwhile;  // … and this happens before it is done
  std::int64_t slept_ms = 0;        // in this step
  int errors = 0;                   // told since the engine was started
  std::uint64_t bytes_looked_at = 0;
  std::vector<std::string> findings;  // secrets where none may be
};

// Every payload of a run begins with this.
inline constexpr std::string_view kPayloadMark = "sealed:";

class SimStore : public storage::Store {
 public:
  // Each fault is told by its name when it happens, and before anything comes of it.
  using OnFault = std::function<void(const char* fault)>;
  SimStore(
      storage::Store& below, engine::ManualClock& clock, Disk& disk, const Hooks& hooks,
      OnFault on_fault = [](const char*) {})
      : below_(below), clock_(clock), disk_(disk), hooks_(hooks), on_fault_(std::move(on_fault)) {}

  absl::StatusOr<std::optional<std::string>> Get(storage::Family family, std::string_view key) const override;
  std::unique_ptr<storage::Cursor> Scan(storage::Family family, std::string_view from, std::string_view till,
                                        bool reverse) const override;
  [[nodiscard]] absl::Status Write(const storage::Batch& batch, storage::Sync sync) override;

 private:
  [[nodiscard]] absl::Status WriteBelow(const storage::Batch& batch, storage::Sync sync);
  bool ReadFails() const;

  storage::Store& below_;
  engine::ManualClock& clock_;
  Disk& disk_;
  const Hooks& hooks_;
  const OnFault on_fault_;
};

}  // namespace smsflow::sim
