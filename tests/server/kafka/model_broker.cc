#include "tests/server/kafka/model_broker.h"

#include <poll.h>

#include <algorithm>
#include <deque>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"

namespace smsflow::server {

using kafka::TopicPartition;

namespace {

absl::Status Away() { return absl::UnavailableError("kafka: the model is away"); }

}  // namespace

class ModelBroker::ModelConsumer final : public kafka::Consumer {
 public:
  explicit ModelConsumer(ModelBroker& broker) : broker_(broker), given_again_(broker.given_again_) {}

  absl::Status Add(const std::vector<kafka::Start>& starts) override {
    const std::lock_guard lock(broker_.mutex_);
    for (const kafka::Start& start : starts)
      if (positions_.contains(start.place)) return absl::InternalError("kafka: it is read already");
    for (const kafka::Start& start : starts) positions_[start.place] = start.offset;
    return absl::OkStatus();
  }
  absl::Status Remove(const std::vector<TopicPartition>& places) override {
    const std::lock_guard lock(broker_.mutex_);
    for (const TopicPartition& place : places)
      if (!positions_.contains(place)) return absl::InternalError("kafka: it is not read");
    for (const TopicPartition& place : places) {
      positions_.erase(place);
      paused_.erase(place);
      told_.erase(place);
    }
    return absl::OkStatus();
  }
  absl::Status Pause(const std::vector<TopicPartition>& places) override {
    paused_.insert(places.begin(), places.end());
    return absl::OkStatus();
  }
  absl::Status Resume(const std::vector<TopicPartition>& places) override {
    for (const TopicPartition& place : places) paused_.erase(place);
    return absl::OkStatus();
  }
  kafka::Polled Poll(std::chrono::milliseconds, std::size_t most) override {
    const std::lock_guard lock(broker_.mutex_);
    kafka::Polled polled;
    if (broker_.away_) return polled;
    const std::int64_t back = given_again_ == broker_.given_again_ ? 0 : broker_.give_again_;
    given_again_ = broker_.given_again_;
    for (auto& [place, position] : positions_) {
      if (paused_.contains(place)) continue;
      if (absl::Status status = broker_.Here(place); !status.ok()) {
        if (told_.insert(place).second) polled.errors.emplace_back(place, std::move(status));
        continue;
      }
      const Partition& log = broker_.topics_.at(place.topic).at(place.partition);
      if (position == kafka::kFromBeginning) position = log.low;
      if (position < log.low || position > log.end) {
        if (broker_.leaps) {
          position = position < log.low ? log.low : log.end;
        } else {
          if (told_.insert(place).second)
            polled.errors.emplace_back(place, absl::OutOfRangeError("kafka: the offset is not there"));
          continue;
        }
      }
      for (auto one = log.records.lower_bound(std::max(log.low, position - back));
           one != log.records.end() && polled.records.size() < most; ++one) {
        polled.records.emplace_back(one->second);
        position = std::max(position, one->first + 1);
        auto& given = broker_.given_[place];
        given = std::max(given, position);
      }
    }
    return polled;
  }
  void Wake() override {}
  // Also of one that is away: it is told again until it knows.
  void Commit(const std::vector<kafka::Start>& next) override {
    const std::lock_guard lock(broker_.mutex_);
    for (const kafka::Start& start : next) broker_.committed_[start.place] = start.offset;
  }
  absl::StatusOr<std::map<TopicPartition, std::optional<std::int64_t>>> Committed(
      const std::vector<TopicPartition>& places, std::chrono::milliseconds) override {
    const std::lock_guard lock(broker_.mutex_);
    if (broker_.away_) return Away();
    std::map<TopicPartition, std::optional<std::int64_t>> committed;
    for (const TopicPartition& place : places) {
      const auto found = broker_.committed_.find(place);
      committed[place] = found == broker_.committed_.end() || broker_.forgets_committed
                             ? std::nullopt
                             : std::optional<std::int64_t>(found->second);
    }
    return committed;
  }

 private:
  ModelBroker& broker_;
  std::uint64_t given_again_;
  std::map<TopicPartition, std::int64_t> positions_;
  std::set<TopicPartition> paused_, told_;
};

class ModelBroker::ModelProducer final : public kafka::Producer {
 public:
  explicit ModelProducer(ModelBroker& broker) : broker_(broker), ended_(broker.producers_ended_) {}

