#include "server/kafka/outlet.h"

#include <algorithm>
#include <utility>

#include "logging/logging.h"

namespace smsflow::server {

namespace {

constexpr auto kPollFor = std::chrono::milliseconds(100);
constexpr auto kOpenAgainAfter = std::chrono::seconds(1);
constexpr std::size_t kDeliveriesMax = 10'000;

absl::Status StatusOf(const kafka::Delivery& delivery) {
  return delivery.maybe_there ? absl::AbortedError(delivery.status.message()) : delivery.status;
}

}  // namespace

void Outlet::Start() {
  thread_ = std::thread([this] {
    while (!stopping_) RunOnce(kPollFor);
  });
}

void Outlet::Stop(std::chrono::milliseconds patience) {
  for (const auto until = Clock::now() + patience; thread_.joinable() && pending() != 0 && Clock::now() < until;)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
  GiveUp(absl::AbortedError("kafka: the process stops"));
}

void Outlet::Produce(std::string_view topic, std::int32_t partition, const kafka::Outgoing& record, Done done,
                     Owner owner) {
  absl::Status status;
  {
    const std::lock_guard lock(mutex_);
    if (producer_ == nullptr || !HasRoom(owner)) {
      status = absl::ResourceExhaustedError("kafka: there is no room for more on its way");
    } else {
      const std::uint64_t tag = ++tag_;
      status = producer_->Produce(topic, partition, record.key, record.value, record.headers, tag);
      if (status.ok()) {
        const std::size_t bytes = record.key.size() + record.value.size();
        on_their_way_.emplace(tag, OnItsWay{std::move(done), Clock::now(), owner, bytes});
        bytes_ += bytes;
        if (owner == nullptr) return;
        Owned& owned = owned_[owner];
        owned.tags.insert(tag);
        owned.bytes += bytes;
        return;
      }
    }
  }
  if (!absl::IsResourceExhausted(status)) ++failed_;
  // A producer that is no good any more has not taken it: it may go with the next one.
  if (absl::IsAborted(status)) status = absl::ResourceExhaustedError(status.message());
  done(status);
}

void Outlet::RunOnce(std::chrono::milliseconds wait) {
  std::shared_ptr<kafka::Producer> producer;
  {
    const std::lock_guard lock(mutex_);
    producer = producer_;
  }
  if (producer == nullptr) {
    auto opened = open_();
    if (!opened.ok()) {
      Log(LogLevel::kError, "kafka: no producer can be made", {{"why", std::string(opened.status().message())}});
      for (int i = 0; i < 10 && !stopping_; ++i) std::this_thread::sleep_for(kOpenAgainAfter / 10);
      return;
    }
    const std::lock_guard lock(mutex_);
    producer_ = std::move(*opened);
    return;
  }
  std::vector<kafka::Delivery> deliveries;
  producer->Poll(wait, kDeliveriesMax, deliveries);
  std::vector<std::pair<Done, absl::Status>> told;
  {
    const std::lock_guard lock(mutex_);
    for (kafka::Delivery& delivery : deliveries) {
      const auto one = on_their_way_.find(delivery.tag);
      if (one == on_their_way_.end()) continue;
      told.emplace_back(std::move(one->second.done), StatusOf(delivery));
      Forget(one);
    }
  }
  for (auto& [done, status] : told) {
    ++(status.ok() ? produced_ : failed_);
    done(status);
  }
  if (const absl::Status fatal = producer->Fatal(); !fatal.ok()) {
    ++remade_;
    Log(LogLevel::kWarn, "kafka: the producer is made anew", {{"why", std::string(fatal.message())}});
    {
      const std::lock_guard lock(mutex_);
      producer_.reset();
    }
    producer.reset();  // before it is told: what it still holds must not arrive after what is produced again
    GiveUp(absl::AbortedError("kafka: the producer ended with it still on its way"));
  }
}

void Outlet::GiveUp(const absl::Status& why) {
  std::map<std::uint64_t, OnItsWay> left;
  {
    const std::lock_guard lock(mutex_);
    left.swap(on_their_way_);
    owned_.clear();
    bytes_ = 0;
  }
  for (auto& [tag, one] : left) one.done(why);
}

std::size_t Outlet::pending() const {
  const std::lock_guard lock(mutex_);
  return on_their_way_.size();
}

std::int64_t Outlet::oldest_ms() const {
  const std::lock_guard lock(mutex_);
  return on_their_way_.empty() ? 0 : AgeMs(on_their_way_.begin()->first);
}

std::int64_t Outlet::oldest_ms(Owner owner) const {
  const std::lock_guard lock(mutex_);
  const auto owned = owned_.find(owner);
  return owned == owned_.end() ? 0 : AgeMs(*owned->second.tags.begin());
}

bool Outlet::Congested(Owner owner, std::int64_t stuck_ms) const {
  const std::lock_guard lock(mutex_);
  const auto owned = owned_.find(owner);
  const bool stuck = owned != owned_.end() && AgeMs(*owned->second.tags.begin()) > stuck_ms;
  return stuck || !HasRoom(nullptr) || Exceeds(owner, 1);
}

bool Outlet::HasRoom(Owner owner) const {
  constexpr std::size_t kRefusedAt = 3;
  if (on_their_way_.size() >= kPendingMax || bytes_ >= kPendingBytesMax) return false;
  return owner == nullptr || !Exceeds(owner, kRefusedAt);
}

bool Outlet::Exceeds(Owner owner, std::size_t times) const {
  const auto owned = owned_.find(owner);
  if (owned == owned_.end()) return false;
  const std::size_t room = kPendingMax - std::min(kPendingMax, on_their_way_.size());
  const std::size_t room_bytes = kPendingBytesMax - std::min(kPendingBytesMax, bytes_);
  return owned->second.tags.size() > times * room || owned->second.bytes > times * room_bytes;
}

void Outlet::Forget(std::map<std::uint64_t, OnItsWay>::iterator one) {
  bytes_ -= one->second.bytes;
  if (const auto owned = owned_.find(one->second.owner); owned != owned_.end()) {
    owned->second.tags.erase(one->first);
    owned->second.bytes -= one->second.bytes;
    if (owned->second.tags.empty()) owned_.erase(owned);
  }
  on_their_way_.erase(one);
}

std::int64_t Outlet::AgeMs(std::uint64_t tag) const {
  const auto age = Clock::now() - on_their_way_.at(tag).since;
  return std::chrono::duration_cast<std::chrono::milliseconds>(age).count();
}

}  // namespace smsflow::server
