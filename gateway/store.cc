#include "gateway/store.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "crypto/random.h"
#include "gateway/hand_over.h"
#include "gateway/rows.h"
#include "smsflow/stored/v1/gateway.pb.h"
#include "storage/keys.h"

namespace smsflow::gateway {
namespace {

using storage::Family;
using storage::Key;

constexpr std::size_t kAttemptBytes = 20;  // id and number
constexpr std::size_t kRecent = 4'096;

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

std::string NameKey(std::string_view account, std::string_view id) {
  std::string key(Key('I', ShardId{0}).view());
  key.append(account).push_back('\0');
  key.append(id).push_back('\0');
  return key;
}
std::string IdKey(std::string_view account, std::string_view id, const NamedPart& part) {
  std::string key = NameKey(account, id);
  const Key whole = AttemptKey(part.attempt);
  key.append(whole.view().substr(whole.view().size() - kAttemptBytes)).push_back(static_cast<char>(part.number));
  return key;
}
Key KeyOf(const ParkedKey& key) {
  return Key('R', ShardId{0}).Add64(static_cast<std::uint64_t>(std::max<std::int64_t>(key.at_ms, 0))).Add64(key.count);
}
std::string FormsKey(std::string_view account) { return std::string(Key('F', ShardId{0}).view()).append(account); }

// The end of an 'A', 'U' or 'D' key.
std::optional<AttemptId> AttemptOfKey(std::string_view key) {
  if (key.size() < kAttemptBytes) return std::nullopt;
  key.remove_prefix(key.size() - kAttemptBytes);
  const auto instance = InstanceId::FromBytes(key.substr(0, 16));
  if (!instance.has_value()) return std::nullopt;
  return AttemptId{*instance, static_cast<std::uint32_t>(storage::ReadBigEndian(key.substr(16)))};
}

std::string Bytes(const std::vector<workflows::submission::Part>& parts,
                  std::uint8_t (*of)(const workflows::submission::Part&)) {
  std::string bytes;
  for (const auto& part : parts) bytes.push_back(static_cast<char>(of(part)));
  return bytes;
}

void ToRow(const Record& record, stored::v1::GatewayAttempt& row) {
  row.set_deadline_ms(record.deadline_ms);
  if (record.result.has_value()) row.set_result(static_cast<std::uint32_t>(*record.result));
  row.set_about(static_cast<std::uint32_t>(record.about));
  row.set_cause(record.cause);
  row.set_at_ms(record.at_ms);
  row.set_tenant(record.tenant);
  if (!record.old.empty()) {
    row.mutable_old()->set_client(record.old.client);
    row.mutable_old()->set_correl_id(record.old.correl_id);
  }
  if (record.data.parts.empty()) return;
  using workflows::submission::Part;
  auto& parts = *row.mutable_parts();
  parts.set_rule(static_cast<std::uint32_t>(record.data.rule));
  parts.set_answers(Bytes(record.data.parts, [](const Part& part) { return static_cast<std::uint8_t>(part.answer); }));
  parts.set_heard(Bytes(record.data.parts, [](const Part& part) { return part.heard; }));
  parts.set_failure_about(record.data.failure.about);
  parts.set_failure_cause(record.data.failure.cause);
  parts.set_account(record.account);
  for (const std::string& id : record.ids) parts.add_ids(id);
}

// Whether a stored number is one of these, which begin at 0. A larger one, cut to their size, would be another of them.
template <class Number>
bool IsUpTo(Number most, std::uint32_t stored) {
  return stored <= static_cast<std::uint32_t>(most);
}

bool AreNumbersInOrder(const stored::v1::GatewayAttempt& row) {
  using workflows::submission::Answer;
  const auto& parts = row.parts();
  const auto is_answer = [](char c) { return IsUpTo(Answer::kRefusedForGood, static_cast<std::uint8_t>(c)); };
  return IsUpTo(Reported::kExpired, row.result()) && IsUpTo(About::kRoute, row.about()) &&
         IsUpTo(workflows::submission::PartsRule::kLast, parts.rule()) &&
         IsUpTo(About::kRoute, parts.failure_about()) && parts.answers().size() <= workflows::submission::kPartsMax &&
         std::all_of(parts.answers().begin(), parts.answers().end(), is_answer);
}

// REQUIRES numbers that are in order.
Record OfRow(const stored::v1::GatewayAttempt& row) {
  Record record;
  record.deadline_ms = row.deadline_ms();
  if (row.result() != 0) record.result = static_cast<Reported>(row.result());
  record.about = static_cast<About>(row.about());
  record.cause = row.cause();
  record.at_ms = row.at_ms();
  record.tenant = row.tenant();
  const auto& parts = row.parts();
  record.data.rule = static_cast<workflows::submission::PartsRule>(parts.rule());
  for (std::size_t i = 0; i < parts.answers().size(); ++i) {
    const auto heard = i < parts.heard().size() ? static_cast<std::uint8_t>(parts.heard()[i]) : std::uint8_t{0};
    record.data.parts.push_back({static_cast<workflows::submission::Answer>(parts.answers()[i]), heard});
  }
  record.data.failure = {static_cast<std::uint8_t>(parts.failure_about()), parts.failure_cause()};
  record.account = parts.account();
  record.ids.assign(parts.ids().begin(), parts.ids().end());
  if (row.has_old()) record.old = {row.old().client(), row.old().correl_id()};
  return record;
}

void SetTag(const RecipientTag& tag, stored::v1::GatewayTag& row) {
  row.set_process(tag.process);
  row.set_hash(tag.hash);
}

template <class Row>
absl::StatusOr<std::optional<Row>> GetRow(const storage::Store& rows, Family family, std::string_view key) {
  const auto value = rows.Get(family, key);
  if (!value.ok()) return value.status();
  if (!value->has_value()) return std::optional<Row>();
  auto row = ParseRow<Row>(key, **value);
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
    if ((*meta)->format() == kStoreFormat) return absl::OkStatus();
    PutMeta();  // so that a program that knows only the old one stays away
    needs_sync_ = true;
    return Commit();
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
    const auto row = ParseRow<stored::v1::GatewayMark>(cursor->key(), cursor->value());
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
  for (const auto* records : {&changed_, &recent_, &older_}) {
    if (const auto it = records->find(attempt); it != records->end()) return std::optional<Record>(it->second);
  }
  return Read(attempt);
}

absl::StatusOr<std::optional<Record>> Store::Read(const AttemptId& attempt) const {
  auto row = GetRow<stored::v1::GatewayAttempt>(rows_, Family::kInstances, AttemptKey(attempt));
  if (!row.ok()) return row.status();
  if (!row->has_value()) return std::optional<Record>();
  if (!AreNumbersInOrder(**row)) return Damaged("an attempt's row has a number that is none");
  return std::optional<Record>(OfRow(**row));
}

void Store::Put(const AttemptId& attempt, const Record& record, bool is_new, bool to_tell) {
  stored::v1::GatewayAttempt row;
  ToRow(record, row);
  PutRow(batch_, Family::kInstances, AttemptKey(attempt), row);
  if (is_new) batch_.Put(Family::kQueues, Add(DeadlinePrefix(record.deadline_ms), attempt), "");
  const bool once = record.result.has_value() && IsToldOnce(record.old, *record.result);
  if (once) {
    batch_.Delete(Family::kQueues, OpenKey(attempt));
  } else if (to_tell || (!record.old.empty() && !record.result)) {
    batch_.Put(Family::kQueues, OpenKey(attempt), "");
  }
  changed_[attempt] = record;
  needs_sync_ = true;
}

void Store::PutId(std::string_view account, std::string_view id, const NamedPart& part) {
  stored::v1::GatewayId row;
  row.set_at_ms(part.at_ms);
  if (part.recipient.process != 0) SetTag(part.recipient, *row.mutable_recipient());
  PutRow(batch_, Family::kIndexes, IdKey(account, id, part), row);
  named_[NameKey(account, id)].push_back(part);
  needs_sync_ = true;
}

absl::StatusOr<std::vector<NamedPart>> Store::FindId(std::string_view account, std::string_view id) const {
  std::vector<NamedPart> found;
  const std::string name = NameKey(account, id);
  auto cursor = rows_.Scan(Family::kIndexes, name, storage::PrefixEnd(name));
  for (; cursor->Valid(); cursor->Next()) {
    std::string_view key = cursor->key();
    // Another id may begin like this one and a zero byte; an account or an id has none, so only lengths tell.
    if (key.size() != name.size() + kAttemptBytes + 1) continue;
    const auto row = ParseRow<stored::v1::GatewayId>(key, cursor->value());
    if (!row.ok()) return row.status();
    const auto number = static_cast<std::uint8_t>(key.back());
    key.remove_suffix(1);
    const auto attempt = AttemptOfKey(key);
    if (!attempt.has_value()) return Damaged("a key is not an attempt's");
    found.push_back({*attempt, number, row->at_ms(), {row->recipient().process(), row->recipient().hash()}});
  }
  if (!cursor->status().ok()) return cursor->status();
  if (const auto fresh = named_.find(name); fresh != named_.end()) {
    found.insert(found.end(), fresh->second.begin(), fresh->second.end());
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const NamedPart& one, const NamedPart& other) { return one.at_ms < other.at_ms; });
  return found;
}

void Store::Park(const ParkedKey& key, const SmscReceipt& receipt) {
  stored::v1::GatewayReceipt row;
  row.set_account(receipt.account);
  row.set_tlv_id(receipt.tlv_id);
  row.set_text_id(receipt.text_id);
  row.set_heard(static_cast<std::uint32_t>(receipt.heard));
  row.set_about(static_cast<std::uint32_t>(receipt.about));
  row.set_cause(receipt.cause);
  row.set_at_ms(receipt.at_ms);
  if (receipt.recipient.process != 0) SetTag(receipt.recipient, *row.mutable_recipient());
  PutRow(batch_, Family::kQueues, KeyOf(key).view(), row);
  needs_sync_ = true;
}

void Store::Unpark(const ParkedKey& key) { batch_.Delete(Family::kQueues, KeyOf(key).view()); }

absl::StatusOr<std::vector<std::pair<ParkedKey, SmscReceipt>>> Store::Parked() const {
  std::vector<std::pair<ParkedKey, SmscReceipt>> parked;
  auto cursor = rows_.Scan(Family::kQueues, "R", "S");
  for (; cursor->Valid(); cursor->Next()) {
    const auto row = ParseRow<stored::v1::GatewayReceipt>(cursor->key(), cursor->value());
    if (!row.ok()) return row.status();
    if (cursor->key().size() != 19) return Damaged("a key is not a receipt's");
    // One bit of those that there are.
    if (!std::has_single_bit(row->heard()) || !IsUpTo(workflows::submission::Heard::kDelivered, row->heard()) ||
        !IsUpTo(About::kRoute, row->about())) {
      return Damaged("a receipt's row has a number that is none");
    }
    const ParkedKey key{static_cast<std::int64_t>(storage::ReadBigEndian(cursor->key().substr(3, 8))),
                        storage::ReadBigEndian(cursor->key().substr(11))};
    parked.push_back({key,
                      {.account = row->account(),
                       .tlv_id = row->tlv_id(),
                       .text_id = row->text_id(),
                       .heard = static_cast<workflows::submission::Heard>(row->heard()),
                       .about = static_cast<About>(row->about()),
                       .cause = row->cause(),
                       .recipient = {row->recipient().process(), row->recipient().hash()},
                       .at_ms = row->at_ms()}});
  }
  if (!cursor->status().ok()) return cursor->status();
  return parked;
}

void Store::PutForms(const StoredForms& forms) {
  stored::v1::GatewayIdForms row;
  row.set_tlv(forms.tlv);
  row.set_text(forms.text);
  row.set_responses(forms.responses);
  PutRow(batch_, Family::kMeta, FormsKey(forms.account), row);
}

absl::StatusOr<std::vector<StoredForms>> Store::Forms() const {
  std::vector<StoredForms> all;
  const std::string prefix = FormsKey("");
  auto cursor = rows_.Scan(Family::kMeta, prefix, storage::PrefixEnd(prefix));
  for (; cursor->Valid(); cursor->Next()) {
    const auto row = ParseRow<stored::v1::GatewayIdForms>(cursor->key(), cursor->value());
    if (!row.ok()) return row.status();
    if (std::max({row->tlv(), row->text(), row->responses()}) > UINT8_MAX)
      return Damaged("a row of forms has a number that is none");
    all.push_back({std::string(cursor->key().substr(prefix.size())), static_cast<std::uint8_t>(row->tlv()),
                   static_cast<std::uint8_t>(row->text()), static_cast<std::uint8_t>(row->responses())});
  }
  if (!cursor->status().ok()) return cursor->status();
  return all;
}

absl::Status Store::DeleteIds(const AttemptId& attempt) {
  const auto known = Find(attempt);
  if (!known.ok() || !known->has_value()) return known.status();
  for (std::size_t i = 0; i < (*known)->ids.size(); ++i) {
    if ((*known)->ids[i].empty()) continue;
    const NamedPart part{attempt, static_cast<std::uint8_t>(i + 1), 0, {}};
    batch_.Delete(Family::kIndexes, IdKey((*known)->account, (*known)->ids[i], part));
  }
  return absl::OkStatus();
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
  if (result == Reported::kAccepted) return absl::OkStatus();  // no attempt's result, so nothing waits for it
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
  Remember();
  named_.clear();
  needs_sync_ = false;
  return status;
}

void Store::Remember() {
  if (recent_.size() >= kRecent) {
    older_ = std::move(recent_);
    recent_.clear();
  }
  for (auto& [attempt, record] : changed_) recent_.insert_or_assign(attempt, std::move(record));
  changed_.clear();
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
    reports.push_back({*attempt, *(*known)->result, (*known)->about, (*known)->cause, (*known)->at_ms, (*known)->tenant,
                       (*known)->old});
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
    if (const auto status = DeleteIds(*attempt); !status.ok()) return status;
    batch_.Delete(Family::kQueues, cursor->key());
    batch_.Delete(Family::kQueues, OpenKey(*attempt));
    batch_.Delete(Family::kInstances, AttemptKey(*attempt));
    recent_.erase(*attempt);
    older_.erase(*attempt);
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