  absl::Status Produce(std::string_view topic, std::int32_t partition, std::string_view key, std::string_view value,
                       const kafka::Headers& headers, std::uint64_t tag) override {
    const std::lock_guard lock(broker_.mutex_);
    if (ended_ != broker_.producers_ended_) return absl::AbortedError("kafka: the producer ended");
    kafka::Outgoing record{std::string(key), std::string(value), headers};
    const Fault fault = broker_.fault ? broker_.fault(std::string(topic)) : Fault{};
    if (!fault.refuse.ok()) return fault.refuse;
    waiting_.push_back({std::string(topic), partition, std::move(record), tag, fault});
    return absl::OkStatus();
  }
  void Poll(std::chrono::milliseconds timeout, std::size_t most, std::vector<kafka::Delivery>& deliveries) override {
    {
      const std::lock_guard lock(broker_.mutex_);
      const bool ended = ended_ != broker_.producers_ended_;
      while (!waiting_.empty() && deliveries.size() < most && (ended || (!broker_.away_ && !broker_.hold_))) {
        deliveries.push_back(ended ? kafka::Delivery{waiting_.front().tag, absl::AbortedError("kafka: ended")}
                                   : Deliver(waiting_.front()));
        waiting_.pop_front();
      }
    }
    if (deliveries.empty() && timeout.count() > 0) ::poll(nullptr, 0, 1);
  }
  void Wake() override {}
  absl::Status Fatal() const override {
    const std::lock_guard lock(broker_.mutex_);
    return ended_ == broker_.producers_ended_ ? absl::OkStatus() : absl::AbortedError("kafka: the producer ended");
  }
  std::size_t pending() const override {
    const std::lock_guard lock(broker_.mutex_);
    return waiting_.size();
  }
  absl::Status Flush(std::chrono::milliseconds) override { return absl::OkStatus(); }

 private:
  struct Waiting {
    std::string topic;
    std::int32_t partition = 0;
    kafka::Outgoing record;
    std::uint64_t tag = 0;
    Fault fault;
  };
  // With the broker's lock.
  kafka::Delivery Deliver(const Waiting& one) {
    const std::int32_t partition = one.partition == kafka::kAnyPartition ? 0 : one.partition;
    kafka::Delivery delivery{one.tag, broker_.Here({one.topic, partition}), partition, -1};
    if (!delivery.status.ok()) return delivery;
    delivery.status = one.fault.deliver;
    delivery.maybe_there = !one.fault.deliver.ok() && one.fault.taken;
    if (!one.fault.deliver.ok() && !one.fault.taken) return delivery;
    Partition& log = broker_.topics_[one.topic][partition];
    const TopicPartition place{one.topic, partition};
    delivery.offset = log.end;
    log.records[log.end] =
        std::make_shared<const Record>(Record{place, log.end, 1, one.record.key, one.record.value, one.record.headers});
    ++log.end;
    return delivery;
  }

  ModelBroker& broker_;
  const std::uint64_t ended_;
  std::deque<Waiting> waiting_;
};

class ModelBroker::ModelAdmin final : public kafka::Admin {
 public:
  explicit ModelAdmin(ModelBroker& broker) : broker_(broker) {}

  absl::StatusOr<std::vector<kafka::TopicInfo>> Topics(const std::vector<std::string>& topics,
                                                       std::chrono::milliseconds) override {
    const std::lock_guard lock(broker_.mutex_);
    if (broker_.away_) return Away();
    std::vector<kafka::TopicInfo> all;
    for (const std::string& topic : topics) {
      kafka::TopicInfo info{topic, absl::OkStatus(), {}};
      const auto found = broker_.topics_.find(topic);
      if (found == broker_.topics_.end()) info.status = absl::NotFoundError("kafka: no such topic");
      if (found != broker_.topics_.end()) {
        for (const auto& [number, log] : found->second)
          info.partitions.push_back({number, log.leader, 1, 1, absl::OkStatus()});
      }
      all.push_back(std::move(info));
    }
    return all;
  }
  absl::StatusOr<std::size_t> Brokers(std::chrono::milliseconds) override { return 1U; }
  absl::StatusOr<std::vector<absl::Status>> Create(const std::vector<kafka::NewTopic>&,
                                                   std::chrono::milliseconds) override {
    return absl::UnimplementedError("");
  }
  absl::Status Delete(const std::string&, std::chrono::milliseconds) override { return absl::UnimplementedError(""); }
  absl::Status AddPartitions(const std::string&, std::int32_t, std::chrono::milliseconds) override {
    return absl::UnimplementedError("");
  }
  absl::StatusOr<kafka::Watermarks> Ends(const TopicPartition& place, std::chrono::milliseconds) override {
    const std::lock_guard lock(broker_.mutex_);
    if (broker_.away_) return Away();
    if (absl::Status status = broker_.Here(place); !status.ok()) return status;
    const Partition& log = broker_.topics_.at(place.topic).at(place.partition);
    return kafka::Watermarks{log.low, log.end};
  }
  absl::StatusOr<std::map<std::string, std::string>> Configs(const std::string&, std::chrono::milliseconds) override {
    return std::map<std::string, std::string>{};
  }

