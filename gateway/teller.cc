#include "gateway/teller.h"

#include <algorithm>
#include <utility>

namespace smsflow::gateway {

void Teller::OnAttached() {
  under_way_ = 0;  // what the old attachment had is gone with it
  left_out_ = false;
  repeating_ = true;
  after_.reset();
}

void Teller::OnGone(std::size_t reports) { under_way_ -= std::min(reports, under_way_); }

void Teller::Tell(std::vector<Report> reports) {
  if (under_way_ >= kUnderWayMax) {
    left_out_ = true;
    std::erase_if(reports, [](const Report& report) { return !IsToldOnce(report.old, report.result); });
    if (reports.empty()) return;
  }
  under_way_ += reports.size();
  link_.Report(std::move(reports));
}

absl::Status Teller::Repeat() {
  if (left_out_ && !repeating_ && under_way_ < kRepeatAhead) {
    left_out_ = false;
    repeating_ = true;
    after_.reset();
  }
  while (repeating_ && under_way_ + kPage <= kRepeatAhead) {
    auto reports = store_.Unanswered(after_, kPage);
    if (!reports.ok()) return reports.status();
    repeating_ = !reports->empty();
    if (!repeating_) break;
    after_ = reports->back().attempt;
    under_way_ += reports->size();
    link_.Report(std::move(*reports));
  }
  return absl::OkStatus();
}

}  // namespace smsflow::gateway
