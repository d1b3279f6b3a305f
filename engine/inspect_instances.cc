// Every instance of a shard: against its last journal record, against the queues, and against its own head.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/inspect_shard.h"
#include "engine/timers.h"
#include "storage/records.h"
#include "workflows/workflow.h"

namespace smsflow::engine {
namespace {

using storage::Family;

std::string Text(const absl::Status& status) { return std::string(status.message()); }

}  // namespace

std::string Differences(const stored::InstanceState& a, const stored::InstanceState& b) {
  std::vector<std::string> names;
  const auto* descriptor = stored::InstanceState::descriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    google::protobuf::util::MessageDifferencer differencer;
    for (int j = 0; j < descriptor->field_count(); ++j)
      if (j != i) differencer.IgnoreField(descriptor->field(j));
    if (!differencer.Compare(a, b)) names.push_back(descriptor->field(i)->name());
  }
  return names.empty() ? "fields that this program does not know" : absl::StrJoin(names, ", ");
}

// Heads and states are two runs of rows in the order of ids: read side by side.
void ShardInspection::ReadInstances() {
  const std::string prefix(storage::Key('s', shard_).view());
  const auto states = view_.Scan(Family::kInstances, prefix, storage::PrefixEnd(prefix));
  const auto orphan = [&] {
    const auto id = storage::InstanceOfKey(states->key());
    Find(absl::StrCat("there is a state of ", id ? id->ToString() : "no instance", ", but no instance"));
    states->Next();
  };
  EachRow(Family::kInstances, 'h', "instances", [&](const storage::Cursor& row) {
    ++summary_.instances;
    const std::string_view tail = row.key().substr(3);
    while (states->Valid() && states->key().substr(3) < tail) orphan();
    std::optional<stored::InstanceState> state;
    if (states->Valid() && states->key().substr(3) == tail) {
      auto value = storage::DecodeState(states->value());
      if (!value.ok())
        Find(Text(value.status()));
      else
        state = *std::move(value);
      states->Next();
    }
    const auto id = storage::InstanceOfKey(row.key());
    if (!id || tail.size() != 16) return Find("an instance has a malformed key");
    const auto head = storage::DecodeHead(row.value());
    if (!head.ok()) return Find(absl::StrCat(id->ToString(), ": ", Text(head.status())));
    CheckInstance(*id, *head, state);
  });
  while (states->Valid() && !Stopped()) orphan();
  if (!states->status().ok()) Find(absl::StrCat("states cannot be read to their end: ", Text(states->status())));
  if (stopped_) return;
  for (const auto& [id, record] : recorded_)
    Find(absl::StrCat(id.ToString(), " is in the journal, last at ", record.sequence, ", but is not stored"));
}

void ShardInspection::CheckInstance(const InstanceId& id, const stored::InstanceHead& head,
                                    const std::optional<stored::InstanceState>& row) {
  const stored::InstanceState& state = head.final() || !row ? head.state() : *row;
  ++summary_.states[state.state()];
  if (state.ended_ms() != 0) ++summary_.ended;
  if (id.shard() != shard_) Find(absl::StrCat(id.ToString(), " stands in another shard than its id says"));
  CheckHead(id, head, state);
  CheckAgainstJournal(id, state);
  CheckTimers(id, state);
  CheckLeases(id, state);
}

// I11, and the end of the instance's own chain.
void ShardInspection::CheckAgainstJournal(const InstanceId& id, const stored::InstanceState& state) {
  const auto known = recorded_.find(id);
  if (known == recorded_.end()) return Find(absl::StrCat(id.ToString(), " is stored, but not in the journal"));
  const Recorded recorded = known->second;
  recorded_.erase(known);
  if (state.sequence() != recorded.sequence)
    return Find(absl::StrCat(id.ToString(), " is stored as of journal record ", state.sequence(), ", but its last is ",
                             recorded.sequence));
  if (HashOf(state.SerializeAsString()) == recorded.digest) return;
  const auto record = storage::GetJournal(view_, shard_, recorded.sequence);
  stored::JournalBody body;
  if (record.ok() && *record) body.ParseFromString((*record)->body);
  Find(absl::StrCat(id.ToString(), " is not stored as journal record ", recorded.sequence, " says: it differs in ",
                    Differences(state, body.result())));
}

