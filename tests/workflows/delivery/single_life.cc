#include "tests/workflows/delivery/single_life.h"

namespace smsflow::workflows::delivery {

SingleLife::SingleLife(std::int64_t now_ms) : now_ms_(now_ms), id_(InstanceId::Make(now_ms, ShardId{7}, 42)) {}

const Step& SingleLife::Apply(const Event& event, bool payload) {
  static const PeerId kPeer{"g1", "0190a000-0000-7000-8000-000000000001"};
  Instance instance;
  instance.id = id_;
  instance.tenant = "clinic";
  instance.target = "patient-1";
  instance.fixed = fixed_;
  instance.data = data_;
  instance.has_payload = has_payload_;
  instance.state = state_;
  instance.effects = leases_;
  instance.ended = ended_;
  Facts facts;
  facts.now_ms = now_ms_;
  facts.random = random;
  facts.memberships = workflow_->SetsRead(event) & (blocked ? ~std::uint64_t{0} : 0);
  const std::string encoded_policy = EncodePolicy(policy);
  facts.policy = encoded_policy;
  facts.peer = event.kind == kTimerFired && event.timer == kDueTimer ? &kPeer : nullptr;

  Step step{now_ms_, event, workflow_->Step(instance, event, facts), state(), state(), {}};
  Expect(workflow_->Step(instance, event, facts).data == step.decision.data, "pure: decided twice, the same twice");
  const bool stored = step.decision.verdict == Verdict::kApplied || step.decision.verdict == Verdict::kNoted;
  if (stored) Commit(event, step.decision, payload);
  step.to = state();
  if (stored) step.description = workflow_->Describe(event, fixed_, data_);
  Check(step);
  steps_.push_back(std::move(step));
  return steps_.back();
}

void SingleLife::Commit(const Event& event, const Decision& decision, bool payload) {
  const bool creation = state_ == 0;
  state_ = decision.state;
  data_ = decision.data;
  if (decision.fixed) fixed_ = *decision.fixed;
  if ((creation || decision.take_payload) && payload) has_payload_ = true;
  if (decision.erase_payload) has_payload_ = false;
  ended_ = decision.ended;
  if (!ended_) retain_until_ms_.reset();
  if (decision.retain_until_ms) retain_until_ms_ = decision.retain_until_ms;
  if (event.kind == kTimerFired) timers_.erase(event.timer);
  CommitTimers(decision);
  CommitLeases(decision);
}

void SingleLife::CommitTimers(const Decision& decision) {
  for (const TimerChange& change : decision.timers) {
    if (change.due_ms)
      timers_[change.name] = change;
    else
      timers_.erase(change.name);
  }
}

void SingleLife::CommitLeases(const Decision& decision) {
  for (const std::uint32_t number : decision.settled) open_.erase(number);
  for (const Effect& effect : decision.effects) {
    if (effect.kind != EffectKind::kLease) continue;
    Expect(open_.empty(), "I3: at most one attempt is in flight");
    Expect(effect.number == leases_ + 1, "I4: attempts are numbered without a gap");
    leases_ = effect.number;
    open_.insert(effect.number);
  }
}

std::optional<std::int64_t> SingleLife::NextTimerMs() const {
  std::optional<std::int64_t> next;
  for (const auto& [name, timer] : timers_) {
    if (timer.gated && !credit) continue;
    if (!next || *timer.due_ms < *next) next = timer.due_ms;
  }
  return next;
}

void SingleLife::AdvanceTo(std::int64_t at_ms) {
  for (int fired = 0;; ++fired) {
    const auto next = NextTimerMs();
    if (!next || *next > at_ms) break;
    if (fired == 10'000) {
      Expect(false, "timers end: ten thousand fired in one advance");
      break;
    }
    now_ms_ = std::max(now_ms_, *next);
    for (const auto& [name, timer] : timers_) {
      if (*timer.due_ms != *next || (timer.gated && !credit)) continue;
      const std::uint16_t fires = name;
      Apply({kTimerFired, {}, fires, 0, *timer.due_ms});
      break;
    }
  }
  now_ms_ = std::max(now_ms_, at_ms);
}

void SingleLife::BeAwayUntil(std::int64_t at_ms) {
  now_ms_ = std::max(now_ms_, at_ms);
  FireDue();
}

SmsView SingleLife::View() const { return ViewOf(state_, "patient-1", fixed_, data_).value_or(SmsView{}); }

}  // namespace smsflow::workflows::delivery
