#include <algorithm>
#include <utility>

#include "engine/shared.h"

namespace smsflow::engine {

bool Broadcasts::Expect(const std::string& command, std::uint32_t shards, SumDone& done) {
  absl::MutexLock lock(&mutex_);
  if (waiting_.size() >= kOpenMax) return false;
  waiting_[command] = {shards, {}, std::move(done)};
  return true;
}

void Broadcasts::Finished(const std::string& command, const std::vector<std::uint64_t>& outcomes, bool changed) {
  Waiting finished;
  {
    absl::MutexLock lock(&mutex_);
    const auto it = waiting_.find(command);
    if (it == waiting_.end()) return;  // asked for before the last restart
    Sum& sum = it->second.sum;
    sum.outcomes.resize(std::max(sum.outcomes.size(), outcomes.size()));
    for (std::size_t i = 0; i < outcomes.size(); ++i) sum.outcomes[i] += outcomes[i];
    sum.changed |= changed;
    if (--it->second.shards != 0) return;
    finished = std::move(it->second);
    waiting_.erase(it);
  }
  finished.done(std::move(finished.sum));
}

void Broadcasts::Changed(const std::string& command) {
  absl::MutexLock lock(&mutex_);
  if (const auto it = waiting_.find(command); it != waiting_.end()) it->second.sum.changed = true;
}

void Broadcasts::Fail(const std::string& command, const absl::Status& why) {
  SumDone done;
  {
    absl::MutexLock lock(&mutex_);
    const auto it = waiting_.find(command);
    if (it == waiting_.end()) return;
    done = std::move(it->second.done);
    waiting_.erase(it);
  }
  Sum sum;
  sum.status = why;
  done(std::move(sum));
}

void Broadcasts::FailAll(const absl::Status& why) {
  std::map<std::string, Waiting> all;
  {
    absl::MutexLock lock(&mutex_);
    all.swap(waiting_);
  }
  for (auto& [command, waiting] : all) {
    waiting.sum.status = why;
    waiting.done(std::move(waiting.sum));
  }
}

}  // namespace smsflow::engine
