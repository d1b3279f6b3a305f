// A gateway's durable memory: one row per attempt id, so that no attempt is ever submitted twice.
//
//   key := kind(1) shard(2, big endian) rest
//
//   kind  family     rest                                  row
//   'M'   meta       -, shard 0                            GatewayMeta
//   'S'   meta       -                                     GatewayMark: the engine's highest mark of that shard
//   'A'   instances  id(16) number(4)                      GatewayAttempt
//   'D'   queues     deadline_ms(8) id(16) number(4)       nothing; shard 0: what is to be forgotten when
//   'U'   queues     id(16) number(4)                      nothing: without a result, or the engine has not answered it
//   'I'   indexes    account 0 provider's id 0 id(16) number(4) part(1)    GatewayId; shard 0
//   'R'   queues     at_ms(8) count(8)                     GatewayReceipt, parked; shard 0
//   'F'   meta       account                               GatewayIdForms; shard 0
//
// No number and no text of an SMS stands in any of them.
//
// Values begin with one byte that says how they are sealed (crypto/seal.h). An attempt is kept until its deadline and 8
// days; the highest deadline that was forgotten is kept for ever.
//
// Changes are gathered in memory and become durable, all at once, with Commit(): many attempts share one sync. Used by
// one thread, but for uuid() and Marks(), which any may call. An error of Commit() is indefinite; the process must end.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/bus.h"
#include "gateway/attempt.h"
#include "ids/ids.h"
#include "storage/store.h"

namespace smsflow::gateway {

// 1 had attempts and marks alone, 2 no tenants and no names of old engines; both are taken as they are.
inline constexpr std::uint32_t kStoreFormat = 3;
inline constexpr std::int64_t kKeepMs = 8LL * 24 * 3'600'000;  // after the deadline

// A part of an attempt that an SMSC knows by an id.
struct NamedPart {
  AttemptId attempt;
  std::uint8_t number = 1;
  std::int64_t at_ms = 0;
  RecipientTag recipient = {};
};

// A parked receipt's place: when it came, and a count.
struct ParkedKey {
  std::int64_t at_ms = 0;
  std::uint64_t count = 0;
  auto operator<=>(const ParkedKey&) const = default;
};

struct StoredForms {
  std::string account;
  std::uint8_t tlv = 0, text = 0;  // numbers of smpp::IdForm; 0: not known
  std::uint8_t responses = 0;      // their ids: 1 decimal, 2 hexadecimal; 0: not known
};

class Store {
 public:
  // Reads what is there, or makes it new for `gateway`. What was open becomes UNKNOWN, durably, before this returns.
  // FAILED_PRECONDITION: made by a newer version, or another gateway's. `rows` must outlive the store.
  static absl::StatusOr<std::unique_ptr<Store>> Open(storage::Store& rows, std::string_view gateway,
                                                     std::int64_t now_ms);

  const std::string& uuid() const { return uuid_; }
  std::vector<engine::Mark> Marks() const;  // as of the last Commit()
  std::int64_t pruned_ms() const { return pruned_ms_; }

  // Sees what was Put() and not yet committed. nullopt: never seen, or forgotten.
  absl::StatusOr<std::optional<Record>> Find(const AttemptId& attempt) const;

  // `to_tell`: its result is news to the engine; of what is told once (attempt.h) nothing more is to be told then.
  void Put(const AttemptId& attempt, const Record& record, bool is_new, bool to_tell = true);
  // `id` as smpp::NormalId has it; neither it nor `account` has a zero byte.
  void PutId(std::string_view account, std::string_view id, const NamedPart& part);
  // Those that have this id, oldest first; also what was not yet committed.
  absl::StatusOr<std::vector<NamedPart>> FindId(std::string_view account, std::string_view id) const;
  void Park(const ParkedKey& key, const SmscReceipt& receipt);
  void Unpark(const ParkedKey& key);
  absl::StatusOr<std::vector<std::pair<ParkedKey, SmscReceipt>>> Parked() const;
  void PutForms(const StoredForms& forms);
  absl::StatusOr<std::vector<StoredForms>> Forms() const;
  // Keeps the highest of each shard; of equal ones a sealed one, in whatever order they come.
  void Note(const engine::Mark& mark);
  // The engine has this result durably; if it is still the recorded one, it need not be repeated.
  [[nodiscard]] absl::Status Answered(const AttemptId& attempt, Reported result);
  // Blocks for the disk, but when only answers came: what is lost of those is answered again.
  [[nodiscard]] absl::Status Commit();

  // Results that the engine has not answered yet, by attempt, from `after` on, at most `most`.
  absl::StatusOr<std::vector<Report>> Unanswered(const std::optional<AttemptId>& after, std::size_t most) const;
  // Forgets at most `most` attempts whose time has come, durably; how many they were.
  absl::StatusOr<std::size_t> Prune(std::int64_t now_ms, std::size_t most);

 private:
  explicit Store(storage::Store& rows) : rows_(rows) {}

  absl::Status Load(std::string_view gateway, std::int64_t now_ms);
  absl::Status LoadMarks();
  absl::Status CloseOpen(std::int64_t now_ms);
  absl::StatusOr<std::optional<Record>> Read(const AttemptId& attempt) const;
  void PutMeta();
  absl::Status DeleteIds(const AttemptId& attempt);

  storage::Store& rows_;
  std::string uuid_;
  std::string gateway_;
  std::int64_t created_ms_ = 0;
  std::int64_t pruned_ms_ = 0;
  mutable std::mutex marks_mutex_;
  std::map<ShardId, engine::Mark> marks_;

  void Remember();

  // What was committed last, in two ages: most that is asked for was written a moment ago. Together at most twice
  // kRecent.
  std::unordered_map<AttemptId, Record> recent_, older_;

  // Since the last Commit().
  storage::Batch batch_;
  std::unordered_map<AttemptId, Record> changed_;
  std::map<std::string, std::vector<NamedPart>> named_;  // by account 0 id
  std::map<ShardId, engine::Mark> noted_;
  bool needs_sync_ = false;  // something would be lost that somebody was or will be told
};

}  // namespace smsflow::gateway
