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
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/bus.h"
#include "gateway/attempt.h"
#include "ids/ids.h"
#include "storage/store.h"

namespace smsflow::gateway {

inline constexpr std::uint32_t kStoreFormat = 1;
inline constexpr std::int64_t kKeepMs = 8LL * 24 * 3'600'000;  // after the deadline

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

  void Put(const AttemptId& attempt, const Record& record, bool is_new);
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

  storage::Store& rows_;
  std::string uuid_;
  std::string gateway_;
  std::int64_t created_ms_ = 0;
  std::int64_t pruned_ms_ = 0;
  mutable std::mutex marks_mutex_;
  std::map<ShardId, engine::Mark> marks_;

  // Since the last Commit().
  storage::Batch batch_;
  std::unordered_map<AttemptId, Record> changed_;
  std::map<ShardId, engine::Mark> noted_;
  bool needs_sync_ = false;  // something would be lost that somebody was or will be told
};

}  // namespace smsflow::gateway
