#include "tests/sim/ledger.h"

#include <algorithm>
#include <utility>

#include "storage/records.h"
#include "workflows/delivery/state.h"

namespace smsflow::sim {
namespace {

namespace delivery = workflows::delivery;

// What may follow an end: the later reports of design section 4.
bool MayFollow(delivery::State end, delivery::State next) {
  if (end == next || end == delivery::State::kDelivered) return end == next;
  if (next == delivery::State::kDelivered) return true;
  if (end == delivery::State::kInvalid) return false;
  const bool doubt = next == delivery::State::kUnknown || next == delivery::State::kSent;
  return doubt || (end == delivery::State::kExpired && next == delivery::State::kInvalid);
}

}  // namespace

void Ledger::Follow(std::vector<std::string>& violations) {
  for (std::uint16_t shard = 0; shard < heads_.size(); ++shard) Read(ShardId{shard}, violations);
  for (const InstanceId& id : moved_) {
    const auto head = storage::GetHead(store_, id);
    if (!head.ok()) {
      violations.push_back("I11: " + id.ToString() + " cannot be read");
      continue;
    }
    if (!head->has_value()) continue;  // erased in the same step; whether it was time is asked elsewhere
    ::smsflow::stored::v1::InstanceState stored = (*head)->state();
    if (!(*head)->final()) {
      const auto state = storage::GetState(store_, id);
      if (state.ok() && state->has_value()) stored = **state;
    }
    coverage_.Hit("check I11 what is stored is what the journal says");
    if (stored.SerializeAsString() != instances_[id].state.SerializeAsString())
      violations.push_back("I11: " + id.ToString() + " is not stored as its last journal record says");
  }
}

void Ledger::Read(ShardId shard, std::vector<std::string>& violations) {
  storage::ChainHead& head = heads_[shard.value];
  const std::string end = storage::PrefixEnd(storage::Key('j', shard).view());
  const auto rows = store_.Scan(storage::Family::kJournal, storage::JournalKey(shard, head.sequence + 1), end);
  for (; rows->Valid(); rows->Next()) {
    const std::uint64_t sequence = storage::SequenceOfKey(rows->key());
    const auto record = storage::DecodeJournal(shard, sequence, rows->value());
    if (!record.ok()) return violations.push_back("I16: " + record.status().ToString());
    coverage_.Hit("check I16 a chain has no gap");
    if (sequence != head.sequence + 1)
      violations.push_back("I16: a gap in shard " + std::to_string(shard.value) + " before " +
                           std::to_string(sequence));
    else if (storage::ChainAfter(head.chain, record->header) != record->header.chain)
      violations.push_back("I16: the chain of shard " + std::to_string(shard.value) + " breaks at " +
                           std::to_string(sequence));
    head = {sequence, record->header.chain};
    if (!record->header.erased) Take(*record, violations);
  }
}

void Ledger::Take(const storage::JournalRecord& record, std::vector<std::string>& violations) {
  const InstanceId id = record.header.instance;
  const std::string where = id.ToString() + " at " + std::to_string(record.header.sequence);
  ::smsflow::stored::v1::JournalBody body;
  if (!body.ParseFromString(record.body)) return violations.push_back("I11: " + where + " cannot be read");
  Known& known = instances_[id];
  coverage_.Hit("check I11 a record follows the one before it");
  if (record.header.previous != known.sequence)
    violations.push_back("I11: " + where + " does not follow the record before it");
  if (body.from_state() != known.state.state())
    violations.push_back("I11: " + where + " begins in another state than the record before it ended in");
  coverage_.Hit("check I4 attempts are numbered without a gap");
  const std::uint32_t before = known.state.effects(), after = body.result().effects();
  if (after != before && after != before + 1) violations.push_back("I4: " + where + " skips or repeats an attempt");
  const auto from = static_cast<delivery::State>(body.from_state());
  if (delivery::IsEnd(from)) {
    coverage_.Hit("check I5 an end absorbs");
    if (!MayFollow(from, static_cast<delivery::State>(body.result().state())))
      violations.push_back("I5: " + where + " leaves an end");
  }
  int open = 0;
  for (const auto& lease : body.result().leases()) open += lease.settled() ? 0 : 1;
  coverage_.Hit("check I3 one attempt is in flight");
  if (open > 1) violations.push_back("I3: " + where + " has " + std::to_string(open) + " attempts in flight");
  if (recorded) recorded(id, record.header.sequence, known.life, body);
  if (!known.life.Take(body)) violations.push_back("I11: " + where + " cannot be read");
  known.bodies.emplace_back(record.header.sequence, record.body);
  known.sequence = record.header.sequence;
  known.changed_in = life_;
  wrote_ = true;
  known.state = body.result();
  if (body.result().ended_ms() == 0)
    known.kept_from_ms = 0;
  else if (body.from_state() != body.result().state())
    known.kept_from_ms = body.at_ms();
  known.was_at_an_end |= delivery::IsEnd(static_cast<delivery::State>(body.result().state()));
  known.actors.insert(body.actor());
  actors_.insert(body.actor());
  moved_.insert(id);
}

void Ledger::CompareAfterCrash(std::vector<std::string>& violations) {
  for (std::uint16_t shard = 0; shard < heads_.size(); ++shard) {
    const storage::ChainHead& head = heads_[shard];
    if (head.sequence == 0) continue;
    coverage_.Hit("check I9 a journal outlives a crash");
    const auto record = storage::GetJournal(store_, ShardId{shard}, head.sequence);
    if (!record.ok() || !record->has_value() || (*record)->header.chain != head.chain)
      violations.push_back("I9: shard " + std::to_string(shard) + " has lost its journal up to " +
                           std::to_string(head.sequence) + " in a crash");
  }
  Follow(violations);
  ++life_;
  lives_ += std::exchange(wrote_, false) ? 1 : 0;
}

std::uint64_t Ledger::Digest() const {
  std::uint64_t digest = 14'695'981'039'346'656'037ULL;
  for (const storage::ChainHead& head : heads_)
    for (const std::uint8_t byte : head.chain) digest = (digest ^ byte) * 1'099'511'628'211ULL;
  return digest;
}

}  // namespace smsflow::sim
