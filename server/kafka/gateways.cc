#include "server/kafka/gateways.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "logging/logging.h"

namespace smsflow::server {

// The engine's way to one gateway. It may outlive everything else here, and is then deaf.
class Gateways::Link final : public engine::PeerLink, public std::enable_shared_from_this<Gateways::Link> {
 public:
  Link(const Options& options, const Parts& parts, const kafka::Announcement& said)
      : topic_(options.topic),
        repeat_ms_(options.repeat_ms),
        stuck_ms_(options.stuck_ms),
        silent_bytes_max_(options.silent_bytes_max),
        parts_(parts),
        peer_(said.peer),
        partitions_(said.partitions) {}

  void Send(std::vector<engine::Lease> leases) override {
    for (engine::Lease& lease : leases) {
      kafka::SendSms sms;
      sms.op = kafka::SendSms::Op::kSend;
      sms.attempt = lease.attempt;
      sms.client = std::move(lease.tenant);
      sms.deadline_ms = lease.deadline_ms;
      sms.payload = std::move(lease.payload);
      sms.client_key = std::move(lease.client_key);
      sms.key_id = std::move(lease.lane);
      sms.peer = peer_;
      const storage::Hash16 seal = parts_.index_keys->MarkSeal(lease.mark.shard, lease.mark.epoch, lease.mark.sequence);
      sms.mark = kafka::ShardMark{lease.mark.shard.value, lease.mark.epoch, lease.mark.sequence,
                                  std::string(seal.begin(), seal.end())};
      kafka::Outgoing record = kafka::EncodeSendSms(sms);
      {
        const std::lock_guard lock(mutex_);
        if (closed_) return;
        Forget(silent_.find(lease.attempt));
        silent_bytes_ += record.value.size();
        silent_[lease.attempt] = {record, lease.deadline_ms, parts_.clock->SteadyMs() + repeat_ms_, repeat_ms_, false};
      }
      Produce(lease.attempt, record);
    }
  }
  void Send(std::vector<engine::Probe> probes) override {
    for (const engine::Probe& probe : probes) {
      {
        const std::lock_guard lock(mutex_);
        if (closed_) return;
      }
      kafka::SendSms sms;
      sms.op = kafka::SendSms::Op::kProbe;
      sms.attempt = probe.attempt;
      sms.deadline_ms = probe.deadline_ms;
      sms.peer = peer_;
      Produce(probe.attempt, kafka::EncodeSendSms(sms));
    }
  }
  void Close(const absl::Status&) override {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    silent_.clear();
    silent_bytes_ = 0;
  }
  bool Full() const override {
    if (parts_.outlet->Congested(this, stuck_ms_)) return true;
    const std::lock_guard lock(mutex_);
    return silent_bytes_ > silent_bytes_max_;
  }
  const PeerId& peer() const { return peer_; }

  void Reported(const AttemptId& attempt) {
    const std::lock_guard lock(mutex_);
    Forget(silent_.find(attempt));
  }

  // What nothing was heard of, once more; more and more seldom, for what merely waits with its gateway is silent too.
  void Repeat() {
    const std::int64_t now = parts_.clock->SteadyMs(), wall = parts_.clock->WallMs();
    std::vector<std::pair<AttemptId, kafka::Outgoing>> again;
    {
      const std::lock_guard lock(mutex_);
      for (auto one = silent_.begin(); one != silent_.end();) {
        if (wall >= one->second.deadline_ms) {
          one = Forget(one);  // the engine asks what became of it
          continue;
        }
        // What the producer still has will be there once; more of it would only fill the producer.
        if (now >= one->second.again_ms && !one->second.on_its_way) {
          one->second.pause_ms = std::min(one->second.pause_ms * 2, repeat_ms_ * kSeldom);
          one->second.again_ms = now + one->second.pause_ms;
          again.emplace_back(one->first, one->second.record);
        }
        ++one;
      }
    }
    for (const auto& [attempt, record] : again) Produce(attempt, record);
  }

 private:
  static constexpr std::int64_t kSeldom = 16;  // so many times the first pause is the longest

