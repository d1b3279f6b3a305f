// Typed reading and writing of every row whose value is a protobuf: one pair of functions per table, so that a key and
// its value can never be mismatched. Every value begins with one byte that names how it is sealed (crypto/seal.h); only
// where there is nothing to seal (an index row, a timer that is not gated) it is empty.
//
// Plain functions; safe from any thread; Get* may read from disk. A value that cannot be decoded is DATA_LOSS and names
// the table and the key (in hex, never a readable name).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ids/ids.h"
#include "smsflow/stored/v1/records.pb.h"
#include "storage/keys.h"
#include "storage/store.h"

namespace smsflow::storage {

namespace stored = ::smsflow::stored::v1;

template <class Row>
using Found = absl::StatusOr<std::optional<Row>>;

// instances
// `state` is encoded already: a transition writes its state twice, here or in a row of its own, and in the journal.
// REQUIRES !head.has_state()
void PutHead(Batch&, const InstanceId&, const stored::InstanceHead& head, std::string_view state);
Found<stored::InstanceHead> GetHead(const Store&, const InstanceId&);
absl::StatusOr<stored::InstanceHead> DecodeHead(std::string_view value);
void DeleteHead(Batch&, const InstanceId&);
void PutState(Batch&, const InstanceId&, std::string_view state);
Found<stored::InstanceState> GetState(const Store&, const InstanceId&);
absl::StatusOr<stored::InstanceState> DecodeState(std::string_view value);
void DeleteState(Batch&, const InstanceId&);

// Appends `state`, encoded, to an encoded JournalBody without one, as its result.
void AppendResult(std::string& body, std::string_view state);

// queues
void PutTimer(Batch&, const TimerKey&, bool gated, std::string_view lane);
void DeleteTimer(Batch&, const TimerKey&);
struct TimerValue {
  bool gated = false;
  std::string lane;
};
absl::StatusOr<TimerValue> DecodeTimer(std::string_view value);
void PutReady(Batch&, const ReadyKey&, std::string_view tenant, std::string_view lane);
void DeleteReady(Batch&, const ReadyKey&);
struct ReadyValue {
  std::string tenant;
  std::string lane;
};
absl::StatusOr<ReadyValue> DecodeReady(std::string_view value);
void PutOutbox(Batch&, ShardId, std::uint64_t sequence, const stored::OutboxRow&);
absl::StatusOr<stored::OutboxRow> DecodeOutbox(std::string_view value);
void PutTell(Batch&, ShardId source, ShardId destination, std::uint64_t sequence, const stored::TellRow&);
absl::StatusOr<stored::TellRow> DecodeTell(std::string_view value);
void PutAppliedTell(Batch&, ShardId destination, ShardId source, std::uint64_t sequence);
absl::StatusOr<std::uint64_t> GetAppliedTell(const Store&, ShardId destination, ShardId source);  // 0: none yet
// Its key comes from its own log and partition.
void PutFeed(Batch&, ShardId, const stored::FeedRow&);
Found<stored::FeedRow> GetFeed(const Store&, ShardId, std::string_view log, std::uint32_t partition);
absl::StatusOr<stored::FeedRow> DecodeFeed(std::string_view value);
void PutSweep(Batch&, ShardId, const stored::SweepRow&);
void DeleteSweep(Batch&, ShardId, std::string_view command);
absl::StatusOr<stored::SweepRow> DecodeSweep(std::string_view value);
void PutMarks(Batch&, ShardId, const stored::ShardMarks&);
Found<stored::ShardMarks> GetMarks(const Store&, ShardId);

// indexes
void PutIndex(Batch&, ShardId, std::uint16_t index, const Hash16& value, const InstanceId&);
void DeleteIndex(Batch&, ShardId, std::uint16_t index, const Hash16& value, const InstanceId&);
void PutMembership(Batch&, ShardId, std::uint8_t set, const Lane8& tenant, const Hash16& target,
                   const stored::MembershipRow&);
void DeleteMembership(Batch&, ShardId, std::uint8_t set, const Lane8& tenant, const Hash16& target);
absl::StatusOr<stored::MembershipRow> DecodeMembership(std::string_view value);
void PutDedupe(Batch&, ShardId, const Hash16& scope, const stored::DedupeRow&);
void DeleteDedupe(Batch&, ShardId, const Hash16& scope);
Found<stored::DedupeRow> GetDedupe(const Store&, ShardId, const Hash16& scope);
absl::StatusOr<stored::DedupeRow> DecodeDedupe(std::string_view value);
void PutPause(Batch&, ShardId, PauseScope, const Hash16& value, const stored::PauseRow&);
void DeletePause(Batch&, ShardId, PauseScope, const Hash16& value);
absl::StatusOr<stored::PauseRow> DecodePause(std::string_view value);

// meta
void PutPolicy(Batch&, const Hash16& digest, std::string_view policy);
Found<std::string> GetPolicy(const Store&, const Hash16& digest);
void PutMeta(Batch&, const stored::Meta&);
Found<stored::Meta> GetMeta(const Store&);

}  // namespace smsflow::storage
