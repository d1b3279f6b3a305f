// The checks of one shard, in the order in which they are made: the journal tells what every instance must be, the
// queues tell which timers and leases stand, the instances are compared with both, the indexes with the instances.
// An internal header of engine/inspect*.cc.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "engine/inspect.h"
#include "ids/ids.h"
#include "smsflow/stored/v1/records.pb.h"
#include "storage/journal.h"
#include "storage/keys.h"
#include "storage/store.h"

namespace smsflow::engine {

namespace stored = ::smsflow::stored::v1;

class ShardInspection {
 public:
  struct Sinks {
    std::function<void(const std::string&)> finding;
    std::function<bool()> go_on;  // asked now and then; false: stop
  };

  // `view` is of one moment.
  ShardInspection(const storage::Store& view, const storage::IndexKeys& keys, std::uint16_t shards,
                  InspectionRules rules, ShardId shard, InspectionSummary& summary, Sinks sinks);

  // False when it was told to stop.
  bool Run();

 private:
  // What the journal says of an instance after the records read so far.
  struct Recorded {
    std::uint64_t sequence = 0;  // of its last record
    std::uint64_t digest = 0;    // of the state recorded there
    std::uint32_t state = 0;
    std::uint32_t effects = 0;
  };
  // A row of the queues or an index entry, as a hash of what names it.
  using Names = absl::flat_hash_set<std::uint64_t>;

  // inspect_journal.cc
  void ReadMarks();
  void ReadAnchors();
  void ReadJournal();
  void CheckLink(const storage::JournalHeader& header);
  void Apply(const storage::JournalRecord& record);
  void CheckEffects(const std::string& where, const stored::InstanceState& result, const Recorded* before);
  void CheckPolicy(const std::string& where, const std::string& digest);

  // inspect_queues.cc
  void ReadTimers();
  void ReadReady();
  void ReadOutbox();
  void ReadTells();
  void ReadSweeps();
  void ReadFeeds();

  // inspect_instances.cc
  void ReadInstances();
  void CheckInstance(const InstanceId& id, const stored::InstanceHead& head,
                     const std::optional<stored::InstanceState>& row);
  void CheckAgainstJournal(const InstanceId& id, const stored::InstanceState& state);
  void CheckTimers(const InstanceId& id, const stored::InstanceState& state);
  void CheckLeases(const InstanceId& id, const stored::InstanceState& state);
  void CheckHead(const InstanceId& id, const stored::InstanceHead& head, const stored::InstanceState& state);

  // inspect_indexes.cc
  void ReadIndexes();
  void ReadDedupe();
  void ReadMemberships();
  void ReadPauses();

  // Calls `row` for every row of this shard with that kind, from `from` on; what cannot be read on is a finding.
  void EachRow(storage::Family family, char kind, std::string_view what,
               const std::function<void(const storage::Cursor&)>& row, std::string_view from = {});
  void Find(std::string text);  // the shard is put in front
  bool Stopped();

  const storage::Store& view_;
  const storage::IndexKeys& keys_;
  const std::uint16_t shards_;
  const InspectionRules rules_;
  const ShardId shard_;
  InspectionSummary& summary_;
  const Sinks sinks_;
  bool stopped_ = false;
  std::uint64_t rows_ = 0;

  stored::ShardMarks marks_;
  storage::ChainHead chain_;  // of the records read so far
  absl::flat_hash_map<InstanceId, Recorded> recorded_;
  absl::flat_hash_set<std::string> policies_;  // digests that were looked up
  Names timers_, ready_, leases_;
  absl::flat_hash_map<InstanceId, std::int64_t> wakes_;  // the earliest row of each instance that the cursor will see
  Names index_rows_;                                     // that the instances ask for
  absl::flat_hash_map<std::string, InstanceId> dedupe_;
};

// inspect_accounts.cc: those who may log in, their tenants, and the chain of changes to them.
void InspectAccounts(const storage::Store& view, InspectionSummary& summary, const Inspector::OnFinding& finding);

// Hashes of names for sets; equal names have equal hashes within one run.
std::uint64_t HashOf(std::string_view bytes);
std::uint64_t HashOf(const InstanceId& id, std::uint64_t a, std::uint64_t b);
// Fields in which two states differ, by name: what an operator needs, without the values.
std::string Differences(const stored::InstanceState& a, const stored::InstanceState& b);

}  // namespace smsflow::engine
