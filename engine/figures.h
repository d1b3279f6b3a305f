// What the engine counts about itself, for metrics and `smsflow stats`. A copy taken at one moment.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace smsflow::engine {

// Counts of values below each bound, the last one without bound; not cumulative.
struct Histogram {
  std::vector<double> bounds;
  std::vector<std::uint64_t> counts;  // bounds.size() + 1
  double sum = 0;
};

// (workflow name, tenant, state name), or views of them.
struct ResultOrder {
  using is_transparent = void;
  template <class A, class B>
  bool operator()(const A& a, const B& b) const {
    for (std::size_t i = 0; i < 3; ++i)
      if (const int order = std::string_view(a[i]).compare(b[i]); order != 0) return order < 0;
    return false;
  }
};

struct Figures {
  std::uint64_t created = 0;
  std::uint64_t duplicates = 0;  // answered from an idempotency key
  std::uint64_t transitions = 0;
  std::uint64_t leases = 0;
  std::uint64_t leases_again = 0;
  std::uint64_t probes = 0;
  std::uint64_t reports = 0;
  std::uint64_t reports_not_yours = 0;
  std::uint64_t timers_fired = 0;
  std::uint64_t timers_garbage = 0;  // entries that no instance claimed any more
  std::uint64_t tells = 0;
  std::uint64_t fed = 0;        // records of logs outside
  std::uint64_t fed_again = 0;  // of those that had been applied
  std::uint64_t dead_letters = 0;
  std::uint64_t erased = 0;  // instances that retention removed
  std::uint64_t batches = 0;
  std::uint64_t operations = 0;  // of RocksDB
  std::uint64_t batch_bytes = 0;
  std::uint64_t cache_hits = 0;
  std::uint64_t cache_misses = 0;
  std::uint64_t refused_queue_full = 0;
  std::uint64_t refused_disk = 0;
  std::uint64_t refused_draining = 0;
  std::uint64_t queue_depth = 0;
  std::uint64_t open_leases = 0;
  std::uint64_t credit = 0;
  std::uint64_t peers = 0;
  std::int64_t oldest_open_lease_ms = 0;  // age; 0: none
  std::int64_t oldest_overdue_ms = 0;     // how late the oldest is that is due and has not fired or left; 0: none
  bool clock_guard = false;
  bool disk_guard = false;
  bool draining = false;
  Histogram batch_size;   // commands and timers per write
  Histogram write_ms;     // of a synced write
  Histogram lateness_ms;  // of leases, against when they were due
  // Of transitions into an end or with a cause; tenants beyond so many rows are one "other".
  std::map<std::array<std::string, 3>, std::uint64_t, ResultOrder> results;
  std::map<std::array<std::string, 3>, std::uint64_t, ResultOrder>
      causes;  // the same by cause, of records that have one
};

}  // namespace smsflow::engine
