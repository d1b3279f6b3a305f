#include "server/kafka/dead_letters.h"

#include <utility>

#include "server/logging.h"
#include "smsflow/stored/v1/records.pb.h"

namespace smsflow::server {

void DeadLetters::Send(std::vector<engine::Post> posts) {
  {
    const std::lock_guard lock(mutex_);
    for (const engine::Post& post : posts) {
      smsflow::stored::v1::DeadLetterBody body;
      if (post.topic != engine::kDeadLetters || !body.ParseFromString(post.body)) continue;
      Letter letter{post.shard, post.sequence, {body.log(), body.partition()}, body.position(), {}, false};
      kafka::DeadLetter dead;
      dead.topic = body.log();
      dead.partition = static_cast<std::int32_t>(body.partition());
      dead.offset = static_cast<std::int64_t>(body.position());
      dead.reason = body.reason();
      dead.at_ms = body.at_ms();
      dead.by = "engine";
      letter.record = kafka::EncodeDeadLetter(dead);
      ++by_feed_[letter.feed];
      letters_.insert_or_assign({post.shard.value, post.sequence}, std::move(letter));
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
  std::vector<std::pair<std::pair<std::uint16_t, std::uint64_t>, kafka::Outgoing>> leaving;
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
    outlet->Produce(topic_, kafka::kAnyPartition, record, [this, name = name](const absl::Status& status) {
      engine::FeedId feed;
      std::uint64_t position = 0;
      engine::Engine* engine = nullptr;
      std::function<void(const engine::FeedId&, std::uint64_t)> taken;
      {
        const std::lock_guard lock(mutex_);
        const auto letter = letters_.find(name);
        if (letter == letters_.end()) return;
        letter->second.on_its_way = false;
        if (!status.ok()) {
          std::string why(status.message());
          if (last_error_ != why) {
            Log(LogLevel::kError, "kafka: a dead letter cannot leave; its partition is not read on",
                {{"topic", topic_}, {"of", letter->second.feed.log}, {"why", why}});
          }
          last_error_ = std::move(why);
          return;
        }
        last_error_.clear();
        feed = letter->second.feed;
        position = letter->second.position;
        if (--by_feed_[feed] == 0) by_feed_.erase(feed);
        letters_.erase(letter);
        engine = engine_;
        taken = taken_;
      }
      if (engine != nullptr) engine->Taken(ShardId{name.first}, name.second);
      if (taken) taken(feed, position);
    });
  }
}

bool DeadLetters::Waits(const engine::FeedId& feed) const {
  const std::lock_guard lock(mutex_);
  return by_feed_.contains(feed);
}

std::size_t DeadLetters::waiting() const {
  const std::lock_guard lock(mutex_);
  return letters_.size();
}

}  // namespace smsflow::server
