// Where a seeded bug takes hold: at the seams between the engine and what it stands on, so that no switch stands in the
// product. Every hook may be empty; a run without a bug has none. Called from the run's one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "engine/engine.h"
#include "storage/store.h"
#include "workflows/workflow.h"

namespace smsflow::sim {

struct Hooks {
  // The store. `put` and `erase` answer false for an operation that gets lost; `put` may change it.
  std::function<bool(storage::Family, std::string& key, std::string& value)> put;
  std::function<bool(storage::Family, std::string_view key)> erase;
  std::function<storage::Sync(storage::Sync)> sync;
  std::function<void(storage::Family, std::string_view key, std::string& asked)> get_key;  // what is read instead
  std::function<void(storage::Family, std::string_view key, std::optional<std::string>&)> got;
  std::function<bool(storage::Family, std::string_view key, bool reverse)> seen;  // false: a scan passes over it
  bool swallow_write_errors = false;
  bool swallow_read_errors = false;  // what cannot be read is not there
  bool tear_batches = false;         // each batch is written in two

  // The workflow.
  std::function<void(workflows::Instance&, workflows::Event&, workflows::Facts&)> before_step;
  std::function<void(const workflows::Instance&, const workflows::Event&, const workflows::Facts&,
                     workflows::Decision&)>
      after_step;
  bool reads_no_sets = false;

  // The doors.
  std::function<void(engine::CreateRequest&)> create;
  std::function<void(engine::EventRequest&)> send;
  std::function<void(engine::Answer&)> answer;  // to an event
  std::function<void(engine::SweepRequest&)> sweep;
  std::function<void(engine::PauseRequest&)> pause;
  std::function<void(engine::PeerHello&)> attach;
  std::function<void(AttemptId&, workflows::Event&)> report;
  bool answer_sweeps_at_once = false;
  bool answer_reports_at_once = false;
  bool ignore_disk_guard = false;
  bool ignore_drain = false;

  // The way to the gateways.
  std::function<void(engine::Lease&)> lease;
  bool lease_twice = false;
  bool full_for_good = false;      // a link that was full once
  bool half_credit_again = false;  // of the credit of a gateway that comes back in one life of the engine

  // Time and chance.
  bool trust_every_clock = false;
  bool same_random = false;
  std::int64_t clock_ahead_ms = 0;
  std::int64_t clock_guard_late_ms = 0;
  bool no_budget = false;
  bool no_queue_max = false;

  // The small file beside the store.
  std::uint64_t high_water_ahead = 0;
};

}  // namespace smsflow::sim
