// SMSes from phones: durable before the answer, sealed for whose number it is, told once or more, and known again.
#include "gateway/inbound.h"

#include <gtest/gtest.h>

#include <optional>

#include "absl/strings/escaping.h"
#include "crypto/envelope.h"
#include "smpp/codec.h"
#include "storage/memory_store.h"
#include "tests/gateway/fakes.h"

namespace smsflow::gateway {
namespace {

using smpp::CommandStatus;

constexpr std::int64_t kMinute = 60'000;

class FakeSink : public InboundSink {
 public:
  void Start(Taken) override {}
  void Put(std::vector<InboundSms> sms) override {
    for (auto& one : sms) put.push_back(std::move(one));
  }
  void Stop() override {}
  std::vector<InboundSms> put;
};

// Keeps no byte of any key or text that it was given; so neither may the rows.
std::string AllRows(const storage::Store& rows) {
  std::string all;
  for (const auto family : {storage::Family::kMeta, storage::Family::kInstances, storage::Family::kJournal,
                            storage::Family::kQueues, storage::Family::kIndexes}) {
    auto cursor = rows.Scan(family, std::string(1, '\0'), std::string(1, '\xff'));
    for (; cursor->Valid(); cursor->Next()) all.append(cursor->key()).append(cursor->value());
  }
  return all;
}

struct Said {
  std::string text;
  std::uint8_t data_coding = 0, esm_class = 0;
  std::string source = "255700000001", destination = "15001";
  smpp::TlvWriter tlvs = {};
};

class InboundTest : public testing::Test {
 protected:
  InboundTest() { Start(); }

  // A kill -9 and a new process.
  void Restart() {
    inbound_.reset();
    rows_.Crash();
    sink_.put.clear();
    Start();
  }
  void Start() {
    vault_ = std::make_shared<crypto::Vault>();
    vault_->Replace({own_});
    InboundOptions options;
    options.routes = {{"acme", "clinic", {"15001", "2557*"}, clinic_.public_key(), 10 * kMinute},
                      {"other", "lab", {"15001"}, lab_.public_key(), 0}};
    options.waiting_max = waiting_max_;
    options.parts_max = parts_max_;
    inbound_ = std::make_unique<Inbound>(
        std::move(options), rows_, sink_, own_, vault_, agreed_,
        [this](LogLevel, std::string_view line) { notices_.emplace_back(line); }, [this] { return low_; },
        [](const absl::Status& status) { ADD_FAILURE() << status; });
    ASSERT_TRUE(inbound_->Load().ok());
  }

  void Come(const Said& said, std::uint64_t session = 1, const std::string& account = "acme") {
    std::string frame;
    ASSERT_TRUE(smpp::Encode({.header = {.id = smpp::CommandId::kDeliverSm, .sequence = ++sequence_},
                              .body = smpp::Sm{.source = {1, 1, said.source},
                                               .destination = {3, 0, said.destination},
                                               .esm_class = said.esm_class,
                                               .data_coding = said.data_coding,
                                               .short_message = said.text},
                              .tlvs = said.tlvs.view()},
                             frame)
                    .ok());
    inbound_->Take(
        {account, smpp::WipedBytes(frame), session, clock_.now_ms, [this](CommandStatus status) { answer_ = status; }});
  }
  CommandStatus Answer(const Said& said, std::uint64_t session = 1, const std::string& account = "acme") {
    answer_.reset();
    Come(said, session, account);
    EXPECT_FALSE(answer_.has_value());
    inbound_->RunOnce();
    EXPECT_TRUE(answer_.has_value());
    return answer_.value_or(CommandStatus::kUnknownError);
  }
  Said Part(std::string_view text, std::uint8_t number, std::uint8_t total, std::uint16_t reference = 7) {
    return {.text = smpp::ConcatenationHeader({reference, total, number}, smpp::Reference::k8Bit) + std::string(text),
            .esm_class = smpp::kEsmUdhi};
  }
  // What the tenant reads in the SMSes that were told since last time.
  std::vector<std::string> Read(const crypto::PrivateKey* key = nullptr) {
    std::vector<std::string> read;
    for (const InboundSms& sms : std::exchange(sink_.put, {})) {
      const auto opened = crypto::OpenEnvelope(key != nullptr ? *key : clinic_,
                                               crypto::EnvelopeSubject(sms.tenant, sms.id), sms.payload);
      EXPECT_TRUE(opened.ok()) << opened.status();
      read.push_back(opened.ok() ? std::string(opened->Reveal()) : "");
      ids_.push_back(sms.id);
    }
    return read;
  }
  std::string Text(const std::string& text, const std::string& more = "") {
    return "From: +255700000001\nTo: 15001" + more + "\n\n" + text;
  }
  using Texts = std::vector<std::string>;

