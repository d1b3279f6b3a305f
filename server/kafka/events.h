// Every transition, onto `sms-events`: in order per SMS, at least once; shard and sequence tell what came twice, and in
// a repaired folder the epoch tells which of two counts. How far it is stands in the data folder, as the progress of a
// log that leaves (engine/feed.h).
//
// Has a thread of its own. What cannot leave waits in the journal, and is bounded by its retention alone.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

#include "engine/engine.h"
#include "engine/reader.h"
#include "engine/tail.h"
#include "kafka/records.h"
#include "server/kafka/outlet.h"

namespace smsflow::server {

class Events {
 public:
  struct Parts {
    engine::Engine* engine = nullptr;
    const engine::Reader* reader = nullptr;
    const workflows::Workflow* delivery = nullptr;
    Outlet* outlet = nullptr;
  };
  Events(std::string topic, Parts parts);
  ~Events() { Stop(); }

  // Blocks until the data folder knows where it is, where it never was. So all that is acknowledged afterwards is told
  // of: REQUIRES that nobody can ask for anything yet.
  absl::Status Start();
  void Stop();
  std::uint64_t behind() const { return behind_; }  // transitions that were read and have not left
  std::uint64_t untold() const { return untold_; }  // that could not be read, and were passed over

 private:
  void Run();
  // Where it is; from the present on where it never was, once the data folder knows that.
  absl::StatusOr<engine::ShardVector> Begin();
  absl::Status Follow(engine::ShardVector from);
  absl::Status Publish(const std::vector<engine::TailRecord>& records);
  absl::Status Save(const engine::ShardVector& positions);
  absl::StatusOr<kafka::SmsEvent> EventOf(const engine::TailRecord& record) const;
  void Pause() const;

  const std::string topic_;
  const Parts parts_;
  const engine::FeedRef feed_;
  std::uint64_t epoch_ = 1;  // while the folder is open no other begins
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> behind_{0}, untold_{0};
  std::thread thread_;
};

}  // namespace smsflow::server
