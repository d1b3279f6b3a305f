// An engine that notes what it is given, and answers as it is told: for tests of what stands between it and Kafka.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "tests/engine/idle_engine.h"

namespace smsflow::server {

class NotingEngine : public engine::IdleEngine {
 public:
  static constexpr std::uint16_t kShards = 4;

  struct Fed {
    engine::Origin origin;
    engine::FedWork work;
    engine::FedDone done;
  };

  void Feed(engine::Origin origin, engine::FedWork work, engine::FedDone done) override {
    auto& row = rows[*origin.feed];
    const bool before = row.known && origin.position < row.next[0];
    fed.push_back({std::move(origin), std::move(work), std::move(done)});
    if (before) ++again;
    if (answer_at_once) Answer(fed.size() - 1, before ? engine::Taking::kAppliedBefore : engine::Taking::kApplied);
  }
  // Also stores how far it is now.
  void Answer(std::size_t which, engine::Taking what) {
    Fed& one = fed[which];
    auto& row = rows[*one.origin.feed];
    if (std::holds_alternative<engine::DeadLetter>(one.work) && what == engine::Taking::kApplied)
      what = engine::Taking::kRefused;
    row.known = true;
    row.next.resize(kShards);
    row.next[0] = std::max(row.next[0], one.origin.position + 1);
    row.highest = std::max(row.highest, row.next[0]);
    if (row.highest == one.origin.position + 1) row.digest = one.origin.digest;
    row.lowest = *std::min_element(row.next.begin(), row.next.end());
    if (one.done) std::exchange(one.done, nullptr)({what, {}});
  }
  void FeedProgress(engine::FeedRef feed, std::vector<std::uint64_t> next, storage::Hash16 digest, bool anew,
                    absl::AnyInvocable<void(absl::Status)> done) override {
    auto& row = rows[*feed];
    row.next.resize(kShards);
    anew_asked |= anew;
    for (std::size_t i = 0; i < kShards; ++i) row.next[i] = anew ? next[i] : std::max(row.next[i], next[i]);
    row.known = true;
    const std::uint64_t highest = *std::max_element(row.next.begin(), row.next.end());
    if (anew || highest > row.highest) row.digest = digest;
    row.highest = highest;
    row.lowest = *std::min_element(row.next.begin(), row.next.end());
    if (done) done(absl::OkStatus());
  }
  absl::StatusOr<engine::FeedPosition> FeedAt(const engine::FeedId& feed) const override {
    const auto found = rows.find(feed);
    return found == rows.end() ? engine::FeedPosition{} : found->second;
  }
  bool TakesCreations() const override { return takes_creations; }
  void Taken(ShardId shard, std::uint64_t sequence) override {
    const std::lock_guard lock(mutex_);
    taken_.emplace_back(shard, sequence);
  }
  std::vector<std::pair<ShardId, std::uint64_t>> taken() const {
    const std::lock_guard lock(mutex_);
    return taken_;
  }

  // Who attached, and the engine's way to each.
  struct Attached {
    engine::PeerHello hello;
    std::shared_ptr<engine::PeerLink> link;
    std::uint64_t credit = 0;
    int told = 0;  // that there is room again
    bool gone = false;
  };
  absl::StatusOr<std::unique_ptr<engine::PeerSession>> Attach(engine::PeerHello hello,
                                                              std::shared_ptr<engine::PeerLink> link) override {
    attached.push_back(std::make_shared<Attached>(Attached{std::move(hello), std::move(link)}));
    return std::make_unique<Session>(attached.back());
  }

  std::map<engine::FeedId, engine::FeedPosition> rows;
  std::vector<Fed> fed;
  std::vector<std::shared_ptr<Attached>> attached;
  std::size_t again = 0;
  bool answer_at_once = true, takes_creations = true, anew_asked = false;

 private:
  class Session final : public engine::PeerSession {
   public:
    explicit Session(std::shared_ptr<Attached> of) : of_(std::move(of)) {}
    ~Session() override { of_->gone = true; }
    void AddCredit(std::uint32_t more) override {
      of_->credit += more;
      if (more == 0) ++of_->told;
    }
    void Report(const AttemptId&, workflows::Event, absl::AnyInvocable<void(engine::ReportAnswer)>) override {}
    bool Congested() const override { return false; }

   private:
    const std::shared_ptr<Attached> of_;
  };

  mutable std::mutex mutex_;
  std::vector<std::pair<ShardId, std::uint64_t>> taken_;
};

}  // namespace smsflow::server
