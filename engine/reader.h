// Looking things up in what is stored: one instance, lists, counts, members of a set, an instance's journal.
//
// Reads the store beside the writers and sees whole batches only. Thread-safe; may block for the disk. Knows no
// workflow: states are numbers, `fixed` and `data` are bytes that a codec reads.
//
// A tenant's reader never sees another tenant's rows: an id of another tenant is NOT_FOUND. The empty tenant is an
// administrator's and sees all.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "ids/ids.h"
#include "smsflow/stored/v1/records.pb.h"
#include "storage/index_keys.h"
#include "storage/journal.h"
#include "storage/store.h"

namespace smsflow::engine {

// An instance as it is now. `head.state()` is only what was last written there; `state` is the current one.
struct StoredInstance {
  InstanceId id;
  ::smsflow::stored::v1::InstanceHead head;
  ::smsflow::stored::v1::InstanceState state;
};

// By shard: up to which journal sequence something was seen.
using ShardVector = std::vector<std::uint64_t>;

struct ListQuery {
  std::uint16_t workflow = 0;
  std::string tenant;
  std::uint16_t index = 0;  // 0: all of the tenant
  std::string value;
  bool value_is_target = false;       // all that match lie in the target's shard
  std::vector<std::uint16_t> states;  // empty: every one
  std::int64_t created_from_ms = 0;   // [from, till); 0: open
  std::int64_t created_till_ms = 0;
};

struct ListPage {
  std::vector<StoredInstance> items;  // by id, ascending
  std::string next_token;             // empty: this was the last page
  ShardVector seen;                   // taken before the first page: what changed later is above it
};

struct Member {
  std::string target;
  std::int64_t since_ms = 0;
};
struct MemberPage {
  std::vector<Member> members;
  std::string next_token;
};

struct InstanceJournal {
  std::vector<storage::JournalRecord> records;  // oldest first
  bool whole = true;                            // false: its beginning went at retention
};

class Reader {
 public:
  struct Parts {
    const storage::Store* store = nullptr;
    const storage::IndexKeys* index_keys = nullptr;
    std::uint16_t shards = 0;
    // The last durable sequence of a shard.
    std::function<std::uint64_t(ShardId)> committed;
  };
  // A page of a list reads at most so many rows; it may be empty and still have a next one.
  static constexpr std::uint32_t kRowsPerPage = 10'000;

  explicit Reader(Parts parts) : parts_(std::move(parts)) {}

  absl::StatusOr<StoredInstance> Get(const InstanceId& id, const std::string& tenant) const;

  // `token`: empty for the first page, else of the page before; INVALID_ARGUMENT when it is of another query.
  absl::StatusOr<ListPage> List(const ListQuery& query, std::uint32_t page_size, const std::string& token) const;

  // By state. Reads all that matches; CANCELLED once `stop` says so.
  absl::StatusOr<std::map<std::uint16_t, std::uint64_t>> Count(const ListQuery& query,
                                                               const std::function<bool()>& stop) const;

  // Calls `each` for every instance of the store, shard by shard, until it returns false.
  absl::Status ForEach(const std::function<bool(const StoredInstance&)>& each) const;

  // Targets in a membership set, in an order of their own that does not change.
  absl::StatusOr<MemberPage> Members(const std::string& tenant, std::uint8_t set, std::uint32_t page_size,
                                     const std::string& token) const;

  absl::StatusOr<bool> IsMember(const std::string& tenant, std::uint8_t set, const std::string& target) const;

  absl::StatusOr<InstanceJournal> Journal(const StoredInstance& instance) const;

  ShardVector Now() const;
  ShardId ShardOf(const std::string& tenant, const std::string& target) const;
  const storage::Store& store() const { return *parts_.store; }
  const storage::IndexKeys& index_keys() const { return *parts_.index_keys; }
  std::uint16_t shards() const { return parts_.shards; }

 private:
  struct ShardScan;

  absl::StatusOr<std::optional<StoredInstance>> Load(const InstanceId& id) const;
  absl::StatusOr<std::optional<StoredInstance>> LoadIfMine(const ListQuery& query, const InstanceId& id,
                                                           std::string_view row) const;
  std::vector<ShardScan> OpenScans(const ListQuery& query, const std::optional<InstanceId>& after) const;
  std::string QueryDigest(const ListQuery& query) const;

  Parts parts_;
};

}  // namespace smsflow::engine
