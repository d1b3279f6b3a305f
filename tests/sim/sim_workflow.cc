#include "tests/sim/sim_workflow.h"

#include <optional>
#include <set>
#include <utility>

#include "workflows/delivery/codec/codec.h"
#include "workflows/delivery/codec/rows.h"
#include "workflows/delivery/delivery.h"
#include "workflows/delivery/reports.h"

namespace smsflow::sim {
namespace {

namespace delivery = workflows::delivery;
using workflows::Decision;
using workflows::Event;
using workflows::Facts;
using workflows::Instance;
using workflows::Verdict;

constexpr std::string_view kCommands[] = {"cancel",        "block",   "reschedule", "resolve delivered",
                                          "resolve retry", "give up", "look now"};

std::string RowName(std::string_view from, std::string_view event, std::string_view to) {
  return "row " + std::string(from) + ", " + std::string(event) + " -> " + std::string(to);
}
std::string RefusalName(std::string_view from, std::string_view event) {
  return "refused " + std::string(from) + ", " + std::string(event);
}

// The machine's own column for this event; nullopt: it said all without asking the table.
std::optional<std::string_view> SignalName(const Instance& instance, const Event& raw, const Facts& facts) {
  const auto event = delivery::DecodeEvent(raw);
  const auto policy = delivery::DecodePolicy(facts.policy);
  if (!event || !policy) return std::nullopt;
  delivery::Input in;
  in.state = static_cast<delivery::State>(instance.state);
  if (instance.state != 0) {
    const auto data = delivery::DecodeData(instance.data);
    if (!data) return std::nullopt;
    in.data = *data;
  }
  in.policy = *policy;
  in.now_ms = facts.now_ms;
  delivery::StepResult out;
  out.state = in.state;
  out.data = in.data;
  delivery::Moment moment{in, *event, out};
  const auto signal = delivery::SignalOf(moment);
  if (!signal) return std::nullopt;
  return std::visit([](const auto& one) { return one.kName; }, *signal);
}

class Watched final : public workflows::Workflow {
 public:
  Watched(Coverage& coverage, const Hooks& hooks)
      : real_(delivery::MakeDeliveryWorkflow()), coverage_(coverage), hooks_(hooks) {
    for (const auto& row : real_->TransitionTable()) rows_.emplace(row.source, row.event);
  }

  std::uint16_t number() const override { return real_->number(); }
  std::string_view name() const override { return real_->name(); }
  std::uint32_t version() const override { return real_->version(); }
  Decision Step(const Instance& instance, const Event& event, const Facts& facts) const override {
    if (!hooks_.before_step && !hooks_.after_step) return Look(instance, event, facts);
    Instance seen = instance;
    Event told = event;
    Facts given = facts;
    if (hooks_.before_step) hooks_.before_step(seen, told, given);
    Decision decision = Look(seen, told, given);
    if (hooks_.after_step) hooks_.after_step(seen, told, given, decision);
    return decision;
  }
  std::uint64_t SetsRead(const Event& event) const override {
    return hooks_.reads_no_sets ? 0 : real_->SetsRead(event);
  }
  std::string ClientKey(std::string_view fixed) const override { return real_->ClientKey(fixed); }
  std::string Lane(std::string_view fixed) const override { return real_->Lane(fixed); }
  std::string_view StateName(std::uint16_t state) const override { return real_->StateName(state); }
  workflows::Description Describe(const Event& event, std::string_view fixed, std::string_view data) const override {
    return real_->Describe(event, fixed, data);
  }
  std::vector<workflows::TableRow> TransitionTable() const override { return real_->TransitionTable(); }

 private:
  Decision Look(const Instance& instance, const Event& event, const Facts& facts) const {
    Decision decision = real_->Step(instance, event, facts);
    if (event.kind == workflows::kPeerLost) coverage_.Hit("event a gateway's store is lost");
    const auto signal = SignalName(instance, event, facts);
    if (!signal) {
      coverage_.Hit("report that raises nothing");
      return decision;
    }
    const auto from = real_->StateName(instance.state);
    const bool moved = decision.verdict == Verdict::kApplied || decision.verdict == Verdict::kNoted;
    if (moved && rows_.count({from, *signal}) != 0)
      coverage_.Hit(RowName(from, *signal, real_->StateName(decision.state)));
    else
      coverage_.Hit(RefusalName(from, *signal));
    return decision;
  }

  std::unique_ptr<workflows::Workflow> real_;
  Coverage& coverage_;
  const Hooks& hooks_;
  std::set<std::pair<std::string_view, std::string_view>> rows_;
};

}  // namespace

std::unique_ptr<workflows::Workflow> WatchDelivery(Coverage& coverage, const Hooks& hooks) {
  return std::make_unique<Watched>(coverage, hooks);
}

std::vector<std::string> RowsToReach() {
  std::set<std::string> names;
  for (const auto& row : delivery::TransitionTable()) names.insert(RowName(row.source, row.event, row.target));
  return {names.begin(), names.end()};
}

std::vector<std::string> RefusalsToReach() {
  std::set<std::pair<std::string, std::string>> rows;
  for (const auto& row : delivery::TransitionTable()) rows.emplace(row.source, row.event);
  std::vector<std::string> names;
  for (const delivery::State state : delivery::kAllStates) {
    if (state == delivery::State::kNew) continue;  // no command finds what is not stored
    const std::string from(delivery::NameOf(state));
    for (const std::string_view command : kCommands)
      if (rows.count({from, std::string(command)}) == 0) names.push_back(RefusalName(from, command));
  }
  return names;
}

}  // namespace smsflow::sim