  struct Silent {
    kafka::Outgoing record;
    std::int64_t deadline_ms = 0;
    std::int64_t again_ms = 0;
    std::int64_t pause_ms = 0;  // the last one
    bool on_its_way = false;    // the producer has a copy
  };

  // With mutex_.
  std::map<AttemptId, Silent>::iterator Forget(std::map<AttemptId, Silent>::iterator one) {
    if (one == silent_.end()) return one;
    silent_bytes_ -= one->second.record.value.size();
    return silent_.erase(one);
  }

  std::int32_t PartitionOf(const AttemptId& attempt) const {
    return partitions_[std::hash<InstanceId>{}(attempt.instance) % partitions_.size()];
  }

  void Produce(const AttemptId& attempt, const kafka::Outgoing& record) {
    {
      const std::lock_guard lock(mutex_);
      if (const auto one = silent_.find(attempt); one != silent_.end()) one->second.on_its_way = true;
    }
    parts_.outlet->Produce(
        topic_, PartitionOf(attempt), record,
        [link = weak_from_this(), attempt](const absl::Status& status) {
          if (const auto still = link.lock()) still->Produced(attempt, status);
        },
        this);
  }
  void Produced(const AttemptId& attempt, const absl::Status& status) {
    constexpr std::int64_t kSoonMs = 1'000;
    const std::lock_guard lock(mutex_);
    const auto one = silent_.find(attempt);
    if (one == silent_.end()) return;
    one->second.on_its_way = false;
    if (status.ok()) return;
    one->second.pause_ms = repeat_ms_;  // it did not get there: that is no silence
    one->second.again_ms = std::min(one->second.again_ms, parts_.clock->SteadyMs() + kSoonMs);
  }

