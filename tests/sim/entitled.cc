#include "tests/sim/entitled.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "engine/recorded_event.h"
#include "workflows/delivery/codec/rows.h"

namespace smsflow::sim {
namespace {

using delivery::Result;
using delivery::State;

struct Window {
  std::int64_t from_ms = 0, till_ms = 0;  // the first in which nothing may leave any more
};

class Judge {
 public:
  Judge(const JournalBody& record, const Life& before, const Life& after, const delivery::Policy& policy,
        Coverage& coverage)
      : record_(record),
        before_(before),
        after_(after),
        policy_(policy),
        coverage_(coverage),
        now_ms_(record.at_ms()),
        event_(delivery::DecodeEvent(engine::RecordedEvent(record))) {}

  std::vector<Objection> Judged() {
    if (!event_) {
      Object("I11", "tells of an event that cannot be read");
      return std::move(objections_);
    }
    CheckResults();
    if (after_.payload_erased && !before_.payload_erased) CheckErased();
    if (after_.state == State::kPending && (Came() || after_.data.due_ms != before_.data.due_ms)) CheckPlan();
    if (Came()) CheckMove();
    return std::move(objections_);
  }

 private:
  template <class Event>
  const Event* Is() const {
    return std::get_if<Event>(&*event_);
  }
  bool Fired(delivery::Timer timer) const {
    const auto* const fired = Is<delivery::TimerFired>();
    return fired != nullptr && fired->timer == timer;
  }
  bool Resolved(delivery::How how) const {
    const auto* const resolve = Is<delivery::Resolve>();
    return resolve != nullptr && resolve->how == how && before_.state == State::kUnknown;
  }
  bool Came() const { return after_.state != before_.state; }
  void Object(const char* invariant, std::string what) { objections_.push_back({invariant, std::move(what)}); }
  void Require(bool holds, const char* invariant, const char* what) {
    if (!holds) Object(invariant, "became " + std::string(delivery::NameOf(after_.state)) + " " + what);
  }

