// Bugs that are put between the product and the modelled Kafka, each for one run: mistakes that readers and writers of
// logs have had.
#include <utility>

#include "tests/sim/kafka_run.h"

namespace smsflow::sim {
namespace {

class PassingEngine : public engine::Engine {
 public:
  explicit PassingEngine(std::unique_ptr<engine::Engine> real) : real_(std::move(real)) {}
  void Start() override { real_->Start(); }
  void Stop() override { real_->Stop(); }
  bool RunOnce() override { return real_->RunOnce(); }
  bool RunPartition(std::uint16_t partition) override { return real_->RunPartition(partition); }
  void Create(engine::CreateRequest request, engine::Done done) override {
    real_->Create(std::move(request), std::move(done));
  }
  void Send(engine::EventRequest request, engine::Done done) override {
    real_->Send(std::move(request), std::move(done));
  }
  void Sweep(engine::SweepRequest request, engine::SweepDone done) override {
    real_->Sweep(std::move(request), std::move(done));
  }
  void Pause(engine::PauseRequest request, absl::AnyInvocable<void(absl::Status, bool)> done) override {
    real_->Pause(std::move(request), std::move(done));
  }
  absl::StatusOr<std::unique_ptr<engine::PeerSession>> Attach(engine::PeerHello hello,
                                                              std::shared_ptr<engine::PeerLink> link) override {
    return real_->Attach(std::move(hello), std::move(link));
  }
  void Taken(ShardId shard, std::uint64_t sequence) override { real_->Taken(shard, sequence); }
  void Feed(engine::Origin origin, engine::FedWork work, engine::FedDone done) override {
    real_->Feed(std::move(origin), std::move(work), std::move(done));
  }
  void FeedProgress(engine::FeedRef feed, std::vector<std::uint64_t> next, storage::Hash16 digest, bool again,
                    absl::AnyInvocable<void(absl::Status)> done) override {
    real_->FeedProgress(std::move(feed), std::move(next), digest, again, std::move(done));
  }
  absl::StatusOr<engine::FeedPosition> FeedAt(const engine::FeedId& feed) const override { return real_->FeedAt(feed); }
  bool TakesCreations() const override { return real_->TakesCreations(); }
  void Drain(bool on) override { real_->Drain(on); }
  absl::StatusOr<engine::WaitReasons> Explain(const InstanceId& id) override { return real_->Explain(id); }
  void TrustClock() override { real_->TrustClock(); }
  void SetDiskGuard(bool on) override { real_->SetDiskGuard(on); }
  std::uint64_t Committed(ShardId shard) const override { return real_->Committed(shard); }
  std::uint64_t Commits() const override { return real_->Commits(); }
  void AwaitCommit(std::uint64_t seen, std::int64_t timeout_ms) const override { real_->AwaitCommit(seen, timeout_ms); }
  engine::Figures TakeFigures() const override { return real_->TakeFigures(); }

 private:
  const std::unique_ptr<engine::Engine> real_;
};

class MarksAhead final : public PassingEngine {
 public:
  using PassingEngine::PassingEngine;
  void FeedProgress(engine::FeedRef feed, std::vector<std::uint64_t> next, storage::Hash16 digest, bool again,
                    absl::AnyInvocable<void(absl::Status)> done) override {
    if (digest != storage::Hash16{})
      for (std::uint64_t& one : next) one += 2;
    PassingEngine::FeedProgress(std::move(feed), std::move(next), digest, again, std::move(done));
  }
};

// Moves those back that are further, as only another log may.
class MarksFallBack final : public PassingEngine {
 public:
  using PassingEngine::PassingEngine;
  void FeedProgress(engine::FeedRef feed, std::vector<std::uint64_t> next, storage::Hash16 digest, bool /*again*/,
                    absl::AnyInvocable<void(absl::Status)> done) override {
    PassingEngine::FeedProgress(std::move(feed), std::move(next), digest, /*again=*/true, std::move(done));
  }
};

// Says of cancels that they are applied, and forgets them.
class CancelsDropped final : public PassingEngine {
 public:
  using PassingEngine::PassingEngine;
  void Feed(engine::Origin origin, engine::FedWork work, engine::FedDone done) override {
    if (std::holds_alternative<engine::SweepRequest>(work)) return done({engine::Taking::kApplied, {}});
    PassingEngine::Feed(std::move(origin), std::move(work), std::move(done));
  }
};

// Would read each log from its first record on, so that what retention took looks like a loss.
class NeedsAll final : public PassingEngine {
 public:
  using PassingEngine::PassingEngine;
  absl::StatusOr<engine::FeedPosition> FeedAt(const engine::FeedId& feed) const override {
    auto at = PassingEngine::FeedAt(feed);
    if (at.ok()) at->lowest = 0;
    return at;
  }
};

class NoDigests final : public PassingEngine {
 public:
  using PassingEngine::PassingEngine;
  absl::StatusOr<engine::FeedPosition> FeedAt(const engine::FeedId& feed) const override {
    auto at = PassingEngine::FeedAt(feed);
    if (at.ok()) at->digest = {};
    return at;
  }
};

// Each process reads under a name of its own, so that nothing is known to be applied.
class AppliedForgotten final : public PassingEngine {
 public:
  explicit AppliedForgotten(std::unique_ptr<engine::Engine> real) : PassingEngine(std::move(real)), life_(++lives_) {}
  void Feed(engine::Origin origin, engine::FedWork work, engine::FedDone done) override {
    engine::FeedId other = *origin.feed;
    other.log += "#" + std::to_string(life_);
    origin.feed = std::make_shared<const engine::FeedId>(std::move(other));
    PassingEngine::Feed(std::move(origin), std::move(work), std::move(done));
  }

