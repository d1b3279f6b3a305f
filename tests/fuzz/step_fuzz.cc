// The decision: whatever is stored and whatever comes, it decides, it decides the same twice, and keeps to the slots.
// What it refuses it leaves as it was.
#include <optional>
#include <string>

#include "tests/fuzz/delivery_inputs.h"
#include "tests/fuzz/fuzz.h"

namespace workflows = smsflow::workflows;
namespace delivery = smsflow::workflows::delivery;
using smsflow::fuzz::Require;
using workflows::Verdict;

namespace {

workflows::Event AnyEvent(FuzzedDataProvider& bytes, std::uint32_t attempts) {
  workflows::Event event;
  switch (bytes.ConsumeIntegralInRange(0, 4)) {
    case 0:
      return smsflow::fuzz::AnyReport(bytes, attempts);
    case 1:
      return smsflow::fuzz::AnyCommand(bytes);
    case 2:
      event.kind = workflows::kTimerFired;
      event.timer = bytes.ConsumeIntegralInRange<std::uint16_t>(0, 6);
      event.timer_due_ms = smsflow::fuzz::kNowMs + bytes.ConsumeIntegralInRange<std::int64_t>(-600'000, 6'000'000);
      return event;
    case 3:
      event.kind = workflows::kPeerLost;
      event.effect = bytes.ConsumeIntegralInRange<std::uint32_t>(0, attempts + 1);
      return event;
    default:
      event.kind = bytes.ConsumeIntegral<std::uint16_t>();
      event.body = bytes.ConsumeRandomLengthString(64);
      event.timer = bytes.ConsumeIntegral<std::uint16_t>();
      event.effect = bytes.ConsumeIntegral<std::uint32_t>();
      return event;
  }
}

// All that a decision stores, sends and answers, to compare two.
std::string Told(const workflows::Decision& decision) {
  std::string text;
  const auto number = [&](std::int64_t value) { text += std::to_string(value) + ' '; };
  const auto bytes = [&](const std::string& value) { number(static_cast<std::int64_t>(value.size())), text += value; };
  number(decision.state), bytes(decision.data), number(decision.fixed.has_value()), bytes(decision.fixed.value_or(""));
  number(decision.erase_payload), number(decision.take_payload), number(decision.ended);
  number(decision.retain_until_ms.value_or(-1));
  for (const auto& value : decision.index) number(value.index), bytes(value.value);
  for (const auto& timer : decision.timers)
    number(timer.name), number(timer.due_ms.value_or(-1)), number(timer.gated), bytes(timer.lane);
  for (const auto& effect : decision.effects)
    number(static_cast<int>(effect.kind)), number(effect.number), number(effect.deadline_ms), bytes(effect.body);
  number(static_cast<std::int64_t>(decision.tells.size() + decision.memberships.size()));
  for (const std::uint32_t attempt : decision.accepted) number(attempt);
  text += '/';
  for (const std::uint32_t attempt : decision.settled) number(attempt);
  bytes(decision.answer), number(decision.about), bytes(decision.cause);
  return text;
}

void RequireSame(const workflows::Decision& decision, const workflows::Decision& twice) {
  Require(decision.verdict == twice.verdict && decision.outcome == twice.outcome && decision.code == twice.code &&
              decision.reason == twice.reason && Told(decision) == Told(twice),
          "the same arguments decide the same");
}

// What is stored of one SMS, and is given to each step.
struct Stored {
  std::string fixed, data;
  workflows::Instance instance;

  void Take(const workflows::Decision& decision) {
    if (decision.fixed) fixed = *decision.fixed;
    data = decision.data;
    if (instance.state == 0 || decision.take_payload) instance.has_payload = true;
    if (decision.erase_payload) instance.has_payload = false;
    instance.state = decision.state;
    instance.ended = decision.ended;
    for (const auto& effect : decision.effects)
      if (effect.kind == workflows::EffectKind::kLease) ++instance.effects;
  }
};

void RequireWithinSlots(const workflows::Decision& decision, const Stored& stored, std::int64_t now_ms) {
  int leases = 0;
  for (const auto& effect : decision.effects) {
    if (effect.kind != workflows::EffectKind::kLease) continue;
    ++leases;
    Require(effect.number == stored.instance.effects + 1, "attempts are numbered without a gap");
    const auto view = delivery::ViewOf(stored.instance.state, "", stored.fixed, stored.data);
    Require(view.has_value(), "only an SMS that can be read leaves");
    const auto end_s = delivery::DeadlineOf(view->slots, now_ms / 1000);
    Require(end_s.has_value() && effect.deadline_ms <= *end_s * 1000 && effect.deadline_ms > now_ms,
            "it leaves within a slot, with a deadline within it");
  }
  Require(leases <= 1, "one attempt at a time");
}

void RequireNothing(const workflows::Decision& decision) {
  Require(Told(decision) == Told({}), "a refusal changes nothing, sends nothing and answers nothing");
  Require(decision.code == workflows::Refusal::kNone || !decision.reason.empty(), "an error says why");
  Require(decision.verdict == Verdict::kRefused || decision.reason.empty(), "what is ignored tells nobody");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto workflow = delivery::MakeDeliveryWorkflow();
  static const smsflow::PeerId peer{"gateway", "store"};
  FuzzedDataProvider bytes(data, size);

  Stored stored;
  stored.instance.tenant = "acme";
  workflows::Facts facts;
  facts.now_ms = smsflow::fuzz::kNowMs;
  facts.peer = &peer;
  std::string policy;
  const int chosen = bytes.ConsumeIntegralInRange(0, 3);
  if (chosen > 0) policy = delivery::EncodePolicy(smsflow::fuzz::AnyPolicy(bytes));
  if (chosen > 2) policy += bytes.ConsumeRandomLengthString(16);  // which need not be ours
  workflows::Event event = smsflow::fuzz::AnySchedule(bytes);
  if (bytes.ConsumeBool()) {  // nor need what is stored
    stored.fixed = bytes.ConsumeBool() ? event.body : bytes.ConsumeRandomLengthString(64);
    stored.data = bytes.ConsumeRandomLengthString(64);
    stored.instance.state = bytes.ConsumeIntegralInRange<std::uint16_t>(0, 12);
    stored.instance.has_payload = bytes.ConsumeBool();
    event = AnyEvent(bytes, 2);
  }
  for (int steps = 0; steps < 200; ++steps) {
    stored.instance.fixed = stored.fixed;
    stored.instance.data = stored.data;
    facts.policy = policy;
    facts.random = bytes.ConsumeIntegral<std::uint64_t>();
    facts.memberships = bytes.ConsumeIntegralInRange(0, 7) == 7 ? 1 : 0;
    const auto decision = workflow->Step(stored.instance, event, facts);
    RequireSame(decision, workflow->Step(stored.instance, event, facts));
    if (decision.verdict == Verdict::kApplied || decision.verdict == Verdict::kNoted) {
      RequireWithinSlots(decision, stored, facts.now_ms);
      stored.Take(decision);
      Require(delivery::ViewOf(stored.instance.state, "", stored.fixed, stored.data).has_value(),
              "what was decided can be read");
    } else {
      RequireNothing(decision);
    }
    if (bytes.remaining_bytes() == 0) break;
    facts.now_ms += bytes.ConsumeIntegralInRange<std::int64_t>(0, 600'000);
    event = AnyEvent(bytes, stored.instance.effects);
  }
  return 0;
}
