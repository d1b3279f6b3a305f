// Whatever changes an account or a client: one at a time, put together as a draft, stored, and only then seen.
#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "crypto/random.h"
#include "server/accounts/accounts.h"

namespace smsflow::server {

namespace stored = storage::stored;

namespace {

constexpr char kFirst[] = "admin";
constexpr char kFirstClient[] = "test";
constexpr std::size_t kFirstPasswordLength = 24;

absl::Status OnlyAdmins() { return absl::PermissionDeniedError("the credential has not the role admin"); }

std::uint32_t NumberOf(std::string_view role) {
  return static_cast<std::uint32_t>(role == kAdmins ? storage::AccountRole::kAdmins : storage::AccountRole::kUsers);
}

bool HasRole(const stored::AccountRow& row, std::string_view role) {
  return std::find(row.roles().begin(), row.roles().end(), NumberOf(role)) != row.roles().end();
}

// Of letters and digits that nobody takes for each other: 24 of 32 are 120 bits.
crypto::Secret RandomPassword() {
  static constexpr std::string_view kAlphabet = "abcdefghijkmnpqrstuvwxyz23456789";
  crypto::Secret password(kFirstPasswordLength);
  crypto::FillRandom(password.bytes());
  for (std::uint8_t& byte : password.bytes()) byte = static_cast<std::uint8_t>(kAlphabet[byte % kAlphabet.size()]);
  return password;
}

void SetRoles(stored::AccountRow& row, const std::set<std::string>& roles) {
  row.clear_roles();
  for (const char* role : {kUsers, kAdmins})  // in the order of their numbers
    if (roles.contains(role)) row.add_roles(NumberOf(role));
}

void SetClients(stored::AccountRow& row, const std::set<std::string>& clients) {
  row.clear_clients();
  for (const std::string& client : clients) row.add_clients(client);
}

std::set<std::string> RolesOf(const stored::AccountRow& row) {
  std::set<std::string> roles;
  for (const char* role : {kUsers, kAdmins})
    if (HasRole(row, role)) roles.insert(role);
  return roles;
}

}  // namespace

Accounts::Draft Accounts::Begin() const {
  Draft draft;
  absl::ReaderMutexLock lock(&mutex_);
  draft.chain = chain_;
  return draft;
}

void Accounts::Note(Draft& draft, const By& by, Kind what, std::string_view account, std::string_view group,
                    std::string_view details) const {
  stored::AccountChange change;
  change.set_at_ms(parts_.clock->WallMs());
  change.set_actor(by.name);
  change.set_what(static_cast<std::uint32_t>(what));
  change.set_account(std::string(account));
  change.set_group(std::string(group));
  change.set_details(std::string(details));
  storage::AppendAccountChange(draft.batch, draft.chain, change);
}

// After the change that it comes from was noted: that gives a new one its number.
void Accounts::MakeClient(Draft& draft, const By& by, std::string id) const {
  Note(draft, by, Kind::kClientMade, {}, id);
  ClientEntry entry{draft.chain.sequence, {}};
  entry.row.set_client(id);
  entry.row.set_created_ms(parts_.clock->WallMs());
  storage::PutClient(draft.batch, entry.number, entry.row);
  draft.clients.emplace(std::move(id), std::move(entry));
}

void Accounts::Put(Draft& draft, Entry entry) const {
  entry.version = draft.chain.sequence;
  if (entry.number == 0) entry.number = draft.chain.sequence;
  entry.row.set_changed_ms(parts_.clock->WallMs());
  storage::PutAccount(draft.batch, entry.number, entry.row);
  std::string id = entry.row.account();
  draft.accounts.insert_or_assign(std::move(id), std::move(entry));
}

void Accounts::Commit(Draft draft) {
  std::uint64_t oldest = 0;
  {
    absl::ReaderMutexLock lock(&mutex_);
    oldest = std::max<std::uint64_t>(oldest_, 1);
  }
  for (; draft.chain.sequence - oldest >= options_.changes_max; ++oldest)
    storage::DeleteAccountChange(draft.batch, oldest);
  const absl::Status status =
      parts_.store->Write(draft.batch, options_.sync ? storage::Sync::kYes : storage::Sync::kNo);
  if (!status.ok()) parts_.fatal(status);
  const bool tells_clients = !draft.clients.empty() && parts_.clients_changed;
  See(std::move(draft), oldest);
  if (tells_clients) parts_.clients_changed();
}

void Accounts::See(Draft draft, std::uint64_t oldest) {
  absl::MutexLock lock(&mutex_);
  chain_ = draft.chain;
  oldest_ = oldest;
  for (auto& [id, entry] : draft.accounts) {
    if (entry) {
      accounts_.insert_or_assign(id, *std::move(entry));
    } else {
      accounts_.erase(id);
    }
  }
  for (auto& [id, entry] : draft.clients) {
    if (entry) {
      clients_.insert_or_assign(id, *std::move(entry));
    } else {
      clients_.erase(id);
    }
  }
}

absl::Status Accounts::MakeFirst(const std::function<void(const crypto::Secret& password)>& show) {
  const crypto::Secret password = RandomPassword();
  auto hash = passwords_.Make(password.Reveal());
  if (!hash.ok()) return hash.status();
  const By by{"first start", true, {}};
  absl::MutexLock writing(&writing_);
  Draft draft = Begin();
  MakeClient(draft, by, kFirstClient);
  Note(draft, by, Kind::kAccountMade, kFirst, {});
  Entry entry;
  entry.row.set_account(kFirst);
  entry.row.set_full_name("Default Admin User");
  entry.row.set_email("nobody@example.com");
  entry.row.set_created_ms(parts_.clock->WallMs());
  Keep(*std::move(hash), entry);
  SetRoles(entry.row, {kUsers, kAdmins});
  SetClients(entry.row, {kFirstClient});
  Put(draft, std::move(entry));
  show(password);
  Commit(std::move(draft));
  return absl::OkStatus();
}

void Accounts::CheckGroups(const AccountFields& fields, Violations& violations) const {
  if (fields.roles && !std::all_of(fields.roles->begin(), fields.roles->end(), IsRole))
    violations.push_back({"roles", "must name roles that there are: users, admins"});
  if (fields.clients && !std::all_of(fields.clients->begin(), fields.clients->end(),
                                     [this](const std::string& id) { return HasClient(id); }))
    violations.push_back({"clients", "must name clients that there are"});
}

absl::Status Accounts::HasRoom(std::size_t accounts, std::size_t clients, std::size_t memberships) const {
  absl::ReaderMutexLock lock(&mutex_);
  std::size_t members = memberships;
  for (const auto& [id, entry] : accounts_) members += static_cast<std::size_t>(entry.row.clients_size());
  if (accounts_.size() + accounts > options_.accounts_max || clients_.size() + clients > options_.clients_max ||
      members > options_.memberships_max)
    return absl::ResourceExhaustedError("there are as many accounts, clients or memberships as there may be");
  return absl::OkStatus();
}

absl::Status Accounts::MayTakeAdmins(const By& by, std::string_view id) const {
  if (by.account == id) return absl::PermissionDeniedError("roles: nobody takes the role admins from himself");
  absl::ReaderMutexLock lock(&mutex_);
  const bool another = std::any_of(accounts_.begin(), accounts_.end(), [id](const auto& one) {
    return one.first != id && HasRole(one.second.row, kAdmins);
  });
  return another ? absl::OkStatus()
                 : absl::PermissionDeniedError("roles: the last account with the role admins keeps it");
}

// Notes what changes, and puts it into the entry.
absl::Status Accounts::Fill(Draft& draft, Entry& entry, const By& by, AccountFields& fields) const {
  stored::AccountRow& row = entry.row;
  std::string changed;
  const auto changes = [&changed](const char* what) { absl::StrAppend(&changed, changed.empty() ? "" : " ", what); };
  if (fields.name && *fields.name != row.full_name()) {
    row.set_full_name(*fields.name);
    changes("name");
  }
  if (fields.email && *fields.email != row.email()) {
    row.set_email(*fields.email);
    changes("email");
  }
  if (fields.roles) {
    const std::set<std::string> roles(fields.roles->begin(), fields.roles->end());
    if (HasRole(row, kAdmins) && !roles.contains(kAdmins)) {
      if (absl::Status status = MayTakeAdmins(by, row.account()); !status.ok()) return status;
    }
    if (roles != RolesOf(row)) changes("roles");
    SetRoles(row, roles);
  }
  if (fields.clients) {
    const std::set<std::string> clients(fields.clients->begin(), fields.clients->end());
    const std::set<std::string> before(row.clients().begin(), row.clients().end());
    if (clients.size() > before.size()) {
      if (absl::Status status = HasRoom(0, 0, clients.size() - before.size()); !status.ok()) return status;
    }
    if (clients != before) changes("clients");
    SetClients(row, clients);
  }
  if (entry.number == 0) {
    Note(draft, by, Kind::kAccountMade, row.account(), {}, changed);
  } else if (!changed.empty()) {
    Note(draft, by, Kind::kAccountChanged, row.account(), {}, changed);
  }
  if (fields.password && entry.number != 0) Note(draft, by, Kind::kPasswordSet, row.account(), {});
  return absl::OkStatus();
}

absl::StatusOr<std::optional<stored::PasswordHash>> Accounts::HashOf(const AccountFields& fields) {
  if (!fields.password) return std::nullopt;
  return passwords_.Make(fields.password->Reveal());
}

void Accounts::Keep(std::optional<stored::PasswordHash> hash, Entry& entry) const {
  if (!hash) return;
  *entry.row.mutable_password() = *std::move(hash);
  entry.row.set_password_ms(parts_.clock->WallMs());
}

absl::StatusOr<Account> Accounts::Create(const By& by, const std::string& id, AccountFields fields,
                                         Violations& violations) {
  if (!by.admin) return OnlyAdmins();
  CheckAccountId(id, "id", violations);
  CheckFields(fields, violations);
  CheckGroups(fields, violations);
  if (!violations.empty()) return ToStatus(violations);
  if (Find(id)) return absl::AlreadyExistsError("id: there is an account of this id");
  auto hash = HashOf(fields);
  if (!hash.ok()) return hash.status();
  absl::MutexLock writing(&writing_);
  if (Find(id)) return absl::AlreadyExistsError("id: there is an account of this id");
  CheckGroups(fields, violations);
  if (!violations.empty()) return ToStatus(violations);
  if (absl::Status status = HasRoom(1, 0, 0); !status.ok()) return status;
  Draft draft = Begin();
  Entry entry;
  entry.row.set_account(id);
  entry.row.set_created_ms(parts_.clock->WallMs());
  if (absl::Status status = Fill(draft, entry, by, fields); !status.ok()) return status;
  Keep(*std::move(hash), entry);
  Put(draft, std::move(entry));
  Commit(std::move(draft));
  return Get({by.name, true, {}}, id);
}

absl::StatusOr<Account> Accounts::Update(const By& by, const std::string& id, AccountFields fields,
                                         Violations& violations) {
  if (auto seen = Get(by, id); !seen.ok()) return seen.status();
  if (!by.admin) {
    fields.roles.reset();
    fields.clients.reset();
  }
  CheckFields(fields, violations);
  CheckGroups(fields, violations);
  if (!violations.empty()) return ToStatus(violations);
  auto hash = HashOf(fields);
  if (!hash.ok()) return hash.status();
  absl::MutexLock writing(&writing_);
  std::optional<Entry> entry = Find(id);
  if (!entry) return absl::NotFoundError("account: there is none of this id");
  CheckGroups(fields, violations);
  if (!violations.empty()) return ToStatus(violations);
  Draft draft = Begin();
  const std::uint64_t before = draft.chain.sequence;
  if (absl::Status status = Fill(draft, *entry, by, fields); !status.ok()) return status;
  if (draft.chain.sequence == before) return Show(*entry);
  Keep(*std::move(hash), *entry);
  Put(draft, *std::move(entry));
  Commit(std::move(draft));
  return Get({by.name, true, {}}, id);
}

absl::StatusOr<bool> Accounts::Delete(const By& by, const std::string& id) {
  if (!by.admin) return OnlyAdmins();
  if (by.account == id) return absl::PermissionDeniedError("account: nobody deletes himself");
  absl::MutexLock writing(&writing_);
  const std::optional<Entry> entry = Find(id);
  if (!entry) return false;
  if (HasRole(entry->row, kAdmins)) {
    if (absl::Status status = MayTakeAdmins(by, id); !status.ok()) return status;
  }
  Draft draft = Begin();
  Note(draft, by, Kind::kAccountDeleted, id, {});
  storage::DeleteAccount(draft.batch, entry->number);
  draft.accounts.emplace(id, std::nullopt);
  Commit(std::move(draft));
  return true;
}

absl::Status Accounts::CreateClient(const By& by, const std::string& id, Violations& violations) {
  if (!by.admin) return OnlyAdmins();
  CheckClientId(id, "client", violations);
  if (!violations.empty()) return ToStatus(violations);
  if (IsRole(id)) return absl::AlreadyExistsError("client: a role has this name");
  absl::MutexLock writing(&writing_);
  if (HasClient(id)) return absl::AlreadyExistsError("client: there is one of this name");
  if (absl::Status status = HasRoom(0, 1, 0); !status.ok()) return status;
  Draft draft = Begin();
  MakeClient(draft, by, id);
  Commit(std::move(draft));
  return absl::OkStatus();
}

absl::StatusOr<bool> Accounts::DeleteClient(const By& by, const std::string& id) {
  if (!by.admin) return OnlyAdmins();
  absl::MutexLock writing(&writing_);
  if (!HasClient(id)) return false;
  Draft draft = Begin();
  Note(draft, by, Kind::kClientDeleted, {}, id);
  std::vector<Entry> members;
  {
    absl::ReaderMutexLock lock(&mutex_);
    storage::DeleteClient(draft.batch, clients_.find(id)->second.number);
    for (const auto& [account, entry] : accounts_)
      if (std::find(entry.row.clients().begin(), entry.row.clients().end(), id) != entry.row.clients().end())
        members.push_back(entry);
  }
  for (Entry& entry : members) {
    std::set<std::string> clients(entry.row.clients().begin(), entry.row.clients().end());
    clients.erase(id);
    SetClients(entry.row, clients);
    Put(draft, std::move(entry));
  }
  draft.clients.emplace(id, std::nullopt);
  Commit(std::move(draft));
  return true;
}

absl::StatusOr<bool> Accounts::SetMember(const By& by, const std::string& group, const std::string& account,
                                         bool member) {
  if (!by.admin) return OnlyAdmins();
  absl::MutexLock writing(&writing_);
  if (!IsRole(group) && !HasClient(group)) return absl::NotFoundError("group: there is none of this name");
  std::optional<Entry> entry = Find(account);
  if (!entry) return absl::NotFoundError("account: there is none of this id");
  const bool is_role = IsRole(group);
  std::set<std::string> groups =
      is_role ? RolesOf(entry->row) : std::set<std::string>(entry->row.clients().begin(), entry->row.clients().end());
  if (groups.contains(group) == member) return false;
  if (!member && group == kAdmins) {
    if (absl::Status status = MayTakeAdmins(by, account); !status.ok()) return status;
  }
  if (member && !is_role) {
    if (absl::Status status = HasRoom(0, 0, 1); !status.ok()) return status;
  }
  if (member) {
    groups.insert(group);
  } else {
    groups.erase(group);
  }
  is_role ? SetRoles(entry->row, groups) : SetClients(entry->row, groups);
  Draft draft = Begin();
  Note(draft, by, member ? Kind::kMemberAdded : Kind::kMemberRemoved, account, group);
  Put(draft, *std::move(entry));
  Commit(std::move(draft));
  return true;
}

absl::StatusOr<bool> Accounts::AddMember(const By& by, const std::string& group, const std::string& account) {
  return SetMember(by, group, account, true);
}
absl::StatusOr<bool> Accounts::RemoveMember(const By& by, const std::string& group, const std::string& account) {
  return SetMember(by, group, account, false);
}

}  // namespace smsflow::server
