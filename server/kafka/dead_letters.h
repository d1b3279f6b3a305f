// What could not be applied, on its way to its topic. Each stands in the engine's outbox until the broker has it, so
// none is lost; while one of a partition is on its way that partition is not read on (intake.h).
//
// Made before the engine, which hands over at once what it finds from before. Thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "engine/engine.h"
#include "server/kafka/outlet.h"

namespace smsflow::server {

class DeadLetters final : public engine::PostSink {
 public:
  explicit DeadLetters(std::string topic) : topic_(std::move(topic)) {}

  void Send(std::vector<engine::Post> posts) override;

  // Sends what has come and was not taken, from now on; `taken` is called for each that the broker has. Both outlive
  // Stop().
  void Start(engine::Engine& engine, Outlet& outlet, std::function<void(const engine::FeedId&, std::uint64_t)> taken);
  void Stop();
  // Tries again what failed. Now and then, from any one thread.
  void Tick();

  bool Waits(const engine::FeedId& feed) const;
  std::size_t waiting() const;

 private:
  using Name = std::pair<engine::FeedId, std::uint64_t>;  // what it is of
  struct Letter {
    ShardId shard;
    std::uint64_t sequence = 0;  // of its row, as of last
    kafka::Outgoing record;
    bool on_its_way = false;
  };
  void SendSome();
  void Told(const Name& name, const absl::Status& status);

  const std::string topic_;
  mutable std::mutex mutex_;
  std::map<Name, Letter> letters_;
  engine::Engine* engine_ = nullptr;
  Outlet* outlet_ = nullptr;
  std::function<void(const engine::FeedId&, std::uint64_t)> taken_;
  std::string last_error_;
};

}  // namespace smsflow::server
