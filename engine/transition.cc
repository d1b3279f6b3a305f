// The one way an event changes an instance: facts are gathered, the workflow decides, and everything it asked for goes
// into the round's batch together with the journal record.
#include <algorithm>
#include <cassert>
#include <utility>

#include "engine/partition.h"
#include "engine/step.h"
#include "storage/journal.h"
#include "storage/records.h"

namespace smsflow::engine {
namespace {

using workflows::Decision;
using workflows::EffectKind;

// A cleared timer that is due sooner than this is left for the cursor to pass; a later one would stay garbage for long.
constexpr std::int64_t kLazyClearMs = 3'600'000;
constexpr int kLeasesKept = 32;

stored::LeaseRecord* FindLease(stored::InstanceState& state, std::uint32_t number) {
  for (auto& lease : *state.mutable_leases())
    if (lease.number() == number) return &lease;
  return nullptr;
}

}  // namespace

Partition::Outcome Partition::Decide(Round& round, Shard& shard, Loaded& loaded, const workflows::Event& event,
                                     const Cause& cause) {
  const workflows::Workflow* workflow = shared_.workflow(static_cast<std::uint16_t>(loaded.head.workflow()));
  if (workflow == nullptr)
    Fail(absl::FailedPreconditionError("instance " + loaded.id.ToString() + " is of workflow " +
                                       std::to_string(loaded.head.workflow()) + ", which this program does not have"));
  const Policy& policy = shared_.parts.policies(loaded.head.tenant(), workflow->number());

  workflows::Facts facts;
  facts.now_ms = round.now_ms;
  facts.random = shared_.parts.random->Next64();
  facts.memberships = Memberships(round, shard, loaded, workflow->SetsRead(event));
  facts.policy = policy.bytes;
  facts.peer = cause.peer != nullptr ? cause.peer->get() : nullptr;

  workflows::Instance instance;
  instance.id = loaded.id;
  instance.tenant = loaded.head.tenant();
  instance.target = loaded.head.target();
  instance.fixed = loaded.head.fixed();
  instance.has_payload = !loaded.head.payload().empty();
  instance.state = static_cast<std::uint16_t>(loaded.state.state());
  instance.data = loaded.state.data();
  instance.effects = loaded.state.effects();
  instance.ended = loaded.state.ended_ms() != 0;

  Outcome outcome;
  outcome.decision = Step(*workflow, instance, event, facts);
  if (!outcome.stored()) return outcome;

  const Before before{instance.state, instance.has_payload};
  Absorb(round, shard, loaded, outcome, cause);
  loaded.state.set_workflow_version(workflow->version());
  Journal(round, shard, loaded, event, outcome, cause, facts, policy, before);
  Count(loaded, *workflow, outcome.decision, before.state);
  return outcome;
}

void Partition::Absorb(Round& round, Shard& shard, Loaded& loaded, Outcome& outcome, const Cause& cause) {
  Decision& decision = outcome.decision;
  stored::InstanceState& state = loaded.state;
  ForgetReady(round, shard, loaded, decision);
  state.set_state(decision.state);
  state.set_data(decision.data);
  state.set_changed_ms(round.now_ms);
  if (decision.fixed) {
    loaded.head.set_fixed(*decision.fixed);
    loaded.head_changed = true;
  }
  if (decision.take_payload && cause.payload != nullptr) {
    const auto digest = storage::PayloadDigest(*cause.payload);
    loaded.head.set_payload_digest(digest.data(), digest.size());
    loaded.head.set_payload(std::move(*cause.payload));
    loaded.head_changed = true;
    state.set_payload_erased(false);
  }
  if (decision.erase_payload && !state.payload_erased()) {
    loaded.head.clear_payload();
    loaded.head_changed = true;
    state.set_payload_erased(true);
  }
  if (!decision.ended)
    state.set_ended_ms(0);
  else if (state.ended_ms() == 0)
    state.set_ended_ms(round.now_ms);

  for (const workflows::IndexValue& value : decision.index) {
    stored::IndexValue* row = loaded.head.add_index();
    row->set_index(value.index);
    row->set_value(value.value);
    const auto hash = shared_.parts.index_keys->IndexValue(loaded.head.tenant(), value.index, value.value);
    storage::PutIndex(round.batch, shard.id, value.index, hash, loaded.id);
  }
  Settle(round, shard, loaded, decision);
  ChangeTimers(round, shard, loaded, decision);
  OpenEffects(round, shard, loaded, outcome, cause);
  for (const workflows::MembershipChange& change : decision.memberships)
    ChangeMembership(round, shard, loaded.head.tenant(), loaded.head.target(), change, cause.actor);
  WriteTells(round, shard, loaded, decision, cause.actor);
}

void Partition::ChangeTimers(Round& round, Shard& shard, Loaded& loaded, const Decision& decision) {
  standing_.clear();
  for (const workflows::TimerChange& change : decision.timers) {
    ClearTimer(round, shard, loaded, change.name);
    if (change.due_ms) SetTimer(round, shard, loaded, change);
  }
  if (decision.ended && decision.retain_until_ms) {
    const std::int64_t kept = loaded.id.created_ms() + shared_.options.dedupe_min_ms;
    workflows::TimerChange change;
    change.name = workflows::kRetentionTimer;
    change.due_ms =
        loaded.head.dedupe().empty() ? *decision.retain_until_ms : std::max(*decision.retain_until_ms, kept);
    ClearTimer(round, shard, loaded, change.name);
    SetTimer(round, shard, loaded, change);
  } else if (!decision.ended) {
    ClearTimer(round, shard, loaded, workflows::kRetentionTimer);
  }
  CoverTimers(round, shard, loaded);
}

void Partition::SetTimer(Round& round, Shard& shard, Loaded& loaded, const workflows::TimerChange& change) {
  // At or before the mark the cursor would never see it: it goes just after.
  const std::int64_t passed_ms = std::max(round.now_ms, shard.live_mark_ms);
  const std::int64_t index_ms = *change.due_ms > passed_ms ? *change.due_ms : passed_ms + 1;
  stored::LiveTimer* live = loaded.state.add_timers();
  live->set_name(change.name);
  live->set_due_ms(*change.due_ms);
  if (index_ms != *change.due_ms) live->set_index_ms(index_ms);
  live->set_gated(change.gated);
  live->set_covered(!change.gated);  // CoverTimers() decides
  if (change.gated)
    round.new_timers[{shard.id, index_ms, loaded.id, change.name}] = storage::TimerValue{true, change.lane};
}

void Partition::ClearTimer(Round& round, Shard& shard, Loaded& loaded, std::uint16_t name) {
  auto& timers = *loaded.state.mutable_timers();
  for (int i = 0; i < timers.size(); ++i) {
    if (timers[i].name() != name) continue;
    const storage::TimerKey key{shard.id, IndexMs(timers[i]), loaded.id, name};
    const bool stands = !timers[i].covered() && round.new_timers.erase(key) == 0;
    if (stands && key.due_ms > std::max(round.now_ms, shard.live_mark_ms)) standing_.push_back(key);
    timers.DeleteSubrange(i, 1);
    return;
  }
}

// An instance needs one row that wakes it in time, not one per timer: most timers are cleared before they are due. So a
// timer without a gate has a row of its own only while no earlier row of its instance stands; one whose timer was just
// cleared will do. Fire() sees to the next when a row has passed, and to those that are overdue: the row that wakes
// them is still to be passed. One made now, of a time before the mark that is saved with it, would be lost with the
// process.
void Partition::CoverTimers(Round& round, Shard& shard, Loaded& loaded) {
  const std::int64_t passed_ms = std::max(round.now_ms, shard.live_mark_ms);
  stored::InstanceState& state = loaded.state;
  if (state.wake_ms() <= passed_ms) state.clear_wake_ms();
  stored::LiveTimer* first = nullptr;  // of those without a row
  std::int64_t wakes_ms = state.wake_ms() != 0 ? state.wake_ms() : TimerCursor::kForever;
  for (stored::LiveTimer& timer : *state.mutable_timers()) {
    if (timer.name() == workflows::kRetentionTimer && IndexMs(timer) <= passed_ms) {
      // The record of this step must be stored before it can be erased: not in this round.
      timer.set_index_ms(passed_ms + 1);
      timer.set_covered(true);
    }
    if (timer.covered()) {
      if (IndexMs(timer) <= passed_ms) continue;
      if (first == nullptr || IndexMs(timer) < IndexMs(*first)) first = &timer;
    } else if (IndexMs(timer) > passed_ms) {
      wakes_ms = std::min(wakes_ms, IndexMs(timer));
    }
  }
  const storage::TimerKey* kept = nullptr;  // the latest of the rows just left that is early enough
  if (first != nullptr && IndexMs(*first) < wakes_ms) {
    for (const storage::TimerKey& key : standing_)
      if (key.due_ms <= IndexMs(*first) && (kept == nullptr || key.due_ms > kept->due_ms)) kept = &key;
    if (kept != nullptr) {
      state.set_wake_ms(kept->due_ms);
    } else {
      first->set_covered(false);
      round.new_timers[{shard.id, IndexMs(*first), loaded.id, static_cast<std::uint16_t>(first->name())}] = {};
    }
  }
  for (const storage::TimerKey& key : standing_)
    if (&key != kept && key.due_ms > round.now_ms + kLazyClearMs) storage::DeleteTimer(round.batch, key);
}

void Partition::OpenEffects(Round& round, Shard& shard, Loaded& loaded, Outcome& outcome, const Cause& cause) {
  for (workflows::Effect& effect : outcome.decision.effects) {
    stored::OutboxRow& row = outbox_row_;
    row.Clear();
    switch (effect.kind) {
      case EffectKind::kLease: {
        // I3 and I4: one at a time, numbered without a gap, and only through a gate.
        assert(cause.peer != nullptr && !outcome.leased && effect.number == loaded.state.effects() + 1);
        const PeerRef& peer = *cause.peer;
        const std::uint64_t sequence = shard.outbox_next++;
        loaded.state.set_effects(effect.number);
        stored::LeaseRecord* lease = loaded.state.add_leases();
        lease->set_number(effect.number);
        lease->set_gateway(peer->gateway);
        lease->set_store_uuid(peer->store_uuid);
        lease->set_deadline_ms(effect.deadline_ms);
        if (loaded.state.leases_size() > kLeasesKept) loaded.state.mutable_leases()->DeleteSubrange(0, 1);

        row.set_instance(loaded.id.bytes.data(), loaded.id.bytes.size());
        row.set_number(effect.number);
        row.set_gateway(peer->gateway);
        row.set_store_uuid(peer->store_uuid);
        row.set_deadline_ms(effect.deadline_ms);
        storage::PutOutbox(round.batch, shard.id, sequence, row);
        shard.open_outbox[sequence] = {loaded.id, effect.number};
        shard.leases[{loaded.id, effect.number}] = {
            peer, loaded.head.tenant(), sequence, effect.deadline_ms, round.now_ms, false};
        round.To(peer).leases.push_back(RenderLease(shard, loaded, effect.number, effect.deadline_ms));
        outcome.leased = true;
        ++counts_.leases;
        break;
      }
      case EffectKind::kProbe: {
        const stored::LeaseRecord* lease = FindLease(loaded.state, effect.number);
        if (lease == nullptr) break;
        const auto holder = std::make_shared<const PeerId>(PeerId{lease->gateway(), lease->store_uuid()});
        round.To(holder).probes.push_back({{loaded.id, effect.number}, lease->deadline_ms()});
        ++counts_.probes;
        break;
      }
      case EffectKind::kPost: {
        const std::uint64_t sequence = shard.outbox_next++;
        row.set_instance(loaded.id.bytes.data(), loaded.id.bytes.size());
        row.set_channel(effect.topic);
        row.set_body(effect.body);
        storage::PutOutbox(round.batch, shard.id, sequence, row);
        shard.open_outbox[sequence] = {loaded.id, 0};
        round.posts.push_back({shard.id, sequence, loaded.id, effect.topic, std::move(effect.body)});
        break;
      }
    }
  }
}

void Partition::Settle(Round& round, Shard& shard, Loaded& loaded, const Decision& decision) {
  for (const std::uint32_t number : decision.accepted) {
    if (stored::LeaseRecord* lease = FindLease(loaded.state, number)) lease->set_accepted(true);
    if (const auto open = shard.leases.find({loaded.id, number}); open != shard.leases.end())
      open->second.accepted = true;
  }
  for (const std::uint32_t number : decision.settled) {
    if (stored::LeaseRecord* lease = FindLease(loaded.state, number)) lease->set_settled(true);
    CloseLease(round, shard, {loaded.id, number});
  }
}

// Gives its credit back once that is durable. Does nothing for a lease that is not open.
void Partition::CloseLease(Round& round, Shard& shard, const AttemptId& attempt) {
  const auto open = shard.leases.find(attempt);
  if (open == shard.leases.end()) return;
  round.released.push_back(std::move(open->second.peer));
  shard.open_outbox.erase(open->second.outbox);
  shard.leases.erase(open);
  ++shard.passed;
}

void Partition::WriteTells(Round& round, Shard& shard, const Loaded& loaded, const Decision& decision,
                           std::string_view actor) {
  for (const workflows::Tell& tell : decision.tells) {
    // An id may come from a client. One of no shard is nobody's here, and takes it without effect as what is gone does.
    if (tell.to.shard().value >= shared_.options.shards) continue;
    stored::TellRow row;
    row.set_instance(std::string(tell.to.AsBytes()));
    row.set_event(tell.event.kind);
    row.set_event_body(tell.event.body);
    row.set_tenant(loaded.head.tenant());
    row.set_actor(std::string(actor));
    row.set_at_ms(round.now_ms);
    WriteTell(round, shard, tell.to.shard(), std::move(row));
  }
}

void Partition::Journal(Round& round, Shard& shard, Loaded& loaded, const workflows::Event& event,
                        const Outcome& outcome, const Cause& cause, const workflows::Facts& facts, const Policy& policy,
                        const Before& before) {
  const Decision& decision = outcome.decision;
  const std::uint64_t previous = loaded.state.sequence();
  loaded.state.set_sequence(shard.chain.sequence + 1);

  body_.Clear();
  body_.set_at_ms(round.now_ms);
  body_.set_workflow(loaded.head.workflow());
  body_.set_workflow_version(loaded.state.workflow_version());
  body_.set_event(event.kind);
  if (event.kind == workflows::kTimerFired) body_.set_timer(event.timer);
  body_.set_event_body(event.body);
  body_.set_tenant(loaded.head.tenant());
  body_.set_actor(cause.actor.data(), cause.actor.size());
  body_.set_random(facts.random);
  body_.set_memberships(facts.memberships);
  if (!policy.bytes.empty()) {
    body_.set_policy_digest(policy.digest.data(), policy.digest.size());
    if (policies_stored_.insert(policy.digest).second) storage::PutPolicy(round.batch, policy.digest, policy.bytes);
  }
  if (cause.peer != nullptr) {
    body_.set_gateway((*cause.peer)->gateway);
    body_.set_store_uuid((*cause.peer)->store_uuid);
  }
  body_.set_verdict(static_cast<std::uint32_t>(decision.verdict));
  body_.set_from_state(before.state);
  body_.set_had_payload(before.had_payload);
  if (decision.fixed) body_.set_fixed(*decision.fixed);
  if (decision.take_payload) body_.set_payload_digest(loaded.head.payload_digest());
  body_.set_attempt(decision.about);
  body_.set_event_effect(event.effect);
  body_.set_outcome(decision.outcome);
  body_.set_cause(decision.cause);
  if (loaded.created) body_.set_target(loaded.head.target());
  body_.SerializeToString(&encoded_);
  storage::AppendResult(encoded_, EncodeState(round, loaded));

  storage::AppendJournal(round.batch, shard.id, shard.chain, previous, loaded.id, encoded_);
  if (!std::exchange(shard.touched, true)) round.touched.push_back(shard.id);
  ++counts_.transitions;
}

// What is written of it at the end of the round is what its last record says.
const std::string& Partition::EncodeState(Round& round, Loaded& loaded) {
  if (!loaded.changed) {
    loaded.changed = round.changed.size();
    round.changed.push_back({&loaded, {}});
  }
  std::string& state = round.changed[*loaded.changed].state;
  loaded.state.SerializeToString(&state);
  return state;
}

void Partition::Count(const Loaded& loaded, const workflows::Workflow& workflow, const Decision& decision,
                      std::uint16_t from_state) {
  constexpr std::size_t kRowsMax = 10'000;
  const auto count = [&](auto& rows, std::string_view what) {
    std::array<std::string_view, 3> key{workflow.name(), loaded.head.tenant(), what};
    auto known = rows.find(key);
    if (known == rows.end() && rows.size() >= kRowsMax) key[1] = "other";
    if (known == rows.end())
      known = rows.try_emplace({std::string(key[0]), std::string(key[1]), std::string(key[2])}).first;
    ++known->second;
  };
  if (!decision.cause.empty()) count(counts_.causes, decision.cause);
  if (decision.state != from_state && (decision.ended || !decision.cause.empty()))
    count(counts_.results, workflow.StateName(decision.state));
}

}  // namespace smsflow::engine
