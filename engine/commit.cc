// Where a batch becomes durable, and what may happen only after that.
#include <algorithm>
#include <chrono>
#include <utility>

#include "engine/partition.h"
#include "storage/records.h"

namespace smsflow::engine {
namespace {

constexpr std::int64_t kMarksEveryMs = 1000;
constexpr std::uint64_t kGarbageMax = 16'384;   // rows passed by before their range is deleted
constexpr std::uint64_t kOutboxSpread = 1'024;  // rows that recovery may have to look at, per shard
constexpr int kOutboxMoves = 64;
constexpr std::uint32_t kSmallBatch = 32;  // commands and timers

}  // namespace

void Partition::Commit(Round& round) {
  LogTurn::Holder turn(shared_.log_turn);
  // A sync costs a small batch as much as a large one. What is large enough asks the store at once: to decide more
  // while the log waits for it would cost more than a sync.
  if (round.work != 0 && round.work < kSmallBatch && turn.Take()) HandleQueued(round, kSmallBatch);
  WriteInstances(round);
  for (const auto& [key, value] : round.new_timers) storage::PutTimer(round.batch, key, value.gated, value.lane);
  for (const auto& [shards, sequence] : round.tells_applied)
    storage::PutAppliedTell(round.batch, ShardId{shards.first}, ShardId{shards.second}, sequence);
  WriteFeeds(round);
  SaveMarks(round);
  if (round.batch.operations() != 0) ForgetTells(round);

  if (round.batch.operations() != 0) {
    const auto begun = std::chrono::steady_clock::now();
    const auto sync = shared_.options.sync ? storage::Sync::kYes : storage::Sync::kNo;
    if (const absl::Status status = store().Write(round.batch, sync); !status.ok()) Fail(status);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begun;
    Observe(counts_.write_ms, took.count());
    Observe(counts_.batch_size, round.work);
    ++counts_.batches;
    counts_.operations += round.batch.operations();
    counts_.batch_bytes += round.batch.bytes();
  }
  turn.Pass();
  Publish(round);
}

void Partition::WriteInstances(Round& round) {
  for (const Changed& changed : round.changed) {
    Loaded& loaded = *changed.loaded;
    loaded.changed.reset();
    if (loaded.erased) continue;
    const bool was_final = loaded.head.final();
    const bool is_final = loaded.final();
    if (loaded.created || loaded.head_changed || is_final || was_final) {
      loaded.head.set_final(is_final);
      storage::PutHead(round.batch, loaded.id, loaded.head, changed.state);
    }
    // A new or a final instance is one row; for every other one the state row outranks what the head holds.
    if (!loaded.created && !is_final) storage::PutState(round.batch, loaded.id, changed.state);
    loaded.created = loaded.head_changed = false;
  }
}

void Partition::SaveMarks(Round& round) {
  if (round.steady_ms - marks_saved_ms_ < kMarksEveryMs) return;
  marks_saved_ms_ = round.steady_ms;
  ForgetTells(round);
  for (const auto& home : shards_)
    if (home->passed != 0) SaveMarksOf(round, *home);
}

void Partition::SaveMarksOf(Round& round, Shard& home) {
  MoveOldOutboxRows(round, home);
  stored::ShardMarks& marks = home.marks;
  marks.set_backlog_from_ms(home.TakenTo());
  // Where the mark went back with a clock that nobody trusts, it stays known what the right time was at least.
  marks.set_live_ms(std::max(home.live_mark_ms, shared_.clock_guard.seen_ms()));
  marks.set_outbox_from(home.open_outbox.empty() ? home.outbox_next : home.open_outbox.begin()->first);
  marks.set_outbox_next(home.outbox_next);
  marks.set_erased_to(home.erased_to);
  marks.set_epoch(home.epoch);
  home.garbage += std::exchange(home.passed, 0);
  if (home.garbage > kGarbageMax) {
    home.garbage = 0;
    round.batch.DeleteRange(storage::Family::kQueues, storage::TimerKey{home.id, 0, {}, 0}.Encode(),
                            storage::TimerKey{home.id, marks.backlog_from_ms(), {}, 0}.Encode());
    round.batch.DeleteRange(storage::Family::kQueues, storage::OutboxKey(home.id, 0),
                            storage::OutboxKey(home.id, marks.outbox_from()));
  }
  storage::PutMarks(round.batch, home.id, marks);
}

// Rows of settled leases are not deleted one by one, so one lease that stays open for long would make recovery look at
// all that came after it. It gets a new row at the end instead.
void Partition::MoveOldOutboxRows(Round& round, Shard& home) {
  for (int moved = 0; moved < kOutboxMoves && !home.open_outbox.empty(); ++moved) {
    const auto oldest = home.open_outbox.begin();
    if (home.outbox_next - oldest->first <= kOutboxSpread) return;
    const auto value = store().Get(storage::Family::kQueues, storage::OutboxKey(home.id, oldest->first));
    if (!value.ok()) Fail(value.status());
    const AttemptId attempt = oldest->second;
    if (!value->has_value()) return;
    const std::uint64_t sequence = home.outbox_next++;
    if (attempt.number == 0 && !MoveDeadLetter(round, home, oldest->first, sequence, **value)) return;
    round.batch.Put(storage::Family::kQueues, storage::OutboxKey(home.id, sequence), **value);
    home.open_outbox.erase(oldest);
    home.open_outbox[sequence] = attempt;
    if (const auto lease = home.leases.find(attempt); lease != home.leases.end()) lease->second.outbox = sequence;
  }
}

// Whoever sends it knows it by the record that it is of, and learns its new number. Other posts keep theirs: receivers
// know them by it.
bool Partition::MoveDeadLetter(Round& round, const Shard& home, std::uint64_t from, std::uint64_t to,
                               std::string_view value) {
  auto row = storage::DecodeOutbox(value);
  if (!row.ok()) Fail(row.status());
  if (row->channel() != kDeadLetters) return false;
  round.batch.Delete(storage::Family::kQueues, storage::OutboxKey(home.id, from));
  round.posts.push_back({home.id, to, {}, kDeadLetters, std::move(*row->mutable_body())});
  return true;
}

void Partition::Publish(Round& round) {
  for (const ShardId id : round.touched) {
    Shard& home = shard(id);
    home.touched = false;
    shared_.committed[id.value].store(home.chain.sequence, std::memory_order_release);
    if (shared_.parts.high_water != nullptr) shared_.parts.high_water->Note(id, {home.epoch, home.chain.sequence});
  }
  if (!round.touched.empty()) {
    absl::MutexLock lock(&shared_.commits_mutex);
    ++shared_.commits;
  }
  for (const auto& [key, value] : round.new_timers) shard(key.shard).live.Add(key, value);
  for (const auto& [key, value] : round.new_ready) {
    shard(key.shard).ready.Add(key, value);
    KnowLane(key.lane, key.shard, value);
  }
  // Credit may have come between the decision to wait and this row's being there to be found.
  if (!round.new_ready.empty()) ready_again_ = true;
  for (auto& [id, sweep] : round.new_sweeps) shard(id).sweeps[sweep.tenant()].push_back(std::move(sweep));
  GiveBackCredit(round);
  for (auto& [done, answer] : round.reported) done(answer);
  for (auto& [done, answer] : round.replies) done(std::move(answer));
  for (auto& [done, answer] : round.fed) done(std::move(answer));
  for (auto& answer : round.answers) answer();
  SendOut(round);
  instances_.Trim();
}

// Only now: before, another partition's lease could become durable with a credit that a crash would take back.
void Partition::GiveBackCredit(const Round& round) {
  for (std::size_t i = 0, same = 0; i < round.released.size(); i += same) {
    const PeerRef& peer = round.released[i];
    for (same = 1; i + same < round.released.size() && round.released[i + same] == peer;) ++same;
    shared_.peers.Release(*peer, same);
  }
}

void Partition::SendOut(Round& round) {
  for (auto& [peer, leases, probes] : round.outgoing) {
    const auto attachment = shared_.peers.AttachmentOf(*peer);
    if (attachment == nullptr) continue;  // away: all of it is repeated when it attaches
    // It may have come anew since these were decided, for fewer tenants, or with fewer keys.
    std::erase_if(leases, [&](const engine::Lease& lease) { return !attachment->Serves(lease.tenant, lease.lane); });
    for (engine::Lease& lease : leases) lease.mark.sequence = shard(lease.mark.shard).chain.sequence;
    if (!leases.empty()) attachment->link->Send(std::move(leases));
    if (!probes.empty()) attachment->link->Send(std::move(probes));
  }
  if (!round.posts.empty() && shared_.parts.posts != nullptr) shared_.parts.posts->Send(std::move(round.posts));
  for (auto& [destination, tell] : round.tells) shared_.post(destination, std::move(tell));
  for (const auto& [shards, sequence] : round.tells_applied)
    shared_.post(ShardId{shards.second}, TellsAppliedItem{ShardId{shards.second}, ShardId{shards.first}, sequence});
}

}  // namespace smsflow::engine
