#include "storage/journal.h"

#include <algorithm>

#include "crypto/hash.h"
#include "storage/keys.h"
#include "storage/records.h"
#include "storage/sealing.h"

namespace smsflow::storage {
namespace {

constexpr char kFormatByte = 1;
constexpr char kErasedFlag = 1;
constexpr std::size_t kHeader = 1 + 1 + 8 + 16 + 32;  // without the digest
constexpr std::size_t kDigest = 32;
constexpr std::string_view kTable = "journal";

std::array<char, 8> BigEndian(std::uint64_t value) {
  std::array<char, 8> bytes{};
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(value >> (8 * (7 - i)));
  return bytes;
}
std::string_view View(const std::array<char, 8>& bytes) { return {bytes.data(), bytes.size()}; }

Digest ToDigest(std::string_view bytes) {
  Digest digest{};
  std::copy_n(bytes.begin(), digest.size(), digest.begin());
  return digest;
}

std::string& BeginRecord(const JournalHeader& header) {
  std::string& value = BeginValue();
  value.push_back(kFormatByte);
  value.push_back(header.erased ? kErasedFlag : char{0});
  value.append(View(BigEndian(header.previous)));
  value.append(header.instance.AsBytes());
  value.append(crypto::AsView(header.chain));
  return value;
}

}  // namespace

Digest ChainAfter(const Digest& before, const JournalHeader& header) {
  return crypto::Sha256({crypto::AsView(before), View(BigEndian(header.sequence)), View(BigEndian(header.previous)),
                         header.instance.AsBytes(), crypto::AsView(header.digest)});
}

void AppendJournal(Batch& batch, ShardId shard, ChainHead& head, std::uint64_t previous, const InstanceId& instance,
                   std::string_view body) {
  JournalHeader header;
  header.sequence = head.sequence + 1;
  header.previous = previous;
  header.instance = instance;
  header.digest = crypto::Sha256(body);
  header.chain = ChainAfter(head.chain, header);
  batch.Put(Family::kJournal, JournalKey(shard, header.sequence), BeginRecord(header).append(body));
  head = {header.sequence, header.chain};
}

void EraseJournalBody(Batch& batch, ShardId shard, const JournalRecord& record) {
  JournalHeader header = record.header;
  header.erased = true;
  batch.Put(Family::kJournal, JournalKey(shard, header.sequence),
            BeginRecord(header).append(crypto::AsView(header.digest)));
}

absl::StatusOr<JournalRecord> DecodeJournal(ShardId shard, std::uint64_t sequence, std::string_view value) {
  const Key key = JournalKey(shard, sequence);
  std::string scratch;
  auto opened = OpenValue(kTable, key, value, scratch);
  if (!opened.ok()) return opened.status();
  std::string_view rest = *opened;
  if (rest.size() < kHeader) return CannotDecode(kTable, key, "it is shorter than its header");
  if (rest[0] != kFormatByte) return CannotDecode(kTable, key, "its header has an unknown format");
  if ((rest[1] & ~kErasedFlag) != 0) return CannotDecode(kTable, key, "its header has an unknown flag");
  const auto instance = InstanceId::FromBytes(rest.substr(10, 16));
  if (!instance) return CannotDecode(kTable, key, "its instance is no instance id");

  JournalRecord record;
  record.header.sequence = sequence;
  record.header.erased = (rest[1] & kErasedFlag) != 0;
  record.header.previous = ReadBigEndian(rest.substr(2, 8));
  record.header.instance = *instance;
  record.header.chain = ToDigest(rest.substr(26, 32));
  rest.remove_prefix(kHeader);
  if (!record.header.erased) {
    record.header.digest = crypto::Sha256(rest);
    record.body = rest;
    return record;
  }
  if (rest.size() != kDigest) return CannotDecode(kTable, key, "it is erased and does not end with its digest");
  record.header.digest = ToDigest(rest);
  return record;
}

absl::StatusOr<std::optional<JournalRecord>> GetJournal(const Store& store, ShardId shard, std::uint64_t sequence) {
  auto value = store.Get(Family::kJournal, JournalKey(shard, sequence));
  if (!value.ok()) return value.status();
  if (!*value) return std::nullopt;
  auto record = DecodeJournal(shard, sequence, **value);
  if (!record.ok()) return record.status();
  return std::move(*record);
}

std::array<std::uint8_t, 16> PayloadDigest(std::string_view payload) { return crypto::Cut(crypto::Sha256(payload)); }

void PutAnchor(Batch& batch, ShardId shard, const ChainAnchor& anchor) {
  stored::ChainAnchor row;
  row.set_sequence(anchor.head.sequence);
  row.set_hash(std::string(crypto::AsView(anchor.head.chain)));
  row.set_count(anchor.count);
  std::string& value = BeginValue();
  row.AppendToString(&value);
  batch.Put(Family::kJournal, AnchorKey(shard, anchor.head.sequence), value);
}

absl::StatusOr<ChainAnchor> DecodeAnchor(ShardId shard, std::uint64_t sequence, std::string_view value) {
  const Key key = AnchorKey(shard, sequence);
  std::string scratch;
  auto opened = OpenValue("anchors", key, value, scratch);
  if (!opened.ok()) return opened.status();
  stored::ChainAnchor row;
  if (!row.ParseFromArray(opened->data(), static_cast<int>(opened->size())) || row.sequence() != sequence ||
      row.hash().size() != kDigest)
    return CannotDecode("anchors", key, "it does not hold a sequence that fits its key, and a hash");
  return ChainAnchor{{row.sequence(), ToDigest(row.hash())}, row.count()};
}

absl::StatusOr<std::optional<ChainAnchor>> LastAnchor(const Store& store, ShardId shard) {
  const auto cursor = store.Scan(Family::kJournal, AnchorKey(shard, 0), PrefixEnd(Key('a', shard)), true);
  if (!cursor->Valid()) {
    if (!cursor->status().ok()) return cursor->status();
    return std::nullopt;
  }
  auto anchor = DecodeAnchor(shard, SequenceOfKey(cursor->key()), cursor->value());
  if (!anchor.ok()) return anchor.status();
  return *anchor;
}

absl::StatusOr<ChainHead> FindChainHead(const Store& store, ShardId shard) {
  const auto cursor = store.Scan(Family::kJournal, JournalKey(shard, 0), PrefixEnd(Key('j', shard)), true);
  if (cursor->Valid()) {
    const std::uint64_t sequence = SequenceOfKey(cursor->key());
    auto record = DecodeJournal(shard, sequence, cursor->value());
    if (!record.ok()) return record.status();
    return ChainHead{sequence, record->header.chain};
  }
  if (!cursor->status().ok()) return cursor->status();
  // All that was written may be gone with its segments; then the last of them tells where it ended.
  const auto anchor = LastAnchor(store, shard);
  if (!anchor.ok()) return anchor.status();
  return *anchor ? (*anchor)->head : ChainHead{};
}

}  // namespace smsflow::storage
