#include "tests/engine/courier.h"

#include <cstdlib>

namespace smsflow::engine::courier {
namespace {

using workflows::Decision;
using workflows::EffectKind;
using workflows::Verdict;

std::string Part(std::string_view text, int wanted) {
  for (int i = 0; i < wanted; ++i) {
    const auto bar = text.find('|');
    if (bar == std::string_view::npos) return "";
    text.remove_prefix(bar + 1);
  }
  return std::string(text.substr(0, text.find('|')));
}

std::int64_t DueOf(std::string_view fixed) { return std::atoll(Part(fixed, 0).c_str()); }

class CourierWorkflow : public workflows::Workflow {
 public:
  std::uint16_t number() const override { return kWorkflow; }
  std::string_view name() const override { return "courier"; }
  std::uint32_t version() const override { return 1; }

  Decision Step(const workflows::Instance& parcel, const workflows::Event& event,
                const workflows::Facts& facts) const override {
    Decision decision;
    decision.verdict = Verdict::kApplied;
    decision.state = parcel.state;
    decision.data = std::string(parcel.data);
    decision.ended = parcel.ended;
    decision.about = event.effect;
    switch (event.kind) {
      case kCreate:
        return Created(std::move(decision), event);
      case workflows::kTimerFired:
        return Fired(std::move(decision), parcel, event, facts);
      case kReport:
        return Reported(std::move(decision), parcel, event, facts);
      case workflows::kPeerLost:
        return Lost(std::move(decision), event, facts);
      case kStop:
        return Stopped(std::move(decision), parcel, facts);
      case kTold:
        decision.data = std::to_string(TimesTold(parcel.data) + 1);
        decision.effects.push_back({EffectKind::kPost, 0, 0, kThanksTopic, "thanks " + decision.data});
        return decision;
      case kJoin:
        decision.memberships.push_back({kBanned, true});
        return decision;
      case kLeave:
        decision.memberships.push_back({kBanned, false});
        return decision;
      default:
        return {};
    }
  }

  std::uint64_t SetsRead(const workflows::Event& event) const override {
    return event.kind == workflows::kTimerFired && event.timer == kGo ? std::uint64_t{1} << kBanned : 0;
  }
  std::string ClientKey(std::string_view fixed) const override { return Part(fixed, 1); }
  std::string Lane(std::string_view fixed) const override { return Part(fixed, 3); }
  std::string_view StateName(std::uint16_t state) const override {
    constexpr std::string_view kNames[] = {"NEW", "WAITING", "OUT", "DONE", "STOPPED", "LOST"};
    return state < std::size(kNames) ? kNames[state] : "?";
  }
  workflows::Description Describe(const workflows::Event& event, std::string_view, std::string_view) const override {
    return {"event " + std::to_string(event.kind), event.body, ""};
  }
  std::vector<workflows::TableRow> TransitionTable() const override { return {}; }

 private:
  static Decision End(Decision decision, State state, std::int64_t now_ms) {
    decision.state = state;
    decision.ended = true;
    decision.erase_payload = true;
    decision.retain_until_ms = now_ms + kKeepMs;
    decision.timers.push_back({kGo, std::nullopt, false, ""});
    decision.timers.push_back({kAsk, std::nullopt, false, ""});
    return decision;
  }
  static Decision Created(Decision decision, const workflows::Event& event) {
    decision.state = kWaiting;
    decision.data = "0";
    decision.fixed = event.body;
    decision.timers.push_back({kGo, DueOf(event.body), true, Part(event.body, 3)});
    if (const std::string label = Part(event.body, 1); !label.empty()) decision.index.push_back({kLabelIndex, label});
    decision.answer = "created";
    return decision;
  }
  static Decision Fired(Decision decision, const workflows::Instance& parcel, const workflows::Event& event,
                        const workflows::Facts& facts) {
    if (event.timer == kGo) {
      if ((facts.memberships >> kBanned & 1) != 0) return End(std::move(decision), kStopped, facts.now_ms);
      decision.state = kOut;
      decision.about = parcel.effects + 1;
      decision.effects.push_back({EffectKind::kLease, parcel.effects + 1, facts.now_ms + 60'000, 0, ""});
      decision.timers.push_back({kAsk, facts.now_ms + kAskAfterMs, false, ""});
      return decision;
    }
    if (event.timer == kAsk) {
      decision.effects.push_back({EffectKind::kProbe, parcel.effects, 0, 0, ""});
      return decision;
    }
    return {};
  }
  static Decision Reported(Decision decision, const workflows::Instance& parcel, const workflows::Event& event,
                           const workflows::Facts& facts) {
    if (event.body == "accepted") {
      decision.accepted.push_back(event.effect);
      return decision;
    }
    if (parcel.ended) {
      decision.verdict = Verdict::kNoted;
      return decision;
    }
    decision.settled.push_back(event.effect);
    if (event.body == "failed") {
      decision.state = kWaiting;
      decision.timers.push_back({kAsk, std::nullopt, false, ""});
      decision.timers.push_back({kGo, facts.now_ms + 100, true, Part(parcel.fixed, 3)});
      return decision;
    }
    if (const auto to = InstanceId::Parse(Part(parcel.fixed, 2))) decision.tells.push_back({*to, Simple(kTold)});
    return End(std::move(decision), kDone, facts.now_ms);
  }
  static Decision Lost(Decision decision, const workflows::Event& event, const workflows::Facts& facts) {
    decision.settled.push_back(event.effect);
    if (facts.policy == "ignores loss") return {};
    return End(std::move(decision), kLost, facts.now_ms);
  }
  static Decision Stopped(Decision decision, const workflows::Instance& parcel, const workflows::Facts& facts) {
    if (parcel.state == kWaiting) {
      decision.outcome = kWasStopped;
      return End(std::move(decision), kStopped, facts.now_ms);
    }
    decision.verdict = Verdict::kRefused;
    decision.outcome = parcel.state == kOut ? kTooLate : kOver;
    decision.code = workflows::Refusal::kFailedPrecondition;
    return decision;
  }
};

}  // namespace

workflows::Event Create(const Parcel& parcel) {
  return Simple(kCreate, std::to_string(parcel.due_ms) + "|" + parcel.label + "|" +
                             (parcel.friend_id ? parcel.friend_id->ToString() : "") + "|" + parcel.lane);
}

workflows::Event Simple(EventKind kind, std::string body) {
  workflows::Event event;
  event.kind = kind;
  event.body = std::move(body);
  return event;
}

std::unique_ptr<workflows::Workflow> MakeWorkflow() { return std::make_unique<CourierWorkflow>(); }

int TimesTold(std::string_view data) { return std::atoi(std::string(data).c_str()); }

}  // namespace smsflow::engine::courier