// I9 and I12: who has not ended waits for something, and all that it waits for will be found by the cursors.
void ShardInspection::CheckTimers(const InstanceId& id, const stored::InstanceState& state) {
  const bool leased = std::any_of(state.leases().begin(), state.leases().end(),
                                  [](const stored::LeaseRecord& lease) { return !lease.settled(); });
  const bool held = leased && !rules_.leases_need_timers;
  if (state.ended_ms() == 0 && state.timers().empty() && !held)
    Find(absl::StrCat(id.ToString(), " has not ended, but waits for no timer"));
  const auto wake = wakes_.find(id);
  for (const auto& timer : state.timers()) {
    ++summary_.live_timers;
    const std::string where =
        absl::StrCat(id.ToString(), " waits for its timer ", timer.name(), ", due at ", timer.due_ms(), ", which ");
    if (timer.covered()) {
      if (wake == wakes_.end() || wake->second > IndexMs(timer))
        Find(where + "has no row in the index, and no earlier one wakes it");
      continue;
    }
    if (timers_.contains(HashOf(id, static_cast<std::uint64_t>(IndexMs(timer)), timer.name()))) continue;
    const bool ready =
        timer.gated() && ready_.contains(HashOf(id, static_cast<std::uint64_t>(timer.due_ms()), timer.name()));
    if (!ready) Find(where + (timer.gated() ? "is neither in the index nor ready" : "is not in the index"));
  }
}

// I3, I4 and I12.
void ShardInspection::CheckLeases(const InstanceId& id, const stored::InstanceState& state) {
  int open = 0;
  std::uint32_t number = state.effects() - static_cast<std::uint32_t>(state.leases_size());
  for (const auto& lease : state.leases()) {
    if (lease.number() != ++number)
      Find(absl::StrCat(id.ToString(), " has lease ", lease.number(), " where ", number, " should be"));
    number = lease.number();
    if (lease.settled()) continue;
    ++open;
    ++summary_.open_leases;
    if (!leases_.contains(HashOf(id, lease.number(), 0)))
      Find(absl::StrCat(id.ToString(), " has open lease ", lease.number(), " without a row in the outbox"));
  }
  if (number != state.effects() && !state.leases().empty())
    Find(absl::StrCat(id.ToString(), " used leases up to ", state.effects(), ", but the last one is ", number));
  if (open > 1) Find(absl::StrCat(id.ToString(), " has ", open, " leases open at a time"));
}

void ShardInspection::CheckHead(const InstanceId& id, const stored::InstanceHead& head,
                                const stored::InstanceState& state) {
  if (head.final() && (state.ended_ms() == 0 || !state.payload_erased()))
    Find(absl::StrCat(id.ToString(), " is marked final, but has not ended or still has a payload"));
  if (state.payload_erased() && !head.payload().empty())
    Find(absl::StrCat(id.ToString(), " says that its payload is erased, but has one"));
  if (!head.payload().empty()) {
    const auto digest = storage::PayloadDigest(head.payload());
    if (head.payload_digest() != std::string(digest.begin(), digest.end()))
      Find(absl::StrCat(id.ToString(), " has another payload than the one that came with it"));
  }
  if (!head.target().empty() && keys_.Shard(shards_, head.tenant(), head.target(), {}, 0) != shard_)
    Find(absl::StrCat(id.ToString(), " stands in another shard than its target says"));
  for (const auto& value : head.index()) {
    const auto index = static_cast<std::uint16_t>(value.index());
    index_rows_.insert(
        HashOf(storage::IndexKey(shard_, index, keys_.IndexValue(head.tenant(), index, value.value()), id).view()));
  }
  if (!head.dedupe().empty() && !dedupe_.emplace(head.dedupe(), id).second)
    Find(absl::StrCat(id.ToString(), " has the same idempotency key as another instance"));
}

}  // namespace smsflow::engine