  const std::string topic_;
  const std::int64_t repeat_ms_, stuck_ms_;
  const std::size_t silent_bytes_max_;
  const Parts parts_;
  const PeerId peer_;
  const std::vector<std::int32_t> partitions_;
  mutable std::mutex mutex_;
  std::size_t silent_bytes_ = 0;
  std::map<AttemptId, Silent> silent_;  // produced, and nothing was heard of; at most the gateway's credit
  bool closed_ = false;
};

Gateways::Gateways(Options options, Parts parts) : options_(std::move(options)), parts_(parts) {}
Gateways::~Gateways() { Stop(); }

absl::Status Gateways::Allowed(const kafka::Announcement& said) const {
  if (!options_.names.contains(said.peer.gateway))
    return absl::PermissionDeniedError("kafka.gateways does not name it");
  if (std::none_of(said.tenants.begin(), said.tenants.end(),
                   [&](const std::string& tenant) { return options_.tenants.contains(tenant); }))
    return absl::PermissionDeniedError("it serves no tenant that there is");
  for (const auto& [gateway, peer] : peers_) {
    if (gateway == said.peer.gateway) continue;
    for (const std::int32_t partition : peer.said.partitions) {
      if (std::binary_search(said.partitions.begin(), said.partitions.end(), partition))
        return absl::FailedPreconditionError("another gateway reads one of its partitions");
    }
  }
  return absl::OkStatus();
}

void Gateways::Refuse(const kafka::Announcement& said, std::string_view why) {
  std::string& last = refused_[said.peer.gateway];
  if (last == why) return;
  last = why;
  Log(LogLevel::kError, "kafka: a gateway is not attached", {{"gateway", said.peer.gateway}, {"why", last}});
}

void Gateways::Announced(const kafka::Announcement& said, std::int64_t at_ms) {
  constexpr std::size_t kRefusedMax = 1'000;
  constexpr std::int64_t kTooOldMs = 86'400'000;  // of another day: somebody who is long gone
  if (refused_.size() > kRefusedMax) refused_.clear();
  if (const std::int64_t old_ms = parts_.clock->WallMs() - at_ms; at_ms != 0 && old_ms > options_.silence_ms) {
    if (old_ms < kTooOldMs)
      Refuse(said, "what it says comes late: its clock is behind, or the reading of its topic is");
    return;
  }
  const auto known = peers_.find(said.peer.gateway);
  if (known != peers_.end() && known->second.said.peer != said.peer)
    return Refuse(said, "another store of it was heard a moment ago; end that one first");
  if (said.leaves) {
    if (known != peers_.end()) Detach(said.peer.gateway, "it leaves");
    return;
  }
  if (absl::Status status = Allowed(said); !status.ok()) return Refuse(said, std::string(status.message()));
  if (known != peers_.end()) {
    known->second.heard_ms = parts_.clock->SteadyMs();
    kafka::Announcement same = said;
    same.at_ms = known->second.said.at_ms;
    same.marks = known->second.said.marks;
    if (same == known->second.said) return;
  }
  Attach(said);
}

void Gateways::Attach(const kafka::Announcement& said) {
  engine::PeerHello hello;
  hello.peer = said.peer;
  for (const std::string& tenant : said.tenants)
    if (options_.tenants.contains(tenant)) hello.tenants.push_back(tenant);
  hello.lanes = said.key_ids;
  for (const kafka::ShardMark& mark : said.marks) {
    const storage::Hash16 seal = parts_.index_keys->MarkSeal(ShardId{mark.shard}, mark.epoch, mark.sequence);
    // Without our seal it was not given out by this folder's engine, and says nothing of what was lost.
    if (std::equal(seal.begin(), seal.end(), mark.seal.begin(), mark.seal.end(),
                   [](std::uint8_t a, char b) { return a == static_cast<std::uint8_t>(b); }))
      hello.marks.push_back({ShardId{mark.shard}, mark.epoch, mark.sequence});
  }
  auto link = std::make_shared<Link>(options_, parts_, said);
  auto session = parts_.engine->Attach(std::move(hello), link);
  if (!session.ok()) return Refuse(said, std::string(session.status().message()));
  (*session)->AddCredit(said.credit);
  refused_.erase(said.peer.gateway);
  Log(LogLevel::kInfo, "kafka: a gateway is attached",
      {{"gateway", said.peer.gateway}, {"store", said.peer.store_uuid}, {"credit", std::to_string(said.credit)}});
  Peer& peer = peers_[said.peer.gateway];
  const std::lock_guard lock(links_mutex_);
  std::erase(links_, peer.link);
  links_.push_back(link);
  peer = Peer{said, parts_.clock->SteadyMs(), std::move(link), *std::move(session), false};
  attached_ = peers_.size();
}

void Gateways::Detach(const std::string& gateway, std::string_view why) {
  const auto found = peers_.find(gateway);
  if (found == peers_.end()) return;
  Log(LogLevel::kWarn, "kafka: a gateway is away", {{"gateway", gateway}, {"why", std::string(why)}});
  found->second.link->Close(absl::OkStatus());
  {
    const std::lock_guard lock(links_mutex_);
    std::erase(links_, found->second.link);
  }
  peers_.erase(found);
  attached_ = peers_.size();
}

void Gateways::Reported(const PeerId& peer, const AttemptId& attempt) {
  const std::lock_guard lock(links_mutex_);
  for (const auto& link : links_)
    if (link->peer() == peer) link->Reported(attempt);
}

void Gateways::Tick() {
  constexpr std::int64_t kAsleepMs = 5'000;
  const std::int64_t now_ms = parts_.clock->SteadyMs();
  // While this process stood still nobody could be heard, and that is nobody's silence.
  const std::int64_t pause_ms = ticked_ms_ == 0 ? 0 : now_ms - ticked_ms_;
  ticked_ms_ = now_ms;
  std::vector<std::string> silent;
  for (auto& [gateway, peer] : peers_) {
    if (pause_ms > kAsleepMs) peer.heard_ms = std::min(now_ms, peer.heard_ms + pause_ms);
    if (now_ms - peer.heard_ms > options_.silence_ms) silent.push_back(gateway);
    peer.link->Repeat();
    const bool full = peer.link->Full();
    if (std::exchange(peer.was_full, full) && !full) peer.session->AddCredit(0);
  }
  for (const std::string& gateway : silent) Detach(gateway, "nothing was heard of it");
}

void Gateways::Stop() {
  while (!peers_.empty()) Detach(std::string(peers_.begin()->first), "the engine stops");
}

}  // namespace smsflow::server
