// I12: index and dedupe rows are those that the instances ask for, no more and no fewer; members and pauses stand where
// they are looked up.
#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "engine/inspect_shard.h"
#include "storage/records.h"

namespace smsflow::engine {
namespace {

using storage::Family;

std::string Text(const absl::Status& status) { return std::string(status.message()); }
std::string Hex(std::string_view bytes) { return absl::BytesToHexString(std::string(bytes)); }

}  // namespace

void ShardInspection::ReadIndexes() {
  EachRow(Family::kIndexes, 'i', "index rows", [&](const storage::Cursor& row) {
    ++summary_.index_rows;
    if (index_rows_.erase(HashOf(row.key())) != 0) return;
    const auto id = storage::InstanceOfKey(row.key());
    Find(absl::StrCat("an index row of ", id ? id->ToString() : "no instance",
                      " is not what the instance asks for: ", Hex(row.key())));
  });
  if (!stopped_ && !index_rows_.empty()) Find(absl::StrCat(index_rows_.size(), " index rows of instances are missing"));
}

void ShardInspection::ReadDedupe() {
  EachRow(Family::kIndexes, 'd', "dedupe rows", [&](const storage::Cursor& row) {
    ++summary_.dedupe_rows;
    const auto value = storage::DecodeDedupe(row.value());
    if (!value.ok()) return Find(Text(value.status()));
    const auto id = InstanceId::FromBytes(value->instance());
    const auto asked = dedupe_.find(std::string(row.key().substr(3)));
    if (asked == dedupe_.end() || asked->second != id) {
      Find(absl::StrCat("the dedupe row ", Hex(row.key()), " names ", id ? id->ToString() : "no instance",
                        ", which does not ask for it"));
    } else {
      dedupe_.erase(asked);
    }
  });
  if (stopped_) return;
  for (const auto& [scope, id] : dedupe_)
    Find(absl::StrCat(id.ToString(), " has an idempotency key, but no row that finds it by that"));
}

void ShardInspection::ReadMemberships() {
  EachRow(Family::kIndexes, 'm', "memberships", [&](const storage::Cursor& row) {
    ++summary_.memberships;
    const auto value = storage::DecodeMembership(row.value());
    if (!value.ok()) return Find(Text(value.status()));
    const auto set = static_cast<std::uint8_t>(row.key().substr(3, 1).front());
    const storage::Key expected =
        storage::MembershipKey(keys_.Shard(shards_, value->tenant(), value->target(), {}, 0), set,
                               keys_.Tenant(value->tenant()), keys_.Target(value->tenant(), value->target()));
    if (expected.view() != row.key())
      Find(absl::StrCat("the membership ", Hex(row.key()), " does not stand where its target is looked up"));
  });
}

void ShardInspection::ReadPauses() {
  EachRow(Family::kIndexes, 'p', "pauses", [&](const storage::Cursor& row) {
    ++summary_.pauses;
    const auto value = storage::DecodePause(row.value());
    if (!value.ok()) return Find(Text(value.status()));
    if (row.key().size() != 3 + 1 + 16) Find(absl::StrCat("a pause has a malformed key: ", Hex(row.key())));
  });
}

}  // namespace smsflow::engine
