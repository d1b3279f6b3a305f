// Who may log in, what they may do and for whom: kept in the engine's own store, and whole in memory.
//
// Every change is one synced batch with the record of who made it; when a verb returns, it is on disk. A failed write
// ends the process (`fatal`), as everywhere. The rules of who may change what stand here, once for all doors:
//   - administrators may do everything, but for what follows; an account may read itself, and change its own name,
//     email and password;
//   - nobody takes the role admins from himself or deletes himself, and the last account with that role keeps it.
//
// Thread-safe. Reading and IsCurrent() look into memory; List of changes and all that changes something block for the
// disk; whatever takes a password blocks for its hash, and for its turn (server/accounts/passwords.h).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "engine/seams.h"
#include "server/accounts/account.h"
#include "server/accounts/passwords.h"
#include "server/accounts/wrong_before.h"
#include "storage/accounts.h"
#include "storage/store.h"

namespace smsflow::server {

struct AccountsOptions {
  PasswordOptions passwords;
  bool sync = true;
  std::size_t accounts_max = 10'000;
  std::size_t clients_max = 1'000;
  std::size_t memberships_max = 100'000;  // of clients, in all
  std::uint64_t changes_max = 100'000;    // records of changes that are kept
};

struct AccountsParts {
  storage::Store* store = nullptr;
  engine::Clock* clock = nullptr;
  std::function<void(const absl::Status&)> fatal;  // must not return
  // Which clients there are has changed, and can be read. On the thread that changed it, one at a time; must not change
  // anything here itself. Empty: nobody hears.
  std::function<void()> clients_changed = {};
};

// Who asks.
struct By {
  std::string name;     // for the record
  bool admin = false;   // may do what administrators do
  std::string account;  // its own; empty: a credential of the configuration
};

// A password that was right, and of what it was: good until IsCurrent() says otherwise.
struct Login {
  Account account;
  std::uint64_t version = 0;
};

class Accounts {
 public:
  // DATA_LOSS when what is stored cannot be.
  static absl::StatusOr<std::unique_ptr<Accounts>> Open(AccountsParts parts, AccountsOptions options);

  // Nothing was ever stored: no account was made yet.
  bool IsUntouched() const;
  // Makes the account `admin` with all roles and the client `test`. `show` gets its password once, just before it is
  // stored: so a crash may show one that is worth nothing, but never hides one that counts. REQUIRES IsUntouched().
  absl::Status MakeFirst(const std::function<void(const crypto::Secret& password)>& show);

  // UNAUTHENTICATED, with one text for whatever is wrong; RESOURCE_EXHAUSTED: too many log in at once.
  absl::StatusOr<Login> Check(std::string_view id, std::string_view password);
  // False once anything of the account was changed.
  bool IsCurrent(std::string_view id, std::uint64_t version) const;

  // PERMISSION_DENIED; NOT_FOUND.
  absl::StatusOr<Account> Get(const By& by, std::string_view id) const;
  // By id, those after `after`, at most `most`.
  std::vector<Account> List(std::string_view after, std::size_t most) const;
  std::vector<Group> Roles() const;
  std::vector<Group> Clients(std::string_view after, std::size_t most) const;
  std::optional<Group> Role(std::string_view id) const;
  std::optional<Group> Client(std::string_view id) const;
  // Below `before` (0: from the last one), the newest first.
  absl::StatusOr<std::vector<AccountChangeSeen>> Changes(std::uint64_t before, std::size_t most) const;

  // INVALID_ARGUMENT comes with violations; ALREADY_EXISTS; RESOURCE_EXHAUSTED: no more fit.
  absl::StatusOr<Account> Create(const By& by, const std::string& id, AccountFields fields, Violations& violations);
  // What is not given stays. Roles and clients are taken from administrators alone, and ignored from others.
  absl::StatusOr<Account> Update(const By& by, const std::string& id, AccountFields fields, Violations& violations);
  // False: there was none.
  absl::StatusOr<bool> Delete(const By& by, const std::string& id);

  absl::Status CreateClient(const By& by, const std::string& id, Violations& violations);
  // Its members lose it, and nothing else happens to what was scheduled for it. False: there was none.
  absl::StatusOr<bool> DeleteClient(const By& by, const std::string& id);
  // `group` is a role or a client. False: it was so before. NOT_FOUND: no such group, or account.
  absl::StatusOr<bool> AddMember(const By& by, const std::string& group, const std::string& account);
  absl::StatusOr<bool> RemoveMember(const By& by, const std::string& group, const std::string& account);

 private:
  using Kind = storage::AccountChangeKind;
  struct Entry {
    std::uint64_t number = 0;
    std::uint64_t version = 0;  // the last change of it
    storage::stored::AccountRow row;
  };
  struct ClientEntry {
    std::uint64_t number = 0;
    storage::stored::ClientRow row;
  };
  // A change that is being put together: what will be stored, and what will then stand in memory.
  struct Draft {
    storage::Batch batch;
    storage::AccountChain chain;
    std::map<std::string, std::optional<Entry>> accounts;
    std::map<std::string, std::optional<ClientEntry>> clients;
  };

  Accounts(AccountsParts parts, AccountsOptions options, storage::StoredAccounts stored);

  static Account Show(const Entry& entry);
  Group ShowGroup(std::string id, bool is_role, std::int64_t created_ms) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  // As it stands; nullopt: there is none.
  std::optional<Entry> Find(std::string_view id) const;
  bool HasClient(std::string_view id) const;

  // changes.cc. Only a thread that holds `writing_` changes anything.
  Draft Begin() const;
  void Note(Draft& draft, const By& by, Kind what, std::string_view account, std::string_view group,
            std::string_view details = {}) const;
  void MakeClient(Draft& draft, const By& by, std::string id) const;
  void Put(Draft& draft, Entry entry) const;
  void Commit(Draft draft);
  void See(Draft draft, std::uint64_t oldest);
  void CheckGroups(const AccountFields& fields, Violations& violations) const;
  absl::Status MayTakeAdmins(const By& by, std::string_view id) const;
  // Blocks for the hash and its turn; nullopt: no password was given.
  absl::StatusOr<std::optional<storage::stored::PasswordHash>> HashOf(const AccountFields& fields);
  void Keep(std::optional<storage::stored::PasswordHash> hash, Entry& entry) const;
  absl::Status HasRoom(std::size_t accounts, std::size_t clients, std::size_t memberships) const;
  absl::Status Fill(Draft& draft, Entry& entry, const By& by, AccountFields& fields) const;
  absl::StatusOr<bool> SetMember(const By& by, const std::string& group, const std::string& account, bool member);

  const AccountsParts parts_;
  const AccountsOptions options_;
  Passwords passwords_;
  WrongBefore wrong_before_;

  absl::Mutex writing_;        // one change at a time; taken before mutex_
  mutable absl::Mutex mutex_;  // of what stands in memory: held only to look and to put
  std::map<std::string, Entry, std::less<>> accounts_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, ClientEntry, std::less<>> clients_ ABSL_GUARDED_BY(mutex_);
  storage::AccountChain chain_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t oldest_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace smsflow::server
