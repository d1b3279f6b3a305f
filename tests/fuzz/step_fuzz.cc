// The decision: whatever is stored and whatever comes, it decides, it decides the same twice, and keeps to the slots.
#include <fuzzer/FuzzedDataProvider.h>

#include <optional>
#include <string>

#include "tests/fuzz/fuzz.h"
#include "workflows/delivery/codec/codec.h"

namespace workflows = smsflow::workflows;
namespace delivery = smsflow::workflows::delivery;
using smsflow::fuzz::Require;
using workflows::Verdict;

namespace {

constexpr std::int64_t kNowMs = 1'700'000'000'000;

workflows::Event AnyEvent(FuzzedDataProvider& bytes, std::uint32_t attempts) {
  workflows::Event event;
  switch (bytes.ConsumeIntegralInRange(0, 7)) {
    case 0: {
      delivery::Report report;
      report.attempt = bytes.ConsumeIntegralInRange<std::uint32_t>(0, attempts + 1);
      report.reported = static_cast<delivery::Reported>(bytes.ConsumeIntegralInRange(1, 8));
      report.about = static_cast<delivery::About>(bytes.ConsumeIntegralInRange(0, 4));
      event = delivery::EncodeReport(report);
      event.effect = report.attempt;
      return event;
    }
    case 1:
      return delivery::EncodeCancel();
    case 2:
      return delivery::EncodeBlock();
    case 3:
      return delivery::EncodeLookNow();
    case 4:
      return delivery::EncodeResolve(static_cast<delivery::How>(bytes.ConsumeIntegralInRange(1, 3)));
    case 5:
      event.kind = workflows::kTimerFired;
      event.timer = bytes.ConsumeIntegralInRange<std::uint16_t>(0, 6);
      return event;
    case 6:
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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto workflow = delivery::MakeDeliveryWorkflow();
  static const smsflow::PeerId peer{"gateway", "store"};
  FuzzedDataProvider bytes(data, size);

  std::string fixed, state_data;
  workflows::Instance instance;
  instance.tenant = "acme";
  workflows::Facts facts;
  facts.now_ms = kNowMs;
  facts.peer = &peer;
  delivery::Schedule schedule;
  std::int64_t at_s = kNowMs / 1000 - 500;
  for (int i = bytes.ConsumeIntegralInRange(1, 4); i > 0; --i) {
    const std::int64_t from_s = at_s + bytes.ConsumeIntegralInRange(1, 2'000);
    at_s = from_s + bytes.ConsumeIntegralInRange(1, 2'000);
    schedule.fixed.slots.push_back({from_s, at_s});
  }
  workflows::Event event = delivery::EncodeSchedule(schedule);
  if (bytes.ConsumeBool()) {  // what is stored need not be ours
    fixed = bytes.ConsumeRandomLengthString(64);
    state_data = bytes.ConsumeRandomLengthString(64);
    instance.state = bytes.ConsumeIntegral<std::uint16_t>();
    event = AnyEvent(bytes, 2);
  }
  for (int steps = 0; steps < 100; ++steps) {
    instance.fixed = fixed;
    instance.data = state_data;
    facts.random = bytes.ConsumeIntegral<std::uint64_t>();
    facts.memberships = bytes.ConsumeBool() ? 1 : 0;
    const auto decision = workflow->Step(instance, event, facts);
    const auto twice = workflow->Step(instance, event, facts);
    Require(decision.verdict == twice.verdict && decision.state == twice.state && decision.data == twice.data &&
                decision.cause == twice.cause && decision.effects.size() == twice.effects.size(),
            "the same arguments decide the same");
    if (decision.verdict == Verdict::kApplied || decision.verdict == Verdict::kNoted) {
      int leases = 0;
      for (const auto& effect : decision.effects) {
        if (effect.kind != workflows::EffectKind::kLease) continue;
        ++leases;
        Require(effect.number == instance.effects + 1, "attempts are numbered without a gap");
        const auto view = delivery::ViewOf(instance.state, "", fixed, state_data);
        Require(view.has_value(), "only an SMS that can be read leaves");
        const auto end_s = delivery::DeadlineOf(view->slots, facts.now_ms / 1000);
        Require(end_s.has_value() && effect.deadline_ms <= *end_s * 1000 && effect.deadline_ms > facts.now_ms,
                "it leaves within a slot, with a deadline within it");
      }
      Require(leases <= 1, "one attempt at a time");
      if (decision.fixed) fixed = *decision.fixed;
      state_data = decision.data;
      instance.state = decision.state;
      instance.ended = decision.ended;
      instance.effects += static_cast<std::uint32_t>(leases);
      if (decision.erase_payload) instance.has_payload = false;
      Require(delivery::ViewOf(instance.state, "", fixed, state_data).has_value(), "what was decided can be read");
    }
    if (bytes.remaining_bytes() == 0) break;
    facts.now_ms += bytes.ConsumeIntegralInRange<std::int64_t>(0, 600'000);
    event = AnyEvent(bytes, instance.effects);
  }
  return 0;
}
