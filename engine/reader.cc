#include "engine/reader.h"

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

#include "crypto/hash.h"
#include "engine/tokens.h"
#include "storage/epoch.h"
#include "storage/keys.h"
#include "storage/records.h"

namespace smsflow::engine {

using storage::Family;

namespace {

constexpr int kReadsPerInstance = 8;
constexpr std::size_t kJournalMax = 1'000'000;

absl::Status UnknownId() { return absl::NotFoundError("id: unknown"); }

// The smallest id that can have been made at `ms`.
std::string FirstIdAt(std::int64_t ms) {
  std::string bytes(16, '\0');
  for (int i = 0; i < 6; ++i) bytes[static_cast<std::size_t>(i)] = static_cast<char>(ms >> (8 * (5 - i)));
  return bytes;
}

// Length-prefixed, so that no two lists of parts read the same.
void Part(std::string& out, std::string_view part) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(part.size() >> shift));
  out.append(part);
}

std::string Digest16Of(const std::string& input) {
  return std::string(crypto::AsView(crypto::Cut(crypto::Sha256(input))));
}

bool Matches(const ListQuery& query, const StoredInstance& instance) {
  if (instance.head.workflow() != query.workflow) return false;
  if (!query.tenant.empty() && instance.head.tenant() != query.tenant) return false;
  return query.states.empty() ||
         std::find(query.states.begin(), query.states.end(), instance.state.state()) != query.states.end();
}

}  // namespace

// One shard's rows of a list, with ids in ascending order.
struct Reader::ShardScan {
  std::unique_ptr<storage::Cursor> cursor;

  std::string_view id() const {  // REQUIRES cursor->Valid()
    const std::string_view key = cursor->key();
    return key.substr(key.size() - 16);
  }
};

absl::StatusOr<std::optional<StoredInstance>> Reader::Load(const InstanceId& id) const {
  // Head and state are two reads, and a writer may come between them: a state row that is not there counts only when
  // the head is still what it was.
  std::optional<std::uint64_t> before;
  for (int i = 0; i < kReadsPerInstance; ++i) {
    auto head = storage::GetHead(*parts_.store, id);
    if (!head.ok()) return head.status();
    if (!head->has_value()) return std::nullopt;
    StoredInstance instance{id, **std::move(head), {}};
    if (instance.head.final() || before == instance.head.state().sequence()) {
      instance.state = instance.head.state();
      return instance;
    }
    auto state = storage::GetState(*parts_.store, id);
    if (!state.ok()) return state.status();
    if (state->has_value()) {
      instance.state = **std::move(state);
      return instance;
    }
    before = instance.head.state().sequence();
  }
  return absl::UnavailableError("the instance changes too fast to be read");
}

absl::StatusOr<std::optional<StoredInstance>> Reader::LoadIfMine(const ListQuery& query, const InstanceId& id,
                                                                 std::string_view row) const {
  // A scan over everybody's heads: most may be another tenant's, and are not worth two more reads.
  if (query.index == 0 && !query.tenant.empty()) {
    const auto head = storage::DecodeHead(row);
    if (!head.ok()) return head.status();
    if (head->tenant() != query.tenant) return std::nullopt;
  }
  return Load(id);
}

absl::StatusOr<StoredInstance> Reader::Get(const InstanceId& id, const std::string& tenant) const {
  if (id.shard().value >= parts_.shards) return UnknownId();
  auto found = Load(id);
  if (!found.ok()) return found.status();
  if (!found->has_value() || (!tenant.empty() && (*found)->head.tenant() != tenant)) return UnknownId();
  return **std::move(found);
}

ShardVector Reader::Now() const {
  ShardVector now(parts_.shards);
  for (std::uint16_t shard = 0; shard < parts_.shards; ++shard) now[shard] = parts_.committed(ShardId{shard});
  return now;
}

ShardId Reader::ShardOf(const std::string& tenant, const std::string& target) const {
  return parts_.index_keys->Shard(parts_.shards, tenant, target, "", 0);
}

