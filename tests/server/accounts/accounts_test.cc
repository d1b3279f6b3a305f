// Accounts: what a change leaves on disk and in memory, who may make it, and what a login costs.
#include "server/accounts/accounts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <vector>

#include "storage/memory_store.h"

namespace smsflow::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class TestClock final : public engine::Clock {
 public:
  std::int64_t WallMs() const override { return now_ms; }
  std::int64_t SteadyMs() const override { return now_ms; }
  std::atomic<std::int64_t> now_ms{1'700'000'000'000};
};

const By kRoot{"root", true, {}};

class AccountsTest : public testing::Test {
 protected:
  AccountsTest() { Open(); }
  void Open(AccountsOptions options = Cheap()) {
    auto opened = Accounts::Open({&store, &clock, [](const absl::Status& status) { FAIL() << status; }}, options);
    ASSERT_TRUE(opened.ok()) << opened.status();
    accounts = *std::move(opened);
  }
  static AccountsOptions Cheap() {
    AccountsOptions options;
    options.passwords.cost = {4, 8, 1};
    return options;
  }
  absl::Status Make(const std::string& id, std::vector<std::string> roles, std::vector<std::string> clients = {},
                    const std::string& password = "secret") {
    AccountFields fields;
    fields.password = crypto::Secret(password);
    fields.roles = std::move(roles);
    fields.clients = std::move(clients);
    return accounts->Create(kRoot, id, std::move(fields), violations).status();
  }
  absl::Status MakeClient(const std::string& id) { return accounts->CreateClient(kRoot, id, violations); }
  bool LogsIn(const std::string& id, const std::string& password) { return accounts->Check(id, password).ok(); }
  Account Of(const std::string& id) { return accounts->Get(kRoot, id).value_or(Account{}); }
  std::vector<std::string> Whats() {
    std::vector<std::string> whats;
    const auto changes = accounts->Changes(0, 100);
    for (auto it = changes->rbegin(); it != changes->rend(); ++it)
      whats.push_back(it->actor + ": " + it->what + " " + it->account + " " + it->group + " " + it->details);
    return whats;
  }

  storage::MemoryStore store;
  TestClock clock;
  std::unique_ptr<Accounts> accounts;
  Violations violations;
};

TEST_F(AccountsTest, AtFirstThereIsOneWhosePasswordIsShownOnce) {
  EXPECT_TRUE(accounts->IsUntouched());
  std::string shown;
  ASSERT_TRUE(accounts->MakeFirst([&](const crypto::Secret& password) { shown = password.Reveal(); }).ok());
  EXPECT_EQ(shown.size(), 24U);
  EXPECT_FALSE(accounts->IsUntouched());
  EXPECT_TRUE(LogsIn("admin", shown));
  EXPECT_FALSE(LogsIn("admin", shown + "x"));
  EXPECT_THAT(Of("admin").Groups(), ElementsAre("admins", "test", "users"));
  store.Crash();
  Open();
  EXPECT_FALSE(accounts->IsUntouched());
  EXPECT_TRUE(LogsIn("admin", shown));
}

TEST_F(AccountsTest, EveryChangeIsOnDiskWhenItIsAnswered) {
  ASSERT_TRUE(MakeClient("clinic").ok());
  ASSERT_TRUE(Make("ann", {"users", "admins"}, {"clinic"}).ok());
  ASSERT_TRUE(Make("bob", {}).ok());
  ASSERT_TRUE(accounts->AddMember(kRoot, "clinic", "bob").value());
  ASSERT_FALSE(accounts->AddMember(kRoot, "clinic", "bob").value());
  ASSERT_TRUE(accounts->RemoveMember(kRoot, "users", "ann").value());
  AccountFields fields;
  fields.name = "Bob";
  fields.password = crypto::Secret("another");
  ASSERT_TRUE(accounts->Update(kRoot, "bob", std::move(fields), violations).ok());
  EXPECT_EQ(store.unsynced(), 0U);
  const auto before = Whats();
  store.Crash();
  Open();
  EXPECT_EQ(Whats(), before);
  EXPECT_THAT(before, ElementsAre("root: client made  clinic ", "root: account made ann  roles clients",
                                  "root: account made bob  ", "root: member added bob clinic ",
                                  "root: member removed ann users ", "root: account changed bob  name",
                                  "root: password set bob  "));
  EXPECT_EQ(Of("bob").name, "Bob");
  EXPECT_THAT(Of("bob").clients, ElementsAre("clinic"));
  EXPECT_THAT(Of("ann").roles, ElementsAre("admins"));
  EXPECT_TRUE(LogsIn("bob", "another"));
  EXPECT_FALSE(LogsIn("bob", "secret"));
  EXPECT_TRUE(LogsIn("ann", "secret"));
  const auto all = storage::ReadAccounts(store);
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(all->chain.sequence, 7U);
}

