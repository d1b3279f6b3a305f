// An engine in a world that a test controls: a clock that moves when told, seeded chance, a store that can lose what
// was not synced, and gateways that remember what they were given. One thread; Run() makes rounds until nothing is left
// to do.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "smsflow/stored/v1/records.pb.h"
#include "storage/memory_store.h"
#include "tests/engine/courier.h"

namespace smsflow::engine {

class ManualClock : public Clock {
 public:
  std::int64_t WallMs() const override { return wall_ms; }
  std::int64_t SteadyMs() const override { return steady_ms; }
  void Advance(std::int64_t ms) {
    wall_ms += ms;
    steady_ms += ms;
  }
  std::int64_t wall_ms = 1'700'000'000'000;
  std::int64_t steady_ms = 1'000'000;
};

class SeededRandom : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : generator_(seed) {}
  std::uint64_t Next64() override { return generator_(); }

 private:
  std::mt19937_64 generator_;
};

// What a gateway got, in order. Shared, so that it outlives a link.
struct Inbox {
  std::vector<Lease> leases;
  std::vector<Probe> probes;
  std::vector<absl::Status> closed;
  bool full = false;
};

class InboxLink : public PeerLink {
 public:
  explicit InboxLink(std::shared_ptr<Inbox> inbox) : inbox_(std::move(inbox)) {}
  void Send(std::vector<Lease> leases) override {
    for (Lease& lease : leases) inbox_->leases.push_back(std::move(lease));
  }
  void Send(std::vector<Probe> probes) override {
    for (const Probe& probe : probes) inbox_->probes.push_back(probe);
  }
  void Close(const absl::Status& why) override { inbox_->closed.push_back(why); }
  bool Full() const override { return inbox_->full; }

 private:
  std::shared_ptr<Inbox> inbox_;
};

class PostBox : public PostSink {
 public:
  void Send(std::vector<Post> posts) override {
    for (Post& post : posts) received.push_back(std::move(post));
  }
  std::vector<Post> received;
};

// Wraps a store to look at, or to stop, each write.
class WatchedStore : public storage::Store {
 public:
  explicit WatchedStore(storage::MemoryStore& store) : store_(store) {}
  absl::StatusOr<std::optional<std::string>> Get(storage::Family family, std::string_view key) const override {
    if (on_read) on_read(family);
    return store_.Get(family, key);
  }
  std::unique_ptr<storage::Cursor> Scan(storage::Family family, std::string_view from, std::string_view till,
                                        bool reverse) const override {
    if (on_scan) on_scan(family, from);
    ++scans;
    return store_.Scan(family, from, till, reverse);
  }
  absl::Status Write(const storage::Batch& batch, storage::Sync sync) override {
    ++writes;
    if (on_write) on_write();
    if (writes == power_cut_at && !after_write) throw PowerCut{};
    const absl::Status status = store_.Write(batch, sync);
    if (writes == power_cut_at) throw PowerCut{};
    return status;
  }
  struct PowerCut {};
  std::atomic<int> writes{0};  // of all partitions' threads, where there are any
  mutable std::atomic<int> scans{0};
  std::function<void(storage::Family)> on_read;  // something that happens meanwhile
  std::function<void()> on_write;
  std::function<void(storage::Family, std::string_view from)> on_scan;
  int power_cut_at = -1;
  bool after_write = false;  // the write is durable, and nobody learned of it

 private:
  storage::MemoryStore& store_;
};

class World {
 public:
  explicit World(EngineOptions options = {}, std::uint64_t seed = 1);
  ~World();

  void Open();  // also after Crash()
  absl::Status TryOpen();
  void Crash();  // the process is gone, with all that was not synced
  void Run(int rounds_max = 10'000);
  void Advance(std::int64_t ms) { clock.Advance(ms); }
  void AdvanceAndRun(std::int64_t ms, std::int64_t step_ms = 50);

  // Each asks, runs until answered, and gives the answer.
  Answer Create(const std::string& tenant, const std::string& target, const courier::Parcel& parcel,
                const std::string& dedupe_key = "", const std::string& fingerprint = std::string(16, 'f'));
  Answer Send(const InstanceId& id, workflows::Event event, const std::string& tenant = "t");
  SweepAnswer Sweep(SweepRequest request);
  bool Pause(PauseRequest request);
  ReportOutcome Report(PeerSession& session, const AttemptId& attempt, const std::string& word);

  std::unique_ptr<PeerSession> Attach(const std::string& gateway, const std::string& uuid,
                                      std::vector<std::string> tenants, std::uint32_t credit,
                                      std::shared_ptr<Inbox>& inbox);

  std::optional<::smsflow::stored::v1::InstanceState> StateOf(const InstanceId& id);
  std::uint16_t StateNumber(const InstanceId& id);
  // Every journal record of a shard, readable; for messages of failing tests.
  std::string Journal();
  // Chains, and each instance's stored state against its last record. Empty: all is well.
  std::string Violations();

  EngineOptions options;
  ManualClock clock;
  SeededRandom random;
  storage::MemoryStore memory;
  std::unique_ptr<WatchedStore> store;
  storage::IndexKeys index_keys{std::string(32, 'k')};
  Policy policy;
  PostBox posts;
  std::unique_ptr<workflows::Workflow> workflow = courier::MakeWorkflow();

  // What a test puts in between, from the next Open() on; empty: nothing.
  std::function<const Policy&(std::string_view tenant)> policy_of;
  std::function<std::unique_ptr<storage::Store>(storage::Store&)> wrap_store;
  std::function<std::unique_ptr<Engine>(std::unique_ptr<Engine>)> wrap_engine;
  Clock* engine_clock = nullptr;
  Random* engine_random = nullptr;
  storage::HighWater* high_water = nullptr;

  std::unique_ptr<storage::Store> wrapped;
  std::unique_ptr<Engine> engine;
  std::string fatal;
};

struct Fatal {};  // thrown by the world's fatal handler

}  // namespace smsflow::engine
