#include "server/kafka/dead_letters.h"

#include <utility>

#include "logging/logging.h"
#include "smsflow/stored/v1/records.pb.h"

namespace smsflow::server {

void DeadLetters::Send(std::vector<engine::Post> posts) {
  {
    const std::lock_guard lock(mutex_);
    for (const engine::Post& post : posts) {
      smsflow::stored::v1::DeadLetterBody body;
      if (post.topic != engine::kDeadLetters || !body.ParseFromString(post.body)) continue;
      const auto [letter, fresh] = letters_.try_emplace({{body.log(), body.partition()}, body.position()});
      letter->second.shard = post.shard;
      letter->second.sequence = post.sequence;
      if (!fresh) continue;  // its row was moved
      kafka::DeadLetter dead;
      dead.topic = body.log();
      dead.partition = static_cast<std::int32_t>(body.partition());
      dead.offset = static_cast<std::int64_t>(body.position());
      dead.reason = body.reason();
      dead.at_ms = body.at_ms();
      dead.bytes = body.bytes();
      dead.by = "engine";
      letter->second.record = kafka::EncodeDeadLetter(dead);
    }
  }
  SendSome();
}

void DeadLetters::Start(engine::Engine& engine, Outlet& outlet,
                        std::function<void(const engine::FeedId&, std::uint64_t)> taken) {
  {
    const std::lock_guard lock(mutex_);
    engine_ = &engine;
    outlet_ = &outlet;
    taken_ = std::move(taken);
  }
  SendSome();
}

void DeadLetters::Stop() {
  const std::lock_guard lock(mutex_);
  engine_ = nullptr;
  outlet_ = nullptr;
  taken_ = nullptr;
}

void DeadLetters::Tick() { SendSome(); }

void DeadLetters::SendSome() {
  std::vector<std::pair<Name, kafka::Outgoing>> leaving;
  Outlet* outlet = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (outlet_ == nullptr) return;
    outlet = outlet_;
    for (auto& [name, letter] : letters_) {
      if (letter.on_its_way) continue;
      letter.on_its_way = true;
      leaving.emplace_back(name, letter.record);
    }
  }
  for (auto& [name, record] : leaving) {
    outlet->Produce(topic_, kafka::kAnyPartition, record,
                    [this, name = name](const absl::Status& status) { Told(name, status); });
  }
}

void DeadLetters::Told(const Name& name, const absl::Status& status) {
  Letter letter;
  engine::Engine* engine = nullptr;
  std::function<void(const engine::FeedId&, std::uint64_t)> taken;
  {
    const std::lock_guard lock(mutex_);
    const auto found = letters_.find(name);
    if (found == letters_.end()) return;
    found->second.on_its_way = false;
    if (!status.ok()) {
      std::string why(status.message());
      if (last_error_ != why) {
        Log(LogLevel::kError, "kafka: a dead letter cannot leave; its partition is not read on",
            {{"topic", topic_}, {"of", name.first.log}, {"why", why}});
      }
      last_error_ = std::move(why);
      return;
    }
    last_error_.clear();
    letter = std::move(found->second);
    letters_.erase(found);
    engine = engine_;
    taken = taken_;
  }
  if (engine != nullptr) engine->Taken(letter.shard, letter.sequence);
  if (taken) taken(name.first, name.second);
}

bool DeadLetters::Waits(const engine::FeedId& feed) const {
  const std::lock_guard lock(mutex_);
  const auto first = letters_.lower_bound({feed, 0});
  return first != letters_.end() && first->first.first == feed;
}

std::size_t DeadLetters::waiting() const {
  const std::lock_guard lock(mutex_);
  return letters_.size();
}

}  // namespace smsflow::server
