// What clients and operators ask for many SMSes at once.
#include <iterator>
#include <limits>
#include <tuple>
#include <utility>

#include "tests/sim/names.h"
#include "tests/sim/run.h"

namespace smsflow::sim {

void Run::AskSweep(engine::SweepRequest request, std::vector<std::string> before) {
  AskedSweep asked;
  asked.actor = request.actor = "sweep" + std::to_string(next_sweep_++);
  asked.before = std::move(before);
  sweeps_.push_back(std::move(asked));
  const std::size_t number = sweeps_.size() - 1;
  const bool block = request.membership && request.membership->member;
  const bool unblock = request.membership && !request.membership->member;
  const std::pair<std::string, std::string> target{request.tenant, request.target.value_or("")};
  asked_for_.Many(request);
  for (const std::string& name : sweeps_[number].before) Stopping(*asked_[name].id);
  if (block || unblock) asked_of_[target] = number;
  world_.engine->Sweep(std::move(request), [this, number, block, unblock, target](const engine::SweepAnswer& answer) {
    if (!answer.status.ok()) return;
    sweeps_[number].answered = true;
    for (const std::string& name : sweeps_[number].before) Stopped(asked_[name], sweeps_[number].actor);
    const bool last = asked_of_[target] == number;
    if (block && last) blocked_.insert(target);
    if (unblock && last) maybe_blocked_[target] = step_;
  });
}

bool Run::CancelMany() {
  const auto met = asked_.find(met_);
  const bool of_met = met != asked_.end();
  const std::string tenant = of_met ? met->second.request.tenant : Tenant(Pick(3));
  engine::SweepRequest sweep;
  sweep.workflow = delivery::kWorkflowNumber;
  sweep.tenant = tenant;
  sweep.event = delivery::EncodeCancel();
  const auto of = [&](const Sms& sms) { return sms.request.tenant == tenant; };
  std::function<bool(const Sms&)> wanted;
  switch (Pick(5)) {
    case 0:
    case 1:
      Hit("command cancel a batch");
      sweep.index = delivery::kBatchIndex;
      sweep.value = of_met && !met->second.batch.empty() ? met->second.batch : Batch(Pick(3));
      wanted = [&](const Sms& sms) { return of(sms) && sms.batch == sweep.value; };
      break;
    case 2:
      Hit("command cancel a key");
      sweep.index = delivery::kKeyIndex;
      sweep.value = of_met && !met->second.key.empty() ? met->second.key : ClientKey(std::to_string(Pick(5)));
      wanted = [&](const Sms& sms) { return of(sms) && sms.key == sweep.value; };
      break;
    case 3:
      Hit("command cancel a target");
      sweep.index = delivery::kTargetIndex;
      sweep.value = of_met && !met->second.request.target.empty() ? met->second.request.target : Target(Pick(8));
      sweep.target = sweep.value;
      wanted = [&](const Sms& sms) { return of(sms) && sms.request.target == sweep.value; };
      break;
    default:
      Hit("command cancel all of a tenant");
      wanted = of;
  }
  AskSweep(sweep, Matching(wanted));
  return true;
}

bool Run::Block() {
  engine::SweepRequest block;
  block.workflow = delivery::kWorkflowNumber;
  block.tenant = Tenant(Pick(3));
  block.target = Target(Pick(8));
  bool member = Pick(theme_ == Theme::kStops ? 4 : 2) != 0;
  if (met_.empty() && !blocked_.empty() && Pick(3) == 0) {
    member = false;
    std::tie(block.tenant, block.target) = *std::next(blocked_.begin(), Pick(static_cast<int>(blocked_.size())));
  } else if (const auto* entry = Pick(2) == 0 ? OneInFlight() : AnySms();
             entry && !entry->second.request.target.empty()) {
    block.tenant = entry->second.request.tenant;
    block.target = entry->second.request.target;
  }
  block.index = delivery::kTargetIndex;
  block.value = *block.target;
  block.event = delivery::EncodeBlock();
  block.membership = workflows::MembershipChange{delivery::kBlockedSet, member};
  Hit(member ? "command block a target" : "command unblock a target");
  Tell((member ? "  " : "  not any more ") + *block.target + " of tenant " + block.tenant);
  if (member) maybe_blocked_[{block.tenant, *block.target}] = std::numeric_limits<int>::max();
  block.sweep = block.membership->member;
  std::vector<std::string> before;
  if (block.sweep)
    before = Matching(
        [&](const Sms& sms) { return sms.request.tenant == block.tenant && sms.request.target == *block.target; });
  else
    blocked_.erase({block.tenant, *block.target});
  AskSweep(std::move(block), std::move(before));
  return true;
}

}  // namespace smsflow::sim
