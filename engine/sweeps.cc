// One event for many instances: all of an index value, or all of a tenant. Each shard works through its own in chunks
// and remembers in a row how far it is, so that a crash in the middle loses nothing and others do not wait.
#include <algorithm>
#include <limits>
#include <utility>

#include "engine/partition.h"
#include "storage/records.h"

namespace smsflow::engine {
namespace {

constexpr int kChunkInstances = 64;
constexpr int kChunkRows = 2'000;

}  // namespace

void Partition::Handle(Round& round, SweepItem& item) {
  BeginSweep(round, shard(item.home), item.command, item.request);
}

void Partition::BeginSweep(Round& round, Shard& home, const std::string& named, const SweepRequest& request) {
  stored::SweepRow row;
  row.set_command(named);
  row.set_workflow(request.workflow);
  row.set_tenant(request.tenant);
  row.set_index(request.index);
  row.set_value(request.value);
  row.set_event(request.event.kind);
  row.set_event_body(request.event.body);
  row.set_actor(request.actor);

  if (!request.target) {
    stored::BroadcastCommand command;
    *command.mutable_sweep() = std::move(row);
    stored::TellRow tell;
    tell.set_broadcast(command.SerializeAsString());
    tell.set_tenant(request.tenant);
    tell.set_at_ms(round.now_ms);
    for (std::uint16_t s = 0; s < shared_.options.shards; ++s) WriteTell(round, home, ShardId{s}, tell);
    return;
  }

  // One target lives in one shard: its membership is the atomic point, the sweep follows it.
  const bool changed = request.membership && ChangeMembership(round, home, request.tenant, *request.target,
                                                              *request.membership, request.actor);
  if (request.sweep) {
    // What changed is known now, the counts come with the end of the sweep.
    if (changed) round.answers.push_back([this, command = named] { shared_.broadcasts.Changed(command); });
    StartSweep(round, home, std::move(row));
  } else {
    round.answers.push_back([this, command = named, changed] { shared_.broadcasts.Finished(command, {}, changed); });
  }
}

void Partition::StartSweep(Round& round, Shard& home, stored::SweepRow row) {
  // All that came before are meant, also those of a clock that was ahead then; instances that come later are not, also
  // not those of this same millisecond. Only where that clock was far off, ids do not follow it, lest all later ones be
  // as wrong: what comes while this sweep is open may then be swept as well.
  const std::int64_t next_id_ms = std::max(round.now_ms, home.id_from_ms);
  const bool near = home.id_newest_ms - next_id_ms <= shared_.options.clock_jump_ms;
  const std::int64_t until_ms = std::max({round.now_ms, home.id_from_ms - 1, home.id_newest_ms});
  const InstanceId last = InstanceId::Make(until_ms, home.id, ~std::uint64_t{0});
  row.set_until(std::string(last.AsBytes()));
  home.id_from_ms = near ? until_ms + 1 : std::max(home.id_from_ms, round.now_ms + 1);
  storage::PutSweep(round.batch, home.id, row);
  // Begun once this batch is stored, so that its scans see everything that came before it.
  round.new_sweeps.emplace_back(home.id, std::move(row));
}

// A few chunks a round; in a shard tenants in turn, and the sweeps of each in turn: whoever asks for much waits, nobody
// else.
void Partition::SweepSome(Round& round) {
  constexpr int kChunksMax = 4;
  int chunks = 0;
  for (std::size_t i = 0; i < shards_.size() && chunks < kChunksMax; ++i)
    if (SweepChunk(round, *shards_[(turn_ + i) % shards_.size()])) ++chunks;
}

bool Partition::SweepChunk(Round& round, Shard& home) {
  if (home.sweeps.empty()) return false;
  auto turn = home.sweeps.upper_bound(home.swept_last);
  if (turn == home.sweeps.end()) turn = home.sweeps.begin();
  home.swept_last = turn->first;
  stored::SweepRow row = std::move(turn->second.front());
  turn->second.pop_front();
  const bool done = row.index() != 0 ? SweepByIndex(round, home, row) : SweepAll(round, home, row);
  ++round.work;
  if (!done) {
    storage::PutSweep(round.batch, home.id, row);
    turn->second.push_back(std::move(row));
    return true;
  }
  if (turn->second.empty()) home.sweeps.erase(turn);
  storage::DeleteSweep(round.batch, home.id, row.command());
  round.answers.push_back([this, command = row.command(),
                           outcomes = std::vector<std::uint64_t>(row.outcomes().begin(), row.outcomes().end())] {
    shared_.broadcasts.Finished(command, outcomes, false);
  });
  return true;
}

bool Partition::SweepByIndex(Round& round, Shard& home, stored::SweepRow& row) {
  const auto index = static_cast<std::uint16_t>(row.index());
  const auto hash = shared_.parts.index_keys->IndexValue(row.tenant(), index, row.value());
  const std::string prefix(storage::Key('i', home.id).Add16(index).Add(hash).view());
  const std::string from = row.after().empty() ? prefix : prefix + row.after() + '\0';
  const auto cursor = store().Scan(storage::Family::kIndexes, from, prefix + row.until() + '\0');
  int seen = 0;
  for (; cursor->Valid() && seen < kChunkInstances; cursor->Next(), ++seen) {
    const auto id = storage::InstanceOfKey(cursor->key());
    if (!id) Fail(absl::DataLossError("an index row names no instance"));
    SweepOne(round, home, row, *id);
  }
  if (!cursor->status().ok()) Fail(cursor->status());
  return !cursor->Valid();
}

bool Partition::SweepAll(Round& round, Shard& home, stored::SweepRow& row) {
  const std::string prefix(storage::Key('h', home.id).view());
  const std::string from = row.after().empty() ? prefix : prefix + row.after() + '\0';
  const auto cursor = store().Scan(storage::Family::kInstances, from, prefix + row.until() + '\0');
  int rows = 0;
  int seen = 0;
  for (; cursor->Valid() && rows < kChunkRows && seen < kChunkInstances; cursor->Next(), ++rows) {
    const auto id = storage::InstanceOfKey(cursor->key());
    if (!id) Fail(absl::DataLossError("an instance row has a malformed key"));
    const auto head = storage::DecodeHead(cursor->value());
    if (!head.ok()) Fail(head.status());
    if (head->tenant() == row.tenant() && head->workflow() == row.workflow()) {
      SweepOne(round, home, row, *id);
      ++seen;
    }
    row.set_after(std::string(id->AsBytes()));
  }
  if (!cursor->status().ok()) Fail(cursor->status());
  return !cursor->Valid();
}

void Partition::SweepOne(Round& round, Shard& home, stored::SweepRow& row, const InstanceId& id) {
  row.set_after(std::string(id.AsBytes()));
  auto found = instances_.Find(id);
  if (!found.ok()) Fail(found.status());
  if (*found == nullptr || (*found)->head.tenant() != row.tenant()) return;
  workflows::Event event;
  event.kind = static_cast<std::uint16_t>(row.event());
  event.body = row.event_body();
  const Outcome outcome = Decide(round, home, **found, event, {row.actor()});
  constexpr int kOutcomesMax = 64;
  const int number = outcome.decision.outcome;
  if (number >= kOutcomesMax) return;
  while (row.outcomes_size() <= number) row.add_outcomes(0);
  row.set_outcomes(number, row.outcomes(number) + 1);
}

}  // namespace smsflow::engine
