#include "gateway/store.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "crypto/random.h"
#include "crypto/seal.h"
#include "gateway/hand_over.h"
#include "smsflow/stored/v1/gateway.pb.h"
#include "storage/keys.h"

namespace smsflow::gateway {
namespace {

using storage::Family;
using storage::Key;

constexpr std::string_view kTable = "gateway";
constexpr std::size_t kAttemptBytes = 20;  // id and number

Key Add(Key key, const AttemptId& attempt) {
  return key.Add(attempt.instance.bytes)
      .Add16(static_cast<std::uint16_t>(attempt.number >> 16))
      .Add16(static_cast<std::uint16_t>(attempt.number));
}
Key MetaKey() { return Key('M', ShardId{0}); }
Key MarkKey(ShardId shard) { return Key('S', shard); }
Key AttemptKey(const AttemptId& attempt) { return Add(Key('A', attempt.instance.shard()), attempt); }
Key OpenKey(const AttemptId& attempt) { return Add(Key('U', attempt.instance.shard()), attempt); }
Key DeadlinePrefix(std::int64_t deadline_ms) {
  return Key('D', ShardId{0}).Add64(static_cast<std::uint64_t>(std::max<std::int64_t>(deadline_ms, 0)));
}

// The end of an 'A', 'U' or 'D' key.
std::optional<AttemptId> AttemptOfKey(std::string_view key) {
  if (key.size() < kAttemptBytes) return std::nullopt;
  key.remove_prefix(key.size() - kAttemptBytes);
  const auto instance = InstanceId::FromBytes(key.substr(0, 16));
  if (!instance.has_value()) return std::nullopt;
  return AttemptId{*instance, static_cast<std::uint32_t>(storage::ReadBigEndian(key.substr(16)))};
}

absl::Status Damaged(const char* what) {
  return absl::DataLossError(absl::StrCat("the gateway's store is damaged: ", what));
}

template <class Row>
void PutRow(storage::Batch& batch, Family family, std::string_view key, const Row& row) {
  std::string sealed;
  // Fails only for an algorithm that does not exist.
  crypto::Seal(crypto::SealAlgorithm::kNone, kTable, key, row.SerializeAsString(), sealed).IgnoreError();
  batch.Put(family, key, sealed);
}

template <class Row>
absl::StatusOr<Row> Parse(std::string_view key, std::string_view value) {
  std::string scratch;
  const auto opened = crypto::Open(kTable, key, value, scratch);
  if (!opened.ok()) return opened.status();
  Row row;
  if (!row.ParseFromArray(opened->data(), static_cast<int>(opened->size()))) return Damaged("a row cannot be read");
  return row;
}

template <class Row>
absl::StatusOr<std::optional<Row>> GetRow(const storage::Store& rows, Family family, std::string_view key) {
  const auto value = rows.Get(family, key);
  if (!value.ok()) return value.status();
  if (!value->has_value()) return std::optional<Row>();
  auto row = Parse<Row>(key, **value);
  if (!row.ok()) return row.status();
  return std::optional<Row>(std::move(*row));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> Store::Open(storage::Store& rows, std::string_view gateway,
                                                   std::int64_t now_ms) {
  std::unique_ptr<Store> store(new Store(rows));
  if (const auto status = store->Load(gateway, now_ms); !status.ok()) return status;
  if (const auto status = store->LoadMarks(); !status.ok()) return status;
  if (const auto status = store->CloseOpen(now_ms); !status.ok()) return status;
  return store;
}

absl::Status Store::Load(std::string_view gateway, std::int64_t now_ms) {
  const auto meta = GetRow<stored::v1::GatewayMeta>(rows_, Family::kMeta, MetaKey());
  if (!meta.ok()) return meta.status();
  if (meta->has_value()) {
    if ((*meta)->format() > kStoreFormat) {
      return absl::FailedPreconditionError(absl::StrCat("the gateway's store has format ", (*meta)->format(),
                                                        ", this program knows ", kStoreFormat, ": use a newer one"));
    }
    if ((*meta)->gateway() != gateway) {
      return absl::FailedPreconditionError(
          absl::StrCat("the store belongs to gateway '", (*meta)->gateway(), "', not to '", std::string(gateway), "'"));
    }
    uuid_ = (*meta)->store_uuid();
    gateway_ = (*meta)->gateway();
    created_ms_ = (*meta)->created_ms();
    pruned_ms_ = (*meta)->pruned_ms();
    return absl::OkStatus();
  }
  uuid_ = crypto::RandomUuid();
  gateway_ = gateway;
  created_ms_ = now_ms;
  needs_sync_ = true;
  PutMeta();
  return Commit();
}

void Store::PutMeta() {
  stored::v1::GatewayMeta meta;
  meta.set_format(kStoreFormat);
  meta.set_store_uuid(uuid_);
  meta.set_gateway(gateway_);
  meta.set_created_ms(created_ms_);
  meta.set_pruned_ms(pruned_ms_);
  PutRow(batch_, Family::kMeta, MetaKey(), meta);
}

absl::Status Store::LoadMarks() {
  auto cursor = rows_.Scan(Family::kMeta, "S", "T");
  for (; cursor->Valid(); cursor->Next()) {
    const auto row = Parse<stored::v1::GatewayMark>(cursor->key(), cursor->value());
    if (!row.ok()) return row.status();
    const ShardId shard{static_cast<std::uint16_t>(storage::ReadBigEndian(cursor->key().substr(1, 2)))};
    marks_[shard] = {shard, row->epoch(), row->sequence(), row->seal()};
  }
  return cursor->status();
}

absl::Status Store::CloseOpen(std::int64_t now_ms) {
  std::vector<std::pair<AttemptId, Record>> closed;
  auto cursor = rows_.Scan(Family::kQueues, "U", "V");
  for (; cursor->Valid(); cursor->Next()) {
    const auto attempt = AttemptOfKey(cursor->key());
    if (!attempt.has_value()) return Damaged("a key is not an attempt's");
    const auto known = Read(*attempt);
    if (!known.ok()) return known.status();
    if (!known->has_value()) return Damaged("an open attempt has no row");
    if (auto record = OnRestart(**known, now_ms)) closed.emplace_back(*attempt, std::move(*record));
  }
  if (!cursor->status().ok()) return cursor->status();
  cursor.reset();
  for (const auto& [attempt, record] : closed) Put(attempt, record, /*is_new=*/false);
  return Commit();
}

std::vector<engine::Mark> Store::Marks() const {
  const std::lock_guard lock(marks_mutex_);
  std::vector<engine::Mark> marks;
  for (const auto& [shard, mark] : marks_) marks.push_back(mark);
  return marks;
}

absl::StatusOr<std::optional<Record>> Store::Find(const AttemptId& attempt) const {
  if (const auto it = changed_.find(attempt); it != changed_.end()) return std::optional<Record>(it->second);
  return Read(attempt);
}

absl::StatusOr<std::optional<Record>> Store::Read(const AttemptId& attempt) const {
  auto row = GetRow<stored::v1::GatewayAttempt>(rows_, Family::kInstances, AttemptKey(attempt));
  if (!row.ok()) return row.status();
  if (!row->has_value()) return std::optional<Record>();
  Record record;
  record.deadline_ms = (*row)->deadline_ms();
  if ((*row)->result() != 0) record.result = static_cast<Reported>((*row)->result());
  record.about = static_cast<About>((*row)->about());
  record.cause = (*row)->cause();
  record.at_ms = (*row)->at_ms();
  return std::optional<Record>(std::move(record));
}

void Store::Put(const AttemptId& attempt, const Record& record, bool is_new) {
  stored::v1::GatewayAttempt row;
  row.set_deadline_ms(record.deadline_ms);
  if (record.result.has_value()) row.set_result(static_cast<std::uint32_t>(*record.result));
  row.set_about(static_cast<std::uint32_t>(record.about));
  row.set_cause(record.cause);
  row.set_at_ms(record.at_ms);
  PutRow(batch_, Family::kInstances, AttemptKey(attempt), row);
  if (is_new) batch_.Put(Family::kQueues, Add(DeadlinePrefix(record.deadline_ms), attempt), "");
  // Nobody waits to be told of a NEVER_SEEN again: who wants to know asks again.
  if (record.result != Reported::kNeverSeen) batch_.Put(Family::kQueues, OpenKey(attempt), "");
  changed_[attempt] = record;
  needs_sync_ = true;
}

void Store::Note(const engine::Mark& mark) {
  // Of equal marks, which the leases of one commit carry, the sealed one: without its seal a mark counts for nothing.
  const auto rank = [](const engine::Mark& one) { return std::tuple(one.epoch, one.sequence, !one.seal.empty()); };
  const auto rises = [&](const std::map<ShardId, engine::Mark>& marks) {
    const auto known = marks.find(mark.shard);
    return known == marks.end() || rank(mark) > rank(known->second);
  };
  // Only this thread changes `marks_`, so it may read without the lock.
  if (rises(noted_) && rises(marks_)) noted_[mark.shard] = mark;
}

absl::Status Store::Answered(const AttemptId& attempt, Reported result) {
  const auto known = Find(attempt);
  if (!known.ok()) return known.status();
  if (known->has_value() && (*known)->result == result) batch_.Delete(Family::kQueues, OpenKey(attempt));
  return absl::OkStatus();
}

absl::Status Store::Commit() {
  for (const auto& [shard, mark] : noted_) {
    stored::v1::GatewayMark row;
    row.set_epoch(mark.epoch);
    row.set_sequence(mark.sequence);
    row.set_seal(mark.seal);
    PutRow(batch_, Family::kMeta, MarkKey(shard), row);
  }
  if (batch_.operations() == 0) return absl::OkStatus();
  const auto status = rows_.Write(batch_, needs_sync_ ? storage::Sync::kYes : storage::Sync::kNo);
  {
    const std::lock_guard lock(marks_mutex_);
    for (auto& [shard, mark] : noted_) marks_[shard] = std::move(mark);
  }
  noted_.clear();
  batch_.Clear();
  changed_.clear();
  needs_sync_ = false;
  return status;
}

absl::StatusOr<std::vector<Report>> Store::Unanswered(const std::optional<AttemptId>& after, std::size_t most) const {
  std::vector<Report> reports;
  std::string from = "U";
  if (after.has_value()) from = std::string(OpenKey(*after).view()) + '\0';
  auto cursor = rows_.Scan(Family::kQueues, from, "V");
  for (; cursor->Valid() && reports.size() < most; cursor->Next()) {
    const auto attempt = AttemptOfKey(cursor->key());
    if (!attempt.has_value()) return Damaged("a key is not an attempt's");
    const auto known = Read(*attempt);
    if (!known.ok()) return known.status();
    if (!known->has_value() || !(*known)->result.has_value()) continue;
    reports.push_back({*attempt, *(*known)->result, (*known)->about, (*known)->cause, (*known)->at_ms});
  }
  if (!cursor->status().ok()) return cursor->status();
  return reports;
}

absl::StatusOr<std::size_t> Store::Prune(std::int64_t now_ms, std::size_t most) {
  const std::int64_t until_ms = now_ms - kKeepMs;
  // From the mark on, so that what was deleted before is never read again.
  auto cursor =
      rows_.Scan(Family::kQueues, DeadlinePrefix(pruned_ms_), DeadlinePrefix(std::max(until_ms, pruned_ms_) + 1));
  std::size_t count = 0;
  for (; cursor->Valid() && count < most; cursor->Next(), ++count) {
    const auto attempt = AttemptOfKey(cursor->key());
    if (!attempt.has_value()) return Damaged("a key is not an attempt's");
    pruned_ms_ = std::max(pruned_ms_, static_cast<std::int64_t>(storage::ReadBigEndian(cursor->key().substr(3, 8))));
    batch_.Delete(Family::kQueues, cursor->key());
    batch_.Delete(Family::kQueues, OpenKey(*attempt));
    batch_.Delete(Family::kInstances, AttemptKey(*attempt));
  }
  if (!cursor->status().ok()) return cursor->status();
  cursor.reset();
  if (count == 0) return count;
  needs_sync_ = true;
  PutMeta();
  if (const auto status = Commit(); !status.ok()) return status;
  return count;
}

}  // namespace smsflow::gateway
