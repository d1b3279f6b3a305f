#include "engine/replay.h"

#include <algorithm>
#include <optional>

#include "engine/recorded_event.h"
#include "engine/step.h"
#include "smsflow/stored/v1/records.pb.h"
#include "storage/journal.h"
#include "storage/records.h"

namespace smsflow::engine {

namespace stored = ::smsflow::stored::v1;

// What an instance was before a record.
struct Replay::Before {
  bool known = false;
  stored::InstanceState state;
  std::string fixed;
  std::string target;
};

namespace {

using Timers = std::map<std::uint32_t, std::pair<std::int64_t, bool>>;  // by name: when due, and whether gated

Timers TimersOf(const stored::InstanceState& state) {
  Timers timers;
  for (const auto& timer : state.timers()) timers[timer.name()] = {timer.due_ms(), timer.gated()};
  return timers;
}

// Where the retention timer stands depends on how long idempotency keys are kept, which no record tells: it must be
// there, and not before what was decided.
bool SameTimers(const stored::InstanceState& before, const workflows::Decision& decision,
                const stored::JournalBody& body) {
  Timers expected = TimersOf(before), recorded = TimersOf(body.result());
  if (body.event() == workflows::kTimerFired) expected.erase(body.timer());
  for (const workflows::TimerChange& change : decision.timers) {
    expected.erase(change.name);
    if (change.due_ms) expected[change.name] = {*change.due_ms, change.gated};
  }
  const auto kept = recorded.find(workflows::kRetentionTimer);
  if (decision.ended && decision.retain_until_ms) {
    if (kept == recorded.end() || kept->second.first < *decision.retain_until_ms) return false;
    expected[workflows::kRetentionTimer] = kept->second;
  } else if (!decision.ended) {
    expected.erase(workflows::kRetentionTimer);
  }
  return expected == recorded;
}

bool SameLeases(const stored::InstanceState& before, const workflows::Decision& decision,
                const stored::JournalBody& body) {
  std::vector<stored::LeaseRecord> expected(before.leases().begin(), before.leases().end());
  for (stored::LeaseRecord& lease : expected) {
    const auto names = [&](const std::vector<std::uint32_t>& numbers) {
      return std::find(numbers.begin(), numbers.end(), lease.number()) != numbers.end();
    };
    if (names(decision.accepted)) lease.set_accepted(true);
    if (names(decision.settled)) lease.set_settled(true);
  }
  std::uint32_t effects = before.effects();
  for (const workflows::Effect& effect : decision.effects) {
    if (effect.kind != workflows::EffectKind::kLease) continue;
    effects = effect.number;
    stored::LeaseRecord lease;
    lease.set_number(effect.number);
    lease.set_gateway(body.gateway());
    lease.set_store_uuid(body.store_uuid());
    lease.set_deadline_ms(effect.deadline_ms);
    expected.push_back(std::move(lease));
  }
  // The oldest go where there are too many.
  const auto& recorded = body.result().leases();
  const auto same = [](const stored::LeaseRecord& a, const stored::LeaseRecord& b) {
    return a.SerializeAsString() == b.SerializeAsString();
  };
  return effects == body.result().effects() && expected.size() >= static_cast<std::size_t>(recorded.size()) &&
         expected.empty() == recorded.empty() &&
         std::equal(recorded.rbegin(), recorded.rend(), expected.rbegin(), same);
}

bool SameErasure(const stored::InstanceState& before, const workflows::Decision& decision,
                 const stored::JournalBody& body) {
  const bool erased = decision.erase_payload || (before.payload_erased() && !decision.take_payload);
  return erased == body.result().payload_erased() && decision.take_payload == !body.payload_digest().empty();
}

// The name of the first part in which a decision differs from the record; empty: in none.
std::string Difference(const stored::InstanceState& before, const workflows::Decision& decision,
                       const stored::JournalBody& body) {
  const auto verdict = static_cast<std::uint32_t>(decision.verdict);
  const std::int64_t ended_ms = before.ended_ms() != 0 ? before.ended_ms() : body.at_ms();
  if (verdict != body.verdict()) return "verdict";
  if (decision.state != body.result().state()) return "state";
  if (decision.data != body.result().data()) return "data";
  if ((decision.ended ? ended_ms : 0) != body.result().ended_ms()) return "ended";
  if (decision.outcome != body.outcome()) return "outcome";
  if (decision.cause != body.cause()) return "cause";
  if (decision.fixed.value_or("") != body.fixed()) return "fixed";
  if (decision.about != body.attempt()) return "attempt";
  if (!SameTimers(before, decision, body)) return "timers";
  if (!SameLeases(before, decision, body)) return "leases";
  if (!SameErasure(before, decision, body)) return "payload";
  return {};
}

}  // namespace

absl::Status Replay::Run(const StoredInstance& instance) {
  auto journal = reader_.Journal(instance);
  if (!journal.ok()) return journal.status();
  Before before;
  before.target = instance.head.target();
  // Without the beginning the fixed part is what it is now: only a later record that replaces it could tell.
  before.fixed = instance.head.fixed();
  for (const storage::JournalRecord& record : journal->records) {
    ++counts_.records;
    stored::JournalBody body;
    if (record.header.erased) {
      ++counts_.erased;
      before.known = false;
      continue;
    }
    if (!body.ParseFromString(record.body)) {
      return absl::DataLossError("journal record " + std::to_string(record.header.sequence) + " of " +
                                 instance.id.ToString() + " cannot be read");
    }
    if (body.from_state() == 0) before = {true, {}, {}, body.target()};
    if (before.known) {
      if (auto decided = Decide(instance, before, body, record.header.sequence); !decided.ok()) return decided.status();
    } else {
      ++counts_.erased;
    }
    before.known = true;
    before.state = body.result();
    if (!body.fixed().empty()) before.fixed = body.fixed();
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> Replay::Decide(const StoredInstance& instance, const Before& before,
                                    const stored::JournalBody& body, std::uint64_t sequence) {
  const std::string where = "instance " + instance.id.ToString() + ", journal record " + std::to_string(sequence);
  const auto found = std::find_if(workflows_.begin(), workflows_.end(),
                                  [&](const auto* workflow) { return workflow->number() == body.workflow(); });
  if (found == workflows_.end()) {
    ++counts_.differences;
    findings_.push_back(where + ": workflow " + std::to_string(body.workflow()) + " is not known");
    return false;
  }
  const workflows::Workflow& workflow = **found;

  workflows::Event event = RecordedEvent(body);
  if (event.kind == workflows::kTimerFired) event.timer_due_ms = TimersOf(before.state)[event.timer].first;

  workflows::Instance then;
  then.id = instance.id;
  then.tenant = body.tenant();
  then.target = before.target;
  then.fixed = before.fixed;
  then.has_payload = body.had_payload();
  then.state = static_cast<std::uint16_t>(before.state.state());
  then.data = before.state.data();
  then.effects = before.state.effects();
  then.ended = before.state.ended_ms() != 0;

  workflows::Facts facts;
  facts.now_ms = body.at_ms();
  facts.random = body.random();
  facts.memberships = body.memberships();
  if (!body.policy_digest().empty()) {
    auto policy = Policy(body.policy_digest());
    if (!policy.ok()) return policy.status();
    facts.policy = **policy;
  }
  const PeerId peer{body.gateway(), body.store_uuid()};
  if (!peer.gateway.empty()) facts.peer = &peer;

  const std::string difference = Difference(before.state, Step(workflow, then, event, facts), body);
  if (difference.empty()) return true;
  if (workflow.version() == body.workflow_version()) {
    ++counts_.differences;
    findings_.push_back(where + ": " + difference + " would be another today");
  } else {
    ++counts_.other_version;
  }
  return false;
}

absl::StatusOr<const std::string*> Replay::Policy(const std::string& digest) {
  if (const auto known = policies_.find(digest); known != policies_.end()) return &known->second;
  storage::Hash16 hash{};
  if (digest.size() != hash.size()) return absl::DataLossError("a journal record names a malformed policy digest");
  std::copy(digest.begin(), digest.end(), hash.begin());
  auto policy = storage::GetPolicy(reader_.store(), hash);
  if (!policy.ok()) return policy.status();
  if (!policy->has_value()) return absl::DataLossError("a policy that the journal names is not stored");
  return &policies_.emplace(digest, **std::move(policy)).first->second;
}

}  // namespace smsflow::engine
