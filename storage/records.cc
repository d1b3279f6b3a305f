#include "storage/records.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <array>
#include <cassert>
#include <utility>

#include "crypto/hash.h"
#include "storage/sealing.h"

namespace smsflow::storage {
namespace {

// The names that errors give to tables.
constexpr std::string_view kHeads = "instance heads", kStates = "instance states", kTimers = "timers",
                           kReady = "ready rows", kOutbox = "the outbox", kTells = "tells", kApplied = "applied tells",
                           kFeeds = "feeds", kSweeps = "sweeps", kMarks = "shard marks", kMemberships = "memberships",
                           kDedupe = "dedupe rows", kPauses = "pauses", kPolicies = "policies", kMeta = "meta";

template <class Row>
void PutRow(Batch& batch, Family family, std::string_view key, const Row& row) {
  std::string& value = BeginValue();
  row.AppendToString(&value);
  batch.Put(family, key, value);
}

// A field of a message type, from the message's encoded bytes. Fields may stand in any order.
void AppendMessage(std::string& row, int field, std::string_view message) {
  using Wire = google::protobuf::internal::WireFormatLite;
  using Out = google::protobuf::io::CodedOutputStream;
  std::array<std::uint8_t, 10> head;
  std::uint8_t* end = Out::WriteVarint32ToArray(Wire::MakeTag(field, Wire::WIRETYPE_LENGTH_DELIMITED), head.data());
  end = Out::WriteVarint32ToArray(static_cast<std::uint32_t>(message.size()), end);
  row.append(head.data(), end).append(message);
}

template <class Row>
Found<Row> GetRow(const Store& store, Family family, std::string_view table, std::string_view key) {
  const auto value = store.Get(family, key);
  if (!value.ok()) return value.status();
  if (!*value) return std::nullopt;
  auto row = DecodeRow<Row>(table, key, **value);
  if (!row.ok()) return row.status();
  return std::move(*row);
}

}  // namespace

// instances

void PutHead(Batch& batch, const InstanceId& id, const stored::InstanceHead& head, std::string_view state) {
  assert(!head.has_state());
  std::string& value = BeginValue();
  head.AppendToString(&value);
  AppendMessage(value, stored::InstanceHead::kStateFieldNumber, state);
  batch.Put(Family::kInstances, HeadKey(id), value);
}
Found<stored::InstanceHead> GetHead(const Store& store, const InstanceId& id) {
  return GetRow<stored::InstanceHead>(store, Family::kInstances, kHeads, HeadKey(id));
}
absl::StatusOr<stored::InstanceHead> DecodeHead(std::string_view value) {
  return DecodeRow<stored::InstanceHead>(kHeads, {}, value);
}
void DeleteHead(Batch& batch, const InstanceId& id) { batch.Delete(Family::kInstances, HeadKey(id)); }

void PutState(Batch& batch, const InstanceId& id, std::string_view state) {
  batch.Put(Family::kInstances, StateKey(id), BeginValue().append(state));
}
Found<stored::InstanceState> GetState(const Store& store, const InstanceId& id) {
  return GetRow<stored::InstanceState>(store, Family::kInstances, kStates, StateKey(id));
}
absl::StatusOr<stored::InstanceState> DecodeState(std::string_view value) {
  return DecodeRow<stored::InstanceState>(kStates, {}, value);
}
void DeleteState(Batch& batch, const InstanceId& id) { batch.Delete(Family::kInstances, StateKey(id)); }

void AppendResult(std::string& body, std::string_view state) {
  AppendMessage(body, stored::JournalBody::kResultFieldNumber, state);
}

// queues

// A timer that is not gated has no lane and nothing to seal: its value is empty, which saves a byte where they abound.
void PutTimer(Batch& batch, const TimerKey& key, bool gated, std::string_view lane) {
  batch.Put(Family::kQueues, key.Encode(), gated ? BeginValue().append(lane) : std::string_view());
}
void DeleteTimer(Batch& batch, const TimerKey& key) { batch.Delete(Family::kQueues, key.Encode()); }
absl::StatusOr<TimerValue> DecodeTimer(std::string_view value) {
  if (value.empty()) return TimerValue{};
  std::string scratch;
  const auto lane = OpenValue(kTimers, {}, value, scratch);
  if (!lane.ok()) return lane.status();
  return TimerValue{true, std::string(*lane)};
}

void PutReady(Batch& batch, const ReadyKey& key, std::string_view tenant, std::string_view lane) {
  std::string& value = BeginValue();
  value.push_back(static_cast<char>(tenant.size() >> 8));
  value.push_back(static_cast<char>(tenant.size()));
  batch.Put(Family::kQueues, key.Encode(), value.append(tenant).append(lane));
}
void DeleteReady(Batch& batch, const ReadyKey& key) { batch.Delete(Family::kQueues, key.Encode()); }
absl::StatusOr<ReadyValue> DecodeReady(std::string_view value) {
  std::string scratch;
  const auto opened = OpenValue(kReady, {}, value, scratch);
  if (!opened.ok()) return opened.status();
  if (opened->size() < 2) return CannotDecode(kReady, {}, "it is too short");
  const std::size_t tenant = ReadBigEndian(opened->substr(0, 2));
  if (tenant > opened->size() - 2) return CannotDecode(kReady, {}, "its tenant does not fit in it");
  return ReadyValue{std::string(opened->substr(2, tenant)), std::string(opened->substr(2 + tenant))};
}

void PutOutbox(Batch& batch, ShardId shard, std::uint64_t sequence, const stored::OutboxRow& row) {
  PutRow(batch, Family::kQueues, OutboxKey(shard, sequence), row);
}
absl::StatusOr<stored::OutboxRow> DecodeOutbox(std::string_view value) {
  return DecodeRow<stored::OutboxRow>(kOutbox, {}, value);
}

void PutTell(Batch& batch, ShardId source, ShardId destination, std::uint64_t sequence, const stored::TellRow& row) {
  PutRow(batch, Family::kQueues, TellKey(source, destination, sequence), row);
}
absl::StatusOr<stored::TellRow> DecodeTell(std::string_view value) {
  return DecodeRow<stored::TellRow>(kTells, {}, value);
}

void PutAppliedTell(Batch& batch, ShardId destination, ShardId source, std::uint64_t sequence) {
  std::string& value = BeginValue();
  for (int i = 7; i >= 0; --i) value.push_back(static_cast<char>(sequence >> (8 * i)));
  batch.Put(Family::kQueues, AppliedTellKey(destination, source), value);
}
absl::StatusOr<std::uint64_t> GetAppliedTell(const Store& store, ShardId destination, ShardId source) {
  const Key key = AppliedTellKey(destination, source);
  const auto value = store.Get(Family::kQueues, key);
  if (!value.ok()) return value.status();
  if (!*value) return 0;
  std::string scratch;
  const auto opened = OpenValue(kApplied, key, **value, scratch);
  if (!opened.ok()) return opened.status();
  if (opened->size() != 8) return CannotDecode(kApplied, key, "it is not eight bytes");
  return ReadBigEndian(*opened);
}

namespace {
Key FeedKeyOf(ShardId shard, std::string_view log, std::uint32_t partition) {
  return FeedKey(shard, crypto::Cut(crypto::Sha256(log)), partition);
}
}  // namespace

void PutFeed(Batch& batch, ShardId shard, const stored::FeedRow& row) {
  PutRow(batch, Family::kQueues, FeedKeyOf(shard, row.log(), row.partition()), row);
}
Found<stored::FeedRow> GetFeed(const Store& store, ShardId shard, std::string_view log, std::uint32_t partition) {
  return GetRow<stored::FeedRow>(store, Family::kQueues, kFeeds, FeedKeyOf(shard, log, partition));
}
absl::StatusOr<stored::FeedRow> DecodeFeed(std::string_view value) {
  auto row = DecodeRow<stored::FeedRow>(kFeeds, {}, value);
  if (row.ok() && !row->digest().empty() && row->digest().size() != 16)
    return CannotDecode(kFeeds, {}, "its digest is not 16 bytes");
  return row;
}

void PutSweep(Batch& batch, ShardId shard, const stored::SweepRow& row) {
  PutRow(batch, Family::kQueues, SweepKey(shard, row.command()), row);
}
void DeleteSweep(Batch& batch, ShardId shard, std::string_view command) {
  batch.Delete(Family::kQueues, SweepKey(shard, command));
}
absl::StatusOr<stored::SweepRow> DecodeSweep(std::string_view value) {
  auto row = DecodeRow<stored::SweepRow>(kSweeps, {}, value);
  // It becomes the row's key again.
  if (row.ok() && row->command().size() != 16) return CannotDecode(kSweeps, {}, "its command is none");
  return row;
}

void PutMarks(Batch& batch, ShardId shard, const stored::ShardMarks& row) {
  PutRow(batch, Family::kQueues, MarksKey(shard), row);
}
Found<stored::ShardMarks> GetMarks(const Store& store, ShardId shard) {
  return GetRow<stored::ShardMarks>(store, Family::kQueues, kMarks, MarksKey(shard));
}

// indexes

void PutIndex(Batch& batch, ShardId shard, std::uint16_t index, const Hash16& value, const InstanceId& id) {
  batch.Put(Family::kIndexes, IndexKey(shard, index, value, id), {});
}
void DeleteIndex(Batch& batch, ShardId shard, std::uint16_t index, const Hash16& value, const InstanceId& id) {
  batch.Delete(Family::kIndexes, IndexKey(shard, index, value, id));
}

void PutMembership(Batch& batch, ShardId shard, std::uint8_t set, const Lane8& tenant, const Hash16& target,
                   const stored::MembershipRow& row) {
  PutRow(batch, Family::kIndexes, MembershipKey(shard, set, tenant, target), row);
}
void DeleteMembership(Batch& batch, ShardId shard, std::uint8_t set, const Lane8& tenant, const Hash16& target) {
  batch.Delete(Family::kIndexes, MembershipKey(shard, set, tenant, target));
}
absl::StatusOr<stored::MembershipRow> DecodeMembership(std::string_view value) {
  return DecodeRow<stored::MembershipRow>(kMemberships, {}, value);
}

void PutDedupe(Batch& batch, ShardId shard, const Hash16& scope, const stored::DedupeRow& row) {
  PutRow(batch, Family::kIndexes, DedupeKey(shard, scope), row);
}
void DeleteDedupe(Batch& batch, ShardId shard, const Hash16& scope) {
  batch.Delete(Family::kIndexes, DedupeKey(shard, scope));
}
Found<stored::DedupeRow> GetDedupe(const Store& store, ShardId shard, const Hash16& scope) {
  return GetRow<stored::DedupeRow>(store, Family::kIndexes, kDedupe, DedupeKey(shard, scope));
}
absl::StatusOr<stored::DedupeRow> DecodeDedupe(std::string_view value) {
  return DecodeRow<stored::DedupeRow>(kDedupe, {}, value);
}

void PutPause(Batch& batch, ShardId shard, PauseScope scope, const Hash16& value, const stored::PauseRow& row) {
  PutRow(batch, Family::kIndexes, PauseKey(shard, scope, value), row);
}
void DeletePause(Batch& batch, ShardId shard, PauseScope scope, const Hash16& value) {
  batch.Delete(Family::kIndexes, PauseKey(shard, scope, value));
}
absl::StatusOr<stored::PauseRow> DecodePause(std::string_view value) {
  return DecodeRow<stored::PauseRow>(kPauses, {}, value);
}

// meta

void PutPolicy(Batch& batch, const Hash16& digest, std::string_view policy) {
  batch.Put(Family::kMeta, PolicyKey(digest), BeginValue().append(policy));
}
Found<std::string> GetPolicy(const Store& store, const Hash16& digest) {
  const Key key = PolicyKey(digest);
  const auto value = store.Get(Family::kMeta, key);
  if (!value.ok()) return value.status();
  if (!*value) return std::nullopt;
  std::string scratch;
  const auto opened = OpenValue(kPolicies, key, **value, scratch);
  if (!opened.ok()) return opened.status();
  return std::string(*opened);
}

void PutMeta(Batch& batch, const stored::Meta& row) { PutRow(batch, Family::kMeta, MetaKey(), row); }
Found<stored::Meta> GetMeta(const Store& store) { return GetRow<stored::Meta>(store, Family::kMeta, kMeta, MetaKey()); }

}  // namespace smsflow::storage
