#include "gateway/inbound_store.h"

#include <algorithm>
#include <limits>

#include "gateway/rows.h"
#include "smsflow/stored/v1/gateway.pb.h"
#include "storage/keys.h"

namespace smsflow::gateway {
namespace {

using crypto::Digest16;
using storage::Family;
using storage::Key;

constexpr ShardId kOwnShard{std::numeric_limits<std::uint16_t>::max()};
constexpr std::size_t kPrefixBytes = 3;

Key CountKey(std::uint64_t count) { return Key('N', kOwnShard).Add64(count); }
Key PartKey(const Digest16& name, std::uint8_t number) { return Key('W', kOwnShard).Add(name).Add8(number); }
Key SeenKey(const Digest16& digest) { return Key('Q', kOwnShard).Add(digest); }

Digest16 DigestIn(std::string_view key) {
  Digest16 digest{};
  std::copy_n(key.begin() + kPrefixBytes, digest.size(), digest.begin());
  return digest;
}

// Reads all rows of one kind, whose keys are `key_bytes` long.
template <class Row, class Take>
absl::Status ReadAll(const storage::Store& rows, Family family, char kind, std::size_t key_bytes, Take take) {
  const std::string prefix(Key(kind, kOwnShard).view());
  auto cursor = rows.Scan(family, prefix, storage::PrefixEnd(prefix));
  for (; cursor->Valid(); cursor->Next()) {
    if (cursor->key().size() != key_bytes) return Damaged("a key of an SMS from a phone has another size");
    const auto row = ParseRow<Row>(cursor->key(), cursor->value());
    if (!row.ok()) return row.status();
    take(cursor->key(), *row);
  }
  return cursor->status();
}

}  // namespace

void InboundStore::Put(std::uint64_t count, const InboundSms& sms) {
  stored::v1::GatewayInbound row;
  row.set_id(sms.id);
  row.set_tenant(sms.tenant);
  row.set_payload(sms.payload);
  row.set_at_ms(sms.at_ms);
  PutRow(batch_, Family::kQueues, CountKey(count), row);
  needs_sync_ = true;
}

void InboundStore::Delete(std::uint64_t count) { batch_.Delete(Family::kQueues, CountKey(count)); }

void InboundStore::PutPart(const InboundPartRow& part) {
  stored::v1::GatewayInboundPart row;
  row.set_total(part.total);
  row.set_at_ms(part.at_ms);
  row.set_account(part.account);
  row.set_sealed(part.sealed);
  PutRow(batch_, Family::kQueues, PartKey(part.name, part.number), row);
  needs_sync_ = true;
}

void InboundStore::DeletePart(const Digest16& name, std::uint8_t number) {
  batch_.Delete(Family::kQueues, PartKey(name, number));
}

void InboundStore::PutSeen(const Digest16& digest, const InboundSeen& seen) {
  stored::v1::GatewayInboundSeen row;
  row.set_at_ms(seen.at_ms);
  row.set_answered_ms(seen.answered_ms);
  row.set_session(seen.session);
  PutRow(batch_, Family::kIndexes, SeenKey(digest), row);
  needs_sync_ = true;
}

void InboundStore::DeleteSeen(const Digest16& digest) { batch_.Delete(Family::kIndexes, SeenKey(digest)); }

absl::Status InboundStore::Commit() {
  if (batch_.operations() == 0) return absl::OkStatus();
  const auto status = rows_.Write(batch_, needs_sync_ ? storage::Sync::kYes : storage::Sync::kNo);
  batch_.Clear();
  needs_sync_ = false;
  return status;
}

absl::StatusOr<std::vector<std::pair<std::uint64_t, InboundSms>>> InboundStore::After(std::uint64_t count,
                                                                                      std::size_t most) const {
  std::vector<std::pair<std::uint64_t, InboundSms>> found;
  const std::string prefix(Key('N', kOwnShard).view());
  auto cursor = rows_.Scan(Family::kQueues, CountKey(count + 1), storage::PrefixEnd(prefix));
  for (; cursor->Valid() && found.size() < most; cursor->Next()) {
    const auto row = ParseRow<stored::v1::GatewayInbound>(cursor->key(), cursor->value());
    if (!row.ok()) return row.status();
    found.emplace_back(storage::ReadBigEndian(cursor->key().substr(kPrefixBytes)),
                       InboundSms{row->id(), row->tenant(), row->payload(), row->at_ms()});
  }
  if (!cursor->status().ok()) return cursor->status();
  return found;
}

absl::StatusOr<std::vector<std::uint64_t>> InboundStore::Counts() const {
  std::vector<std::uint64_t> counts;
  const auto status = ReadAll<stored::v1::GatewayInbound>(
      rows_, Family::kQueues, 'N', kPrefixBytes + 8,
      [&](std::string_view key, const auto&) { counts.push_back(storage::ReadBigEndian(key.substr(kPrefixBytes))); });
  if (!status.ok()) return status;
  return counts;
}

absl::StatusOr<std::vector<InboundPartRow>> InboundStore::Parts() const {
  std::vector<InboundPartRow> parts;
  const auto status = ReadAll<stored::v1::GatewayInboundPart>(
      rows_, Family::kQueues, 'W', kPrefixBytes + 17, [&](std::string_view key, const auto& row) {
        parts.push_back({DigestIn(key), static_cast<std::uint8_t>(key.back()), static_cast<std::uint8_t>(row.total()),
                         row.at_ms(), row.account(), row.sealed()});
      });
  if (!status.ok()) return status;
  return parts;
}

absl::StatusOr<std::vector<std::pair<Digest16, InboundSeen>>> InboundStore::Seen() const {
  std::vector<std::pair<Digest16, InboundSeen>> all;
  const auto status = ReadAll<stored::v1::GatewayInboundSeen>(
      rows_, Family::kIndexes, 'Q', kPrefixBytes + 16, [&](std::string_view key, const auto& row) {
        all.emplace_back(DigestIn(key), InboundSeen{row.at_ms(), row.answered_ms(), row.session()});
      });
  if (!status.ok()) return status;
  return all;
}

}  // namespace smsflow::gateway