 private:
  ModelBroker& broker_;
};

ModelBroker::ModelBroker() : admin_(std::make_unique<ModelAdmin>(*this)) {}
ModelBroker::~ModelBroker() = default;

absl::Status ModelBroker::Here(const TopicPartition& place) const {
  const auto topic = topics_.find(place.topic);
  if (topic == topics_.end() || !topic->second.contains(place.partition))
    return absl::NotFoundError(absl::StrCat("kafka: there is no ", kafka::NameOf(place)));
  return absl::OkStatus();
}

void ModelBroker::MakeTopic(const std::string& topic, std::int32_t partitions) {
  const std::lock_guard lock(mutex_);
  auto& logs = topics_[topic];
  logs.clear();
  for (std::int32_t number = 0; number < partitions; ++number) logs[number];
}

void ModelBroker::DeleteTopic(const std::string& topic) {
  const std::lock_guard lock(mutex_);
  topics_.erase(topic);
}

std::int64_t ModelBroker::Append(const TopicPartition& place, const kafka::Outgoing& record,
                                 std::int64_t timestamp_ms) {
  const std::lock_guard lock(mutex_);
  Partition& log = topics_[place.topic][place.partition];
  log.records[log.end] =
      std::make_shared<const Record>(Record{place, log.end, timestamp_ms, record.key, record.value, record.headers});
  return log.end++;
}

void ModelBroker::Truncate(const TopicPartition& place, std::int64_t end) {
  const std::lock_guard lock(mutex_);
  Partition& log = topics_[place.topic][place.partition];
  log.records.erase(log.records.lower_bound(end), log.records.end());
  log.end = std::min(log.end, end);
  log.low = std::min(log.low, end);
}

void ModelBroker::DeleteBefore(const TopicPartition& place, std::int64_t low) {
  const std::lock_guard lock(mutex_);
  Partition& log = topics_[place.topic][place.partition];
  log.low = std::max(log.low, std::min(low, log.end));
  log.records.erase(log.records.begin(), log.records.lower_bound(log.low));
}

void ModelBroker::ChangeLeader(const TopicPartition& place) {
  const std::lock_guard lock(mutex_);
  ++topics_[place.topic][place.partition].leader;
}

void ModelBroker::SetAway(bool away) {
  const std::lock_guard lock(mutex_);
  away_ = away;
}

void ModelBroker::GiveAgain(std::int64_t records) {
  const std::lock_guard lock(mutex_);
  ++given_again_;
  give_again_ = records;
}

void ModelBroker::HoldDeliveries(bool hold) {
  const std::lock_guard lock(mutex_);
  hold_ = hold;
}

void ModelBroker::EndProducers() {
  const std::lock_guard lock(mutex_);
  ++producers_ended_;
}

std::map<std::int64_t, std::shared_ptr<const ModelBroker::Record>> ModelBroker::Log(const TopicPartition& place) const {
  const std::lock_guard lock(mutex_);
  const auto topic = topics_.find(place.topic);
  if (topic == topics_.end()) return {};
  const auto log = topic->second.find(place.partition);
  return log == topic->second.end() ? decltype(log->second.records){} : log->second.records;
}

std::int64_t ModelBroker::End(const TopicPartition& place) const {
  const std::lock_guard lock(mutex_);
  return topics_.at(place.topic).at(place.partition).end;
}

std::int64_t ModelBroker::CommittedOf(const TopicPartition& place) const {
  const std::lock_guard lock(mutex_);
  const auto found = committed_.find(place);
  return found == committed_.end() ? -1 : found->second;
}

std::int64_t ModelBroker::GivenOf(const TopicPartition& place) const {
  const std::lock_guard lock(mutex_);
  const auto found = given_.find(place);
  return found == given_.end() ? 0 : found->second;
}

std::unique_ptr<kafka::Consumer> ModelBroker::MakeConsumer() {
  const std::lock_guard lock(mutex_);
  return std::make_unique<ModelConsumer>(*this);
}
std::unique_ptr<kafka::Producer> ModelBroker::MakeProducer() {
  const std::lock_guard lock(mutex_);
  return std::make_unique<ModelProducer>(*this);
}

}  // namespace smsflow::server
