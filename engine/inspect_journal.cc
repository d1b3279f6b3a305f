// The journal of a shard: its chain, and every life in it applied in order.
#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "crypto/hash.h"
#include "engine/inspect_shard.h"
#include "storage/records.h"

namespace smsflow::engine {
namespace {

std::string Text(const absl::Status& status) { return std::string(status.message()); }

}  // namespace

void ShardInspection::ReadMarks() {
  const auto marks = storage::GetMarks(view_, shard_);
  if (!marks.ok()) return Find(Text(marks.status()));
  if (*marks) marks_ = **marks;
}

// The chain goes on from the last anchor; what stands before it should be gone.
void ShardInspection::ReadAnchors() {
  EachRow(storage::Family::kJournal, 'a', "anchors", [&](const storage::Cursor& row) {
    ++summary_.anchors;
    const auto anchor = storage::DecodeAnchor(shard_, storage::SequenceOfKey(row.key()), row.value());
    if (!anchor.ok()) return Find(Text(anchor.status()));
    if (anchor->count != anchor->head.sequence - chain_.sequence)
      Find(absl::StrCat("the anchor at sequence ", anchor->head.sequence, " stands for ", anchor->count,
                        " records, but follows sequence ", chain_.sequence));
    chain_ = anchor->head;
  });
}

void ShardInspection::ReadJournal() {
  EachRow(storage::Family::kJournal, 'j', "journal records", [&](const storage::Cursor& row) {
    ++summary_.records;
    const auto record = storage::DecodeJournal(shard_, storage::SequenceOfKey(row.key()), row.value());
    if (!record.ok()) return Find(Text(record.status()));
    CheckLink(record->header);
    if (record->header.erased) {
      ++summary_.erased_records;
    } else {
      Apply(*record);
    }
    chain_ = {record->header.sequence, record->header.chain};
  });
}

// One finding for what is wrong at one place: the chain is taken up again with the record itself.
void ShardInspection::CheckLink(const storage::JournalHeader& header) {
  if (header.sequence != chain_.sequence + 1) {
    Find(absl::StrCat("journal record ", header.sequence, " follows ", chain_.sequence,
                      ": what was between is missing"));
  } else if (storage::ChainAfter(chain_.chain, header) != header.chain) {
    Find(absl::StrCat("the hash chain breaks at journal record ", header.sequence, ", of ", header.instance.ToString(),
                      ": it or one before it was changed"));
  }
  if (header.instance.shard() != shard_)
    Find(absl::StrCat("journal record ", header.sequence, " is of ", header.instance.ToString(),
                      ", which is of another shard"));
}

void ShardInspection::Apply(const storage::JournalRecord& record) {
  const storage::JournalHeader& header = record.header;
  const std::string where = absl::StrCat("journal record ", header.sequence, " of ", header.instance.ToString());
  stored::JournalBody body;
  if (!body.ParseFromString(record.body)) return Find(absl::StrCat(where, " has a body that cannot be read"));
  const auto known = recorded_.find(header.instance);
  const Recorded* before = known == recorded_.end() ? nullptr : &known->second;

  if (header.previous != (before ? before->sequence : 0))
    Find(absl::StrCat(where, " names ", header.previous, " as the one before it, but that is ",
                      before ? before->sequence : 0));
  if (body.from_state() != (before ? before->state : 0))
    Find(absl::StrCat(where, " begins in state ", body.from_state(), ", but the one before it ended in ",
                      before ? before->state : 0));
  if (body.result().sequence() != header.sequence)
    Find(absl::StrCat(where, " records a state that says it is of ", body.result().sequence()));
  CheckEffects(where, body.result(), before);
  CheckPolicy(where, body.policy_digest());
  recorded_[header.instance] = {header.sequence, HashOf(body.result().SerializeAsString()), body.result().state(),
                                body.result().effects()};
}

// I4: leases are numbered 1, 2, 3 without a gap.
void ShardInspection::CheckEffects(const std::string& where, const stored::InstanceState& result,
                                   const Recorded* before) {
  const std::uint32_t last = before ? before->effects : 0;
  if (result.effects() != last && result.effects() != last + 1)
    Find(absl::StrCat(where, " goes from lease ", last, " to lease ", result.effects()));
}

void ShardInspection::CheckPolicy(const std::string& where, const std::string& digest) {
  if (digest.empty() || !policies_.insert(digest).second) return;
  storage::Hash16 key{};
  if (digest.size() != key.size()) return Find(absl::StrCat(where, " names a policy by a digest that is none"));
  std::copy(digest.begin(), digest.end(), key.begin());
  const auto policy = storage::GetPolicy(view_, key);
  if (!policy.ok()) return Find(Text(policy.status()));
  if (!*policy)
    return Find(
        absl::StrCat(where, " was decided by policy ", absl::BytesToHexString(digest), ", which is not stored"));
  if (crypto::Cut(crypto::Sha256(**policy)) != key)
    Find(absl::StrCat("policy ", absl::BytesToHexString(digest), " was changed: it has another digest"));
}

}  // namespace smsflow::engine
