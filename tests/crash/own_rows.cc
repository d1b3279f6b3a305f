#include "tests/crash/own_rows.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "storage/keys.h"

namespace smsflow::crash {
namespace {

constexpr std::pair<storage::Family, char> kKinds[] = {
    {storage::Family::kIndexes, 'm'}, {storage::Family::kIndexes, 'p'}, {storage::Family::kQueues, 'f'},
    {storage::Family::kQueues, 'l'},  {storage::Family::kQueues, 'L'},  {storage::Family::kQueues, 'w'}};

// The run has none of its own; a repair leaves one.
bool IsPauseOfAll(std::string_view key) {
  return key[0] == 'p' && key[3] == static_cast<char>(storage::PauseScope::kAll);
}

}  // namespace

absl::StatusOr<OwnRows::Rows> OwnRows::Read(const storage::Store& store, ShardId shard) {
  Rows rows;
  for (const auto& [family, kind] : kKinds) {
    const std::string prefix(storage::Key(kind, shard).view());
    const auto row = store.Scan(family, prefix, storage::PrefixEnd(prefix));
    for (; row->Valid(); row->Next())
      if (!IsPauseOfAll(row->key())) rows.emplace(row->key(), row->value());
    if (!row->status().ok()) return row->status();
  }
  return rows;
}

bool OwnRows::Note(const storage::Store& store, ShardId shard, std::uint64_t sequence, std::size_t operations) {
  auto rows = Read(store, shard);
  if (!rows.ok()) return false;
  const bool with_records = std::exchange(noted_[shard], sequence) != sequence;
  const auto note = [&](const std::string& key, std::optional<std::string> value) {
    std::vector<Version>& versions = versions_[key];
    if (value == (versions.empty() ? std::nullopt : versions.back().value)) return;
    versions.push_back({sequence, with_records, operations, std::move(value)});
    ++changes_[key[0]];
  };
  for (auto& [key, versions] : versions_)
    if (ShardId{static_cast<std::uint16_t>(storage::ReadBigEndian(key.substr(1, 2)))} == shard && !rows->contains(key))
      note(key, std::nullopt);
  for (auto& [key, value] : *rows) note(key, std::move(value));
  return true;
}

std::string OwnRows::Wrong(const storage::Store& store, ShardId shard, std::uint64_t sequence,
                           std::size_t operations) const {
  const auto rows = Read(store, shard);
  if (!rows.ok()) return std::string(rows.status().message());
  const std::string of_shard = absl::StrCat(kWrong, "shard ", shard.value, " at ", sequence, ", row ");
  for (const auto& [key, value] : *rows)
    if (!versions_.contains(key)) return absl::StrCat(of_shard, absl::BytesToHexString(key), " was never written");
  for (const auto& [key, versions] : versions_) {
    if (storage::ReadBigEndian(key.substr(1, 2)) != shard.value) continue;
    const auto row = rows->find(key);
    const std::optional<std::string> found = row == rows->end() ? std::nullopt : std::optional(row->second);
    bool may_be = !found.has_value();  // as before the first version
    for (const Version& version : versions) {
      if (version.sequence > sequence) break;
      // What it was before is no more where a record that came with it or after it is there, or it was acknowledged.
      const bool must_be = version.sequence < sequence || version.with_records || version.operations <= operations;
      may_be = found == version.value || (may_be && !must_be);
    }
    if (!may_be)
      return absl::StrCat(of_shard, absl::BytesToHexString(key), found ? " is not as it was then" : " is gone");
  }
  return "";
}

}  // namespace smsflow::crash
