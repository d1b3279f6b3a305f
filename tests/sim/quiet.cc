// The end of a run: all is mended, time passes, and everything ends.
#include <algorithm>
#include <string>

#include "storage/records.h"
#include "tests/sim/names.h"
#include "tests/sim/run.h"

namespace smsflow::sim {

void Run::Quiet() {
  try {
    Mend();
    if (!report_.violations.empty()) return;
    // A clock that was ahead left timers there; so long it may take.
    LetPass(30 * kMinuteMs, kMinuteMs / 2);
    LetPass(std::max<std::int64_t>(0, newest_wall_ms_ - world_.clock.wall_ms), 5 * kMinuteMs);
    LetPass(60 * kMinuteMs, kMinuteMs / 2);
    if (!report_.violations.empty()) return;
    CheckPresence();
    CheckSweeps();
    Inspect();
    if (report_.violations.empty()) CheckEnds();
    if (report_.violations.empty()) CheckLogEnds();
    if (report_.violations.empty() && erases_) CheckErased();
  } catch (const engine::Fatal&) {
    Violated("the engine ended itself: " + world_.fatal);
  }
}

void Run::Mend() {
  Tell("all is mended");
  disk_ = Disk{};
  world_.clock.wall_ms = true_ms();
  newest_wall_ms_ = std::max(newest_wall_ms_, world_.clock.wall_ms);  // an engine that goes on may erase by it at once
  // What an engine only has wrong in its memory is right again once it is started anew.
  if (world_.engine == nullptr || Pick(2) == 0) {
    Hit("event all is mended, and the engine is started again");
    Restart();
    if (!report_.violations.empty()) return;
  } else {
    Hit("event all is mended, and the engine goes on");
    world_.store->power_cut_at = -1;
    if (draining_) Drain();
    if (disk_guard_) DiskGuard();
  }
  world_.engine->TrustClock();
  trusted_skew_ms_ = skew_ms();
  ResumeAll();
  for (const auto& gateway : gateways_) {
    gateway->faithful = true;
    gateway->DropOlderStream();
    if (!gateway->attached()) gateway->Attach(*world_.engine);
  }
  ReadLogToItsEnd();
  // Whoever got no answer asks again.
  for (const auto& [name, sms] : asked_)
    if (!sms.acknowledged && !sms.request.dedupe_key.empty()) {
      Ask(name, /*again=*/true);
      if (fills()) Rounds();
    }
  Settle();
}

void Run::ResumeAll() {
  std::vector<Scope> scopes{{storage::PauseScope::kAll, "", ""}};
  for (const char* tenant : {"a", "b", "c"}) {
    scopes.emplace_back(storage::PauseScope::kTenant, tenant, "");
    for (int batch = 0; batch < 3; ++batch) scopes.emplace_back(storage::PauseScope::kIndexValue, tenant, Batch(batch));
  }
  for (const auto& gateway : gateways_) scopes.emplace_back(storage::PauseScope::kGateway, "", gateway->site().name);
  for (const auto& [scope, tenant, value] : scopes) {
    engine::PauseRequest resume;
    resume.scope = scope;
    resume.tenant = tenant;
    resume.value = value;
    resume.index = scope == storage::PauseScope::kIndexValue ? delivery::kBatchIndex : 0;
    resume.resume = true;
    AskPause(std::move(resume));
    if (fills()) Rounds();
  }
}

void Run::LetPass(std::int64_t ms, std::int64_t step_ms) {
  for (std::int64_t passed = 0; passed < ms && report_.violations.empty(); passed += step_ms) {
    for (bool busy = true; busy;) {
      Rounds();
      busy = false;
      for (const auto& gateway : gateways_)
        while (gateway->Step(true_ms())) busy = true;
    }
    Settle();
    if (passed >= 4 * kMinuteMs && step_ms <= kMinuteMs) CheckNobodyStarves();
    Pass(step_ms);
  }
  Settle();
}

// Attempts that hold a credit of this gateway. One whose report was lost holds it until it is asked for.
std::uint32_t Run::InFlight(const std::string& gateway) const {
  std::uint32_t open = 0;
  for (const auto& [id, known] : ledger_->instances())
    for (const auto& lease : known.state.leases()) open += !lease.settled() && lease.gateway() == gateway ? 1 : 0;
  return open;
}

// I19: while nothing is wrong, whoever is due and has a gateway leaves. At the second look: at the first its gateway
// may just have got its credit back, and the budget, which fills as time passes, be empty.
void Run::CheckNobodyStarves() {
  const std::int64_t now_ms = world_.clock.wall_ms;
  const std::set<InstanceId> before = std::exchange(could_leave_, {});
  // Time passes at once between two looks, so between them leaves no more than the bucket holds.
  const std::size_t left = left_.size() - std::exchange(left_at_look_, left_.size());
  const bool budget_went = left >= std::max<std::size_t>(1, world_.options.fire_budget_per_s / 10);
  for (const auto& [name, sms] : asked_) {
    // As its journal says, which costs nothing to ask: most have ended.
    if (!sms.acknowledged || StateSeen(*sms.id) != delivery::State::kPending) continue;
    const auto state = world_.StateOf(*sms.id);
    const auto view = state ? ViewOf(*sms.id) : std::nullopt;
    const bool waits_long = view && view->due_ms != 0 && view->due_ms < now_ms - 3 * kMinuteMs;
    // What was set while a clock that had been ahead was not yet trusted to be right again stands behind that mark.
    const auto behind_mark = [&](const auto& timer) { return timer.gated() && timer.index_ms() > now_ms - kMinuteMs; };
    if (!waits_long || std::any_of(state->timers().begin(), state->timers().end(), behind_mark)) continue;
    Hit("check I19 whoever can leave leaves");
    for (const auto& gateway : gateways_) {
      const ModelGateway::Site& site = gateway->site();
      if (!site.Serves(sms.request.tenant, view->key_id) || InFlight(site.name) >= site.credit) continue;
      could_leave_.insert(*sms.id);
      if (before.count(*sms.id) != 0 && !budget_went)
        Violated("I19: " + sms.id->ToString() + " is due, and " + site.name + " could take it, but it does not leave");
    }
  }
}

void Run::CheckEnds() {
  // I10: what was not answered is there wholly or not at all, and what is there has one name.
  for (const auto& [id, known] : ledger_->instances()) {
    Hit("check I10 what is stored has one name");
    const auto head = storage::GetHead(world_.memory, id);
    if (head.ok() && head->has_value() && !(*head)->dedupe().empty() && names_.count(id) == 0)
      Violated("I10: " + id.ToString() + " is stored, and nobody was told of it");
  }
  for (const auto& [name, sms] : asked_) {
    Hit("check I19 all ends");
    if (sms.acknowledged && world_.StateOf(*sms.id)) CheckEnd(sms);
    if (!sms.acknowledged && !sms.request.dedupe_key.empty()) Violated("I19: " + name + " was never taken");
  }
  const engine::Figures figures = world_.engine->TakeFigures();
  Hit("check I19 no lease, tell or sweep stays");
  if (figures.open_leases != 0) Violated("I19: " + std::to_string(figures.open_leases) + " leases never ended");
  std::uint64_t credit = 0;
  for (const auto& gateway : gateways_) credit += gateway->site().credit;
  Hit("check I20 credit comes back");
  if (figures.credit != credit)
    Violated("I20: " + std::to_string(figures.credit) + " of " + std::to_string(credit) + " credit are left");
  for (const char* kind : {"l", "w"}) {
    const auto rows = world_.memory.Scan(storage::Family::kQueues, kind, storage::PrefixEnd(kind));
    if (rows->Valid()) Violated(std::string("I19: a tell or a sweep never ended: a row of kind ") + kind);
  }
}

void Run::CheckEnd(const Sms& sms) {
  const std::string id = sms.id->ToString();
  const auto view = ViewOf(*sms.id);
  if (!view) return Violated("I9: " + id + " cannot be read");
  if (!delivery::IsOverForUser(view->state))
    Violated("I19: " + id + " never ended, it is " + std::string(delivery::NameOf(view->state)));
  Hit("check I17 a payload goes at the end");
  const auto head = storage::GetHead(world_.memory, *sms.id);
  if (head.ok() && head->has_value() && !(*head)->payload().empty())
    Violated("I17: " + id + " is over and still has its payload");
  if (view->state == delivery::State::kDelivered) ++report_.delivered;
  if (typed_policies_.at(sms.request.tenant).on_unknown == delivery::OnUnknown::kRetry)
    Hit("event an SMS whose tenant retries the unknown");
  CheckHandset(sms, view->state);
}

// I20: what has been kept long enough goes, all of it.
void Run::CheckErased() {
  LetPass(80 * kMinuteMs, 5 * kMinuteMs);
  Inspect();
  report_.erased = world_.engine->TakeFigures().erased;
  Hit("event a whole run is erased");
  Hit("check I20 what has been kept long enough goes");
  if (const auto left = world_.memory.rows(storage::Family::kInstances); left != 0)
    Violated("I20: " + std::to_string(left) + " rows of instances outlive their retention");
  for (const char* kind : {"i", "d"}) {
    const auto rows = world_.memory.Scan(storage::Family::kIndexes, kind, storage::PrefixEnd(kind));
    if (rows->Valid()) Violated(std::string("I20: a row of an erased SMS stays: kind ") + kind);
  }
}

}  // namespace smsflow::sim
