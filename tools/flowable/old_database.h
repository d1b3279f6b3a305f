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
#include "crypto/secret.h"
#include "tools/flowable/judge.h"
#include "tools/flowable/postgres.h"

namespace smsflow::flowable {

struct OldBlock {
  std::string tenant, target;  // empty where the database has none that can be read
};

// Who may log in there. The old system keeps passwords in clear text.
struct OldAccount {
  std::string id, name, email;
  crypto::Secret password;  // empty: none
  std::vector<std::string> roles, clients;
  std::vector<std::string> other_groups;  // of no type that is known
};

enum class OldPart { kSmses, kAccounts };

class OldDatabase {
 public:
  // `part` says which tables must be there. Errors as Postgres::Connect(); FailedPrecondition names the table that is
  // missing.
  [[nodiscard]] static absl::StatusOr<OldDatabase> Open(const std::string& dsn, OldPart part);

  // How many are connected to this database just now that may be a scheduler that runs.
  [[nodiscard]] absl::StatusOr<std::uint64_t> OtherSessions();
  [[nodiscard]] absl::StatusOr<std::uint64_t> CountSmses();

  // The next ones by id, at most `most`; none: that was all.
  [[nodiscard]] absl::StatusOr<std::vector<OldInstance>> NextSmses(std::size_t most);
  // Each once, by tenant and target.
  [[nodiscard]] absl::StatusOr<std::vector<OldBlock>> NextBlocks(std::size_t most);

  // Tenants that accounts can be members of, by name, then accounts by id.
  [[nodiscard]] absl::StatusOr<std::vector<std::string>> NextClients(std::size_t most);
  [[nodiscard]] absl::StatusOr<std::vector<OldAccount>> NextAccounts(std::size_t most);

 private:
  explicit OldDatabase(Postgres postgres) : postgres_(std::move(postgres)) {}
  absl::Status Begin(OldPart part);
  absl::StatusOr<Rows> Fetch(const char* cursor, const char* select, std::size_t most, bool& is_open);
  absl::Status AddVariables(const std::string& ids, std::vector<OldInstance>& smses);
  absl::Status AddPlaces(const std::string& ids, std::vector<OldInstance>& smses);
  absl::Status AddJobs(const std::string& ids, std::vector<OldInstance>& smses);

  Postgres postgres_;
  bool reads_smses_ = false, reads_blocks_ = false, reads_clients_ = false, reads_accounts_ = false;
};

}  // namespace smsflow::flowable
