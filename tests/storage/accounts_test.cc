// Rows of accounts: what was put comes back, and a chain of changes that was touched is DATA_LOSS.
#include "storage/accounts.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <string>

#include "storage/memory_store.h"
#include "tests/storage/sample_rows.h"

namespace smsflow::storage {
namespace {

using google::protobuf::util::MessageDifferencer;
using testing::HasSubstr;

class AccountRowsTest : public testing::Test {
 protected:
  void Append(const std::string& actor) {
    Batch batch;
    stored::AccountChange change;
    change.set_actor(actor);
    AppendAccountChange(batch, chain_, change);
    ASSERT_TRUE(store_.Write(batch, Sync::kYes).ok());
  }
  void Put(std::string_view key, std::string_view value) {
    Batch batch;
    batch.Put(Family::kMeta, key, value);
    ASSERT_TRUE(store_.Write(batch, Sync::kYes).ok());
  }
  std::string ValueOf(std::uint64_t sequence) { return **store_.Get(Family::kMeta, AccountChangeKey(sequence)); }
  std::string WhatIsWrong() { return std::string(ReadAccounts(store_).status().message()); }

  MemoryStore store_;
  AccountChain chain_;
};

TEST_F(AccountRowsTest, ComeBackAndGo) {
  Batch batch;
  PutAccount(batch, 3, Filled<stored::AccountRow>());
  PutClient(batch, 4, Filled<stored::ClientRow>());
  PutClient(batch, 5, Filled<stored::ClientRow>());
  ASSERT_TRUE(store_.Write(batch, Sync::kYes).ok());
  Append("one");
  auto all = ReadAccounts(store_);
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_TRUE(MessageDifferencer::Equals(all->accounts.at(3), Filled<stored::AccountRow>()));
  EXPECT_TRUE(MessageDifferencer::Equals(all->clients.at(4), Filled<stored::ClientRow>()));
  EXPECT_EQ(all->clients.size(), 2U);
  EXPECT_EQ(all->chain.sequence, 1U);
  EXPECT_EQ(all->chain.hash, chain_.hash);

  batch.Clear();
  DeleteAccount(batch, 3);
  DeleteClient(batch, 5);
  ASSERT_TRUE(store_.Write(batch, Sync::kYes).ok());
  all = ReadAccounts(store_);
  EXPECT_TRUE(all->accounts.empty());
  EXPECT_EQ(all->clients.size(), 1U);
}

TEST_F(AccountRowsTest, TheOldestChangesMayGo) {
  for (const char* actor : {"one", "two", "three"}) Append(actor);
  Batch batch;
  DeleteAccountChange(batch, 1);
  ASSERT_TRUE(store_.Write(batch, Sync::kYes).ok());
  const auto all = ReadAccounts(store_);
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(all->oldest, 2U);
  EXPECT_EQ(all->chain.sequence, 3U);
  EXPECT_EQ(all->chain.hash, chain_.hash);
}

TEST_F(AccountRowsTest, AChainThatWasTouchedIsSeen) {
  for (const char* actor : {"one", "two", "three"}) Append(actor);
  const std::string second = ValueOf(2);

  std::string altered = second;
  altered.replace(altered.find("two"), 3, "TWO");
  Put(AccountChangeKey(2), altered);
  EXPECT_THAT(WhatIsWrong(), HasSubstr("account change 2: it was altered"));

  AccountChain anew{1, {}};
  Batch batch;
  stored::AccountChange other;
  AppendAccountChange(batch, anew, other);
  ASSERT_TRUE(store_.Write(batch, Sync::kYes).ok());
  EXPECT_THAT(WhatIsWrong(), HasSubstr("account change 2: the chain breaks before it"));

  batch.Clear();
  DeleteAccountChange(batch, 2);
  ASSERT_TRUE(store_.Write(batch, Sync::kYes).ok());
  EXPECT_THAT(WhatIsWrong(), HasSubstr("account change 3: one before it is missing"));

  Put(AccountChangeKey(2), "\1garbage");
  EXPECT_FALSE(WhatIsWrong().empty());
}

// A chain whose hashes are right, and which holds what no writer of ours puts in it.
TEST_F(AccountRowsTest, AChainThatWasMadeUpIsSeen) {
  AccountChain made_up{0, crypto::Sha256("of before")};
  Batch batch;
  AppendAccountChange(batch, made_up, {});
  ASSERT_TRUE(store_.Write(batch, Sync::kYes).ok());
  EXPECT_THAT(WhatIsWrong(), HasSubstr("account change 1: it is the first, but something was before"));

  AccountChain nothing;
  EXPECT_THAT(std::string(FollowAccountChain(nothing, 0, {}).status().message()),
              HasSubstr("account change 0: one before it is missing"));

  stored::AccountChangeRow row;
  const crypto::Digest none{};
  row.set_previous(std::string(crypto::AsView(none)));
  row.set_body("\1garbage");
  const std::string link =
      row.previous() + std::string("\0\0\0\0\0\0\0\1", 8) + std::string(crypto::AsView(crypto::Sha256(row.body())));
  row.set_chain(std::string(crypto::AsView(crypto::Sha256(link))));
  EXPECT_THAT(std::string(FollowAccountChain(nothing, 1, row).status().message()),
              HasSubstr("account change 1: its bytes are no such record"));
}

TEST_F(AccountRowsTest, WhatIsNoRowOfAClientOrAChangeIsNamed) {
  const std::string bad("\0\xff\xff", 3);
  Put(ClientKey(1), bad);
  EXPECT_THAT(WhatIsWrong(), HasSubstr("a row of clients"));
  MemoryStore other;
  Batch batch;
  batch.Put(Family::kMeta, AccountChangeKey(1), bad);
  ASSERT_TRUE(other.Write(batch, Sync::kYes).ok());
  EXPECT_THAT(std::string(ReadAccounts(other).status().message()), HasSubstr("a row of account changes"));
}

TEST_F(AccountRowsTest, WhatIsNoRowIsNamed) {
  Put(std::string(AccountKey(1).view()) + "x", "");
  EXPECT_THAT(WhatIsWrong(), HasSubstr("its key is none"));
  MemoryStore other;
  Batch batch;
  batch.Put(Family::kMeta, AccountKey(1), std::string("\0\xff\xff", 3));
  ASSERT_TRUE(other.Write(batch, Sync::kYes).ok());
  EXPECT_THAT(std::string(ReadAccounts(other).status().message()), HasSubstr("a row of accounts"));
}

}  // namespace
}  // namespace smsflow::storage
