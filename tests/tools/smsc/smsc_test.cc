#include "tools/smsc/smsc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "smpp/codec.h"
#include "smpp/receipt.h"
#include "smpp/text.h"

namespace smsflow::smsc {
namespace {

using smpp::CommandId;
using smpp::CommandStatus;
using ::testing::HasSubstr;

class RememberedTruth : public Truth {
 public:
  void Tell(const std::string& line) override { all += line; }
  std::string all;
};

// What came out for one connection, decoded; keeps the bytes that it looks into.
struct Heard {
  std::string bytes;
  smpp::Pdu pdu;
  Action::Kind kind = Action::Kind::kSend;
};

class SmscTest : public ::testing::Test {
 protected:
  void Begin(std::string_view toml) {
    const auto script = ReadScript(toml, "script");
    ASSERT_TRUE(script.ok()) << script.status();
    smsc_ = std::make_unique<Smsc>(*script, truth_, 1'767'225'600);
    smsc_->Connected(1, now_ms_);
  }

  void Send(const smpp::Pdu& pdu, ConnectionId connection = 1) {
    std::string frame;
    ASSERT_TRUE(smpp::Encode(pdu, frame).ok());
    smsc_->Received(connection, frame, now_ms_);
    Take();
  }
  void Bind(ConnectionId connection = 1, CommandId id = CommandId::kBindTransceiver, std::string_view password = "") {
    Send({.header = {.id = id, .sequence = 1},
          .body = smpp::Bind{.system_id = "esme", .password = password},
          .tlvs = {}},
         connection);
  }
  void Submit(std::uint32_t sequence, std::string_view destination = "255123456789") {
    Send({.header = {.id = CommandId::kSubmitSm, .sequence = sequence},
          .body = smpp::Sm{.source = {.ton = 5, .npi = 0, .digits = "CLINIC"},
                           .destination = {.ton = 1, .npi = 1, .digits = destination},
                           .registered_delivery = smpp::kReceiptAlways,
                           .short_message = "Hello"},
          .tlvs = {}});
  }
  void Acknowledge(std::uint32_t sequence, CommandStatus status = CommandStatus::kOk, ConnectionId connection = 1) {
    Send({.header = {.id = CommandId::kDeliverSmResp, .status = status, .sequence = sequence},
          .body = smpp::MessageResp{},
          .tlvs = {}},
         connection);
  }
  // Lets time pass, due moment by due moment.
  void Pass(std::int64_t milliseconds) {
    const std::int64_t end_ms = now_ms_ + milliseconds;
    for (auto due = smsc_->NextDue(); due && *due <= end_ms; due = smsc_->NextDue()) {
      now_ms_ = std::max(now_ms_, *due);
      smsc_->Tick(now_ms_);
      Take();
    }
    now_ms_ = end_ms;
  }
  void Take() {
    for (Action& action : smsc_->TakeActions()) {
      auto& heard = heard_[action.connection].emplace_back();
      heard.kind = action.kind;
      heard.bytes = std::move(action.bytes);
      if (heard.kind != Action::Kind::kSend) continue;
      smpp::Refusal why;
      const auto pdu = smpp::Decode(heard.bytes, why);
      ASSERT_TRUE(pdu.ok()) << pdu.status();
      heard.pdu = *pdu;
    }
  }
  // The next thing that connection heard.
  Heard& Next(ConnectionId connection = 1) {
    static Heard nothing;
    auto& heard = heard_[connection];
    EXPECT_LT(next_[connection], heard.size()) << "nothing was heard\n" << truth_.all;
    return next_[connection] < heard.size() ? heard[next_[connection]++] : nothing;
  }
  std::size_t Left(ConnectionId connection = 1) { return heard_[connection].size() - next_[connection]; }
  std::string NextId() { return std::string(std::get<smpp::MessageResp>(Next().pdu.body).message_id); }
  smpp::Receipt NextReceipt(ConnectionId connection = 1) {
    const Heard& heard = Next(connection);
    const auto receipt = smpp::ReadReceipt(heard.pdu);
    EXPECT_TRUE(receipt.has_value());
    return receipt.value_or(smpp::Receipt{});
  }
  CommandStatus NextStatus(ConnectionId connection = 1) { return Next(connection).pdu.header.status; }

  RememberedTruth truth_;
  std::unique_ptr<Smsc> smsc_;
  std::int64_t now_ms_ = 0;
  std::map<ConnectionId, std::deque<Heard>> heard_;
  std::map<ConnectionId, std::size_t> next_;
};

TEST_F(SmscTest, TakesAnSmsAndDeliversIt) {
  Begin("[ids]\nfirst = 4098\nresponse = \"lower-hex\"\ntlv = \"hex\"\npad = 8\n[receipt]\ndelay_ms = 200");
  Bind();
  EXPECT_EQ(Next().pdu.tlvs.Octet(smpp::Tag::kScInterfaceVersion), smpp::kInterfaceVersion);
  Submit(2);
  EXPECT_EQ(NextId(), "00001002");
  Pass(199);
  EXPECT_EQ(Left(), 0U);
  Pass(1);
  const Heard& deliver = Next();
  const auto& sm = std::get<smpp::Sm>(deliver.pdu.body);
  EXPECT_EQ(
      sm.short_message,
      "id:00004098 sub:001 dlvrd:001 submit date:2601010000 done date:2601010000 stat:DELIVRD err:000 text:Hello");
  EXPECT_EQ(sm.source.digits, "255123456789");
  EXPECT_EQ(sm.destination.digits, "CLINIC");
  EXPECT_EQ(deliver.pdu.tlvs.Text(smpp::Tag::kReceiptedMessageId), "00001002");
  EXPECT_EQ(smsc_->waiting(), 1U);
  Acknowledge(deliver.pdu.header.sequence);
  EXPECT_EQ(smsc_->waiting(), 0U);
  EXPECT_THAT(truth_.all,
              HasSubstr("\"event\":\"submit\",\"submit\":1,\"connection\":1,\"system_id\":\"esme\",\"sequence\":2"));
  EXPECT_THAT(truth_.all, HasSubstr("\"user_data\":\"48656c6c6f\",\"status\":0,\"message_id\":\"00001002\""));
}

TEST_F(SmscTest, OnlyAccountsOfTheScriptBind) {
  Begin("[[account]]\nsystem_id = \"esme\"\npassword = \"right\"");
  Bind(1, CommandId::kBindTransceiver, "wrong");
  EXPECT_EQ(NextStatus(), CommandStatus::kInvalidPassword);
  Submit(2);
  EXPECT_EQ(NextStatus(), CommandStatus::kIncorrectBindStatus);
  Bind(1, CommandId::kBindReceiver, "right");
  EXPECT_EQ(NextStatus(), CommandStatus::kOk);
  Bind(1, CommandId::kBindTransmitter, "right");
  EXPECT_EQ(NextStatus(), CommandStatus::kAlreadyBound);
  Submit(3);
  EXPECT_EQ(NextStatus(), CommandStatus::kIncorrectBindStatus);
  EXPECT_EQ(smsc_->submits(), 0U);
}

TEST_F(SmscTest, ReceiptsOfATransmitterGoToTheReceiver) {
  Begin("");
  Bind(1, CommandId::kBindTransmitter);
  Submit(2);
  smsc_->Connected(2, now_ms_);
  Bind(2, CommandId::kBindReceiver);
  Next(2);
  Pass(300);
  EXPECT_EQ(NextReceipt(2).text_id, "1");
  EXPECT_EQ(Left(), 2U);  // the bind's and the submit's response
}

TEST_F(SmscTest, Refuse) {
  Begin(
      "[[fault]]\nkind = \"refuse\"\nevery = 2\nfrom = 2\n[[fault]]\nkind = \"refuse\"\nstatus = 0x401\ndestination = "
      "\"44\"");
  Bind();
  Next();
  Submit(2);
  EXPECT_EQ(NextStatus(), CommandStatus::kOk);
  Submit(3);
  EXPECT_EQ(NextStatus(), CommandStatus::kThrottled);
  Submit(4, "4479");
  EXPECT_EQ(NextStatus(), static_cast<CommandStatus>(0x401));
  EXPECT_THAT(truth_.all, HasSubstr("\"status\":88,\"message_id\":\"\",\"faults\":\"refuse\""));
}

TEST_F(SmscTest, ResponsesThatAreLateOrNeverCome) {
  Begin(
      "[[fault]]\nkind = \"drop-response\"\nto = 1\n[[fault]]\nkind = \"delay-response\"\nfrom = 2\ndelay_ms = 500\n"
      "[receipt]\ndelay_ms = 1000");
  Bind();
  Next();
  Submit(2);
  Submit(3);
  Pass(499);
  EXPECT_EQ(Left(), 0U);
  Pass(1);
  EXPECT_EQ(Next().pdu.header.sequence, 3U);
  Pass(500);
  EXPECT_EQ(NextReceipt().text_id, "1");
  Pass(500);
  EXPECT_EQ(NextReceipt().text_id, "2");
}

TEST_F(SmscTest, AReceiptBeforeItsResponse) {
  Begin("[[fault]]\nkind = \"early-receipt\"");
  Bind();
  Next();
  Submit(2);
  EXPECT_EQ(NextReceipt().text_id, "1");
  EXPECT_EQ(Left(), 0U);
  Pass(50);
  EXPECT_EQ(NextId(), "1");
}

TEST_F(SmscTest, ReceiptsThatAreDoubledLateOrMissing) {
  Begin(
      "[receipt]\ndelay_ms = 10\n[[fault]]\nkind = \"double-receipt\"\nto = 1\ndelay_ms = 5\n"
      "[[fault]]\nkind = \"delay-receipt\"\nfrom = 2\nto = 2\ndelay_ms = 1000\n[[fault]]\nkind = "
      "\"drop-receipt\"\nfrom = 3");
  Bind();
  Next();
  for (std::uint32_t sequence = 2; sequence < 5; ++sequence) Submit(sequence);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(NextStatus(), CommandStatus::kOk);
  Pass(15);
  EXPECT_EQ(NextReceipt().text_id, "1");
  EXPECT_EQ(NextReceipt().text_id, "1");
  EXPECT_EQ(Left(), 0U);
  Pass(995);
  EXPECT_EQ(NextReceipt().text_id, "2");
  Pass(20'000);
  EXPECT_EQ(Left(), 0U);
}

TEST_F(SmscTest, ReceiptsThatLieAboutTheirIdOrFail) {
  Begin(
      "[ids]\nfirst = 255\n[[fault]]\nkind = \"wrong-base\"\n[[fault]]\nkind = \"fail\"\nstat = \"REJECTD\"\nerr = "
      "\"008\"");
  Bind();
  Next();
  Submit(2);
  EXPECT_EQ(NextId(), "255");
  Pass(300);
  const auto receipt = NextReceipt();
  EXPECT_EQ(receipt.text_id, "FF");
  EXPECT_EQ(receipt.tlv_id, "FF");
  EXPECT_EQ(receipt.state, smpp::MessageState::kRejected);
  EXPECT_EQ(receipt.error, "008");
}

TEST_F(SmscTest, ConnectionsThatEndBeforeTheResponse) {
  for (const auto& [kind, action] : {std::pair("reset", Action::Kind::kReset), std::pair("close", Action::Kind::kClose),
                                     std::pair("silence", Action::Kind::kSilence)}) {
    heard_.clear();
    next_.clear();
    Begin(std::string("[[fault]]\nkind = \"") + kind + "\"");
    Bind();
    Next();
    Submit(2);
    EXPECT_EQ(Next().kind, action);
    EXPECT_EQ(smsc_->submits(), 1U);
    Submit(3);  // nobody listens any more
    EXPECT_EQ(smsc_->submits(), 1U);
    EXPECT_EQ(Left(), 0U);
  }
}

TEST_F(SmscTest, WhatIsNotAcknowledgedComesAgain) {
  Begin("[limits]\nwindow = 2\ndeliver_timeout_ms = 1000\n[receipt]\ndelay_ms = 0");
  Bind();
  Next();
  for (std::uint32_t sequence = 2; sequence < 5; ++sequence) Submit(sequence);
  for (int i = 0; i < 3; ++i) Next();
  Pass(0);
  EXPECT_EQ(NextReceipt().text_id, "1");
  const Heard& second = Next();
  EXPECT_EQ(Left(), 0U);  // the window
  Acknowledge(second.pdu.header.sequence);
  EXPECT_EQ(NextReceipt().text_id, "3");
  Pass(1500);
  EXPECT_EQ(NextReceipt().text_id, "1");
  EXPECT_EQ(NextReceipt().text_id, "3");
  // And after the connection is lost, to the next one.
  smsc_->Disconnected(1, now_ms_);
  smsc_->Connected(2, now_ms_);
  Bind(2);
  Next(2);
  EXPECT_EQ(NextReceipt(2).text_id, "1");
  const std::uint32_t sequence = Next(2).pdu.header.sequence;
  Acknowledge(sequence, CommandStatus::kReceiverTemporaryError, 2);
  Pass(999);
  EXPECT_EQ(Left(2), 0U);
  Pass(1);
  EXPECT_EQ(NextReceipt(2).text_id, "3");
  EXPECT_EQ(smsc_->waiting(), 2U);
}

TEST_F(SmscTest, PartsAsTheScriptWants) {
  for (const auto& [parts, expected] : {std::pair("each", 2U), std::pair("first", 1U), std::pair("last", 1U)}) {
    heard_.clear();
    next_.clear();
    Begin(std::string("[receipt]\nparts = \"") + parts + "\"");
    Bind();
    for (std::uint8_t number = 1; number <= 2; ++number) {
      const std::string text =
          smpp::ConcatenationHeader({.reference = 7, .total = 2, .number = number}, smpp::Reference::k16Bit) + "x";
      Send({.header = {.id = CommandId::kSubmitSm, .sequence = number},
            .body = smpp::Sm{.destination = {.ton = 1, .npi = 1, .digits = "1"},
                             .esm_class = smpp::kEsmUdhi,
                             .registered_delivery = 1,
                             .short_message = text},
            .tlvs = {}});
    }
    Pass(300);
    EXPECT_EQ(Left(), 3U + expected) << parts;
  }
  EXPECT_THAT(truth_.all, HasSubstr("\"reference\":7,\"part\":2,\"parts\":2"));
}

TEST_F(SmscTest, AHandsetWrites) {
  Begin("[[inbound]]\nafter_ms = 10\nsource = \"255700000001\"\ndestination = \"15001\"\ntext = \"STOP ж" +
        std::string(80, '!') + "\"");
  Bind();
  Next();
  Pass(10);
  std::string text;
  for (int i = 0; i < 2; ++i) {
    const Heard& heard = Next();
    const auto& sm = std::get<smpp::Sm>(heard.pdu.body);
    EXPECT_FALSE(smpp::ReadReceipt(heard.pdu).has_value());
    const auto data = smpp::ReadUserData(sm.short_message);
    ASSERT_TRUE(data.ok());
    EXPECT_EQ(data->part->number, i + 1);
    text += *smpp::DecodeText(sm.data_coding, data->text);
  }
  EXPECT_EQ(text, "STOP ж" + std::string(80, '!'));
}

TEST_F(SmscTest, WhatIsNoSmppIsAnsweredAndThenClosed) {
  Begin("");
  smsc_->Received(1, std::string("\xff\xff\xff\xff\0\0\0\x04\0\0\0\0\0\0\0\x09", 16), now_ms_);
  Take();
  const Heard& nack = Next();
  EXPECT_EQ(nack.pdu.header.id, CommandId::kGenericNack);
  EXPECT_EQ(nack.pdu.header.status, CommandStatus::kInvalidCommandLength);
  EXPECT_EQ(nack.pdu.header.sequence, 9U);
  EXPECT_EQ(Next().kind, Action::Kind::kClose);
}

TEST_F(SmscTest, WhatItDoesNotKnowIsNacked) {
  Begin("");
  Bind();
  Next();
  Send({.header = {.id = CommandId::kSubmitMulti, .sequence = 5}, .body = smpp::Other{.bytes = "x"}, .tlvs = {}});
  const Heard& nack = Next();
  EXPECT_EQ(nack.pdu.header.id, CommandId::kGenericNack);
  EXPECT_EQ(nack.pdu.header.status, CommandStatus::kInvalidCommandId);
  Send({.header = {.id = CommandId::kSubmitSm, .sequence = 6}, .body = smpp::Sm{}, .tlvs = {}});
  const Heard& refused = Next();
  EXPECT_EQ(refused.pdu.header.id, CommandId::kSubmitSmResp);
  EXPECT_EQ(refused.pdu.header.status, CommandStatus::kInvalidDestinationAddress);
  Send({.header = {.id = CommandId::kEnquireLink, .sequence = 7}, .body = smpp::Empty{}, .tlvs = {}});
  EXPECT_EQ(Next().pdu.header.id, CommandId::kEnquireLinkResp);
  Send({.header = {.id = CommandId::kUnbind, .sequence = 8}, .body = smpp::Empty{}, .tlvs = {}});
  EXPECT_EQ(Next().pdu.header.id, CommandId::kUnbindResp);
  EXPECT_EQ(Next().kind, Action::Kind::kClose);
}

TEST_F(SmscTest, EverythingHasABound) {
  Begin("[limits]\nconnections = 1\nwaiting = 1\nsubmits_per_s = 2\nbind_within_ms = 1000\nidle_ms = 2000");
  smsc_->Connected(2, now_ms_);
  Take();
  EXPECT_EQ(Next(2).kind, Action::Kind::kReset);
  Bind();
  Next();
  for (std::uint32_t sequence = 2; sequence < 5; ++sequence) Submit(sequence);
  EXPECT_EQ(NextStatus(), CommandStatus::kOk);
  EXPECT_EQ(NextStatus(), CommandStatus::kOk);
  EXPECT_EQ(NextStatus(), CommandStatus::kThrottled);
  EXPECT_EQ(smsc_->waiting(), 1U);
  EXPECT_THAT(truth_.all, HasSubstr("\"event\":\"lost\",\"submit\":2"));
  Pass(2500);
  NextReceipt();
  EXPECT_EQ(Next().kind, Action::Kind::kClose);  // idle
  smsc_->Disconnected(1, now_ms_);
  smsc_->Connected(3, now_ms_);
  Pass(1500);
  EXPECT_EQ(Next(3).kind, Action::Kind::kClose);  // not bound
}

TEST_F(SmscTest, TheSameSeedDoesTheSame) {
  std::string told[3];
  for (int run = 0; run < 3; ++run) {
    truth_.all.clear();
    now_ms_ = 0;
    Begin(std::string("seed = ") + (run == 2 ? "8" : "7") +
          "\n[[fault]]\nkind = \"refuse\"\nrate = 0.5\n[[fault]]\nkind = \"double-receipt\"\nrate = 0.5\ndelay_ms = "
          "[1, 50]");
    Bind();
    for (std::uint32_t sequence = 2; sequence < 40; ++sequence) Submit(sequence);
    Pass(1000);
    told[run] = truth_.all;
  }
  EXPECT_EQ(told[0], told[1]);
  EXPECT_NE(told[0], told[2]);
  EXPECT_THAT(told[0], HasSubstr("\"faults\":\"refuse\""));
  EXPECT_THAT(told[0], HasSubstr("\"faults\":\"\""));
}

}  // namespace
}  // namespace smsflow::smsc
