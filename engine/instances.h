// Instances in memory: what a partition works on, and a bounded cache of what it worked on last, so that an SMS in
// flight is not read again for each of its events.
//
// Not thread-safe: belongs to one partition. Pointers are good until Trim(), which is called between rounds only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "ids/ids.h"
#include "smsflow/stored/v1/records.pb.h"
#include "storage/records.h"
#include "storage/store.h"

namespace smsflow::engine {

namespace stored = ::smsflow::stored::v1;

struct Loaded {
  InstanceId id;
  stored::InstanceHead head;  // without its state, which stands here:
  stored::InstanceState state;
  bool created = false;                // in this round
  bool head_changed = false;           // payload or fixed part
  std::optional<std::size_t> changed;  // in this round: where in Round::changed
  std::uint64_t members_read = 0;      // Shard::memberships when …
  std::uint64_t members_of = 0;        // … of these sets (a bit each) …
  std::uint64_t members = 0;           // … its target was in those
  bool erased = false;                 // by retention, or it was refused and never was; stands until it is forgotten

  // Ended and without payload: one row, the head, tells all.
  bool final() const { return state.ended_ms() != 0 && state.payload_erased(); }
};

class Instances {
 public:
  Instances(const storage::Store& store, std::uint64_t bytes_max) : store_(store), bytes_max_(bytes_max) {}

  // nullptr: there is no such instance. May read from the store.
  absl::StatusOr<Loaded*> Find(const InstanceId& id);
  // `head` with its payload: what it holds counts against the bound.
  Loaded& Create(const InstanceId& id, stored::InstanceHead head);
  // Forgets the least recently used beyond the bound.
  void Trim();

  std::uint64_t hits() const { return hits_; }
  std::uint64_t misses() const { return misses_; }

 private:
  struct Slot {
    Loaded loaded;
    std::size_t bytes = 0;
  };
  using Order = std::list<Slot>;  // most recently used first

  Loaded& Insert(Loaded loaded);
  static std::size_t SizeOf(const Loaded& loaded);

  const storage::Store& store_;
  std::uint64_t bytes_max_;
  std::uint64_t bytes_ = 0;
  std::uint64_t hits_ = 0;
  std::uint64_t misses_ = 0;
  Order order_;
  absl::flat_hash_map<InstanceId, Order::iterator> by_id_;
};

}  // namespace smsflow::engine
