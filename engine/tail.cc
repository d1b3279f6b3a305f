#include "engine/tail.h"

#include <algorithm>
#include <utility>

#include "storage/journal.h"
#include "storage/keys.h"
#include "storage/records.h"

namespace smsflow::engine {

namespace {

absl::Status Erased() {
  return absl::OutOfRangeError("token: what came right after it was erased by retention; begin anew with a List");
}

}  // namespace

Tail::Tail(const Reader& reader, TailFilter filter, ShardVector from)
    : reader_(reader), filter_(std::move(filter)), positions_(std::move(from)) {}

absl::Status Tail::Check() const {
  if (positions_.size() != reader_.shards()) {
    return absl::InvalidArgumentError("token: must be of a List or Watch of this server");
  }
  const ShardVector now = reader_.Now();
  for (std::uint16_t shard = 0; shard < reader_.shards(); ++shard) {
    if (positions_[shard] > now[shard]) {
      return absl::InvalidArgumentError("token: must be of a List or Watch of this server");
    }
    const auto marks = storage::GetMarks(reader_.store(), ShardId{shard});
    if (!marks.ok()) return marks.status();
    if (marks->has_value() && positions_[shard] < (*marks)->erased_to()) return Erased();
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> Tail::Read(std::uint32_t rows_max, std::vector<TailRecord>& out) {
  std::uint32_t rows_left = rows_max;
  const std::uint16_t shards = reader_.shards();
  const ShardVector now = reader_.Now();
  for (std::uint16_t i = 0; i < shards && rows_left > 0; ++i) {
    const auto shard = static_cast<std::uint16_t>((turn_ + i) % shards);
    if (filter_.shard && filter_.shard->value != shard) {
      positions_[shard] = now[shard];
      continue;
    }
    if (positions_[shard] >= now[shard]) continue;
    if (absl::Status status = ReadShard(ShardId{shard}, now[shard], rows_left, out); !status.ok()) return status;
    if (positions_[shard] < now[shard]) {
      // Cut off in the middle: the next call begins with the one after it.
      turn_ = static_cast<std::uint16_t>((shard + 1) % shards);
      return true;
    }
  }
  return rows_left == 0;
}

absl::Status Tail::ReadShard(ShardId shard, std::uint64_t committed, std::uint32_t& rows_left,
                             std::vector<TailRecord>& out) {
  const auto cursor =
      reader_.store().Scan(storage::Family::kJournal, storage::JournalKey(shard, positions_[shard.value] + 1),
                           storage::JournalKey(shard, committed + 1));
  for (; cursor->Valid() && rows_left > 0; cursor->Next(), --rows_left) {
    const std::uint64_t sequence = storage::SequenceOfKey(cursor->key());
    auto record = storage::DecodeJournal(shard, sequence, cursor->value());
    if (!record.ok()) return record.status();
    // A gap or an erased body: what stood there can no longer be told.
    if (record->header.erased || sequence != positions_[shard.value] + 1) return Erased();
    TailRecord row{record->header.instance, sequence, {}};
    if (!row.body.ParseFromString(record->body)) {
      return absl::DataLossError("journal record " + std::to_string(sequence) + " of shard " +
                                 std::to_string(shard.value) + " cannot be read");
    }
    positions_[shard.value] = sequence;
    if (row.body.workflow() == filter_.workflow && (filter_.tenant.empty() || row.body.tenant() == filter_.tenant)) {
      out.push_back(std::move(row));
    }
  }
  return cursor->status();
}

}  // namespace smsflow::engine
