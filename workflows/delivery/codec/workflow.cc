// The delivery workflow as the kernel calls it: decode, decide, encode.
#include "workflows/delivery/codec/codec.h"
#include "workflows/delivery/codec/describe.h"
#include "workflows/delivery/codec/rows.h"
#include "workflows/delivery/delivery.h"

namespace smsflow::workflows::delivery {
namespace {

Decision Refused(Refusal code, std::string_view reason) {
  Decision decision;
  decision.verdict = Verdict::kRefused;
  decision.code = code;
  decision.reason = reason;
  return decision;
}

std::vector<IndexValue> IndexOf(const Fixed& fixed, std::string_view target) {
  std::vector<IndexValue> index;
  if (!fixed.batch.empty()) index.push_back({kBatchIndex, fixed.batch});
  if (!fixed.key.empty()) index.push_back({kKeyIndex, fixed.key});
  if (!target.empty()) index.push_back({kTargetIndex, std::string(target)});
  return index;
}

bool HasAnswer(const AnyEvent& event) {
  return std::holds_alternative<Schedule>(event) || std::holds_alternative<Reschedule>(event);
}

std::string AnswerOf(const StepResult& result, const Slots& slots) {
  const std::int64_t due_ms = result.data.due_ms;
  const std::int64_t deadline_ms = due_ms == 0 ? 0 : DeadlineOf(slots, due_ms / 1000).value_or(0) * 1000;
  return EncodeScheduleAnswer(result.state, due_ms, deadline_ms);
}

Decision Encode(StepResult&& result, const Event& raw, const AnyEvent& event, const Fixed& before,
                std::string_view target) {
  Decision decision;
  decision.verdict = result.verdict;
  decision.outcome = static_cast<std::uint16_t>(result.outcome);
  decision.code = result.code;
  decision.reason = result.reason;
  if (result.verdict == Verdict::kRefused || result.verdict == Verdict::kIgnored) return decision;

  decision.state = static_cast<std::uint16_t>(result.state);
  decision.data = EncodeData(result.data);
  if (HasAnswer(event)) decision.answer = AnswerOf(result, result.fixed ? result.fixed->slots : before.slots);
  if (std::holds_alternative<Schedule>(event)) {
    decision.fixed = raw.body;  // the same bytes
    decision.index = IndexOf(*result.fixed, target);
  } else if (result.fixed) {
    decision.fixed = EncodeFixed(*result.fixed);
  }
  decision.erase_payload = result.erase_payload;
  decision.take_payload = result.take_payload;
  decision.timers = std::move(result.timers);
  decision.ended = IsOverForUser(result.state);
  decision.retain_until_ms = result.retain_until_ms;
  decision.effects = std::move(result.effects);
  decision.accepted = std::move(result.accepted);
  decision.settled = std::move(result.settled);
  decision.about = result.about;
  decision.cause = std::move(result.cause);
  return decision;
}

class DeliveryWorkflow : public Workflow {
 public:
  std::uint16_t number() const override { return kWorkflowNumber; }
  std::string_view name() const override { return "delivery"; }
  std::uint32_t version() const override { return kWorkflowVersion; }

  Decision Step(const Instance& instance, const Event& event, const workflows::Facts& facts) const override {
    auto typed = DecodeEvent(event);
    if (!typed) return Refused(Refusal::kInvalidArgument, "the event cannot be read");
    Input in;
    if (instance.state != 0) {
      auto fixed = DecodeFixed(instance.fixed);
      auto data = DecodeData(instance.data);
      if (!fixed || !data) return Refused(Refusal::kFailedPrecondition, "what is stored of it cannot be read");
      in.fixed = std::move(*fixed);
      in.data = std::move(*data);
    }
    auto policy = DecodePolicy(facts.policy);
    if (!policy) return Refused(Refusal::kFailedPrecondition, "the tenant's policy cannot be read");
    in.policy = *policy;
    in.state = static_cast<State>(instance.state);
    in.now_ms = facts.now_ms;
    in.random = facts.random;
    in.target_blocked = (facts.memberships >> kBlockedSet & 1) != 0;
    in.has_payload = instance.has_payload;
    return Encode(delivery::Step(in, *typed), event, *typed, in.fixed, instance.target);
  }

  std::uint64_t SetsRead(const Event& event) const override {
    const bool leaves = event.kind == kTimerFired && event.timer == kDueTimer;
    return event.kind == kScheduleEvent || leaves ? std::uint64_t{1} << kBlockedSet : 0;
  }

  std::string ClientKey(std::string_view bytes) const override {
    auto fixed = DecodeFixed(bytes);
    return fixed ? std::move(fixed->key) : std::string();
  }
  std::string Lane(std::string_view bytes) const override {
    auto fixed = DecodeFixed(bytes);
    return fixed ? std::move(fixed->key_id) : std::string();
  }

  std::string_view StateName(std::uint16_t state) const override { return NameOf(static_cast<State>(state)); }
  Description Describe(const Event& event, std::string_view fixed, std::string_view data) const override {
    return DescribeEvent(event, fixed, data);
  }
  std::vector<TableRow> TransitionTable() const override { return delivery::TransitionTable(); }
};

}  // namespace

std::unique_ptr<Workflow> MakeDeliveryWorkflow() { return std::make_unique<DeliveryWorkflow>(); }

}  // namespace smsflow::workflows::delivery
