#include "gateway/opener.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "crypto/base64url.h"
#include "crypto/envelope.h"
#include "crypto/old_envelope.h"
#include "tests/gateway/fakes.h"

namespace smsflow::gateway {
namespace {

constexpr char kSms[] = "To: +255123456789\nSender: CLINIC\n\nCome on Monday";

class OpenerTest : public testing::Test {
 protected:
  OpenerTest() : vault_(std::make_shared<crypto::Vault>(crypto::OldEnvelopes::kOpened)), opener_(vault_) {
    vault_->Replace({p256_, {rsa_, "clinic"}});
  }

  std::optional<OpenedSms> Open(std::string payload) {
    engine::Lease lease = LeaseOf(Attempt(1));
    lease.tenant = "clinic";
    lease.client_key = "k1";
    lease.payload = std::move(payload);
    return opener_.Open(lease, why_);
  }
  std::string Jwe(std::string_view text, std::string_view subject = "clinic/k1") const {
    return *crypto::SealEnvelope(p256_.public_key(), subject, text);
  }
  std::string Old(std::string_view text) const { return *crypto::SealOldEnvelope(rsa_.public_key(), text); }

  static const crypto::PrivateKey p256_, rsa_;
  std::shared_ptr<crypto::Vault> vault_;
  EnvelopeOpener opener_;
  Unreadable why_;
};
const crypto::PrivateKey OpenerTest::p256_ = crypto::PrivateKey::Generate(crypto::KeyKind::kP256);
const crypto::PrivateKey OpenerTest::rsa_ = crypto::PrivateKey::Generate(crypto::KeyKind::kRsa);

TEST_F(OpenerTest, OpensBothFormats) {
  for (const std::string& payload : {Jwe(kSms), Old(kSms)}) {
    const auto opened = Open(payload);
    ASSERT_TRUE(opened.has_value());
    EXPECT_EQ(opened->sms.recipient, "+255123456789");
    EXPECT_EQ(opened->sms.sender, "CLINIC");
    EXPECT_EQ(opened->sms.text.Reveal(), "Come on Monday");
  }
}

TEST_F(OpenerTest, TellsWhatIsWrongInAnAuthenticSms) {
  EXPECT_FALSE(Open(Jwe("To: 12\n\ntext")).has_value());
  EXPECT_EQ(why_.about, About::kRecipient);
  EXPECT_EQ(why_.cause, "invalid_recipient");
  EXPECT_FALSE(Open(Jwe("To: +255123456789\n\n ")).has_value());
  EXPECT_EQ(why_.cause, "invalid_message");
}

// Another gateway may have it, or it comes back. What its client gave another key's name is of no key here for ever.
TEST_F(OpenerTest, WithoutItsKeyItCannotBeOpenedForNow) {
  const auto other = crypto::PrivateKey::Generate(crypto::KeyKind::kP256);
  engine::Lease lease = LeaseOf(Attempt(1));
  lease.payload = *crypto::SealEnvelope(other.public_key(), "clinic/k1", kSms);
  for (const auto& [lane, for_now] : std::vector<std::pair<std::string, bool>>{
           {vault_->kids().front(), false}, {"", false}, {"of a key that is gone", true}}) {
    lease.lane = lane;
    EXPECT_FALSE(opener_.Open(lease, why_).has_value());
    EXPECT_EQ(why_.cause, "envelope");
    EXPECT_EQ(why_.for_now, for_now) << lane;
  }
  lease.payload = Jwe(kSms, "clinic/k2");
  EXPECT_FALSE(opener_.Open(lease, why_).has_value());
  EXPECT_FALSE(why_.for_now) << "the key is there";
}

// A key file that is written anew can be gone for one reading of the folder.
TEST_F(OpenerTest, AKeyThatComesBackMeanwhileIsNoMistakeOfTheClients) {
  const auto other = crypto::PrivateKey::Generate(crypto::KeyKind::kP256);
  engine::Lease lease = LeaseOf(Attempt(1));
  lease.tenant = "clinic";
  lease.client_key = "k1";
  lease.lane = p256_.kid();
  lease.payload = Jwe(kSms);
  std::atomic<bool> done{false};
  std::thread reader([&] {
    while (!done) {
      vault_->Replace({{other, ""}});
      vault_->Replace({{p256_, ""}});
    }
  });
  int lost = 0;
  for (int i = 0; i < 10'000; ++i) lost += opener_.Open(lease, why_).has_value() || why_.for_now ? 0 : 1;
  done = true;
  reader.join();
  EXPECT_EQ(lost, 0);
}

TEST_F(OpenerTest, TellsNothingOfWhatAnybodyCanChange) {
  const std::string good = Old(kSms);
  std::string bytes = crypto::FromBase64(good).value();
  bytes.back() = static_cast<char>(bytes.back() ^ 0x20);
  for (const std::string& payload :
       {Old("To: 12\n\ntext"), Old("To: +255123456789\n\n "), Old("no blank line"), crypto::ToBase64(bytes),
        good.substr(0, good.size() - 4), Jwe(kSms, "clinic/k2"), std::string("ENC"), std::string()}) {
    EXPECT_FALSE(Open(payload).has_value());
    EXPECT_EQ(why_.about, About::kMessage);
    EXPECT_EQ(why_.cause, "envelope");
  }
}

}  // namespace
}  // namespace smsflow::gateway
