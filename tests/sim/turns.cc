// Who waits for credit has a turn, however much another tenant wants: where load is skewed and gateways take little.
#include <algorithm>
#include <numeric>
#include <string>

#include "tests/sim/run.h"

namespace smsflow::sim {

// Its attempt is still planned for that time.
bool Run::StillWaits(const Waiting::One& one) {
  const auto state = world_.StateOf(one.id);
  if (!state) return false;
  const auto& timers = state->timers();
  return std::any_of(timers.begin(), timers.end(),
                     [&](const auto& timer) { return timer.gated() && timer.due_ms() == one.due_ms; });
}

int Run::Attachments() const {
  return std::accumulate(gateways_.begin(), gateways_.end(), 0,
                         [](int sum, const auto& gateway) { return sum + gateway->attachments(); });
}

// Nothing holds anybody but the want of credit. A budget of two a second holds what is late.
bool Run::TurnsHold() const {
  return !IsWrong() && !draining_ && may_be_paused_.empty() && pauses_before_ == pauses_asked_ && budget_per_s_ >= 100;
}

// Of a partition's tenants each has one turn, those behind the last one first; where more credit is there at once, the
// others may have theirs as well. Before each turn the other partition may take what is there at once.
std::uint32_t Run::PassedOverMax() const {
  std::uint32_t credit = 0;
  for (const auto& gateway : gateways_) credit = std::max(credit, gateway->site().credit);
  const auto others = static_cast<std::uint32_t>(typed_policies_.size() - 1);
  const std::uint32_t in_partition = others + credit;
  return in_partition + (world_.options.partitions - 1U) * (in_partition + 1) * credit;
}

// When the engine has nothing left to do: what is due now waits for credit, and has a place in its queue.
void Run::NoteWaiting() {
  if (!skewed()) return;
  const bool pauses_moved = pauses_before_ != pauses_asked_, attached = attachments_before_ != Attachments();
  pauses_before_ = pauses_asked_;
  attachments_before_ = Attachments();
  std::map<std::pair<std::string, int>, Waiting> before = std::exchange(waiting_, {});
  if (!TurnsHold()) return;
  const std::int64_t now_ms = world_.clock.wall_ms;
  for (const auto& [id, known] : ledger_->instances()) {
    if (static_cast<delivery::State>(known.state.state()) != delivery::State::kPending) continue;
    const auto name = names_.find(id);
    if (name == names_.end()) continue;
    for (const auto& timer : known.state.timers()) {
      if (!timer.gated() || timer.due_ms() > now_ms) continue;
      const std::pair<std::string, int> whose{asked_.at(name->second).request.tenant, PartitionOf(id)};
      Waiting& waiting = waiting_[whose];
      if (const auto known_before = before.find(whose); known_before != before.end() && !pauses_moved && !attached)
        waiting.passed_over = known_before->second.passed_over;
      // One that was set just now fires when the clock goes on.
      const auto view = timer.index_ms() <= now_ms ? ViewOf(id) : std::nullopt;
      if (view) waiting.due.push_back({id, view->key_id, timer.due_ms()});
    }
  }
  for (auto& [whose, waiting] : waiting_)
    std::sort(waiting.due.begin(), waiting.due.end(),
              [](const auto& one, const auto& other) { return one.due_ms < other.due_ms; });
}

// The engine's bucket has begun to fill, it is full since, and has not been emptied at this very instant.
bool Run::LateMayLeave() const {
  constexpr std::int64_t kFullAfterMs = 100;
  const std::int64_t now_ms = world_.clock.steady_ms;
  const bool begun = late_first_ms_ >= 0 && now_ms > late_first_ms_ + kFullAfterMs;
  return begun && (now_ms > late_last_ms_ + kFullAfterMs || (now_ms == late_last_ms_ && late_at_once_ < 90));
}

// Whether another could have left by this gateway. Of each lane the oldest come first; one of them that waits no longer
// had a turn, also where it did not leave but ended.
bool Run::CouldLeaveBy(const std::string& gateway, const std::string& tenant, Waiting& waiting) {
  const auto site = std::find_if(gateways_.begin(), gateways_.end(),
                                 [&](const auto& model) { return model->site().name == gateway; });
  const std::int64_t now_ms = world_.clock.wall_ms;
  const std::int64_t late_ms = now_ms - world_.options.late_ms;  // before that, only as far as the budget goes
  const bool late_may = LateMayLeave();
  std::map<std::string, std::int64_t> oldest;  // by lane
  bool could = false;
  for (auto one = waiting.due.begin(); one != waiting.due.end();) {
    const auto first = oldest.find(one->lane);
    if (first != oldest.end() && first->second < one->due_ms) {
      ++one;
    } else if (StillWaits(*one)) {
      oldest.emplace(one->lane, one->due_ms);
      // What was due when the engine began comes oldest first, however late: the backlog, and it has no turns.
      const bool live = one->due_ms > begun_wall_ms_;
      could |= (*site)->site().Serves(tenant, one->lane) && live && one->due_ms <= now_ms &&
               (late_may || one->due_ms >= late_ms);
      ++one;
    } else {
      one = waiting.due.erase(one);
      waiting.passed_over = 0;
    }
  }
  return could;
}

// One leaves: whoever else waits and could have left instead has been passed over.
void Run::CheckTurns(const std::string& gateway, const engine::Lease& lease) {
  const std::pair<std::string, int> whose{lease.tenant, PartitionOf(lease.attempt.instance)};
  if (!TurnsHold() || attachments_before_ != Attachments()) return waiting_.clear();
  for (auto& [who, waiting] : waiting_) {
    if (who == whose) waiting.passed_over = 0;
    if (who == whose || !CouldLeaveBy(gateway, who.first, waiting)) continue;
    Hit("check I19 tenants have their turns");
    if (++waiting.passed_over > PassedOverMax())
      Violated("I19: tenant " + who.first + " waits for its turn, and " + std::to_string(waiting.passed_over) +
               " others have left before " + waiting.due.front().id.ToString() + ", the last one " +
               lease.attempt.ToString());
  }
}

}  // namespace smsflow::sim
