// Checks what is stored against itself: the chains, every instance against its journal, and every row that can be
// derived from the instances (design I3, I4, I9, I11, I12, I16). Knows no workflow.
//
// Works on a closed folder and beside a running engine alike: each shard is read as of one moment. Memory is bounded by
// one shard: some 100 bytes for each of its instances, timers and index rows, never a payload. Blocks for as long as it
// takes to read everything once. An Inspector belongs to one thread; several may run at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "ids/ids.h"
#include "storage/index_keys.h"
#include "storage/store.h"

namespace smsflow::engine {

struct InspectionSummary {
  std::uint64_t shards = 0;
  std::uint64_t records = 0;  // of journals; those erased at retention among them
  std::uint64_t erased_records = 0;
  std::uint64_t anchors = 0;
  std::uint64_t instances = 0;
  std::uint64_t ended = 0;
  std::uint64_t live_timers = 0;
  std::uint64_t timer_rows = 0;  // from the shard's mark on; those that no instance claims are garbage, and fine
  std::uint64_t ready_rows = 0;
  std::uint64_t open_leases = 0;
  std::uint64_t index_rows = 0;
  std::uint64_t dedupe_rows = 0;
  std::uint64_t memberships = 0;
  std::uint64_t pauses = 0;
  std::uint64_t tells = 0;  // that stand in their source
  std::uint64_t sweeps = 0;
  std::uint64_t feeds = 0;  // logs outside, by partition
  std::uint64_t accounts = 0;
  std::uint64_t clients = 0;          // tenants that accounts are members of
  std::uint64_t account_changes = 0;  // that still stand
  std::uint64_t violations = 0;
  std::map<std::uint32_t, std::uint64_t> states;  // instances by state, the workflow's numbers
};

struct InspectionRules {
  // Whoever waits for a peer's report must have a timer as well, lest a silent peer holds it for ever. A workflow that
  // trusts its peers to speak one day does without.
  bool leases_need_timers = true;
};

class Inspector {
 public:
  // All are borrowed for the inspector's life.
  Inspector(const storage::Store& store, const storage::IndexKeys& keys, std::uint16_t shards,
            InspectionRules rules = {})
      : store_(store), keys_(keys), shards_(shards), rules_(rules) {}

  // One readable line, without names, numbers or payload.
  using OnFinding = std::function<void(const std::string& finding)>;
  // Called every some thousand rows with what was counted so far; false ends the inspection.
  using OnProgress = std::function<bool(const InspectionSummary& so_far)>;

  // CANCELLED when `progress` ended it. What cannot be read is a finding, and the inspection goes on behind it.
  [[nodiscard]] absl::Status Run(const OnFinding& finding, const OnProgress& progress);
  const InspectionSummary& summary() const { return summary_; }

 private:
  const storage::Store& store_;
  const storage::IndexKeys& keys_;
  const std::uint16_t shards_;
  const InspectionRules rules_;
  InspectionSummary summary_;
};

}  // namespace smsflow::engine
