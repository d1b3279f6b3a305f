// Which commits of a consumer are still to be sent. A client that loses its coordinator keeps a commit back and sends
// it once the coordinator is there again, after a newer one if need be, and tells of neither where it gives up; so
// there is one under way at a time, and what the broker said it took is held against what is wanted until both agree.
//
// Not thread-safe. `now` is of the steady clock.
#pragma once

#include <chrono>
#include <map>
#include <utility>
#include <vector>

#include "kafka/client.h"

namespace smsflow::kafka {

class Commits {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds kAgainEvery{1};     // after a refusal
  static constexpr std::chrono::seconds kAnswerWithin{30};  // and what was not answered by then is sent again

  void Want(const std::vector<Start>& next);
  // What is to be sent now, and is under way then; empty: nothing.
  std::vector<Start> TakeDue(Time now);
  // Of each partition that a commit named: whether the broker has this offset now. Empty: it was given up.
  void Answered(const std::vector<std::pair<Start, bool>>& answers, Time now);

 private:
  std::map<TopicPartition, std::int64_t> wanted_;
  std::map<TopicPartition, std::int64_t> taken_;  // as the broker said last
  Time next_at_;                                  // no commit before it: one is under way, or was refused a moment ago
};

}  // namespace smsflow::kafka
