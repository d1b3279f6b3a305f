#include "smpp/receipt.h"

#include <gtest/gtest.h>

#include "smpp/codec.h"
#include "tests/smpp/hex.h"

namespace smsflow::smpp {
namespace {

using Meaning = ReceiptMeaning;

Receipt OfText(std::string_view text, const ReceiptParser* parser = nullptr) {
  const Pdu pdu{.header = {.id = CommandId::kDeliverSm, .sequence = 1},
                .body = Sm{.esm_class = kEsmReceipt, .short_message = text},
                .tlvs = {}};
  const auto receipt = ReadReceipt(pdu, parser);
  EXPECT_TRUE(receipt.has_value()) << text;
  return receipt.value_or(Receipt{});
}

TEST(ReceiptTest, TheUsualForm) {
  const auto text = ParseReceiptText(
      "id:0123456789 sub:001 dlvrd:002 submit date:2601010000 done date:260101000159 stat:DELIVRD err:00A "
      "text:Hello stat:FAILED");
  ASSERT_TRUE(text.has_value());
  EXPECT_EQ(text->id, "0123456789");
  EXPECT_EQ(text->sub, "001");
  EXPECT_EQ(text->dlvrd, "002");
  EXPECT_EQ(text->submit_date, "2601010000");
  EXPECT_EQ(text->done_date, "260101000159");
  EXPECT_EQ(text->stat, "DELIVRD");
  EXPECT_EQ(text->err, "00A");
  EXPECT_EQ(text->text, "Hello stat:FAILED");
}

TEST(ReceiptTest, NoTwoProvidersWriteItAlike) {
  struct Case {
    std::string_view text, id, stat, err;
  };
  const Case cases[] = {
      {"id:1526758174 submit date:1701240904 done date:1701240904 stat:DELIVRD err:000 text:hellow", "1526758174",
       "DELIVRD", "000"},
      {"ID:6C7C7DE2-8BB3-E961-9477-00000000FE37 Sub:001 Dlvrd:000 Submit Date:1907311208 Done Date:0000000000 "
       "Stat:UNDELIV Err:1 Text:",
       "6C7C7DE2-8BB3-E961-9477-00000000FE37", "UNDELIV", "1"},
      {"id:7 stat:FAILED err: text:x", "7", "FAILED", ""},
      {"stat:EXPIRED id:000024", "000024", "EXPIRED", ""},
      {"id: 0E999F21 stat: ACCEPTD err: 0000", "0E999F21", "ACCEPTD", "0000"},
      {"id:7,sub:1,dlvrd:1,submit_date:2601010000,done_date:2601010000,stat:REJECTD,err:8", "7", "REJECTD", "8"},
      {"id:7;status:DELIVERED;error:12", "7", "DELIVERED", "12"},
      {"  id:7\r\ndone\ndate:2601010000\r\nstat:DELIVRD\r\n", "7", "DELIVRD", ""},
      {"id:7 sub:001 dlvrd:001 submit date: done date: stat:DELIVRD err:", "7", "DELIVRD", ""},
      {"text:old id:1 stat:DELIVRD", "1", "DELIVRD", ""},
      {"valid:yes mid:5 id:7 stat:2", "7", "2", ""},
      {"id:7 sub:001 dlvrd:001 submitdate:2601010000 donedate:2601010000 stat:UNKNOWN", "7", "UNKNOWN", ""},
  };
  for (const Case& one : cases) {
    const auto text = ParseReceiptText(one.text);
    ASSERT_TRUE(text.has_value()) << one.text;
    EXPECT_EQ(text->id, one.id) << one.text;
    EXPECT_EQ(text->stat, one.stat) << one.text;
    EXPECT_EQ(text->err, one.err) << one.text;
  }
}

TEST(ReceiptTest, WhatSaysNothingIsNoReceipt) {
  for (const char* text :
       {"", "Hello", "id", "id:", "stat: ", "err:000", "paid:7", "text:id stat", ":::", "id id id"}) {
    EXPECT_FALSE(ParseReceiptText(text).has_value()) << text;
  }
}

TEST(ReceiptTest, TlvsCountBeforeTheText) {
  const std::string frame = GoldenPdus().at("deliver_sm_receipt");
  Refusal why;
  const auto pdu = Decode(frame, why);
  ASSERT_TRUE(pdu.ok());
  const auto receipt = ReadReceipt(*pdu);
  ASSERT_TRUE(receipt.has_value());
  EXPECT_EQ(receipt->tlv_id, "1002");
  EXPECT_EQ(receipt->text_id, "4098");
  EXPECT_EQ(receipt->state, MessageState::kDelivered);
  EXPECT_EQ(receipt->network_type, 3);
  EXPECT_FALSE(receipt->intermediate);
}

TEST(ReceiptTest, ADataSmIsOneTooAndATlvAloneSuffices) {
  Refusal why;
  const std::string frame = GoldenPdus().at("data_sm");
  const auto pdu = Decode(frame, why);
  ASSERT_TRUE(pdu.ok());
  const auto receipt = ReadReceipt(*pdu);
  ASSERT_TRUE(receipt.has_value());
  EXPECT_EQ(receipt->text_id, "1");
  EXPECT_EQ(receipt->state, MessageState::kExpired);

  TlvWriter tlvs;
  tlvs.AddText(Tag::kReceiptedMessageId, "1f").AddOctet(Tag::kMessageState, 5).Add(Tag::kNetworkErrorCode, "\3\1\2");
  const Pdu bare{.header = {.id = CommandId::kDeliverSm, .sequence = 1}, .body = Sm{}, .tlvs = tlvs.view()};
  const auto by_tlv = ReadReceipt(bare);
  ASSERT_TRUE(by_tlv.has_value());
  EXPECT_EQ(by_tlv->tlv_id, "1f");
  EXPECT_EQ(by_tlv->state, MessageState::kUndeliverable);
  EXPECT_EQ(by_tlv->network_error, 0x0102);
}

TEST(ReceiptTest, AMessageIsNoReceipt) {
  const Pdu message{.header = {.id = CommandId::kDeliverSm, .sequence = 1},
                    .body = Sm{.short_message = "id:1 stat:DELIVRD"},
                    .tlvs = {}};
  EXPECT_FALSE(ReadReceipt(message).has_value());
  Pdu submit = message;
  submit.header.id = CommandId::kSubmitSm;
  std::get<Sm>(submit.body).esm_class = kEsmReceipt;
  EXPECT_FALSE(ReadReceipt(submit).has_value());
  const Pdu mute{.header = message.header, .body = Sm{.esm_class = kEsmReceipt, .short_message = "OK"}, .tlvs = {}};
  EXPECT_FALSE(ReadReceipt(mute).has_value());
}

TEST(ReceiptTest, AnotherParserReadsWhatAProviderSendsInstead) {
  const ReceiptParser commas = [](std::string_view text) -> std::optional<ReceiptText> {
    const std::size_t comma = text.find(',');
    if (comma == std::string_view::npos) return std::nullopt;
    return ReceiptText{.id = text.substr(comma + 1), .stat = text.substr(0, comma) == "00" ? "DELIVRD" : "UNDELIV"};
  };
  const Receipt receipt = OfText("00,0210021543", &commas);
  EXPECT_EQ(receipt.text_id, "0210021543");
  EXPECT_EQ(receipt.state, MessageState::kDelivered);
}

TEST(ReceiptTest, WhatFollowsFromEachState) {
  ReceiptMap map;
  const auto meaning = [&map](std::string_view stat) {
    const std::string text = "id:1 stat:" + std::string(stat) + " err:007";
    bool known = true;
    const Meaning one = map.MeaningOf(OfText(text), &known);
    return std::pair(one, known);
  };
  EXPECT_EQ(meaning("DELIVRD"), std::pair(Meaning::kDelivered, true));
  EXPECT_EQ(meaning("delivrd"), std::pair(Meaning::kDelivered, true));
  EXPECT_EQ(meaning("ENROUTE"), std::pair(Meaning::kUnderWay, true));
  EXPECT_EQ(meaning("ACCEPTD"), std::pair(Meaning::kUnderWay, true));
  EXPECT_EQ(meaning("EXPIRED"), std::pair(Meaning::kFailedTransient, true));
  EXPECT_EQ(meaning("DELETED"), std::pair(Meaning::kFailedTransient, true));
  EXPECT_EQ(meaning("UNDELIV"), std::pair(Meaning::kFailedTransient, true));
  EXPECT_EQ(meaning("FAILED"), std::pair(Meaning::kFailedTransient, true));
  EXPECT_EQ(meaning("REJECTD"), std::pair(Meaning::kFailedPermanent, true));
  EXPECT_EQ(meaning("UNKNOWN"), std::pair(Meaning::kInDoubt, true));
  EXPECT_EQ(meaning("BUFFRED"), std::pair(Meaning::kInDoubt, false));
  map.MapWord("buffred", Meaning::kUnderWay);
  map.MapWord("ACCEPTD", Meaning::kDelivered);
  map.MapError("7", Meaning::kFailedPermanent);
  EXPECT_EQ(meaning("BUFFRED"), std::pair(Meaning::kUnderWay, true));
  EXPECT_EQ(meaning("ACCEPTD"), std::pair(Meaning::kDelivered, true));
  EXPECT_EQ(meaning("UNDELIV"), std::pair(Meaning::kFailedPermanent, true));
  EXPECT_EQ(meaning("DELIVRD"), std::pair(Meaning::kDelivered, true));
}

}  // namespace
}  // namespace smsflow::smpp