 private:
  static inline int lives_ = 0;
  const int life_;
};

class PassingConsumer : public kafka::Consumer {
 public:
  explicit PassingConsumer(std::unique_ptr<kafka::Consumer> real) : real_(std::move(real)) {}
  absl::Status Add(const std::vector<kafka::Start>& starts) override { return real_->Add(starts); }
  absl::Status Remove(const std::vector<kafka::TopicPartition>& places) override { return real_->Remove(places); }
  absl::Status Pause(const std::vector<kafka::TopicPartition>& places) override { return real_->Pause(places); }
  absl::Status Resume(const std::vector<kafka::TopicPartition>& places) override { return real_->Resume(places); }
  kafka::Polled Poll(std::chrono::milliseconds timeout, std::size_t most) override {
    return real_->Poll(timeout, most);
  }
  void Wake() override { real_->Wake(); }
  void Commit(const std::vector<kafka::Start>& next) override { real_->Commit(next); }
  absl::StatusOr<std::map<kafka::TopicPartition, std::optional<std::int64_t>>> Committed(
      const std::vector<kafka::TopicPartition>& places, std::chrono::milliseconds timeout) override {
    return real_->Committed(places, timeout);
  }

 private:
  const std::unique_ptr<kafka::Consumer> real_;
};

class LosesTheLast final : public PassingConsumer {
 public:
  using PassingConsumer::PassingConsumer;
  kafka::Polled Poll(std::chrono::milliseconds timeout, std::size_t most) override {
    kafka::Polled polled = PassingConsumer::Poll(timeout, most);
    if (polled.records.size() > 5) polled.records.erase(polled.records.begin() + 4);
    return polled;
  }
};

// Says of letters that the broker has them, and it has not.
class LosesLetters final : public kafka::Producer {
 public:
  explicit LosesLetters(std::unique_ptr<kafka::Producer> real) : real_(std::move(real)) {}
  absl::Status Produce(std::string_view topic, std::int32_t partition, std::string_view key, std::string_view value,
                       const kafka::Headers& headers, std::uint64_t tag) override {
    return real_->Produce(topic == "dead" ? "nowhere" : topic, partition, key, value, headers, tag);
  }
  void Poll(std::chrono::milliseconds timeout, std::size_t most, std::vector<kafka::Delivery>& deliveries) override {
    real_->Poll(timeout, most, deliveries);
  }
  void Wake() override { real_->Wake(); }
  absl::Status Fatal() const override { return real_->Fatal(); }
  std::size_t pending() const override { return real_->pending(); }
  absl::Status Flush(std::chrono::milliseconds timeout) override { return real_->Flush(timeout); }

 private:
  const std::unique_ptr<kafka::Producer> real_;
};

template <class Bug>
std::function<void(KafkaHooks&)> InEngine() {
  return [](KafkaHooks& hooks) {
    hooks.wrap_engine = [](std::unique_ptr<engine::Engine> real) { return std::make_unique<Bug>(std::move(real)); };
  };
}

}  // namespace

std::vector<KafkaBug> KafkaBugs() {
  return {
      {"marks run ahead", "an offset counts as applied before its record is", InEngine<MarksAhead>()},
      {"marks fall back", "progress moves shards back that are further", InEngine<MarksFallBack>()},
      {"cancels dropped", "a cancel counts as applied and has no effect", InEngine<CancelsDropped>()},
      {"journal changed", "a byte of one journal record in forty is another",
       [](KafkaHooks& hooks) {
         hooks.store.put = [count = 0](storage::Family family, std::string&, std::string& value) mutable {
           if (family == storage::Family::kJournal && ++count % 40 == 0)
             value.back() = static_cast<char>(value.back() ^ 1);
           return true;
         };
       }},
      {"no digests", "what stands at the applied offset is not compared", InEngine<NoDigests>()},
      {"a deleted beginning stops the partition", "what every shard has applied is missed when it is deleted",
       InEngine<NeedsAll>()},
      {"applied forgotten", "a restart does not know what was applied", InEngine<AppliedForgotten>()},
      {"a leap over what is gone", "an offset that is not there is passed over without a word",
       [](KafkaHooks& hooks) { hooks.broker = [](server::ModelBroker& broker) { broker.leaps = true; }; }},
      {"no group", "another folder does not ask how far the group has come",
       [](KafkaHooks& hooks) { hooks.broker = [](server::ModelBroker& broker) { broker.forgets_committed = true; }; }},
      {"a record lost in a poll", "of many records one is not given",
       [](KafkaHooks& hooks) {
         hooks.wrap_consumer = [](std::unique_ptr<kafka::Consumer> real) {
           return std::make_unique<LosesTheLast>(std::move(real));
         };
       }},
      {"letters lost", "a dead letter counts as written that is not",
       [](KafkaHooks& hooks) {
         hooks.wrap_producer = [](std::unique_ptr<kafka::Producer> real) {
           return std::make_unique<LosesLetters>(std::move(real));
         };
       }},
  };
}

}  // namespace smsflow::sim