TEST_F(AccountsTest, AClientThatGoesTakesItsMembershipsAlong) {
  ASSERT_TRUE(MakeClient("clinic").ok());
  ASSERT_TRUE(MakeClient("other").ok());
  ASSERT_TRUE(Make("ann", {"users"}, {"clinic", "other"}).ok());
  EXPECT_TRUE(accounts->DeleteClient(kRoot, "clinic").value());
  EXPECT_FALSE(accounts->DeleteClient(kRoot, "clinic").value());
  EXPECT_FALSE(accounts->DeleteClient(kRoot, "admins").value()) << "a role is no client";
  Open();
  EXPECT_THAT(Of("ann").clients, ElementsAre("other"));
  EXPECT_THAT(Of("ann").roles, ElementsAre("users"));
  EXPECT_FALSE(accounts->Client("clinic").has_value());
}

TEST_F(AccountsTest, RolesAndClientsAreDifferentThings) {
  EXPECT_TRUE(absl::IsAlreadyExists(MakeClient("users")));
  EXPECT_TRUE(absl::IsAlreadyExists(MakeClient("admins")));
  ASSERT_TRUE(MakeClient("clinic").ok());
  EXPECT_TRUE(absl::IsAlreadyExists(MakeClient("clinic")));
  EXPECT_TRUE(absl::IsInvalidArgument(Make("ann", {"clinic"})));
  EXPECT_TRUE(absl::IsInvalidArgument(Make("ann", {}, {"users"})));
  EXPECT_FALSE(accounts->Role("clinic").has_value());
  EXPECT_FALSE(accounts->Client("users").has_value());
}

TEST_F(AccountsTest, WhoMayDoWhat) {
  ASSERT_TRUE(Make("boss", {"admins"}).ok());
  ASSERT_TRUE(Make("other", {"admins"}).ok());
  ASSERT_TRUE(Make("ann", {"users"}).ok());
  const By boss{"boss", true, "boss"}, ann{"ann", false, "ann"};
  const auto denied = [](const absl::Status& status) { return absl::IsPermissionDenied(status); };
  const auto roles = [&](const By& by, const std::string& of, std::vector<std::string> names) {
    AccountFields fields;
    fields.roles = std::move(names);
    return accounts->Update(by, of, std::move(fields), violations).status();
  };
  EXPECT_TRUE(accounts->Get(ann, "ann").ok());
  EXPECT_TRUE(denied(accounts->Get(ann, "boss").status()));
  EXPECT_TRUE(denied(accounts->Get(ann, "nobody").status())) << "who may not look learns not what there is";
  EXPECT_TRUE(denied(accounts->Create(ann, "x", {}, violations).status()));
  EXPECT_TRUE(denied(accounts->Delete(ann, "ann").status()));
  EXPECT_TRUE(denied(accounts->CreateClient(ann, "x", violations)));
  EXPECT_TRUE(denied(accounts->DeleteClient(ann, "x").status()));
  EXPECT_TRUE(denied(accounts->AddMember(ann, "admins", "ann").status()));
  EXPECT_TRUE(roles(ann, "ann", {"admins"}).ok()) << "it is ignored, as it always was";
  EXPECT_THAT(Of("ann").roles, ElementsAre("users"));
  EXPECT_TRUE(denied(roles(boss, "boss", {"users"})));
  EXPECT_TRUE(denied(accounts->RemoveMember(boss, "admins", "boss").status()));
  EXPECT_TRUE(denied(accounts->Delete(boss, "boss").status()));
  EXPECT_TRUE(accounts->Delete(boss, "other").value());
  EXPECT_TRUE(denied(accounts->Delete(kRoot, "boss").status())) << "the last one";
  EXPECT_TRUE(denied(roles(kRoot, "boss", {})));
  EXPECT_FALSE(accounts->Delete(kRoot, "nobody").value());
  EXPECT_TRUE(absl::IsNotFound(accounts->AddMember(kRoot, "nowhere", "ann").status()));
  EXPECT_TRUE(absl::IsNotFound(accounts->AddMember(kRoot, "users", "nobody").status()));
  EXPECT_TRUE(absl::IsNotFound(roles(kRoot, "nobody", {})));
}

