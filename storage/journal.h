// One record per transition, in the order of its shard, chained by SHA-256.
//
//   value  := sealing(1) header body?
//   header := format(1)=1 flags(1) previous(8) instance(16) chain(32) digest(32)?
//   body   := JournalBody, absent when flag 1 (erased) is set; then the digest stands in the header instead
//   digest := SHA-256(body)
//   chain  := SHA-256(chain of sequence-1 ‖ sequence(8) ‖ previous(8) ‖ instance(16) ‖ digest(32)); of sequence 0: 32
//   zeros
//
// `previous` is the sequence of the instance's record before, 0 for its first, so that one life can be read backwards.
// So a body can go while the chain over what is left still proves that nothing was changed, dropped or inserted.
//
// Plain functions over a Store; safe from any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "ids/ids.h"
#include "smsflow/stored/v1/records.pb.h"
#include "storage/store.h"

namespace smsflow::storage {

using Digest = std::array<std::uint8_t, 32>;

struct JournalHeader {
  std::uint64_t sequence = 0;  // of its shard, from 1
  std::uint64_t previous = 0;
  InstanceId instance;
  Digest digest{};
  Digest chain{};
  bool erased = false;
};

struct JournalRecord {
  JournalHeader header;
  std::string body;  // encoded JournalBody; empty when erased
};

// The end of a shard's chain: what the next record goes on from.
struct ChainHead {
  std::uint64_t sequence = 0;
  Digest chain{};
};

// Stands where a whole old segment was removed: the chain as it was at its last record, and how many records it had.
struct ChainAnchor {
  ChainHead head;
  std::uint64_t count = 0;
};

// Appends to the batch and moves `head` on.
void AppendJournal(Batch& batch, ShardId shard, ChainHead& head, std::uint64_t previous, const InstanceId& instance,
                   std::string_view body);
// Rewrites a record without its body; the chain stays as it is.
void EraseJournalBody(Batch& batch, ShardId shard, const JournalRecord& record);

absl::StatusOr<JournalRecord> DecodeJournal(ShardId shard, std::uint64_t sequence, std::string_view value);
// nullopt: no such record (never written, or gone with its segment).
absl::StatusOr<std::optional<JournalRecord>> GetJournal(const Store& store, ShardId shard, std::uint64_t sequence);

// Put it in the batch that deletes the records up to `anchor.head.sequence`.
void PutAnchor(Batch& batch, ShardId shard, const ChainAnchor& anchor);
absl::StatusOr<ChainAnchor> DecodeAnchor(ShardId shard, std::uint64_t sequence, std::string_view value);
// nullopt: nothing was ever removed from the shard.
absl::StatusOr<std::optional<ChainAnchor>> LastAnchor(const Store& store, ShardId shard);

// Of an empty shard: sequence 0. Reads one row, the last.
absl::StatusOr<ChainHead> FindChainHead(const Store& store, ShardId shard);
// What stays of a payload in the journal: SHA-256, cut to 16 bytes.
std::array<std::uint8_t, 16> PayloadDigest(std::string_view payload);
// What `header.chain` must be after `before`.
Digest ChainAfter(const Digest& before, const JournalHeader& header);

}  // namespace smsflow::storage
