// The old system's database, read as it stood at one moment: SMSes, blocks and accounts, some at a time.
//
// One read-only transaction of repeatable reads from Open() to the end, with server-side cursors: it changes nothing,
// sees nothing of what others change meanwhile, and holds a few hundred rows. Used from one thread; blocks on the
// database.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tools/flowable/judge.h"
#include "tools/flowable/postgres.h"

namespace smsflow::flowable {

struct OldBlock {
  std::string tenant, target;  // empty where the database has none that can be read
};

class OldDatabase {
 public:
  // Errors as Postgres::Connect(); FailedPrecondition names the table that is missing.
  [[nodiscard]] static absl::StatusOr<OldDatabase> Open(const std::string& dsn);

  // How many others are connected to this database just now. A scheduler that runs is one of them.
  [[nodiscard]] absl::StatusOr<std::uint64_t> OtherSessions();
  [[nodiscard]] absl::StatusOr<std::uint64_t> CountSmses();

  // The next ones by id, at most `most`; none: that was all.
  [[nodiscard]] absl::StatusOr<std::vector<OldInstance>> NextSmses(std::size_t most);
  // Each once, by tenant and target.
  [[nodiscard]] absl::StatusOr<std::vector<OldBlock>> NextBlocks(std::size_t most);

 private:
  explicit OldDatabase(Postgres postgres) : postgres_(std::move(postgres)) {}
  absl::Status Begin();
  absl::StatusOr<Rows> Fetch(const char* cursor, const char* select, std::size_t most, bool& is_open);
  absl::Status AddVariables(const std::string& ids, std::vector<OldInstance>& smses);
  absl::Status AddPlaces(const std::string& ids, std::vector<OldInstance>& smses);
  absl::Status AddJobs(const std::string& ids, std::vector<OldInstance>& smses);

  Postgres postgres_;
  bool reads_smses_ = false, reads_blocks_ = false;
};

}  // namespace smsflow::flowable
