// What the delivery workflow is told, or decides, is not what should be.
#include <algorithm>
#include <memory>
#include <utility>

#include "tests/sim/bugs.h"
#include "workflows/delivery/codec/codec.h"
#include "workflows/delivery/codec/rows.h"

namespace smsflow::sim {
namespace {

namespace delivery = workflows::delivery;
using delivery::State;
using workflows::Decision;
using workflows::Event;
using workflows::Facts;
using workflows::Instance;

using After = void (*)(const Instance&, const Event&, const Facts&, Decision&);
using Before = void (*)(Instance&, Event&, Facts&);

std::function<void(Hooks&)> Then(After change) {
  return [=](Hooks& hooks) { hooks.after_step = change; };
}
std::function<void(Hooks&)> First(Before change) {
  return [=](Hooks& hooks) { hooks.before_step = change; };
}

bool Is(const Instance& instance, State state) { return instance.state == static_cast<std::uint16_t>(state); }
bool Comes(const Decision& decision, State state) { return decision.state == static_cast<std::uint16_t>(state); }
void DropTimer(Decision& decision, delivery::Timer name) {
  auto& timers = decision.timers;
  timers.erase(std::remove_if(timers.begin(), timers.end(),
                              [&](const auto& timer) { return timer.name == name && timer.due_ms; }),
               timers.end());
}
// The report of an event, changed.
void Retell(Event& event, delivery::Reported from, delivery::Reported to) {
  if (event.kind != delivery::kReportEvent) return;
  const auto typed = delivery::DecodeEvent(event);
  if (!typed) return;
  delivery::Report report = std::get<delivery::Report>(*typed);
  if (report.reported != from) return;
  report.reported = to;
  const std::uint32_t effect = event.effect;
  event = delivery::EncodeReport(report);
  event.effect = effect;
}

void ForgetReport(Hooks& hooks) {
  hooks.after_step = [count = std::make_shared<int>(0)](const Instance& instance, const Event& event, const Facts&,
                                                        Decision& decision) {
    if (event.kind != delivery::kReportEvent || ++*count % 10 != 0) return;
    decision = {};
    decision.verdict = workflows::Verdict::kNoted;
    decision.state = instance.state;
    decision.data = instance.data;
    decision.ended = instance.ended;
  };
}

void WithPolicy(Facts& facts, void (*change)(delivery::Policy&)) {
  static thread_local std::string bytes;
  auto policy = delivery::DecodePolicy(facts.policy).value_or(delivery::Policy{});
  change(policy);
  bytes = delivery::EncodePolicy(policy);
  facts.policy = bytes;
}
void OverrideHold(Instance&, Event&, Facts& facts) {
  WithPolicy(facts, [](delivery::Policy& policy) { policy.on_unknown = delivery::OnUnknown::kRetry; });
}
void RetryAtOnce(Instance&, Event&, Facts& facts) {
  WithPolicy(facts, [](delivery::Policy& policy) { policy.wait_after_fail_ms = 0; });
}

// The slot for which it was planned goes on for an hour, as far as the machine knows.
void LengthenTheSlot(Instance& instance, Event& event, Facts&) {
  static thread_local std::string bytes;
  if (event.kind != workflows::kTimerFired || event.timer != delivery::kDueTimer) return;
  const auto data = delivery::DecodeData(instance.data);
  auto fixed = delivery::DecodeFixed(instance.fixed);
  if (!data || !fixed) return;
  for (delivery::Slot& slot : fixed->slots)
    if (slot.from_s * 1'000 <= data->due_ms && data->due_ms < slot.till_s * 1'000) slot.till_s += 3'600;
  bytes = delivery::EncodeFixed(*fixed);
  instance.fixed = bytes;
}

// Of the latest attempt NEVER_SEEN and ACCEPTED were told, and its tenant holds what nobody can tell.
void RetryContradictions(Instance& instance, Event& event, Facts& facts) {
  const auto data = delivery::DecodeData(instance.data);
  const auto typed = delivery::DecodeEvent(event);
  const auto* const report = typed ? std::get_if<delivery::Report>(&*typed) : nullptr;
  if (!data || report == nullptr || report->attempt != data->attempts) return;
  const delivery::Result known = data->Latest(), told = delivery::ResultOf(report->reported);
  if (delivery::Join(known, told) == delivery::Result::kUnknown && known != delivery::Result::kUnknown &&
      told != delivery::Result::kUnknown)
    OverrideHold(instance, event, facts);
}

// Once it is scheduled, as far as the machine knows.
void ForgetLaterSlots(Instance& instance, Event& event, Facts&) {
  static thread_local std::string bytes;
  auto fixed = delivery::DecodeFixed(instance.fixed);
  if (instance.state == 0 || event.kind == delivery::kRescheduleEvent || !fixed || fixed->slots.empty()) return;
  fixed->slots.resize(1);
  bytes = delivery::EncodeFixed(*fixed);
  instance.fixed = bytes;
}

// Whoever comes up and is not of the tenant that left last is put back, unless nobody of that tenant comes.
void KeepTheTurn(Hooks& hooks) {
  constexpr int kPutBackMax = 8;
  struct Turn {
    std::string tenant;
    int put_back = 0;
  };
  hooks.after_step = [turn = std::make_shared<Turn>()](const Instance& instance, const Event&, const Facts&,
                                                       Decision& decision) {
    if (!Comes(decision, State::kInSlot) || !Is(instance, State::kPending)) return;
    const auto fixed = delivery::DecodeFixed(instance.fixed);
    const auto data = delivery::DecodeData(instance.data);
    if (instance.tenant == turn->tenant || ++turn->put_back > kPutBackMax || !fixed || !data) {
      *turn = {std::string(instance.tenant), 0};
      return;
    }
    decision = {};
    decision.verdict = workflows::Verdict::kApplied;
    decision.state = instance.state;
    decision.data = instance.data;
    decision.timers = {{delivery::kDueTimer, data->due_ms, true, fixed->key_id}};
  };
}

}  // namespace

std::vector<Bug> WorkflowBugs() {
  return {
      {"deadline outside the slot", "the lease may be submitted a minute longer",
       Then([](const Instance&, const Event&, const Facts&, Decision& decision) {
         for (auto& effect : decision.effects) effect.deadline_ms += 60'000;
       })},
      {"jitter over the slot's end", "an attempt is planned up to 20 minutes later",
       Then([](const Instance&, const Event&, const Facts& facts, Decision& decision) {
         for (auto& timer : decision.timers)
           if (timer.gated && timer.due_ms) *timer.due_ms += static_cast<std::int64_t>(facts.random % 1'200'000);
       })},
      {"slot not looked at when leaving", "what is late leaves as if its slot were still open", First(LengthenTheSlot)},
      {"second slot not used", "what does not succeed in its first slot is over", First(ForgetLaterSlots)},
      {"no wait after a failure", "the next attempt is planned for at once", First(RetryAtOnce)},
      {"attempts without a bound", "how many a tenant allows is not looked at",
       First([](Instance&, Event&, Facts& facts) {
         WithPolicy(facts, [](delivery::Policy& policy) { policy.max_attempts = 0; });
       })},
      {"turn kept", "of the tenant that left last all leave before any other", KeepTheTurn},
      {"block not read", "a step sees no memberships", [](Hooks& hooks) { hooks.reads_no_sets = true; }},
      {"report forgotten", "every tenth report is answered and changes nothing", ForgetReport},
      {"UNKNOWN taken for a failure", "what nobody can tell is tried again", First([](Instance&, Event& event, Facts&) {
         Retell(event, delivery::Reported::kUnknown, delivery::Reported::kFailedTransient);
       })},
      {"retry after a permanent failure", "what can never succeed is tried again",
       First([](Instance&, Event& event, Facts&) {
         Retell(event, delivery::Reported::kFailedPermanent, delivery::Reported::kFailedTransient);
         Retell(event, delivery::Reported::kInvalid, delivery::Reported::kFailedTransient);
       })},
      {"probe answer ACCEPTED taken for NEVER_SEEN", "silence is taken for a negative",
       First([](Instance&, Event& event, Facts&) {
         Retell(event, delivery::Reported::kAccepted, delivery::Reported::kNeverSeen);
       })},
      {"second SENT taken for a failure", "progress is taken for its opposite",
       First([](Instance& instance, Event& event, Facts&) {
         if (Is(instance, State::kUnknown))
           Retell(event, delivery::Reported::kSent, delivery::Reported::kFailedTransient);
       })},
      {"hold overridden", "the unknown is tried again though its tenant holds it", First(OverrideHold)},
      {"contradictions tried again", "what is held goes again when its gateway denies and admits it",
       First(RetryContradictions)},
      {"resolve of what is not in doubt", "an operator may have SENT tried again",
       First([](Instance& instance, Event& event, Facts&) {
         if (event.kind == delivery::kResolveEvent && Is(instance, State::kSent))
           instance.state = static_cast<std::uint16_t>(State::kUnknown);
       })},
      {"receipt credited to the wrong attempt", "every report counts for the latest attempt",
       First([](Instance& instance, Event& event, Facts&) {
         if (event.kind == delivery::kReportEvent) event.effect = instance.effects;
       })},
      {"an end that is left", "a report on what was delivered opens it again",
       Then([](const Instance& instance, const Event& event, const Facts&, Decision& decision) {
         if (Is(instance, State::kDelivered) && event.kind == delivery::kReportEvent)
           decision.state = static_cast<std::uint16_t>(State::kSent);
       })},
      {"attempt number repeated", "every attempt leaves as the first",
       [](Hooks& hooks) { hooks.lease = [](engine::Lease& lease) { lease.attempt.number = 1; }; }},
      {"cancel that forbids nothing", "TOO_LATE is answered, and another attempt follows",
       Then([](const Instance& instance, const Event& event, const Facts&, Decision& decision) {
         if (event.kind == delivery::kCancelEvent && Is(instance, State::kInSlot)) decision.data = instance.data;
       })},
      {"block that forbids nothing", "the same for a block",
       Then([](const Instance& instance, const Event& event, const Facts&, Decision& decision) {
         if (event.kind == delivery::kBlockEvent && Is(instance, State::kInSlot)) decision.data = instance.data;
       })},
      {"payload erased too early", "it goes when the attempt leaves",
       Then([](const Instance&, const Event&, const Facts&, Decision& decision) {
         if (Comes(decision, State::kInSlot)) decision.erase_payload = true;
       })},
      {"payload not erased", "it outlives its end",
       Then([](const Instance&, const Event&, const Facts&, Decision& decision) { decision.erase_payload = false; })},
      {"erased too early", "retention is nothing",
       Then([](const Instance&, const Event&, const Facts& facts, Decision& decision) {
         if (decision.retain_until_ms) decision.retain_until_ms = facts.now_ms + 1;
       })},
      {"never erased", "retention has no end",
       Then([](const Instance&, const Event&, const Facts&, Decision& decision) { decision.retain_until_ms.reset(); })},
      {"credit leaked", "no lease is ever settled",
       Then([](const Instance&, const Event&, const Facts&, Decision& decision) { decision.settled.clear(); })},
      {"ACCEPTED not kept", "what its gateway holds is handed over again",
       Then([](const Instance&, const Event&, const Facts&, Decision& decision) { decision.accepted.clear(); })},
      {"new payload not taken", "a reschedule answers and keeps the old one",
       Then([](const Instance&, const Event&, const Facts&, Decision& decision) { decision.take_payload = false; })},
      {"no timer at the slot's end", "what finds no gateway waits for ever",
       Then([](const Instance&, const Event&, const Facts&, Decision& decision) {
         DropTimer(decision, delivery::kSlotEndTimer);
       })},
      {"no timer for the receipt", "what is SENT waits for ever",
       Then([](const Instance&, const Event&, const Facts&, Decision& decision) {
         DropTimer(decision, delivery::kReceiptTimer);
       })},
      {"no timer for a silent gateway", "an attempt without an answer is never asked for again",
       Then([](const Instance&, const Event&, const Facts&, Decision& decision) {
         DropTimer(decision, delivery::kProbeTimer);
       })},
  };
}

}  // namespace smsflow::sim
