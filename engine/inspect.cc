#include "engine/inspect.h"

#include <array>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "engine/inspect_shard.h"

namespace smsflow::engine {
namespace {

using storage::Family;

constexpr std::uint64_t kRowsPerQuestion = 4096;

constexpr std::array<std::pair<Family, std::string_view>, storage::kFamilies> kKinds{{
    {Family::kMeta, "AMPgu"},
    {Family::kInstances, "hs"},
    {Family::kJournal, "aj"},
    {Family::kQueues, "Lfklortw"},
    {Family::kIndexes, "dimp"},
}};

// Rows of kinds that nobody has given, or of shards that there are not: nothing else would ever see them. Jumps from
// kind to kind, and reads no more than a row of each.
void FindStrangers(const storage::Store& view, std::uint16_t shards, const Inspector::OnFinding& finding) {
  for (const auto& [family, kinds] : kKinds) {
    std::string from;
    for (;;) {
      const auto row = view.Scan(family, from, {});
      if (!row->Valid()) {
        if (!row->status().ok()) finding(absl::StrCat("rows cannot be read: ", std::string(row->status().message())));
        break;
      }
      const std::string key(row->key());
      const bool known = kinds.find(key[0]) != std::string_view::npos;
      const std::uint64_t shard = key.size() < 3 ? kShardsMax : storage::ReadBigEndian(key.substr(1, 2));
      if (!known || shard >= shards)
        finding(absl::StrCat("a row has a key that is of no table or of no shard: ", absl::BytesToHexString(key)));
      // Next: the same kind behind the last shard, then the next kind.
      const std::string behind(storage::Key(key[0], ShardId{shards}).view());
      from = known && key < behind ? behind : storage::PrefixEnd(key.substr(0, 1));
      if (from.empty()) break;
    }
  }
}

}  // namespace

absl::Status Inspector::Run(const OnFinding& finding, const OnProgress& progress) {
  summary_ = {};
  const OnFinding counted = [&](const std::string& text) {
    ++summary_.violations;
    finding(text);
  };
  FindStrangers(*store_.Frozen(), shards_, counted);
  InspectAccounts(*store_.Frozen(), summary_, counted);
  for (std::uint16_t shard = 0; shard < shards_; ++shard) {
    const auto view = store_.Frozen();
    ShardInspection inspection(*view, keys_, shards_, rules_, ShardId{shard}, summary_,
                               {counted, [&] { return progress(summary_); }});
    if (!inspection.Run() || !progress(summary_)) return absl::CancelledError("the inspection was ended early");
    ++summary_.shards;
  }
  return absl::OkStatus();
}

ShardInspection::ShardInspection(const storage::Store& view, const storage::IndexKeys& keys, std::uint16_t shards,
                                 InspectionRules rules, ShardId shard, InspectionSummary& summary, Sinks sinks)
    : view_(view),
      keys_(keys),
      shards_(shards),
      rules_(rules),
      shard_(shard),
      summary_(summary),
      sinks_(std::move(sinks)) {}

bool ShardInspection::Run() {
  ReadMarks();
  ReadAnchors();
  ReadJournal();
  ReadTimers();
  ReadReady();
  ReadOutbox();
  ReadTells();
  ReadSweeps();
  ReadFeeds();
  ReadInstances();
  ReadIndexes();
  ReadDedupe();
  ReadMemberships();
  ReadPauses();
  return !stopped_;
}

void ShardInspection::EachRow(Family family, char kind, std::string_view what,
                              const std::function<void(const storage::Cursor&)>& row, std::string_view from) {
  const std::string prefix(storage::Key(kind, shard_).view());
  const auto rows = view_.Scan(family, from.empty() ? std::string_view(prefix) : from, storage::PrefixEnd(prefix));
  for (; rows->Valid() && !Stopped(); rows->Next()) row(*rows);
  if (!rows->status().ok())
    Find(absl::StrCat(std::string(what), " cannot be read to their end: ", std::string(rows->status().message())));
}

void ShardInspection::Find(std::string text) { sinks_.finding(absl::StrCat("shard ", shard_.value, ": ", text)); }

bool ShardInspection::Stopped() {
  if (!stopped_ && ++rows_ % kRowsPerQuestion == 0) stopped_ = !sinks_.go_on();
  return stopped_;
}

std::uint64_t HashOf(std::string_view bytes) {
  return absl::Hash<absl::string_view>{}(absl::string_view(bytes.data(), bytes.size()));
}

std::uint64_t HashOf(const InstanceId& id, std::uint64_t a, std::uint64_t b) {
  return absl::Hash<std::tuple<std::array<std::uint8_t, 16>, std::uint64_t, std::uint64_t>>{}({id.bytes, a, b});
}

}  // namespace smsflow::engine
