// What must hold, and when it is looked at: at every lease, after every step, after every start.
#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <utility>

#include "engine/inspect.h"
#include "storage/records.h"
#include "tests/sim/run.h"

namespace smsflow::sim {
namespace {

using delivery::Reported;

constexpr const char* kChecks[] = {
    "I1 a plan is the next that the slots allow",
    "I1 a plan lies within a slot",
    "I1 an attempt leaves within its slot",
    "I2 its deadline lies within the slot",
    "I3 one attempt is in flight",
    "I4 attempts are numbered without a gap",
    "I4 the number that leaves is the one that is stored",
    "I5 a block holds",
    "I5 a command is heard by those for whom it is",
    "I5 a pause holds",
    "I5 an end absorbs",
    "I5 an end is one that the rules give",
    "I5 what was stopped leaves no more",
    "I5 what was told to be over is over",
    "I5 who ends as BLOCKED was blocked",
    "I6 what is DELIVERED is on a handset",
    "I7 no attempt is submitted twice",
    "I7 one store alone gets an attempt",
    "I7 what was taken is not handed over again",
    "I8 an attempt follows a definite negative",
    "I8 copies on a handset",
    "I8 what was stopped in time has no copy",
    "I9 a journal outlives a crash",
    "I9 a payload stays while it may be needed",
    "I9 a start reaches the high-water mark",
    "I9 an attempt carries what was asked for",
    "I9 what was acknowledged is there",
    "I10 a key is not taken for another request",
    "I10 one request is one SMS",
    "I10 what is stored has one name",
    "I11 a record follows the one before it",
    "I11 what is stored is what the journal says",
    "I12 the store is what its instances say",
    "I13 a lessee's report is taken",
    "I13 a log is read to its end",
    "I13 a look now passes over nobody",
    "I13 a record of a log takes effect once",
    "I13 a sweep passes over nobody",
    "I13 what was applied of a log only rises",
    "I13 what was applied of tells only rises",
    "I14 a result is raised by what was told of it",
    "I14 a result is the maximum of what was reported",
    "I15 a command of another tenant is not heard",
    "I15 an attempt leaves through its own tenant's gateway",
    "I16 a chain has no gap",
    "I17 a payload goes at the end",
    "I17 no secret is written",
    "I18 a jump of the clock is noticed",
    "I18 no attempt leaves twice",
    "I18 none leaves early",
    "I19 all ends",
    "I19 clocks that agree stop nothing",
    "I19 no lease, tell or sweep stays",
    "I19 tenants have their turns",
    "I19 what is late keeps to its budget",
    "I19 whoever can leave leaves",
    "I20 a log is not read on while new work is refused",
    "I20 a queue is bounded",
    "I20 an engine that drains keeps its attempts",
    "I20 credit comes back",
    "I20 new work is refused",
    "I20 what has been kept long enough goes",
};

// a holds nothing that b does not.
bool Within(delivery::Result a, delivery::Result b) { return delivery::Join(a, b) == b; }

// Another attempt may follow it.
bool IsNegative(Reported reported) {
  return reported == Reported::kNeverSeen || reported == Reported::kFailedTransient || reported == Reported::kExpired;
}

std::string NameIn(const std::string& payload) {
  const std::size_t from = kPayloadMark.size();
  return payload.size() < from ? "" : payload.substr(from, payload.find(':', from) - from);
}

template <class Set>
bool Has(const Set& set, const typename Set::value_type& value) {
  return set.count(value) != 0;
}

}  // namespace

std::vector<std::string> ChecksToReach() {
  std::vector<std::string> names;
  for (const char* check : kChecks) names.push_back(std::string("check ") + check);
  return names;
}

bool Run::IsStored(const InstanceId& id) const {
  const auto head = world_.memory.Get(storage::Family::kInstances, storage::HeadKey(id).view());
  return head.ok() && head->has_value();
}

std::optional<delivery::SmsView> Run::ViewOf(const InstanceId& id) {
  const auto head = storage::GetHead(world_.memory, id);
  const auto state = world_.StateOf(id);
  if (!head.ok() || !head->has_value() || !state) return std::nullopt;
  return delivery::ViewOf(static_cast<std::uint16_t>(state->state()), (*head)->target(), (*head)->fixed(),
                          state->data());
}

// Everything that is handed over, also again: it is the right SMS, for this gateway, and its lessee alone.
void Run::Leased(const std::string& gateway, const std::string& store, const engine::Lease& lease) {
  const std::string id = lease.attempt.instance.ToString();
  const auto asked = asked_.find(NameIn(lease.payload));
  if (asked == asked_.end()) return Violated("a lease of " + id + " carries a payload that nobody sent");
  Sms& sms = asked->second;
  if (sms.id && *sms.id != lease.attempt.instance && (world_.StateOf(*sms.id) || !MayBeErased(*sms.id)))
    return Violated("I10: " + asked->first + " is " + sms.id->ToString() + " and " + id);
  sms.id = lease.attempt.instance;
  names_.emplace(*sms.id, asked->first);

  Hit("check I15 an attempt leaves through its own tenant's gateway");
  if (lease.tenant != sms.request.tenant) Violated("I15: " + id + " left as another tenant's");
  for (const auto& model : gateways_) {
    if (model->site().name != gateway) continue;
    const auto& tenants = model->site().tenants;
    const auto& lanes = model->site().lanes;
    if (std::find(tenants.begin(), tenants.end(), lease.tenant) == tenants.end())
      Violated("I15: " + id + " left through " + gateway + ", which does not serve its tenant");
    if (!lanes.empty() && !lease.lane.empty() && std::find(lanes.begin(), lanes.end(), lease.lane) == lanes.end())
      Violated(id + " left through " + gateway + ", which does not hold its key");
  }
  Hit("check I9 an attempt carries what was asked for");
  if (lease.client_key != sms.key) Violated(id + " left with another client's key");
  const auto stands = [&](const Version& version) {
    return version.payload == lease.payload && version.lane == lease.lane;
  };
  if (std::none_of(sms.versions.begin(), sms.versions.end(), stands))
    Violated(id + " left with a payload or for a key that was replaced");

  Hit("check I7 one store alone gets an attempt");
  const auto [bound, first] = bound_.emplace(lease.attempt, std::pair{gateway, store});
  if (bound->second != std::pair{gateway, store})
    Violated("I7: attempt " + lease.attempt.ToString() + " was handed to a second store");
  if (lease.again) {
    Hit("event an attempt is handed over again");
    Hit("check I7 what was taken is not handed over again");
    // In one step it may have been decided before the report came.
    const auto heard = heard_at_.find(lease.attempt);
    if (heard != heard_at_.end() && heard->second < step_)
      Violated("I7: attempt " + lease.attempt.ToString() + " was handed over again after its gateway had it");
    return;
  }
  Hit("check I18 no attempt leaves twice");
  if (!left_.insert(lease.attempt).second) Violated("I18: " + lease.attempt.ToString() + " left twice");
  LeasedFresh(sms, gateway, lease);
}

void Run::LeasedFresh(const Sms& sms, const std::string& gateway, const engine::Lease& lease) {
  const std::string attempt = lease.attempt.ToString();
  const auto view = ViewOf(lease.attempt.instance);
  if (!view) return Violated("I10: attempt " + attempt + " left and is not stored");
  Hit("check I4 the number that leaves is the one that is stored");
  if (view->attempts != lease.attempt.number)
    Violated("I4: attempt " + attempt + " left, but stored are " + std::to_string(view->attempts));
  // By the clock of the engine at the moment of the decision.
  Hit("check I1 an attempt leaves within its slot");
  Hit("check I2 its deadline lies within the slot");
  const auto within = [&](const delivery::Slots& slots) {
    const auto end_s = delivery::DeadlineOf(slots, view->left_ms / 1000);
    return end_s && lease.deadline_ms > view->left_ms && lease.deadline_ms < *end_s * 1000;
  };
  if (!within(view->slots)) Violated("I1, I2: attempt " + attempt + " left outside its slot, or for after it");
  const auto promised = [&](const Version& version) { return within(version.slots); };
  if (std::none_of(sms.versions.begin(), sms.versions.end(), promised))
    Violated("I1: attempt " + attempt + " left outside the slots that were asked for");
  if (view->left_ms > world_.clock.wall_ms || view->left_ms < world_.clock.wall_ms - disk_.slept_ms)
    Violated("I1: attempt " + attempt + " left by another clock than the engine's");
  Hit("check I18 none leaves early");
  if (view->due_ms > view->left_ms) Violated("I18: attempt " + attempt + " left before it was due");
  if (IsWrong()) Violated("I18: attempt " + attempt + " left by a clock that had jumped");
  Hit("event an attempt leaves");
  if (view->left_ms - view->due_ms > world_.options.late_ms) CheckBudget(view->left_ms);
  if (sms.attempts_max && lease.attempt.number > *sms.attempts_max)
    Violated("attempt " + attempt + " left after " + sms.stopped_by + " was answered");
  CheckPauses(sms, gateway, lease);
  if (skewed()) CheckTurns(gateway, lease);
}

// What is overdue leaves at the budget's pace, by the clock that never jumps.
void Run::CheckBudget(std::int64_t left_ms) {
  Hit("event what is late leaves");
  if (late_first_ms_ < 0) late_first_ms_ = world_.clock.steady_ms;
  late_at_once_ =
      std::exchange(late_last_ms_, world_.clock.steady_ms) == world_.clock.steady_ms ? late_at_once_ + 1 : 1;
  Hit("check I19 what is late keeps to its budget");
  const double capacity = std::max(1.0, budget_per_s_ / 10.0);
  const std::int64_t at_ms = left_ms - skew_ms();
  if (budget_at_ms_ == 0)
    budget_ = capacity;
  else
    budget_ = std::min(capacity, budget_ + static_cast<double>(at_ms - budget_at_ms_) * budget_per_s_ / 1'000);
  budget_at_ms_ = at_ms;
  budget_ -= 1;
  if (budget_ < -0.001) Violated("I19: what is overdue leaves faster than its budget");
}

void Run::CheckPauses(const Sms& sms, const std::string& gateway, const engine::Lease& lease) {
  const std::string attempt = lease.attempt.ToString();
  const std::string& tenant = sms.request.tenant;
  if (!blocked_.empty()) Hit("check I5 a block holds");
  if (!sms.request.target.empty() && Has(blocked_, {tenant, sms.request.target}) && sms.acknowledged)
    Violated("attempt " + attempt + " left for a blocked target");
  Hit("check I20 an engine that drains keeps its attempts");
  if (draining_) Violated("attempt " + attempt + " left while the engine drained");
  using storage::PauseScope;
  if (!paused_.empty()) Hit("check I5 a pause holds");
  if (Has(paused_, {PauseScope::kAll, "", ""}) || Has(paused_, {PauseScope::kTenant, tenant, ""}) ||
      Has(paused_, {PauseScope::kGateway, "", gateway}) || Has(paused_, {PauseScope::kIndexValue, tenant, sms.batch}))
    Violated("attempt " + attempt + " left under a pause");
}

void Run::Answered(const AttemptId& attempt, delivery::Reported reported, engine::ReportOutcome outcome) {
  Hit("check I13 a lessee's report is taken");
  if (outcome == engine::ReportOutcome::kNotYours) {
    if (Has(left_, attempt) && world_.StateOf(attempt.instance))
      Violated("a report on " + attempt.ToString() + " of its own lessee was not taken");
    return;
  }
  if (outcome == engine::ReportOutcome::kFailed) return;
  delivery::Result& heard = heard_[attempt];
  heard = delivery::Join(heard, delivery::ResultOf(reported));
  heard_at_.emplace(attempt, step_);
  to_compare_.insert(attempt);
}

// I14: in whatever order they came, the result of an attempt is their maximum; what was answered is in it, and nothing
// that was not said, but for the engine's own "nobody can tell".
void Run::CheckReports() {
  for (const AttemptId& attempt : to_compare_) {
    const auto view = ViewOf(attempt.instance);
    if (!view || attempt.number > view->attempts) continue;
    const std::size_t back = view->attempts - attempt.number;
    if (back >= view->results.size()) continue;
    const delivery::Result result = view->results[view->results.size() - 1 - back];
    Hit("check I14 a result is the maximum of what was reported");
    if (!Within(heard_[attempt], result))
      Violated("I14: attempt " + attempt.ToString() + " lacks what was answered as durable");
    if (!Within(result, said_[attempt]) && !Within(result, delivery::Join(said_[attempt], delivery::Result::kUnknown)))
      Violated("I14: attempt " + attempt.ToString() + " has a result that nobody reported");
  }
  to_compare_.clear();
}

// I13, of this bus: how far a shard has applied what another told it only rises.
void Run::CheckTells() {
  const std::string prefix = "L";
  const auto rows = world_.memory.Scan(storage::Family::kQueues, prefix, storage::PrefixEnd(prefix));
  for (; rows->Valid(); rows->Next()) {
    const auto destination = static_cast<std::uint16_t>(storage::ReadBigEndian(rows->key().substr(1, 2)));
    const auto source = static_cast<std::uint16_t>(storage::ReadBigEndian(rows->key().substr(3, 2)));
    const auto applied = storage::GetAppliedTell(world_.memory, ShardId{destination}, ShardId{source});
    if (!applied.ok()) return Violated("I13: what was applied cannot be read");
    Hit("check I13 what was applied of tells only rises");
    std::uint64_t& before = tells_[{destination, source}];
    if (*applied < before) Violated("I13: shard " + std::to_string(destination) + " takes again what it was told");
    before = *applied;
  }
}

// I6, I8, and I1 ahead of time: what is planned lies within a slot.
void Run::CheckMoved() {
  for (const InstanceId& id : ledger_->TakeMoved()) {
    const auto state = world_.StateOf(id);
    if (!state) continue;
    if (const auto name = names_.find(id); name != names_.end())
      CheckHandset(asked_.at(name->second), static_cast<delivery::State>(state->state()));
    for (const auto& timer : state->timers()) {
      if (!timer.gated()) continue;
      Hit("check I1 a plan lies within a slot");
      const auto view = ViewOf(id);
      if (view && !delivery::DeadlineOf(view->slots, timer.due_ms() / 1000))
        Violated("I1: the next attempt of " + id.ToString() + " is planned outside its slots");
    }
  }
}

bool Run::WasLiedToBeDelivered(const InstanceId& id) const {
  for (auto lies = truth_.lies.lower_bound({id, 0}); lies != truth_.lies.end() && lies->first.instance == id; ++lies)
    if (Has(lies->second, Reported::kDelivered)) return true;
  return false;
}

// What is on the handset, against what is stored by now.
void Run::CheckHandset(const Sms& sms, delivery::State state) {
  const std::string id = sms.id->ToString();
  const auto found = truth_.copies.find(*sms.id);
  const int copies = found == truth_.copies.end() ? 0 : found->second;
  if (sms.stopped_unsent) Hit("check I8 what was stopped in time has no copy");
  if (sms.stopped_unsent && copies != 0) Violated("stopped before it had left, and sent: " + id);
  const auto known = ledger_->instances().find(*sms.id);
  if (known == ledger_->instances().end()) return;
  CheckCopies(sms, known->second.life);
  if (state != delivery::State::kDelivered) return;
  Hit("check I6 what is DELIVERED is on a handset");
  if (copies == 0 && !known->second.life.resolved_delivered && !WasLiedToBeDelivered(*sms.id))
    Violated("I6: " + id + " was never delivered");
}

// One copy may follow another where nobody could tell and the risk was taken, or where a gateway denied what it had
// done.
void Run::CheckCopies(const Sms& sms, const Life& life) {
  Hit("check I8 copies on a handset");
  const bool retries = typed_policies_.at(sms.request.tenant).on_unknown == delivery::OnUnknown::kRetry;
  for (auto copy = truth_.copied.lower_bound({*sms.id, 0}); copy != truth_.copied.end(); ++copy) {
    const auto next = std::next(copy);
    if (next == truth_.copied.end() || next->instance != *sms.id) return;
    const bool risked = Has(life.retried, copy->number) || (retries && Has(life.unknown, copy->number));
    const auto lies = truth_.lies.find(*copy);
    const bool denied = lies != truth_.lies.end() && std::any_of(lies->second.begin(), lies->second.end(), IsNegative);
    if (!risked && !denied)
      Violated("I8: " + next->ToString() + " is a copy of " + copy->ToString() + ", which was there and not in doubt");
  }
}

// Each record, once, when it is read.
void Run::Recorded(const InstanceId& id, std::uint64_t sequence, const Life& before, const JournalBody& record) {
  const std::string where = id.ToString() + " at " + std::to_string(sequence);
  const auto policy = typed_policies_.find(record.tenant());
  if (policy == typed_policies_.end()) return Violated("I15: " + where + " is of no tenant");
  for (const Objection& objection : ObjectionsTo(record, before, policy->second, coverage_))
    Violated(objection.invariant + (": " + where + " " + objection.what));
  Hit("check I5 a command is heard by those for whom it is");
  if (!asked_for_.Covers(id, before, record))
    Violated("I5: " + where + " heard what nobody had asked of it: " + record.actor());
  CheckBlocked(where, before, record);
}

// Who ends as BLOCKED without the block's own sweep had a block to find.
void Run::CheckBlocked(const std::string& where, const Life& before, const JournalBody& record) {
  if (static_cast<delivery::State>(record.result().state()) != delivery::State::kBlocked) return;
  if (before.state == delivery::State::kBlocked) return;
  if (record.event() != delivery::kScheduleEvent && record.event() != workflows::kTimerFired) return;
  Hit("check I5 who ends as BLOCKED was blocked");
  const bool created = before.state == delivery::State::kNew;
  const auto block = maybe_blocked_.find({record.tenant(), created ? record.target() : before.target});
  if (block == maybe_blocked_.end() || block->second < step_)
    Violated("I5: " + where + " was BLOCKED, and its target is not");
}

// What was offered before the engine looks at any of it. Reports are never refused; those who bring them wait from half
// of a queue on, and an attachment is told to every partition.
void Run::CheckQueues() {
  if (world_.engine == nullptr) return;
  Hit("check I20 a queue is bounded");
  const std::uint64_t most = queue_max_ + queue_max_ / 2 + 1 + gateways_.size() + log_open_;
  const std::uint64_t depth = world_.engine->TakeFigures().queue_depth;
  if (depth > most * world_.options.partitions) Violated("I20: " + std::to_string(depth) + " wait in queues");
}

void Run::CheckStep() {
  ledger_->Follow(report_.violations);
  TakePosts();
  CheckLog();
  CheckLookedAt();
  CheckMoved();
  CheckReports();
  for (const std::string& finding : disk_.findings) Violated(finding);
  if (disk_.bytes_looked_at != 0) Hit("check I17 no secret is written");
  const engine::Figures figures = world_.engine->TakeFigures();
  Hit(IsWrong() ? "check I18 a jump of the clock is noticed" : "check I19 clocks that agree stop nothing");
  if (IsWrong() && !figures.clock_guard) Violated("I18: the clock jumped and nobody noticed");
  if (!IsWrong() && figures.clock_guard) Violated("I19: the clocks agree, and nothing leaves for their sake");
  if (step_ % 32 == 0 || InspectsEveryStep()) {
    CheckTells();
    CheckPresence();
    Inspect();
  }
}

bool Run::MayBeErased(const InstanceId& id) const {
  const auto known = ledger_->instances().find(id);
  if (known == ledger_->instances().end() || known->second.kept_from_ms == 0) return false;
  const auto name = names_.find(id);
  if (name == names_.end()) return true;
  const Sms& sms = asked_.at(name->second);
  std::int64_t from_ms = known->second.kept_from_ms + typed_policies_.at(sms.request.tenant).retention_ms;
  if (!sms.request.dedupe_key.empty()) from_ms = std::max(from_ms, id.created_ms() + world_.options.dedupe_min_ms);
  return newest_wall_ms_ >= from_ms;
}

// I9: what was acknowledged is there, until retention may take it.
void Run::CheckPresence() {
  for (const auto& [name, sms] : asked_) {
    if (!sms.acknowledged) continue;
    Hit("check I9 what was acknowledged is there");
    if (IsStored(*sms.id) || MayBeErased(*sms.id)) continue;
    const auto known = ledger_->instances().find(*sms.id);
    return Violated("I9: " + sms.id->ToString() + " was acknowledged and is gone" +
                    (known == ledger_->instances().end()
                         ? ", and has no journal"
                         : "; it ended at " + std::to_string(known->second.kept_from_ms) +
                               ", the clock never was beyond " + std::to_string(newest_wall_ms_)));
  }
}

void Run::CheckAfterRestart() {
  CheckPresence();
  CheckTells();
  for (std::uint16_t s = 0; s < world_.options.shards; ++s) {
    Hit("check I9 a start reaches the high-water mark");
    if (world_.engine->Committed(ShardId{s}) < marks_.Noted(ShardId{s}).sequence)
      Violated("I9: shard " + std::to_string(s) + " starts below its high-water mark");
  }
  Inspect();
}

// What was told to many reached all of them, if it reached any or was answered; also over crashes.
void Run::CheckSweeps() {
  for (const AskedSweep& sweep : sweeps_) {
    if (!sweep.answered && !ledger_->Met(sweep.actor)) continue;
    Hit("event a sweep is complete");
    Hit("check I13 a sweep passes over nobody");
    for (const std::string& name : sweep.before) {
      const Sms& sms = asked_[name];
      const auto known = ledger_->instances().find(*sms.id);
      if (known == ledger_->instances().end() || Has(known->second.actors, sweep.actor)) continue;
      if (known->second.was_at_an_end) continue;
      const auto view = ViewOf(*sms.id);
      if (!view || view->stop != delivery::Stop::kNone) continue;
      return Violated(sweep.actor + " passed over " + sms.id->ToString());
    }
  }
}

// All that storage can show: I3, I4, I9, I11, I12, I16.
void Run::Inspect() {
  Hit("check I12 the store is what its instances say");
  engine::Inspector inspector(world_.memory, world_.index_keys, world_.options.shards);
  const absl::Status status =
      inspector.Run([this](const std::string& finding) { Violated("I12 and others: " + finding); },
                    [](const engine::InspectionSummary&) { return true; });
  if (!status.ok()) Violated("the inspection ended: " + status.ToString());
}

}  // namespace smsflow::sim
