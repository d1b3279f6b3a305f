// Who is let in, how often a password is looked at, and that a change counts at once.
#include "server/rest/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <map>
#include <mutex>

#include "absl/strings/escaping.h"
#include "crypto/hash.h"
#include "server/rest/key_identity.h"

namespace smsflow::server::rest {
namespace {

std::string Basic(const std::string& both) { return "Basic " + absl::Base64Escape(both); }

// One password for everybody; a check waits while the test holds it.
class OnePassword final : public Identity {
 public:
  absl::StatusOr<Principal> Check(std::string_view user, std::string_view password) override {
    std::unique_lock lock(mutex);
    ++checks;
    changed.notify_all();
    changed.wait(lock, [this] { return !hold; });
    if (password != "pw") return absl::UnauthenticatedError("wrong: pw");
    return Principal{std::string(user), {"users"}, {"acme"}, version};
  }
  bool IsCurrent(const Principal& principal) const override { return principal.version == version; }
  void Release() {
    const std::lock_guard lock(mutex);
    hold = false;
    changed.notify_all();
  }
  void AwaitChecks(int count) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return checks >= count; });
  }

  std::mutex mutex;
  std::condition_variable changed;
  bool hold = false;
  int checks = 0;
  std::uint64_t version = 1;
};

class GateTest : public ::testing::Test {
 protected:
  // The user, or the code of the status, once it is known.
  std::string Enter(const std::string& authorization) {
    std::mutex mutex;
    std::condition_variable told;
    std::string answer;
    gate.Enter(authorization, [&](absl::StatusOr<Principal> principal) {
      const std::lock_guard lock(mutex);
      answer = principal.ok() ? principal->user : std::string(principal.status().message());
      told.notify_all();
    });
    std::unique_lock lock(mutex);
    told.wait(lock, [&] { return !answer.empty(); });
    return answer;
  }

  OnePassword identity;
  std::int64_t now_ms = 1'000;
  Gate gate{identity, [this] { return now_ms; }, {1, 2, 60'000, 3}};
};

TEST_F(GateTest, ACredentialIsCheckedOnceAMinute) {
  EXPECT_EQ(Enter(Basic("ann:pw")), "ann");
  EXPECT_EQ(Enter(Basic("ann:pw")), "ann");
  EXPECT_EQ(identity.checks, 1);
  now_ms += 59'999;
  EXPECT_EQ(Enter(Basic("ann:pw")), "ann");
  EXPECT_EQ(identity.checks, 1);
  now_ms += 1;
  EXPECT_EQ(Enter(Basic("ann:pw")), "ann");
  EXPECT_EQ(identity.checks, 2);
  EXPECT_EQ(gate.figures().remembered, 2U);
  EXPECT_EQ(gate.figures().verified, 2U);
}

TEST_F(GateTest, AChangeCountsAtOnce) {
  EXPECT_EQ(Enter(Basic("ann:pw")), "ann");
  identity.version = 2;
  EXPECT_EQ(Enter(Basic("ann:pw")), "ann");
  EXPECT_EQ(identity.checks, 2);
}

TEST_F(GateTest, WhoIsNotKnownHearsOneText) {
  const std::string text = "user or password is missing or wrong";
  for (const std::string& wrong : {std::string(), std::string("Basic"), std::string("Basic "), std::string("Basic %%%"),
                                   std::string("Bearer x"), Basic("nocolon"), Basic(":pw"), Basic("ann:wrong"),
                                   Basic("ann:" + std::string(1'100, 'x')), "Basic " + std::string(4'000, 'A')}) {
    EXPECT_EQ(Enter(wrong), text) << wrong;
  }
  EXPECT_EQ(identity.checks, 1) << "only what can be read is looked at";
  EXPECT_EQ(Enter(Basic("ann:wrong")), text);
  EXPECT_EQ(identity.checks, 2) << "what was refused is not remembered";
  EXPECT_EQ(Enter("bAsIc " + absl::Base64Escape("ann:pw")), "ann");
}

TEST_F(GateTest, NameAndPasswordAreNotMixedUp) {
  EXPECT_EQ(Enter(Basic("ann:pw")), "ann");
  EXPECT_EQ(Enter(Basic("annp:w")), "user or password is missing or wrong");
}

TEST_F(GateTest, ThoseWhoWaitForTheSameShareOneCheckAndTooManyAreSentAway) {
  identity.hold = true;
  std::mutex mutex;
  std::map<std::string, int> seen;
  const auto enter = [&](const std::string& user) {
    gate.Enter(Basic(user + ":pw"), [&](absl::StatusOr<Principal> principal) {
      const std::lock_guard lock(mutex);
      ++seen[principal.ok() ? principal->user : std::string(principal.status().message())];
    });
  };
  for (int i = 0; i < 10; ++i) enter("ann");
  identity.AwaitChecks(1);  // one is being checked, two may wait
  for (const char* user : {"bob", "cat", "dan", "bob"}) enter(user);
  {
    const std::lock_guard lock(mutex);
    EXPECT_EQ(seen["too many wait to be let in: try again later"], 1);
  }
  identity.Release();
  gate.Stop();
  EXPECT_EQ(seen["ann"], 10);
  EXPECT_EQ(seen["bob"], 2);
  EXPECT_EQ(seen["cat"], 1);
  EXPECT_EQ(identity.checks, 3);
  EXPECT_EQ(gate.figures().busy, 1U);
}

TEST_F(GateTest, MemoryIsBounded) {
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Enter(Basic("u" + std::to_string(i) + ":pw")), "u" + std::to_string(i));
  EXPECT_EQ(identity.checks, 20);
}

TEST(KeyIdentityTest, KeysAreUsers) {
  const auto identity = MakeKeyIdentity({{"app", crypto::Sha256("one"), kClient, {"b", "a"}},
                                         {"boss", crypto::Sha256("two"), kAdmin, {"a"}},
                                         {"gate", crypto::Sha256("three"), kGateway, {"a"}}});
  const auto app = identity->Check("app", "one");
  ASSERT_TRUE(app.ok());
  EXPECT_TRUE(app->HasRole(kUsersRole) && app->ActsFor("a") && app->ActsFor("b"));
  EXPECT_FALSE(app->HasRole(kAdminsRole) || app->ActsFor("c") || app->ActsFor("users"));
  const auto boss = identity->Check("boss", "two");
  ASSERT_TRUE(boss.ok());
  EXPECT_TRUE(boss->HasRole(kAdminsRole));
  EXPECT_FALSE(boss->HasRole(kUsersRole) || boss->ActsFor("a"));
  for (const auto& [user, password] : std::vector<std::pair<const char*, const char*>>{
           {"app", "two"}, {"boss", "one"}, {"gate", "three"}, {"", "one"}, {"app", ""}}) {
    EXPECT_TRUE(absl::IsUnauthenticated(identity->Check(user, password).status())) << user;
  }
}

}  // namespace
}  // namespace smsflow::server::rest
