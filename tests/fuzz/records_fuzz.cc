// Stored rows: a damaged one is an error, and one that is read is written again the same. The first byte picks the
// table.
#include <optional>
#include <string>

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

// What `put` writes must decode to what was decoded before.
template <class Row, class Put, class Decode>
void Again(const Row& row, const Put& put, const Decode& decode) {
  storage::MemoryStore store;
  storage::Batch batch;
  put(batch, row);
  Require(store.Write(batch, storage::Sync::kYes).ok(), "a row can be written");
  for (int family = 0; family < storage::kFamilies; ++family) {
    const auto cursor = store.Scan(static_cast<storage::Family>(family), "", "\xFF", false);
    for (; cursor->Valid(); cursor->Next()) {
      const auto again = decode(cursor->value());
      Require(again.ok() && again->SerializeAsString() == row.SerializeAsString(), "decode(encode(x)) is x");
    }
  }
}

template <class Key>
void KeyAgain(std::string_view bytes) {
  if (const auto key = Key::Decode(bytes)) Require(std::string_view(key->Encode()) == bytes, "a key has one form");
}

void Rows(std::uint8_t table, std::string_view bytes) {
  const InstanceId id = InstanceId::Make(1, kShard, 1);
  switch (table) {
    case 0:
      if (const auto row = storage::DecodeHead(bytes); row.ok() && row->has_state())
        Again(
            *row,
            [&](auto& batch, auto head) {
              const std::string state = head.state().SerializeAsString();
              head.clear_state();
              storage::PutHead(batch, id, head, state);
            },
            storage::DecodeHead);
      return;
    case 1:
      if (const auto row = storage::DecodeState(bytes); row.ok())
        Again(
            *row, [&](auto& batch, const auto& state) { storage::PutState(batch, id, state.SerializeAsString()); },
            storage::DecodeState);
      return;
    case 2:
      if (const auto row = storage::DecodeOutbox(bytes); row.ok())
        Again(
            *row, [](auto& batch, const auto& post) { storage::PutOutbox(batch, kShard, 1, post); },
            storage::DecodeOutbox);
      return;
    case 3:
      if (const auto row = storage::DecodeTell(bytes); row.ok())
        Again(
            *row, [](auto& batch, const auto& tell) { storage::PutTell(batch, kShard, kShard, 1, tell); },
            storage::DecodeTell);
      return;
    case 4:
      if (const auto row = storage::DecodeSweep(bytes); row.ok())
        Again(
            *row, [](auto& batch, const auto& sweep) { storage::PutSweep(batch, kShard, sweep); },
            storage::DecodeSweep);
      return;
    case 5:
      if (const auto row = storage::DecodeMembership(bytes); row.ok())
        Again(
            *row, [](auto& batch, const auto& member) { storage::PutMembership(batch, kShard, 0, {}, {}, member); },
            storage::DecodeMembership);
      return;
    case 6:
      if (const auto row = storage::DecodeDedupe(bytes); row.ok())
        Again(
            *row, [](auto& batch, const auto& dedupe) { storage::PutDedupe(batch, kShard, {}, dedupe); },
            storage::DecodeDedupe);
      return;
    case 7:
      if (const auto row = storage::DecodePause(bytes); row.ok())
        Again(
            *row, [](auto& batch, const auto& pause) { storage::PutPause(batch, kShard, {}, {}, pause); },
            storage::DecodePause);
      return;
    case 8:
      (void)storage::DecodeTimer(bytes);
      (void)storage::DecodeReady(bytes);
      return;
    case 9:
      if (const auto record = storage::DecodeJournal(kShard, 5, bytes); record.ok())
        Require(record->header.sequence == 5 && (!record->header.erased || record->body.empty()),
                "an erased one has no body");
      (void)storage::DecodeAnchor(kShard, 5, bytes);
      return;
    default:
      KeyAgain<storage::TimerKey>(bytes);
      KeyAgain<storage::ReadyKey>(bytes);
      return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 0) Rows(data[0] % 11, smsflow::fuzz::View(data + 1, size - 1));
  return 0;
}
