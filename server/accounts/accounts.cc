#include "server/accounts/accounts.h"

#include <algorithm>
#include <utility>

namespace smsflow::server {

namespace stored = storage::stored;

namespace {

absl::Status Wrong() { return absl::UnauthenticatedError("the credential is missing or unknown"); }

const char* NameOf(std::uint32_t role) {
  return role == static_cast<std::uint32_t>(storage::AccountRole::kAdmins) ? kAdmins : kUsers;
}

bool IsIn(const std::vector<std::string>& sorted, std::string_view name) {
  return std::binary_search(sorted.begin(), sorted.end(), name);
}

const char* NameOf(storage::AccountChangeKind kind) {
  switch (kind) {
    case storage::AccountChangeKind::kAccountMade:
      return "account made";
    case storage::AccountChangeKind::kAccountChanged:
      return "account changed";
    case storage::AccountChangeKind::kPasswordSet:
      return "password set";
    case storage::AccountChangeKind::kAccountDeleted:
      return "account deleted";
    case storage::AccountChangeKind::kMemberAdded:
      return "member added";
    case storage::AccountChangeKind::kMemberRemoved:
      return "member removed";
    case storage::AccountChangeKind::kClientMade:
      return "client made";
    case storage::AccountChangeKind::kClientDeleted:
      return "client deleted";
  }
  return "of a later version";
}

}  // namespace

absl::StatusOr<std::unique_ptr<Accounts>> Accounts::Open(AccountsParts parts, AccountsOptions options) {
  auto all = storage::ReadAccounts(*parts.store);
  if (!all.ok()) return all.status();
  return std::unique_ptr<Accounts>(new Accounts(std::move(parts), options, *std::move(all)));
}

Accounts::Accounts(AccountsParts parts, AccountsOptions options, storage::StoredAccounts all)
    : parts_(std::move(parts)),
      options_(options),
      passwords_(options.passwords),
      wrong_before_(*parts_.clock),
      chain_(all.chain),
      oldest_(all.oldest) {
  for (auto& [number, row] : all.accounts) {
    std::string id = row.account();
    accounts_.insert_or_assign(std::move(id), Entry{number, chain_.sequence, std::move(row)});
  }
  for (auto& [number, row] : all.clients) {
    std::string id = row.client();
    clients_.insert_or_assign(std::move(id), ClientEntry{number, std::move(row)});
  }
}

bool Accounts::IsUntouched() const {
  absl::ReaderMutexLock lock(&mutex_);
  return chain_.sequence == 0;
}

absl::StatusOr<Login> Accounts::Check(std::string_view id, std::string_view password) {
  // Twice, for it may be changed while the password is worked out.
  for (int i = 0; i < 2; ++i) {
    std::uint64_t state = 0;
    {
      absl::ReaderMutexLock lock(&mutex_);
      state = chain_.sequence;
    }
    const std::optional<Entry> entry = Find(id);  // as of then or later: what is wrong now may be noted for then
    const bool known = entry && entry->row.has_password();
    if (wrong_before_.Was(id, password, state)) return Wrong();
    const auto fits = passwords_.Fits(password, known ? &entry->row.password() : nullptr);
    if (!fits.ok()) return fits.status();
    if (!*fits) {
      wrong_before_.Note(id, password, state);
      return Wrong();
    }
    if (IsCurrent(id, entry->version)) return Login{Show(*entry), entry->version};
  }
  return Wrong();
}

bool Accounts::IsCurrent(std::string_view id, std::uint64_t version) const {
  absl::ReaderMutexLock lock(&mutex_);
  const auto found = accounts_.find(id);
  return found != accounts_.end() && found->second.version == version;
}

std::optional<Accounts::Entry> Accounts::Find(std::string_view id) const {
  absl::ReaderMutexLock lock(&mutex_);
  const auto found = accounts_.find(id);
  return found == accounts_.end() ? std::nullopt : std::optional(found->second);
}

bool Accounts::HasClient(std::string_view id) const {
  absl::ReaderMutexLock lock(&mutex_);
  return clients_.find(id) != clients_.end();
}

Account Accounts::Show(const Entry& entry) {
  const stored::AccountRow& row = entry.row;
  Account account{row.account(),    row.full_name(),  row.email(),      {}, {}, row.has_password(),
                  row.created_ms(), row.changed_ms(), row.password_ms()};
  for (const std::uint32_t role : row.roles()) account.roles.emplace_back(NameOf(role));
  account.clients.assign(row.clients().begin(), row.clients().end());
  std::sort(account.roles.begin(), account.roles.end());
  std::sort(account.clients.begin(), account.clients.end());
  return account;
}

absl::StatusOr<Account> Accounts::Get(const By& by, std::string_view id) const {
  if (!by.admin && (by.account.empty() || by.account != id))
    return absl::PermissionDeniedError("account: only its own, or an administrator, may read it");
  const auto entry = Find(id);
  if (!entry) return absl::NotFoundError("account: there is none of this id");
  return Show(*entry);
}

std::vector<Account> Accounts::List(std::string_view after, std::size_t most) const {
  absl::ReaderMutexLock lock(&mutex_);
  std::vector<Account> list;
  for (auto it = accounts_.upper_bound(after); it != accounts_.end() && list.size() < most; ++it)
    list.push_back(Show(it->second));
  return list;
}

Group Accounts::ShowGroup(std::string id, bool is_role, std::int64_t created_ms) const {
  Group group{std::move(id), is_role, {}, created_ms};
  for (const auto& [account, entry] : accounts_) {
    const Account shown = Show(entry);
    if (IsIn(is_role ? shown.roles : shown.clients, group.id)) group.accounts.push_back(account);
  }
  return group;
}

std::vector<Group> Accounts::Roles() const {
  absl::ReaderMutexLock lock(&mutex_);
  return {ShowGroup(kAdmins, true, 0), ShowGroup(kUsers, true, 0)};
}

std::vector<Group> Accounts::Clients(std::string_view after, std::size_t most) const {
  absl::ReaderMutexLock lock(&mutex_);
  std::vector<Group> list;
  std::map<std::string, std::size_t, std::less<>> places;
  for (auto it = clients_.upper_bound(after); it != clients_.end() && list.size() < most; ++it) {
    places.emplace(it->first, list.size());
    list.push_back({it->first, false, {}, it->second.row.created_ms()});
  }
  for (const auto& [account, entry] : accounts_)
    for (const std::string& client : entry.row.clients())
      if (const auto place = places.find(client); place != places.end())
        list[place->second].accounts.push_back(account);
  return list;
}

std::optional<Group> Accounts::Role(std::string_view id) const {
  if (!IsRole(id)) return std::nullopt;
  absl::ReaderMutexLock lock(&mutex_);
  return ShowGroup(std::string(id), true, 0);
}

std::optional<Group> Accounts::Client(std::string_view id) const {
  absl::ReaderMutexLock lock(&mutex_);
  const auto found = clients_.find(id);
  if (found == clients_.end()) return std::nullopt;
  return ShowGroup(found->first, false, found->second.row.created_ms());
}

absl::StatusOr<std::vector<AccountChangeSeen>> Accounts::Changes(std::uint64_t before, std::size_t most) const {
  const storage::Key from = storage::AccountChangeKey(0);
  const storage::Key till = storage::AccountChangeKey(before == 0 ? UINT64_MAX : before);
  std::vector<AccountChangeSeen> seen;
  const auto rows = parts_.store->Scan(storage::Family::kMeta, from, till, true);
  for (; rows->Valid() && seen.size() < most; rows->Next()) {
    const auto row = storage::DecodeAccountChange(rows->value());
    if (!row.ok()) return row.status();
    stored::AccountChange change;
    if (!change.ParseFromString(row->body())) return absl::DataLossError("an account change cannot be read");
    seen.push_back({storage::SequenceOfKey(rows->key()), change.at_ms(), change.actor(),
                    NameOf(static_cast<Kind>(change.what())), change.account(), change.group(), change.details()});
  }
  if (!rows->status().ok()) return rows->status();
  return seen;
}

}  // namespace smsflow::server