std::string Reader::QueryDigest(const ListQuery& query) const {
  std::string input;
  Part(input, query.tenant);
  Part(input, query.value);
  std::vector<std::uint16_t> states = query.states;
  std::sort(states.begin(), states.end());
  states.erase(std::unique(states.begin(), states.end()), states.end());
  std::string numbers;
  for (const std::uint16_t state : states) Part(numbers, std::to_string(state));
  Part(input, numbers);
  for (const std::int64_t number : {static_cast<std::int64_t>(query.workflow), static_cast<std::int64_t>(query.index),
                                    query.created_from_ms, query.created_till_ms}) {
    Part(input, std::to_string(number));
  }
  return Digest16Of(input);
}

std::vector<Reader::ShardScan> Reader::OpenScans(const ListQuery& query, const std::optional<InstanceId>& after) const {
  std::uint16_t first = 0;
  std::uint16_t end = parts_.shards;
  if (query.value_is_target) {
    first = ShardOf(query.tenant, query.value).value;
    end = static_cast<std::uint16_t>(first + 1);
  }
  const Family family = query.index == 0 ? Family::kInstances : Family::kIndexes;
  std::vector<ShardScan> scans;
  for (std::uint16_t shard = first; shard < end; ++shard) {
    storage::Key key(query.index == 0 ? 'h' : 'i', ShardId{shard});
    if (query.index != 0) {
      key.Add16(query.index).Add(parts_.index_keys->IndexValue(query.tenant, query.index, query.value));
    }
    const std::string prefix(key.view());
    std::string from = prefix + (query.created_from_ms > 0 ? FirstIdAt(query.created_from_ms) : "");
    if (after) from = std::max(from, prefix + std::string(after->AsBytes()) + '\0');
    const std::string till =
        query.created_till_ms > 0 ? prefix + FirstIdAt(query.created_till_ms) : storage::PrefixEnd(prefix);
    if (from < till) scans.push_back({parts_.store->Scan(family, from, till)});
  }
  return scans;
}

absl::StatusOr<ListPage> Reader::List(const ListQuery& query, std::uint32_t page_size, const std::string& token) const {
  const auto epoch = storage::EpochOf(*parts_.store);
  if (!epoch.ok()) return epoch.status();
  ListToken at{QueryDigest(query), {}, {}, *epoch};
  std::optional<InstanceId> after;
  if (token.empty()) {
    at.seen = Now();
  } else {
    auto given = DecodeListToken(token);
    if (!given || given->digest != at.digest || given->seen.size() != parts_.shards) {
      return absl::InvalidArgumentError("page_token: must be of the page before, with the same filter");
    }
    if (absl::Status status = CheckEpoch(given->epoch, *epoch); !status.ok()) return status;
    at = *std::move(given);
    after = at.last;
  }

  std::vector<ShardScan> scans = OpenScans(query, after);
  // A heap of the scans that have more, the smallest id on top.
  const auto later = [&](std::size_t a, std::size_t b) { return scans[a].id() > scans[b].id(); };
  std::vector<std::size_t> heap;
  for (std::size_t i = 0; i < scans.size(); ++i) {
    if (scans[i].cursor->Valid()) heap.push_back(i);
    if (!scans[i].cursor->status().ok()) return scans[i].cursor->status();
  }
  std::make_heap(heap.begin(), heap.end(), later);

  ListPage page;
  page.seen = at.seen;
  std::uint32_t rows = 0;
  while (!heap.empty() && rows < kRowsPerPage && page.items.size() < page_size) {
    std::pop_heap(heap.begin(), heap.end(), later);
    storage::Cursor& cursor = *scans[heap.back()].cursor;
    const auto id = storage::InstanceOfKey(cursor.key());
    if (!id) return absl::DataLossError("a row of a list names no instance");
    ++rows;
    after = *id;
    auto instance = LoadIfMine(query, *id, cursor.value());
    if (!instance.ok()) return instance.status();
    if (instance->has_value() && Matches(query, **instance)) page.items.push_back(**std::move(instance));
    cursor.Next();
    if (!cursor.status().ok()) return cursor.status();
    if (cursor.Valid()) {
      std::push_heap(heap.begin(), heap.end(), later);
    } else {
      heap.pop_back();
    }
  }
  if (!heap.empty()) page.next_token = EncodeListToken({at.digest, *after, at.seen, *epoch});
  return page;
}