  // The slots that hold from now on, each less its guard.
  std::vector<Window> Windows() const {
    std::vector<Window> windows;
    for (const delivery::Slot& slot : after_.fixed.slots) {
      const std::int64_t from_ms = slot.from_s * 1'000, till_ms = slot.till_s * 1'000;
      windows.push_back(
          {from_ms, till_ms - (policy_.dedupe ? std::min<std::int64_t>(5'000, (till_ms - from_ms) / 4) : 0)});
    }
    return windows;
  }
  std::optional<Window> FirstWindow(std::int64_t from_ms) const {
    for (const Window& window : Windows())
      if (from_ms < window.till_ms) return Window{std::max(from_ms, window.from_ms), window.till_ms};
    return std::nullopt;
  }
  // Before then no attempt may follow.
  std::int64_t NotBefore() const {
    return after_.data.attempts == 0 ? now_ms_ : std::max(now_ms_, after_.data.left_ms + policy_.wait_after_fail_ms);
  }
  bool SlotLeft() const { return FirstWindow(NotBefore()).has_value(); }
  bool MayRetry() const {
    const bool attempts_left = policy_.max_attempts == 0 || after_.data.attempts < policy_.max_attempts;
    return before_.data.stop == delivery::Stop::kNone && !before_.payload_erased && attempts_left && SlotLeft();
  }
  // By a report on the latest attempt, or its silence or loss.
  bool Learnt(Result result) const {
    const auto* const report = Is<delivery::Report>();
    const bool latest = report == nullptr || report->attempt == before_.data.attempts;
    return latest && after_.data.Latest() == result &&
           (report != nullptr || Fired(delivery::kProbeTimer) || Is<delivery::PeerLost>() != nullptr);
  }
  bool LearntNegative() const { return Learnt(Result::kNeverSeen) || Learnt(Result::kFailedTransient); }
  bool InFlight() const {
    return before_.state == State::kInSlot || before_.state == State::kSent || before_.state == State::kUnconfirmed ||
           before_.state == State::kUnknown;
  }

  void CheckMove() {
    if (delivery::IsEnd(after_.state)) coverage_.Hit("check I5 an end is one that the rules give");
    switch (after_.state) {
      case State::kExpired:
        return CheckExpired();
      case State::kInvalid:
        return CheckInvalid();
      case State::kCanceled:
        return CheckStopped(delivery::Stop::kCancel, before_.state == State::kPending && Is<delivery::Cancel>());
      case State::kBlocked:
        return CheckStopped(delivery::Stop::kBlock, WasBlocked());
      case State::kDelivered:
        return CheckDelivered();
      case State::kUnknown:
        return CheckUnknown();
      case State::kSent:
        return Require(Learnt(Result::kSent), "I5", "without a report of that");
      case State::kUnconfirmed:
        return Require(before_.state == State::kSent && Fired(delivery::kReceiptTimer) &&
                           now_ms_ >= before_.sent_ms + policy_.ack_receipt_timeout_ms,
                       "I5", "before its receipt was overdue");
      case State::kPending:
        return CheckWaits();
      case State::kInSlot:
        return CheckLeaves();
      case State::kNew:
        return;
    }
  }

  // A report raises the result of its own attempt, and the engine's "nobody can tell" that of the latest one while
  // nothing is known of it.
  void CheckResults() {
    coverage_.Hit("check I14 a result is raised by what was told of it");
    std::vector<Result> results = before_.data.results;
    if (after_.state == State::kInSlot && Came()) {
      results.push_back(Result::kNone);
      if (results.size() > delivery::kResultsKept) results.erase(results.begin());
    } else if (const auto* const report = Is<delivery::Report>()) {
      const std::uint32_t back = before_.data.attempts - report->attempt;
      if (report->attempt != 0 && back < results.size()) {
        Result& result = results[results.size() - 1 - back];
        result = delivery::Join(result, delivery::ResultOf(report->reported));
      }
    } else if (Fired(delivery::kProbeTimer) || Is<delivery::PeerLost>() != nullptr) {
      const bool raised = after_.data.Latest() == Result::kUnknown && delivery::IsOpen(before_.data.Latest());
      if (raised && !results.empty()) results.back() = Result::kUnknown;
    }
    if (results != after_.data.results) Object("I14", "has results that were not reported");
  }

  // To be tried again: after a definite negative, or where somebody takes the risk of a second copy.
  void CheckWaits() {
    if (before_.state == State::kNew || Resolved(delivery::How::kRetry)) return;
    const bool risk = policy_.on_unknown == delivery::OnUnknown::kRetry && before_.state == State::kInSlot;
    const bool may_follow = LearntNegative() || (risk && Learnt(Result::kUnknown));
    if (!InFlight() || !may_follow) return Object("I8", "waits to be sent again though it may have been sent");
    Require(MayRetry(), "I5", "though no slot or attempt is left, or it was stopped");
  }

  void CheckLeaves() {
    coverage_.Hit("check I8 an attempt follows a definite negative");
    const delivery::Data& data = before_.data;
    if (before_.state != State::kPending || !Fired(delivery::kDueTimer) || after_.data.attempts != data.attempts + 1)
      return Object("I4", "left without being due");
    if (data.stop != delivery::Stop::kNone) Object("I5", "left though it was stopped");
    if (policy_.max_attempts != 0 && data.attempts >= policy_.max_attempts && !before_.by_hand)
      Object("I5", "left more often than its tenant allows");
    const bool risk = policy_.on_unknown == delivery::OnUnknown::kRetry || before_.by_hand;
    const Result last = data.Latest();
    if (data.attempts != 0 && last != Result::kNeverSeen && last != Result::kFailedTransient &&
        !(risk && last == Result::kUnknown))
      Object("I8", "left again though it may have been sent");
    const auto open = FirstWindow(data.due_ms);
    if (data.due_ms > now_ms_ || !open || open->from_ms != data.due_ms || now_ms_ >= open->till_ms)
      Object("I1", "left outside the slot for which it was planned");
    else if (after_.data.left_ms != now_ms_ || after_.data.deadline_ms != open->till_ms)
      Object("I2", "left with another deadline than the end of its slot");
  }

  void CheckExpired() {
    if (Resolved(delivery::How::kGiveUp)) return;
    if (before_.state == State::kNew || before_.state == State::kPending) {
      const bool fired = Fired(delivery::kDueTimer) || Fired(delivery::kSlotEndTimer);
      Require(before_.state == State::kNew ? Is<delivery::Schedule>() != nullptr : fired, "I5",
              "by no timer of its own");
      return Require(!SlotLeft(), "I5", "though a slot is left");
    }
    Require(InFlight() && LearntNegative(), "I5", "without a definite negative");
    Require(before_.data.stop == delivery::Stop::kNone, "I5", "though it was stopped");
    Require(!MayRetry(), "I5", "though a slot and an attempt are left");
  }

  // What was stopped ends as that, unless an operator had given it up before.
  void CheckInvalid() {
    Require(Learnt(Result::kFailedPermanent), "I5", "without a failure for good of its latest attempt");
    Require(before_.data.stop == delivery::Stop::kNone || before_.state == State::kExpired, "I5",
            "though it was stopped");
  }

  void CheckStopped(delivery::Stop stop, bool exact) {
    const bool negative = LearntNegative() || Learnt(Result::kFailedPermanent);
    Require(exact || (InFlight() && negative && before_.data.stop == stop), "I5", "and nobody had stopped it");
  }
  bool WasBlocked() const {
    const bool member = (record_.memberships() >> delivery::kBlockedSet & 1) != 0;
    if (before_.state == State::kNew) return Is<delivery::Schedule>() != nullptr && member;
    return before_.state == State::kPending &&
           (Is<delivery::Block>() != nullptr || (Fired(delivery::kDueTimer) && member));
  }

  void CheckDelivered() {
    const auto* const report = Is<delivery::Report>();
    const bool told = report != nullptr && report->reported == delivery::Reported::kDelivered;
    Require(told || Resolved(delivery::How::kDelivered), "I6", "and nobody said so");
  }

  // Where the tenant wants the unknown tried again, it is, for as long as it may.
  void CheckUnknown() {
    const bool in_vain = before_.state == State::kPending && after_.data.Latest() == Result::kUnknown &&
                         (Fired(delivery::kDueTimer) || Fired(delivery::kSlotEndTimer));
    if (in_vain) return Require(!SlotLeft(), "I5", "though a slot is left");
    Require(Learnt(Result::kUnknown), "I5", "though nobody was in doubt");
    const bool over = delivery::IsEnd(before_.state);
    const bool holds = policy_.on_unknown == delivery::OnUnknown::kHold;
    Require(over || holds || !MayRetry(), "I5", "though it is to be tried again, and may be");
  }

  // Only an end, or what nobody may need any more.
  void CheckErased() {
    coverage_.Hit("check I9 a payload stays while it may be needed");
    if (delivery::IsEnd(after_.state)) return;
    const bool doubt = after_.state == State::kUnknown || after_.state == State::kUnconfirmed;
    const bool needed = after_.data.stop == delivery::Stop::kNone && !after_.fixed.slots.empty() &&
                        now_ms_ < after_.fixed.slots.back().till_s * 1'000;
    if (!doubt || needed) Object("I9", "lost its payload though an attempt may still need it");
  }

  // It is due at the first moment that the rules allow, and at most its jitter later.
  void CheckPlan() {
    coverage_.Hit("check I1 a plan is the next that the slots allow");
    const std::int64_t due_ms = after_.data.due_ms;
    const bool retry = after_.data.attempts != 0;
    const bool at_once = Is<delivery::LookNow>() != nullptr;
    const bool by_hand = Resolved(delivery::How::kRetry);
    const auto first = FirstWindow(at_once || by_hand ? now_ms_ : NotBefore());
    if (!first) return Object("I1", "waits though no slot is left");
    const bool jitters = !at_once && (retry || first->from_ms > now_ms_ + 60'000);
    const std::int64_t jitter_ms = jitters ? std::min(policy_.max_jitter_ms, first->till_ms - first->from_ms) : 0;
    if (due_ms < first->from_ms)
      Object("I1", "is planned for earlier than its slots and the wait after a failure allow");
    if (due_ms > first->from_ms + jitter_ms || due_ms >= first->till_ms)
      Object("I1", "is planned for later than it may leave");
    const auto timer = after_.timers.find(delivery::kDueTimer);
    if (timer == after_.timers.end() || timer->second != due_ms) Object("I1", "does not wait for what is planned");
  }

  const JournalBody& record_;
  const Life& before_;
  const Life& after_;
  const delivery::Policy& policy_;
  Coverage& coverage_;
  const std::int64_t now_ms_;
  const std::optional<delivery::AnyEvent> event_;
  std::vector<Objection> objections_;
};

}  // namespace

bool Life::Take(const JournalBody& record) {
  const auto event = delivery::DecodeEvent(engine::RecordedEvent(record));
  auto now = delivery::DecodeData(record.result().data());
  if (!event || !now) return false;
  if (!record.fixed().empty()) {
    auto changed = delivery::DecodeFixed(record.fixed());
    if (!changed) return false;
    fixed = std::move(*changed);
  }
  if (state == delivery::State::kNew) {
    tenant = record.tenant();
    target = record.target();
  }
  const auto next = static_cast<delivery::State>(record.result().state());
  const auto* const resolve = std::get_if<delivery::Resolve>(&*event);
  const bool wanted = resolve != nullptr && resolve->how == delivery::How::kRetry;
  by_hand = next == delivery::State::kPending && (state == delivery::State::kPending ? by_hand : wanted);
  if (next == delivery::State::kSent && state != next) sent_ms = record.at_ms();
  if (next == delivery::State::kPending && state == delivery::State::kUnknown && wanted) retried.insert(data.attempts);
  resolved_delivered |= resolve != nullptr && next == delivery::State::kDelivered;
  state = next;
  data = std::move(*now);
  for (std::size_t i = 0; i < data.results.size(); ++i)
    if (data.results[i] == Result::kUnknown)
      unknown.insert(data.attempts - static_cast<std::uint32_t>(data.results.size() - 1 - i));
  payload_erased = record.result().payload_erased();
  timers.clear();
  for (const auto& timer : record.result().timers()) timers[timer.name()] = timer.due_ms();
  return true;
}

std::vector<Objection> ObjectionsTo(const JournalBody& record, const Life& before, const delivery::Policy& policy,
                                    Coverage& coverage) {
  Life after = before;
  if (!after.Take(record)) return {{"I11", "cannot be read"}};
  return Judge(record, before, after, policy, coverage).Judged();
}

}  // namespace smsflow::sim
