// Stored rows: a damaged one is an error, and one that is read is written again the same. The first byte picks the
// table.
#include <optional>
#include <string>

#include "storage/accounts.h"
#include "storage/journal.h"
#include "storage/keys.h"
#include "storage/memory_store.h"
#include "storage/records.h"
#include "tests/fuzz/fuzz.h"

namespace storage = smsflow::storage;
using smsflow::InstanceId;
using smsflow::ShardId;
using smsflow::fuzz::Require;

namespace {

constexpr ShardId kShard{7};

// What `put(batch)` writes, the value of one row.
std::string Written(const auto& put) {
  storage::MemoryStore store;
  storage::Batch batch;
  put(batch);
  Require(store.Write(batch, storage::Sync::kYes).ok(), "a row can be written");
  for (int family = 0; family < storage::kFamilies; ++family) {
    const auto cursor = store.Scan(static_cast<storage::Family>(family), "", "\xFF", false);
    if (cursor->Valid()) return std::string(cursor->value());
  }
  Require(false, "a row is written");
  return {};
}

// A row that can be read is put again, with `put(batch, row)`; what is stored then must decode to the same.
void Row(std::string_view bytes, const auto& decode, const auto& put) {
  const auto row = decode(bytes);
  if (!row.ok()) return;
  const auto again = decode(Written([&](storage::Batch& batch) { put(batch, *row); }));
  Require(again.ok() && again->SerializeAsString() == row->SerializeAsString(), "decode(encode(x)) is x");
}

void Timers(std::string_view bytes) {
  const InstanceId id = InstanceId::Make(1, kShard, 1);
  if (const auto timer = storage::DecodeTimer(bytes); timer.ok()) {
    const auto again = storage::DecodeTimer(Written([&](auto& batch) {
      storage::PutTimer(batch, {kShard, 1, id, 1}, timer->gated, timer->lane);
    }));
    Require(again.ok() && again->gated == timer->gated && again->lane == timer->lane, "a timer is read as it was");
  }
  if (const auto ready = storage::DecodeReady(bytes); ready.ok()) {
    const auto again = storage::DecodeReady(Written([&](auto& batch) {
      storage::PutReady(batch, {kShard, {}, 1, id, 1}, ready->tenant, ready->lane);
    }));
    Require(again.ok() && again->tenant == ready->tenant && again->lane == ready->lane, "a ready row too");
  }
}

// Its link depends on the record before it, which is none of this one's bytes: all else is as it was, also once its
// body is gone.
void Journal(std::string_view bytes) {
  const auto record = storage::DecodeJournal(kShard, 5, bytes);
  if (!record.ok()) return;
  const storage::JournalHeader& header = record->header;
  Require(header.sequence == 5 && (!header.erased || record->body.empty()), "an erased one has no body");
  if (header.erased) return;
  const auto again = storage::DecodeJournal(kShard, 5, Written([&](auto& batch) {
                                              storage::ChainHead before{4, {}};
                                              storage::AppendJournal(batch, kShard, before, header.previous,
                                                                     header.instance, record->body);
                                            }));
  Require(again.ok() && again->body == record->body && again->header.previous == header.previous &&
              again->header.instance == header.instance && again->header.digest == header.digest,
          "a record is read as it was");
  const auto erased = storage::DecodeJournal(
      kShard, 5, Written([&](auto& batch) { storage::EraseJournalBody(batch, kShard, *record); }));
  Require(erased.ok() && erased->header.erased && erased->header.digest == header.digest &&
              erased->header.chain == header.chain && erased->header.previous == header.previous &&
              erased->header.instance == header.instance,
          "what stays of it says the same");
}

void Anchor(std::string_view bytes) {
  const auto anchor = storage::DecodeAnchor(kShard, 5, bytes);
  if (!anchor.ok()) return;
  const auto again =
      storage::DecodeAnchor(kShard, 5, Written([&](auto& batch) { storage::PutAnchor(batch, kShard, *anchor); }));
  Require(again.ok() && again->head.sequence == 5 && again->head.chain == anchor->head.chain &&
              again->count == anchor->count,
          "an anchor is read as it was");
}

template <class Key>
void KeyAgain(std::string_view bytes) {
  if (const auto key = Key::Decode(bytes)) Require(std::string_view(key->Encode()) == bytes, "a key has one form");
}

// One whose state lies elsewhere, as that of an instance once it has changed, is not written by PutHead() alone.
absl::StatusOr<storage::stored::InstanceHead> DecodeWholeHead(std::string_view bytes) {
  auto head = storage::DecodeHead(bytes);
  if (head.ok() && !head->has_state()) return absl::NotFoundError("its state lies elsewhere");
  return head;
}

// What its chain takes is just what appending the same change gives.
void Changes(std::string_view bytes) {
  const auto row = storage::DecodeAccountChange(bytes);
  storage::AccountChain chain{4, {}};
  if (!row.ok()) return;
  const auto change = storage::FollowAccountChain(chain, 5, *row);
  if (!change.ok() || change->SerializeAsString() != row->body()) return;
  Row(bytes, storage::DecodeAccountChange, [&](auto& batch, const auto&) {
    storage::AccountChain again{4, {}};
    storage::AppendAccountChange(batch, again, *change);
    Require(again.hash == chain.hash, "the same change has the same link");
  });
}

void Rows(std::uint8_t table, std::string_view bytes) {
  const InstanceId id = InstanceId::Make(1, kShard, 1);
  switch (table) {
    case 0:
      return Row(bytes, DecodeWholeHead, [&](auto& batch, auto head) {
        const std::string state = head.state().SerializeAsString();
        head.clear_state();
        storage::PutHead(batch, id, head, state);
      });
    case 1:
      return Row(bytes, storage::DecodeState,
                 [&](auto& batch, const auto& state) { storage::PutState(batch, id, state.SerializeAsString()); });
    case 2:
      return Row(bytes, storage::DecodeOutbox,
                 [](auto& batch, const auto& post) { storage::PutOutbox(batch, kShard, 1, post); });
    case 3:
      return Row(bytes, storage::DecodeTell,
                 [](auto& batch, const auto& tell) { storage::PutTell(batch, kShard, kShard, 1, tell); });
    case 4:
      return Row(bytes, storage::DecodeSweep,
                 [](auto& batch, const auto& sweep) { storage::PutSweep(batch, kShard, sweep); });
    case 5:
      return Row(bytes, storage::DecodeMembership,
                 [](auto& batch, const auto& member) { storage::PutMembership(batch, kShard, 0, {}, {}, member); });
    case 6:
      return Row(bytes, storage::DecodeDedupe,
                 [](auto& batch, const auto& dedupe) { storage::PutDedupe(batch, kShard, {}, dedupe); });
    case 7:
      return Row(bytes, storage::DecodePause,
                 [](auto& batch, const auto& pause) { storage::PutPause(batch, kShard, {}, {}, pause); });
    case 8:
      return Timers(bytes);
    case 9:
      Journal(bytes);
      return Anchor(bytes);
    case 10:
      return Row(bytes, storage::DecodeAccount,
                 [](auto& batch, const auto& account) { storage::PutAccount(batch, 1, account); });
    case 11:
      return Row(bytes, storage::DecodeClient,
                 [](auto& batch, const auto& client) { storage::PutClient(batch, 1, client); });
    case 12:
      return Changes(bytes);
    case 13:
      return Row(bytes, storage::DecodeFeed,
                 [](auto& batch, const auto& feed) { storage::PutFeed(batch, kShard, feed); });
    default:
      KeyAgain<storage::TimerKey>(bytes);
      KeyAgain<storage::ReadyKey>(bytes);
      return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 0) Rows(data[0] % 15, smsflow::fuzz::View(data + 1, size - 1));
  return 0;
}