TEST_F(AccountsTest, AllThatIsWrongIsToldAtOnce) {
  AccountFields fields;
  fields.name = std::string(129, 'x');
  fields.email = "a\nb";
  fields.password = crypto::Secret("");
  fields.roles = {"kings"};
  fields.clients = {"nowhere"};
  EXPECT_TRUE(absl::IsInvalidArgument(accounts->Create(kRoot, "a:b", std::move(fields), violations).status()));
  std::vector<std::string> named;
  for (const auto& violation : violations) named.push_back(violation.field);
  EXPECT_THAT(named, ElementsAre("id", "name", "email", "password", "roles", "clients"));
  for (const char* id : {"", ".", "..", "a b", "a/b", "\xC3\xBC", "a\"b"}) {
    violations.clear();
    EXPECT_TRUE(absl::IsInvalidArgument(Make(id, {}))) << id;
    EXPECT_TRUE(absl::IsInvalidArgument(MakeClient(id))) << id;
  }
  violations.clear();
  EXPECT_TRUE(absl::IsInvalidArgument(Make(std::string(65, 'a'), {})));
  EXPECT_TRUE(absl::IsInvalidArgument(Make("ann", {}, {}, std::string(257, 'a'))));
  violations.clear();
  EXPECT_TRUE(Make("ann.o-neil_1+x@example.org", {}).ok());
  EXPECT_TRUE(absl::IsAlreadyExists(Make("ann.o-neil_1+x@example.org", {})));
}

TEST_F(AccountsTest, ThereIsABoundToEverything) {
  AccountsOptions few = Cheap();
  few.accounts_max = 2;
  few.clients_max = 2;
  few.memberships_max = 2;
  few.changes_max = 3;
  Open(few);
  ASSERT_TRUE(MakeClient("a").ok());
  ASSERT_TRUE(MakeClient("b").ok());
  EXPECT_TRUE(absl::IsResourceExhausted(MakeClient("c")));
  ASSERT_TRUE(Make("x", {}, {"a", "b"}).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(Make("y", {}, {"a"})));
  ASSERT_TRUE(Make("y", {}).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(accounts->AddMember(kRoot, "a", "y").status()));
  EXPECT_TRUE(absl::IsResourceExhausted(Make("z", {})));
  EXPECT_EQ(Whats().size(), 3U) << "the oldest changes went";
  Open(few);
  EXPECT_EQ(Whats().size(), 3U);
}

TEST_F(AccountsTest, ALoginIsCurrentUntilItsAccountChanges) {
  ASSERT_TRUE(MakeClient("clinic").ok());
  ASSERT_TRUE(Make("ann", {"users"}, {"clinic"}).ok());
  ASSERT_TRUE(Make("bob", {"users"}).ok());
  const auto fresh = [&] { return accounts->Check("ann", "secret").value().version; };
  std::uint64_t version = fresh();
  EXPECT_TRUE(accounts->IsCurrent("ann", version));
  ASSERT_TRUE(accounts->AddMember(kRoot, "clinic", "bob").ok());
  EXPECT_TRUE(accounts->IsCurrent("ann", version)) << "somebody else's change";
  ASSERT_TRUE(accounts->DeleteClient(kRoot, "clinic").ok());
  EXPECT_FALSE(accounts->IsCurrent("ann", version)) << "its client went";
  version = fresh();
  AccountFields fields;
  fields.password = crypto::Secret("another");
  ASSERT_TRUE(accounts->Update({"ann", false, "ann"}, "ann", std::move(fields), violations).ok());
  EXPECT_FALSE(accounts->IsCurrent("ann", version));
  EXPECT_FALSE(LogsIn("ann", "secret"));
  version = accounts->Check("ann", "another").value().version;
  ASSERT_TRUE(accounts->Delete(kRoot, "ann").ok());
  EXPECT_FALSE(accounts->IsCurrent("ann", version));
  ASSERT_TRUE(Make("ann", {}).ok());
  EXPECT_FALSE(accounts->IsCurrent("ann", version)) << "another of the same name";
}

