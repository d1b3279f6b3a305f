// What leaves for Kafka: one producer, made anew when it is no good any more, and a word on each record that it took.
//
// Thread-safe. Bounded: beyond kPendingMax records, or kPendingBytesMax, it takes none. Each owner has a share of that,
// which shrinks with what is left: so whoever cannot leave, for his partition has no leader, never has all of it. A
// record's `done` is called once: OK when it is
// durable at the broker; RESOURCE_EXHAUSTED at once when there is no room; ABORTED when nobody knows whether the broker
// has it, for the producer ended with it still on its way, or gave up after a try of which it heard nothing; else why
// it was not taken and will never be. It is called on the outlet's thread, or on
// the caller's when it is refused at once, and must not block.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kafka/client.h"
#include "kafka/records.h"

namespace smsflow::server {

class Outlet {
 public:
  using Done = absl::AnyInvocable<void(const absl::Status&)>;
  using Open = std::function<absl::StatusOr<std::unique_ptr<kafka::Producer>>()>;
  static constexpr std::size_t kPendingMax = 20'000;
  static constexpr std::size_t kPendingBytesMax = 96 << 20;  // the producer itself takes 128 MB

  explicit Outlet(Open open) : open_(std::move(open)) {}
  ~Outlet() { Stop(); }

  void Start();
  // What its thread does again and again; for simulations, which have none.
  void RunOnce(std::chrono::milliseconds wait);
  // Waits up to `patience` for what is on its way; the rest is ABORTED.
  void Stop(std::chrono::milliseconds patience = std::chrono::milliseconds(0));

  // Whose record it is: somebody who wants to know how old his own are.
  using Owner = const void*;
  void Produce(std::string_view topic, std::int32_t partition, const kafka::Outgoing& record, Done done,
               Owner owner = nullptr);

  std::size_t pending() const;
  // For how long the oldest is on its way, of all or of one owner; 0: none is.
  std::int64_t oldest_ms() const;
  std::int64_t oldest_ms(Owner owner) const;
  // More for this owner is better kept: his oldest is stuck, or he has more on its way than there is room left. With
  // three times as much he is refused. So one alone can take half of the room, another beside him half of the rest, and
  // a partition that has no leader is no matter of who writes to others.
  bool Congested(Owner owner, std::int64_t stuck_ms) const;
  std::uint64_t produced() const { return produced_; }
  std::uint64_t failed() const { return failed_; }
  std::uint64_t remade() const { return remade_; }

 private:
  using Clock = std::chrono::steady_clock;
  struct OnItsWay {
    Done done;
    Clock::time_point since;
    Owner owner = nullptr;
    std::size_t bytes = 0;
  };
  struct Owned {
    std::set<std::uint64_t> tags;
    std::size_t bytes = 0;
  };

  void GiveUp(const absl::Status& why);  // all that is on its way
  // With mutex_.
  bool HasRoom(Owner owner) const;
  bool Exceeds(Owner owner, std::size_t times) const;  // so many times the room that is left
  void Forget(std::map<std::uint64_t, OnItsWay>::iterator one);
  std::int64_t AgeMs(std::uint64_t tag) const;

  const Open open_;
  mutable std::mutex mutex_;
  std::shared_ptr<kafka::Producer> producer_;
  std::map<std::uint64_t, OnItsWay> on_their_way_;
  std::map<Owner, Owned> owned_;
  std::size_t bytes_ = 0;  // of all
  std::uint64_t tag_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> produced_{0}, failed_{0}, remade_{0};
  std::thread thread_;
};

}  // namespace smsflow::server
