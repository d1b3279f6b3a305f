// What waits in a shard: timers, ready rows, the outbox, tells, sweeps.
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "crypto/hash.h"
#include "engine/bus.h"
#include "engine/inspect_shard.h"
#include "storage/records.h"

namespace smsflow::engine {
namespace {

using storage::Family;

std::string Text(const absl::Status& status) { return std::string(status.message()); }

std::string Malformed(std::string_view what, std::string_view key) {
  return absl::StrCat(std::string(what), " has a malformed key: ", absl::BytesToHexString(std::string(key)));
}

}  // namespace

// Only from the mark on: a row below it is never read again, so it keeps nobody alive.
void ShardInspection::ReadTimers() {
  const storage::Key from = storage::TimerKey{shard_, marks_.backlog_from_ms(), {}, 0}.Encode();
  EachRow(
      Family::kQueues, 't', "timers",
      [&](const storage::Cursor& row) {
        ++summary_.timer_rows;
        const auto key = storage::TimerKey::Decode(row.key());
        if (!key) return Find(Malformed("a timer", row.key()));
        const auto value = storage::DecodeTimer(row.value());
        if (!value.ok()) return Find(Text(value.status()));
        wakes_.emplace(key->instance, key->due_ms);  // the first one is the earliest
        timers_.insert(HashOf(key->instance, static_cast<std::uint64_t>(key->due_ms), key->name));
      },
      from);
}

void ShardInspection::ReadReady() {
  EachRow(Family::kQueues, 'r', "ready rows", [&](const storage::Cursor& row) {
    ++summary_.ready_rows;
    const auto key = storage::ReadyKey::Decode(row.key());
    if (!key) return Find(Malformed("a ready row", row.key()));
    const auto value = storage::DecodeReady(row.value());
    if (!value.ok()) return Find(Text(value.status()));
    ready_.insert(HashOf(key->instance, static_cast<std::uint64_t>(key->due_ms), key->name));
  });
}

// Likewise from the mark on.
void ShardInspection::ReadOutbox() {
  const storage::Key from = storage::OutboxKey(shard_, marks_.outbox_from());
  EachRow(
      Family::kQueues, 'o', "outbox rows",
      [&](const storage::Cursor& row) {
        const auto value = storage::DecodeOutbox(row.value());
        if (!value.ok()) return Find(Text(value.status()));
        if (value->channel() == kDeadLetters) return;
        const auto id = InstanceId::FromBytes(value->instance());
        if (!id) return Find(absl::StrCat("outbox row ", storage::SequenceOfKey(row.key()), " names no instance"));
        if (value->channel() == 0) leases_.insert(HashOf(*id, value->number(), 0));
      },
      from);
}

// What stands in the source goes on, without a gap, from what the destination has applied.
void ShardInspection::ReadTells() {
  std::uint64_t last = 0;
  std::optional<std::uint16_t> destination;
  EachRow(Family::kQueues, 'l', "tells", [&](const storage::Cursor& row) {
    ++summary_.tells;
    if (row.key().size() != 13) return Find(Malformed("a tell", row.key()));
    const auto value = storage::DecodeTell(row.value());
    if (!value.ok()) Find(Text(value.status()));
    const auto to = static_cast<std::uint16_t>(storage::ReadBigEndian(row.key().substr(3, 2)));
    const std::uint64_t sequence = storage::SequenceOfKey(row.key());
    if (destination != to) {
      if (to >= shards_) Find(absl::StrCat("a tell goes to shard ", to, ", which there is not"));
      const auto applied = storage::GetAppliedTell(view_, ShardId{to}, shard_);
      if (!applied.ok()) return Find(Text(applied.status()));
      // Those applied already may still stand; those behind them must begin with the next.
      last = sequence > *applied ? *applied : sequence - 1;
      destination = to;
    }
    if (sequence != last + 1)
      Find(absl::StrCat("tells to shard ", to, " have a gap between ", last, " and ", sequence));
    last = sequence;
  });
}

void ShardInspection::ReadFeeds() {
  EachRow(Family::kQueues, 'f', "feeds", [&](const storage::Cursor& row) {
    ++summary_.feeds;
    const auto value = storage::DecodeFeed(row.value());
    if (!value.ok()) return Find(Text(value.status()));
    const auto log = crypto::Cut(crypto::Sha256(value->log()));
    if (row.key() != storage::FeedKey(shard_, log, value->partition()).view()) Find(Malformed("a feed", row.key()));
  });
}

void ShardInspection::ReadSweeps() {
  EachRow(Family::kQueues, 'w', "sweeps", [&](const storage::Cursor& row) {
    ++summary_.sweeps;
    const auto value = storage::DecodeSweep(row.value());
    if (!value.ok()) return Find(Text(value.status()));
    if (value->command() != row.key().substr(3)) Find(Malformed("a sweep", row.key()));
  });
}

}  // namespace smsflow::engine