absl::StatusOr<std::map<std::uint16_t, std::uint64_t>> Reader::Count(const ListQuery& query,
                                                                     const std::function<bool()>& stop) const {
  std::map<std::uint16_t, std::uint64_t> counts;
  std::uint64_t rows = 0;
  for (ShardScan& scan : OpenScans(query, std::nullopt)) {
    for (; scan.cursor->Valid(); scan.cursor->Next()) {
      if (++rows % 1'000 == 0 && stop()) return absl::CancelledError("the caller went away");
      const auto id = storage::InstanceOfKey(scan.cursor->key());
      if (!id) return absl::DataLossError("a row of a list names no instance");
      auto instance = LoadIfMine(query, *id, scan.cursor->value());
      if (!instance.ok()) return instance.status();
      if (instance->has_value() && Matches(query, **instance)) {
        ++counts[static_cast<std::uint16_t>((*instance)->state.state())];
      }
    }
    if (!scan.cursor->status().ok()) return scan.cursor->status();
  }
  return counts;
}

absl::Status Reader::ForEach(const std::function<bool(const StoredInstance&)>& each) const {
  for (ShardScan& scan : OpenScans(ListQuery{}, std::nullopt)) {
    for (; scan.cursor->Valid(); scan.cursor->Next()) {
      const auto id = storage::InstanceOfKey(scan.cursor->key());
      if (!id) return absl::DataLossError("an instance row has a malformed key");
      auto instance = Load(*id);
      if (!instance.ok()) return instance.status();
      if (instance->has_value() && !each(**instance)) return absl::OkStatus();
    }
    if (!scan.cursor->status().ok()) return scan.cursor->status();
  }
  return absl::OkStatus();
}

absl::StatusOr<MemberPage> Reader::Members(const std::string& tenant, std::uint8_t set, std::uint32_t page_size,
                                           const std::string& token) const {
  std::string input;
  Part(input, tenant);
  Part(input, std::to_string(set));
  MemberToken at{Digest16Of(input), {}};
  if (!token.empty()) {
    auto given = DecodeMemberToken(token);
    if (!given || given->digest != at.digest) {
      return absl::InvalidArgumentError("page_token: must be of the page before");
    }
    at = *std::move(given);
  }
  MemberPage page;
  const storage::Lane8 tenant_hash = parts_.index_keys->Tenant(tenant);
  for (std::uint16_t shard = 0; shard < parts_.shards; ++shard) {
    const std::string prefix(storage::Key('m', ShardId{shard}).Add8(set).Add(tenant_hash).view());
    const std::string till = storage::PrefixEnd(prefix);
    const std::string from = at.last_key.empty() ? prefix : std::max(prefix, at.last_key + '\0');
    if (from >= till) continue;
    const auto cursor = parts_.store->Scan(Family::kIndexes, from, till);
    for (; cursor->Valid(); cursor->Next()) {
      if (page.members.size() == page_size) {
        page.next_token = EncodeMemberToken(at);
        return page;
      }
      const auto row = storage::DecodeMembership(cursor->value());
      if (!row.ok()) return row.status();
      at.last_key = std::string(cursor->key());
      page.members.push_back({row->target(), row->since_ms()});
    }
    if (!cursor->status().ok()) return cursor->status();
  }
  return page;
}

absl::StatusOr<bool> Reader::IsMember(const std::string& tenant, std::uint8_t set, const std::string& target) const {
  const storage::IndexKeys& keys = *parts_.index_keys;
  const auto row = parts_.store->Get(
      Family::kIndexes,
      storage::MembershipKey(ShardOf(tenant, target), set, keys.Tenant(tenant), keys.Target(tenant, target)));
  if (!row.ok()) return row.status();
  return row->has_value();
}

absl::StatusOr<InstanceJournal> Reader::Journal(const StoredInstance& instance) const {
  InstanceJournal journal;
  std::uint64_t sequence = instance.state.sequence();
  while (sequence != 0) {
    auto record = storage::GetJournal(*parts_.store, instance.id.shard(), sequence);
    if (!record.ok()) return record.status();
    if (!record->has_value()) {
      journal.whole = false;
      break;
    }
    const storage::JournalHeader& header = (*record)->header;
    if (header.instance != instance.id || header.previous >= sequence || journal.records.size() >= kJournalMax) {
      return absl::DataLossError("journal of " + instance.id.ToString() + ": record " + std::to_string(sequence) +
                                 " is not of this instance");
    }
    sequence = header.previous;
    journal.records.push_back(**std::move(record));
  }
  std::reverse(journal.records.begin(), journal.records.end());
  return journal;
}

}  // namespace smsflow::engine