  const crypto::PrivateKey own_ = crypto::PrivateKey::Generate(crypto::KeyKind::kP256);
  const crypto::PrivateKey clinic_ = crypto::PrivateKey::Generate(crypto::KeyKind::kP256);
  const crypto::PrivateKey lab_ = crypto::PrivateKey::Generate(crypto::KeyKind::kP256);
  storage::MemoryStore rows_;
  FakeSink sink_;
  FakeClock clock_;
  AgreedClock agreed_{clock_, nullptr};
  bool low_ = false;
  std::size_t waiting_max_ = 5, parts_max_ = 5;
  std::vector<std::string> notices_;
  std::uint32_t sequence_ = 0;
  std::optional<CommandStatus> answer_;
  std::vector<std::string> ids_;
  std::shared_ptr<crypto::Vault> vault_;
  std::unique_ptr<Inbound> inbound_;
};

TEST_F(InboundTest, ItIsDurableBeforeItIsAnsweredAndOnlyItsTenantReadsIt) {
  EXPECT_EQ(Answer({.text = "STOP"}), CommandStatus::kOk);
  EXPECT_EQ(rows_.unsynced(), 0u);
  ASSERT_EQ(sink_.put.size(), 1u);
  EXPECT_EQ(sink_.put[0].tenant, "clinic");
  EXPECT_EQ(sink_.put[0].at_ms, clock_.now_ms);
  EXPECT_FALSE(crypto::OpenEnvelope(own_, "clinic/" + sink_.put[0].id, sink_.put[0].payload).ok());
  EXPECT_EQ(Read(), Texts{Text("STOP")});
  const std::string all = AllRows(rows_);
  for (const char* secret : {"STOP", "255700000001", "15001"}) EXPECT_EQ(all.find(secret), std::string::npos) << secret;
}

TEST_F(InboundTest, WhatNobodyTookIsToldAgainByTheNextProcessUnderTheSameId) {
  EXPECT_EQ(Answer({.text = "1"}), CommandStatus::kOk);
  EXPECT_EQ(Answer({.text = "2"}), CommandStatus::kOk);
  EXPECT_EQ(Read(), (Texts{Text("1"), Text("2")}));
  Restart();
  inbound_->RunOnce();
  EXPECT_EQ(Read(), (Texts{Text("1"), Text("2")}));
  EXPECT_EQ(ids_[0], ids_[2]);
  EXPECT_EQ(ids_[1], ids_[3]);
  EXPECT_EQ(Answer({.text = "3"}), CommandStatus::kOk);
  EXPECT_EQ(Read(), Texts{Text("3")});
}

TEST_F(InboundTest, WhatWasTakenIsGone) {
  EXPECT_EQ(Answer({.text = "1"}), CommandStatus::kOk);
  EXPECT_EQ(Answer({.text = "2"}), CommandStatus::kOk);
  ASSERT_EQ(sink_.put.size(), 2u);
  inbound_->OnTaken({sink_.put[0].id, "no id of ours"});
  inbound_->RunOnce();
  EXPECT_EQ(inbound_->figures().waiting, 1u);
  EXPECT_EQ(Read().size(), 2u);
  EXPECT_EQ(Answer({.text = "3"}), CommandStatus::kOk);  // its sync takes along what was deleted
  Restart();
  inbound_->RunOnce();
  EXPECT_EQ(Read(), (Texts{Text("2"), Text("3")}));
}

TEST_F(InboundTest, ARepetitionIsAnsweredAndNotToldAgain) {
  EXPECT_EQ(Answer({.text = "YES"}), CommandStatus::kOk);
  EXPECT_EQ(Read().size(), 1u);
  clock_.now_ms += kMinute;
  EXPECT_EQ(Answer({.text = "YES"}, /*session=*/2), CommandStatus::kOk);
  Restart();
  inbound_->RunOnce();
  EXPECT_EQ(Read().size(), 1u);
  EXPECT_EQ(Answer({.text = "YES"}, /*session=*/3), CommandStatus::kOk);
  EXPECT_TRUE(Read().empty());
  EXPECT_EQ(inbound_->figures().repeated, 1u);
  // Another phone, another number, another text.
  EXPECT_EQ(Answer({.text = "YES", .source = "255700000002"}, 3), CommandStatus::kOk);
  EXPECT_EQ(Answer({.text = "YES", .destination = "2557"}, 3), CommandStatus::kOk);
  EXPECT_EQ(Answer({.text = "YES."}, 3), CommandStatus::kOk);
  EXPECT_EQ(Read().size(), 3u);
}

TEST_F(InboundTest, TheSameWordsLaterAreAnotherSms) {
  EXPECT_EQ(Answer({.text = "YES"}), CommandStatus::kOk);
  // It came after the first was answered, on the same bind: whoever sent it had no reason to send again.
  clock_.now_ms += kMinute;
  EXPECT_EQ(Answer({.text = "YES"}), CommandStatus::kOk);
  EXPECT_EQ(Read().size(), 2u);
  // After a new bind, but long after.
  clock_.now_ms += 11 * kMinute;
  EXPECT_EQ(Answer({.text = "YES"}, 2), CommandStatus::kOk);
  EXPECT_EQ(Read().size(), 1u);
  // Two at once, as an SMSC with a window sends them.
  Come({.text = "MORE"});
  Come({.text = "MORE"});
  inbound_->RunOnce();
  EXPECT_EQ(Read().size(), 2u);
}

TEST_F(InboundTest, OneThatWasNotAnsweredForLongIsKnownOnTheSameBind) {
  Come({.text = "YES"});
  clock_.now_ms += 30'000;
  Come({.text = "YES"});
  inbound_->RunOnce();
  EXPECT_EQ(Read().size(), 1u);
  EXPECT_EQ(inbound_->figures().repeated, 1u);
}

TEST_F(InboundTest, PartsBecomeOneWhateverOrderAndWhereverTheyWereCut) {
  // The euro sign is two septets, and the cut goes through them.
  EXPECT_EQ(Answer(Part("\x65 each", 2, 2)), CommandStatus::kOk);
  EXPECT_TRUE(Read().empty());
  Restart();
  EXPECT_EQ(Answer(Part("10 \x1b", 1, 2), 2), CommandStatus::kOk);
  EXPECT_EQ(Read(), Texts{Text("10 € each")});
  EXPECT_EQ(inbound_->figures().parts, 0u);
  EXPECT_EQ(inbound_->figures().kept, 1u);
}

TEST_F(InboundTest, PartsByTlvs) {
  Said one{.text = std::string("\x04\x36", 2), .data_coding = 8},
      two{.text = std::string("\x04\x37", 2), .data_coding = 8};
  smpp::AddSar({300, 2, 1}, one.tlvs);
  smpp::AddSar({300, 2, 2}, two.tlvs);
  EXPECT_EQ(Answer(one), CommandStatus::kOk);
  EXPECT_EQ(Answer(two), CommandStatus::kOk);
  EXPECT_EQ(Read(), Texts{Text("жз")});
}

TEST_F(InboundTest, ARepeatedPartIsKnownAndAReferenceThatComesRoundBeginsAnew) {
  EXPECT_EQ(Answer(Part("a", 1, 2)), CommandStatus::kOk);
  EXPECT_EQ(Answer(Part("a", 1, 2), 2), CommandStatus::kOk);
  EXPECT_EQ(inbound_->figures().repeated, 1u);
  EXPECT_EQ(inbound_->figures().parts, 1u);
  EXPECT_EQ(Answer(Part("A", 1, 2)), CommandStatus::kOk);
  EXPECT_EQ(Read(), Texts{Text("a", "\nParts: 1 of 2")});
  EXPECT_EQ(Answer(Part("B", 2, 2)), CommandStatus::kOk);
  EXPECT_EQ(Read(), Texts{Text("AB")});
}

TEST_F(InboundTest, WhatIsMissingForADayIsMissing) {
  EXPECT_EQ(Answer(Part("a", 1, 3)), CommandStatus::kOk);
  EXPECT_EQ(Answer(Part("c", 3, 3)), CommandStatus::kOk);
  clock_.now_ms += 24 * 60 * kMinute;
  inbound_->RunOnce();
  inbound_->RunOnce();
  EXPECT_EQ(Read(), Texts{Text("ac", "\nParts: 1,3 of 3")});
  EXPECT_EQ(inbound_->figures().incomplete, 1u);
}

TEST_F(InboundTest, OctetsThatAreNoTextGoAsBase64) {
  EXPECT_EQ(Answer({.text = std::string("\x00\xff\x00", 3), .data_coding = 4}), CommandStatus::kOk);
  EXPECT_EQ(Read(), Texts{Text("AP8A", "\nEncoding: base64")});
}

TEST_F(InboundTest, ANumberIsWhoseAccountAndPatternSay) {
  EXPECT_TRUE(inbound_->Takes("acme", "+2557001"));
  EXPECT_FALSE(inbound_->Takes("acme", "150011"));
  EXPECT_FALSE(inbound_->Takes("nobody", "15001"));
  EXPECT_EQ(Answer({.text = "x"}, 1, "other"), CommandStatus::kOk);
  EXPECT_EQ(Read(&lab_), Texts{Text("x")});
  EXPECT_EQ(Answer({.text = "x", .destination = "999"}), CommandStatus::kReceiverPermanentError);
}

TEST_F(InboundTest, ASourceThatWouldMakeAHeaderIsShownWithoutIt) {
  EXPECT_EQ(Answer({.text = "x", .source = "1\nTo: 2"}), CommandStatus::kOk);
  EXPECT_EQ(Read(), Texts{"From: +1?To:?2\nTo: 15001\n\nx"});
}

TEST_F(InboundTest, WhatCannotBeReadIsRefusedForGood) {
  EXPECT_EQ(Answer({.text = "\x09\x00\x03x", .esm_class = smpp::kEsmUdhi}), CommandStatus::kReceiverPermanentError);
  EXPECT_EQ(Answer(Part("x", 1, 33)), CommandStatus::kReceiverPermanentError);
  Said large;
  large.tlvs.Add(smpp::Tag::kMessagePayload, std::string(9'000, 'x'));
  EXPECT_EQ(Answer(large), CommandStatus::kReceiverPermanentError);
  EXPECT_EQ(Answer(Part(std::string(161, 'x'), 1, 2)), CommandStatus::kReceiverPermanentError);
  EXPECT_EQ(inbound_->figures().unfit, 4u);
  EXPECT_TRUE(Read().empty());
}

TEST_F(InboundTest, TheLongestThereCanBeFitsIntoItsEnvelope) {
  parts_max_ = 100;
  Restart();
  const std::string part(160, '\x10');  // a letter that takes two bytes of UTF-8
  std::string whole;
  for (std::uint8_t i = 1; i <= 32; ++i) {
    EXPECT_EQ(Answer(Part(part, i, 32)), CommandStatus::kOk);
    for (std::size_t at = 0; at < part.size(); ++at) whole += "Δ";
  }
  EXPECT_EQ(Read(), Texts{Text(whole)});
}

TEST_F(InboundTest, PartsWhoseKeyIsGoneAreGivenUpAloud) {
  EXPECT_EQ(Answer(Part("a", 1, 2)), CommandStatus::kOk);
  vault_->Replace({crypto::PrivateKey::Generate(crypto::KeyKind::kP256)});
  EXPECT_EQ(Answer(Part("b", 2, 2)), CommandStatus::kOk);
  EXPECT_TRUE(Read().empty());
  EXPECT_EQ(inbound_->figures().parts, 0u);
  ASSERT_EQ(notices_.size(), 1u);
  EXPECT_EQ(notices_[0],
            "an SMS from a phone that came in parts is given up: the key that its parts are sealed for is gone");
}

TEST_F(InboundTest, WithoutRoomTheSmscIsToldToComeAgain) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Answer({.text = "x" + std::to_string(i)}), CommandStatus::kOk);
  EXPECT_EQ(Answer({.text = "y"}), CommandStatus::kReceiverTemporaryError);
  EXPECT_EQ(Read().size(), 5u);
  waiting_max_ = 100;
  Restart();
  EXPECT_EQ(Answer({.text = "y"}, 2), CommandStatus::kOk);
  low_ = true;
  EXPECT_EQ(Answer({.text = "z"}), CommandStatus::kReceiverTemporaryError);
  EXPECT_EQ(Answer({.text = "y"}, 3), CommandStatus::kOk);  // it is there already
  low_ = false;
  for (std::uint8_t i = 1; i <= 5; ++i) EXPECT_EQ(Answer(Part("p", i, 9)), CommandStatus::kOk);
  EXPECT_EQ(Answer(Part("p", 6, 9)), CommandStatus::kReceiverTemporaryError);
  EXPECT_EQ(inbound_->figures().later, 2u);
}

// Golden: what stands on disks stays readable.
TEST(InboundStoreTest, KeysAndRowsAreAsTheyWere) {
  storage::MemoryStore rows;
  InboundStore store(rows);
  const crypto::Digest16 digest{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
  store.Put(258, {"id-1", "clinic", "sealed", 1'800'000'000'000});
  store.PutPart({digest, 2, 3, 1'800'000'000'000, "acme", "sealed"});
  store.PutSeen(digest, {1'800'000'000'000, 1'800'000'000'001, 0x0102030405060708});
  ASSERT_TRUE(store.Commit().ok());
  EXPECT_EQ(rows.unsynced(), 0u);
  std::string all;
  for (const auto family : {storage::Family::kQueues, storage::Family::kIndexes}) {
    for (auto cursor = rows.Scan(family, "A", "Z"); cursor->Valid(); cursor->Next()) {
      all += absl::BytesToHexString(std::string(cursor->key())) + " " +
             absl::BytesToHexString(std::string(cursor->value())) + "\n";
    }
  }
  EXPECT_EQ(all,
            "4effff0000000000000102 000a0469642d311206636c696e69631a067365616c65642080a0f1c2b134\n"
            "57ffff0102030405060708090a0b0c0d0e0f1002 0008031080a0f1c2b1341a067365616c6564220461636d65\n"
            "51ffff0102030405060708090a0b0c0d0e0f10 000880a0f1c2b1341081a0f1c2b134190807060504030201\n");
  const auto after = store.After(257, 10);
  ASSERT_TRUE(after.ok());
  ASSERT_EQ(after->size(), 1u);
  EXPECT_EQ(after->front().second, (InboundSms{"id-1", "clinic", "sealed", 1'800'000'000'000}));
  EXPECT_TRUE(store.After(258, 10)->empty());
}

}  // namespace
}  // namespace smsflow::gateway
