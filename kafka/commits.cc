#include "kafka/commits.h"

namespace smsflow::kafka {

void Commits::Want(const std::vector<Start>& next) {
  for (const Start& start : next) wanted_[start.place] = start.offset;
}

std::vector<Start> Commits::TakeDue(Time now) {
  std::vector<Start> due;
  if (now < next_at_) return due;
  for (const auto& [place, offset] : wanted_) {
    const auto taken = taken_.find(place);
    if (taken == taken_.end() || taken->second != offset) due.push_back({place, offset});
  }
  if (!due.empty()) next_at_ = now + kAnswerWithin;
  return due;
}

void Commits::Answered(const std::vector<std::pair<Start, bool>>& answers, Time now) {
  next_at_ = answers.empty() ? now + kAgainEvery : now;  // none: it was given up
  for (const auto& [start, is_taken] : answers) {
    if (is_taken) {
      taken_[start.place] = start.offset;
    } else {
      taken_.erase(start.place);
      next_at_ = now + kAgainEvery;
    }
  }
}

}  // namespace smsflow::kafka