TEST_F(AccountsTest, WhateverIsWrongReadsTheSame) {
  ASSERT_TRUE(Make("ann", {"users"}).ok());
  AccountFields none;
  ASSERT_TRUE(accounts->Create(kRoot, "mute", std::move(none), violations).ok());
  const absl::Status wrong = accounts->Check("ann", "x").status();
  EXPECT_TRUE(absl::IsUnauthenticated(wrong));
  EXPECT_EQ(accounts->Check("nobody", "secret").status(), wrong);
  EXPECT_EQ(accounts->Check("mute", "").status(), wrong);
  EXPECT_EQ(accounts->Check("", "").status(), wrong);
}

TEST_F(AccountsTest, AWrongPasswordIsForgottenWithTheNextChange) {
  ASSERT_TRUE(Make("ann", {}).ok());
  EXPECT_FALSE(LogsIn("ann", "another"));
  EXPECT_FALSE(LogsIn("ann", "another"));
  AccountFields fields;
  fields.password = crypto::Secret("another");
  ASSERT_TRUE(accounts->Update(kRoot, "ann", std::move(fields), violations).ok());
  EXPECT_TRUE(LogsIn("ann", "another"));
}

TEST_F(AccountsTest, APasswordStandsNowhereInTheStore) {
  const std::string mark = "Geheimnis-4711-abc";
  ASSERT_TRUE(Make("ann", {}, {}, mark).ok());
  for (int family = 0; family < storage::kFamilies; ++family)
    for (auto row = store.Scan(static_cast<storage::Family>(family), {}, {}); row->Valid(); row->Next())
      EXPECT_EQ(std::string(row->value()).find(mark), std::string::npos);
}

TEST_F(AccountsTest, WhatIsStoredAndCannotBeIsRefusedAtTheStart) {
  storage::Batch batch;
  batch.Put(storage::Family::kMeta, storage::AccountKey(1), std::string("\0\xff", 2));
  ASSERT_TRUE(store.Write(batch, storage::Sync::kYes).ok());
  const auto opened = Accounts::Open({&store, &clock, [](const absl::Status&) {}}, Cheap());
  EXPECT_TRUE(absl::IsDataLoss(opened.status()));
}

TEST(WrongBefore, IsForgottenSoonAndWithEveryChange) {
  TestClock clock;
  WrongBefore wrong(clock);
  wrong.Note("ann", "x", 1);
  EXPECT_TRUE(wrong.Was("ann", "x", 1));
  EXPECT_FALSE(wrong.Was("ann", "x", 2)) << "another state of the accounts";
  EXPECT_FALSE(wrong.Was("annx", "", 1)) << "the border between the two counts";
  clock.now_ms += WrongBefore::kRememberMs;
  EXPECT_FALSE(wrong.Was("ann", "x", 1));
  for (std::size_t i = 0; i < 2 * WrongBefore::kMax; ++i) wrong.Note("ann", std::to_string(i), 1);
  EXPECT_TRUE(wrong.Was("ann", std::to_string(2 * WrongBefore::kMax - 1), 1)) << "also when many were";
}

TEST(Passwords, NoMoreWaitThanMay) {
  PasswordOptions options;
  options.cost = {4, 8, 1};
  options.waiting_max = 0;
  options.at_once = 0;
  Passwords passwords(options);
  EXPECT_TRUE(absl::IsResourceExhausted(passwords.Make("x").status()));
  EXPECT_TRUE(absl::IsResourceExhausted(passwords.Fits("x", nullptr).status()));
}

TEST(Passwords, HaveEachTheirOwnSaltAndCost) {
  PasswordOptions options;
  options.cost = {4, 8, 1};
  Passwords passwords(options);
  const auto one = passwords.Make("x"), two = passwords.Make("x");
  EXPECT_NE(one->salt(), two->salt());
  EXPECT_NE(one->hash(), two->hash());
  options.cost = {5, 8, 2};
  Passwords dearer(options);
  EXPECT_TRUE(*dearer.Fits("x", &*one)) << "by the cost that stands with it";
  EXPECT_FALSE(*dearer.Fits("y", &*one));
  EXPECT_FALSE(*dearer.Fits("x", nullptr));
  auto odd = *one;
  odd.set_algorithm(2);
  EXPECT_TRUE(absl::IsDataLoss(dearer.Fits("x", &odd).status()));
  odd = *one;
  odd.set_log2_n(40);
  EXPECT_TRUE(absl::IsDataLoss(dearer.Fits("x", &odd).status()));
}

}  // namespace
}  // namespace smsflow::server
