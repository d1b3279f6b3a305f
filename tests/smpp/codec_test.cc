#include "smpp/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/smpp/hex.h"

namespace smsflow::smpp {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Pdu MustDecode(std::string_view frame) {
  Refusal why;
  auto pdu = Decode(frame, why);
  EXPECT_TRUE(pdu.ok()) << pdu.status();
  return pdu.ok() ? *pdu : Pdu{};
}

// The frame of `body`, whose length is right.
std::string Frame(std::string_view id, std::string_view body, std::string_view status = "00000000") {
  const std::string rest = Unhex(std::string(id) + std::string(status) + "00000001") + Unhex(body);
  std::string frame = Unhex("000000");
  frame += static_cast<char>(rest.size() + 4);
  return frame + rest;
}

Refusal MustRefuse(std::string_view frame) {
  Refusal why;
  const auto pdu = Decode(frame, why);
  EXPECT_FALSE(pdu.ok());
  EXPECT_EQ(pdu.status(), ToStatus(why));
  EXPECT_FALSE(why.field.empty());
  return why;
}

constexpr char kSubmit[] = "00000004";
// A whole submit_sm up to sm_length: no service type, addresses 1 and 2.
constexpr char kUpToLength[] = "00 0101 3100 0101 3200 00 00 00 00 00 00 00 00 00";

TEST(CodecTest, WhatAnotherImplementationWroteIsReadAndWrittenTheSame) {
  const auto pdus = GoldenPdus();
  ASSERT_EQ(pdus.size(), 20U);
  for (const auto& [name, frame] : pdus) {
    const Pdu pdu = MustDecode(frame);
    if (name != "submit_sm_payload" && name != "submit_sm_sar") {
      std::string command(NameOf(pdu.header.id));
      EXPECT_EQ(name.substr(0, command.size()), command);
    }
    std::string again;
    ASSERT_TRUE(Encode(pdu, again).ok()) << name;
    EXPECT_EQ(Hex(again), Hex(frame)) << name;
  }
}

TEST(CodecTest, FieldsStandWhereTheyBelong) {
  const auto pdus = GoldenPdus();
  const Pdu submit = MustDecode(pdus.at("submit_sm"));
  const auto& sm = std::get<Sm>(submit.body);
  EXPECT_EQ(submit.header.sequence, 0x7fffffffU);
  EXPECT_EQ(sm.service_type, "CMT");
  EXPECT_EQ(sm.source.ton, 5);
  EXPECT_EQ(sm.source.digits, "CLINIC");
  EXPECT_EQ(sm.destination.npi, 1);
  EXPECT_EQ(sm.destination.digits, "255123456789");
  EXPECT_EQ(sm.validity_period, "000001000000000R");
  EXPECT_EQ(sm.registered_delivery, kReceiptAlways);
  EXPECT_EQ(sm.short_message, "Hello");

  const Pdu bind = MustDecode(pdus.at("bind_transceiver"));
  const auto& fields = std::get<Bind>(bind.body);
  EXPECT_EQ(fields.system_id, "smsflow");
  EXPECT_EQ(fields.password, "secret12");
  EXPECT_EQ(fields.system_type, "smpp");
  EXPECT_EQ(fields.interface_version, kInterfaceVersion);
  EXPECT_EQ(fields.range.digits, "^255");

  const Pdu bound = MustDecode(pdus.at("bind_transceiver_resp"));
  EXPECT_EQ(std::get<BindResp>(bound.body).system_id, "sc");
  EXPECT_EQ(bound.tlvs.Octet(Tag::kScInterfaceVersion), kInterfaceVersion);

  const Pdu payload = MustDecode(pdus.at("submit_sm_payload"));
  EXPECT_EQ(Hex(UserDataOf(std::get<Sm>(payload.body), payload.tlvs)), "0416d83dde00");
  EXPECT_EQ(payload.tlvs.Short(Tag::kUserMessageReference), 7);

  const Pdu throttled = MustDecode(pdus.at("submit_sm_resp_throttled"));
  EXPECT_EQ(throttled.header.status, CommandStatus::kThrottled);
  EXPECT_STREQ(NameOf(throttled.header.status), "ESME_RTHROTTLED");

  const Pdu state = MustDecode(pdus.at("query_sm_resp"));
  EXPECT_EQ(std::get<QuerySmResp>(state.body).message_state, 2);
}

TEST(CodecTest, UnknownTlvsAreKeptInTheirOrder) {
  const std::string tlvs = "1454 0004 00000001  0424 0000  3fff 0001 00  1454 0000";
  const std::string frame = Frame(kSubmit, kUpToLength + std::string("00") + tlvs);
  const Pdu pdu = MustDecode(frame);
  std::string tags;
  for (const Tlv& tlv : pdu.tlvs) tags += Hex({reinterpret_cast<const char*>(&tlv.tag), 1}) + " ";
  EXPECT_EQ(tags, "54 24 ff 54 ");
  EXPECT_EQ(pdu.tlvs.Find(static_cast<Tag>(0x1454))->size(), 4U);
  std::string again;
  ASSERT_TRUE(Encode(pdu, again).ok());
  EXPECT_EQ(Hex(again), Hex(frame));
}

TEST(CodecTest, ATlvThatLiesAboutItsLengthIsRefused) {
  for (const char* tlvs : {"04", "0424", "0424 00", "0424 0001", "0424 0000 1454 0002 00", "0424 ffff 00"}) {
    const Refusal why = MustRefuse(Frame(kSubmit, kUpToLength + std::string("00") + tlvs));
    EXPECT_EQ(why.answer, CommandStatus::kInvalidTlvStream) << tlvs;
  }
}

TEST(CodecTest, TheLengthOfAShortMessageIsCheckedAgainstWhatIsThere) {
  EXPECT_EQ(MustRefuse(Frame(kSubmit, kUpToLength + std::string("05 61"))).answer,
            CommandStatus::kInvalidMessageLength);
  Refusal why = MustRefuse(Frame(kSubmit, kUpToLength + std::string("ff 61")));
  EXPECT_EQ(why.answer, CommandStatus::kInvalidMessageLength);
  EXPECT_EQ(why.field, "sm_length");
}

TEST(CodecTest, AFrameThatEndsWithinAFieldIsRefusedWhereverItEnds) {
  for (const auto& [name, frame] : GoldenPdus()) {
    if (name != "submit_sm" && name != "bind_transceiver" && name != "query_sm" && name != "query_sm_resp") continue;
    const std::size_t whole = name == "query_sm_resp" ? kHeaderBytes + 1 : kHeaderBytes;
    for (std::size_t size = whole; size < frame.size(); ++size) {
      std::string cut = frame.substr(0, size);
      for (std::size_t i = 0; i < 4; ++i) cut[i] = static_cast<char>(size >> (24 - 8 * i) & 0xff);
      MustRefuse(cut);
    }
  }
}

TEST(CodecTest, ACommandLengthThatIsNotTheFrameIsRefused) {
  std::string frame = GoldenPdus().at("enquire_link");
  EXPECT_EQ(MustRefuse(frame.substr(0, 15)).answer, CommandStatus::kInvalidCommandLength);
  EXPECT_EQ(MustRefuse(frame + "x").answer, CommandStatus::kInvalidCommandLength);
  frame[3] = 17;
  const Refusal why = MustRefuse(frame + "x");  // a body where there is none
  EXPECT_EQ(why.answer, CommandStatus::kInvalidCommandLength);
  EXPECT_EQ(why.field, "command_length");
}

TEST(CodecTest, ATextLongerThanItsFieldIsRefusedWithTheFieldsOwnStatus) {
  const std::string nines(2 * 65, '9');
  const auto text = [&nines](std::size_t octets) { return nines.substr(0, 2 * octets) + "00"; };
  struct Case {
    std::string id, body;
    CommandStatus answer;
    std::string_view field;
  };
  const Case cases[] = {
      {"00000009", text(16), CommandStatus::kInvalidSystemId, "system_id"},
      {"00000009", "6100" + text(9), CommandStatus::kInvalidPassword, "password"},
      {"00000009", "610000" + text(13), CommandStatus::kInvalidSystemType, "system_type"},
      {"00000009", "61000000 34 00 00" + text(41), CommandStatus::kBindFailed, "address_range"},
      {kSubmit, text(6), CommandStatus::kInvalidServiceType, "service_type"},
      {kSubmit, "00 0101" + text(21), CommandStatus::kInvalidSourceAddress, "source_addr"},
      {kSubmit, "00 0101 00 0101" + text(21), CommandStatus::kInvalidDestinationAddress, "destination_addr"},
      {kSubmit, "00 010100 010100 000000" + text(17), CommandStatus::kInvalidScheduledTime, "schedule_delivery_time"},
      {kSubmit, "00 010100 010100 000000 00" + text(17), CommandStatus::kInvalidValidityPeriod, "validity_period"},
      {"80000004", text(65), CommandStatus::kInvalidMessageId, "message_id"},
  };
  for (const Case& one : cases) {
    const std::string frame = Frame(one.id, one.body + std::string(160, '0'));
    const Refusal why = MustRefuse(frame);
    EXPECT_EQ(why.answer, one.answer) << one.field;
    EXPECT_EQ(why.field, one.field);
    EXPECT_THAT(std::string(ToStatus(why).message()), Not(HasSubstr("999")));
  }
}

TEST(CodecTest, AResponseMayLackItsBody) {
  for (const char* id : {"80000004", "80000005", "80000103", "80000009", "80000003"}) {
    EXPECT_EQ(MustDecode(Frame(id, "")).header.status, CommandStatus::kOk) << id;
    EXPECT_EQ(MustDecode(Frame(id, "00", "00000058")).header.status, CommandStatus::kThrottled) << id;
    EXPECT_EQ(MustDecode(Frame(id, "6162", "00000401")).header.status, static_cast<CommandStatus>(0x401)) << id;
  }
  EXPECT_EQ(std::get<MessageResp>(MustDecode(Frame("80000004", "")).body).message_id, "");
  EXPECT_EQ(MustRefuse(Frame("80000004", "6162")).field, "message_id");
}

TEST(CodecTest, ACommandThatNobodyKnowsIsKeptAsItIs) {
  const std::string frame = Frame("00000112", "010203");
  const Pdu pdu = MustDecode(frame);
  EXPECT_EQ(std::get<Other>(pdu.body).bytes.size(), 3U);
  EXPECT_STREQ(NameOf(pdu.header.id), "unknown");
  std::string again;
  ASSERT_TRUE(Encode(pdu, again).ok());
  EXPECT_EQ(again, frame);
}

TEST(CodecTest, NothingIsWrittenThatTheSpecificationForbids) {
  const std::string long_text(300, '7');
  Pdu pdu{.header = {.id = CommandId::kSubmitSm, .sequence = 1}, .body = Sm{}, .tlvs = {}};
  const auto refused = [](Pdu one) {
    std::string out = "before";
    const absl::Status status = Encode(one, out);
    EXPECT_EQ(out, "before");
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("777")));
    return std::string(status.message());
  };
  auto& sm = std::get<Sm>(pdu.body);
  sm.short_message = std::string_view(long_text).substr(0, 255);
  EXPECT_EQ(refused(pdu), "short_message: must be at most 254 octets");
  sm.short_message = {};
  sm.destination.digits = std::string_view(long_text).substr(0, 21);
  EXPECT_EQ(refused(pdu), "destination_addr: must be at most 20 octets");
  sm.destination.digits = std::string_view("1\0002", 3);
  EXPECT_EQ(refused(pdu), "destination_addr: must have no NUL within");
  sm.destination.digits = {};
  sm.validity_period = "1 day";
  EXPECT_EQ(refused(pdu), "validity_period: must be empty or 16 characters");
  pdu.body = Bind{};
  EXPECT_EQ(refused(pdu), "command_id: submit_sm has another body");
  std::string out;
  TlvWriter tlvs;
  for (int i = 0; i < 3; ++i) tlvs.Add(Tag::kMessagePayload, std::string(65'535, '7'));
  pdu.body = Sm{};
  pdu.tlvs = tlvs.view();
  EXPECT_THAT(refused(pdu), HasSubstr("command_length"));
}

TEST(CodecTest, ARequestMustSayWhatTheSpecificationAllows) {
  struct Case {
    CommandStatus answer;
    void (*spoil)(Pdu&, Sm&);
  };
  static TlvWriter payload, odd, sar, half_sar, sar_zero;
  payload.Add(Tag::kMessagePayload, "x");
  odd.Add(Tag::kSourcePort, "x");
  sar.AddShort(Tag::kSarMsgRefNum, 1).AddOctet(Tag::kSarTotalSegments, 2).AddOctet(Tag::kSarSegmentSeqnum, 2);
  half_sar.AddShort(Tag::kSarMsgRefNum, 1);
  sar_zero.AddShort(Tag::kSarMsgRefNum, 1).AddOctet(Tag::kSarTotalSegments, 2).AddOctet(Tag::kSarSegmentSeqnum, 0);
  const Case cases[] = {
      {CommandStatus::kOk, [](Pdu&, Sm&) {}},
      {CommandStatus::kOk, [](Pdu& pdu, Sm&) { pdu.tlvs = sar.view(); }},
      {CommandStatus::kSystemError, [](Pdu& pdu, Sm&) { pdu.header.sequence = 0; }},
      {CommandStatus::kSystemError, [](Pdu& pdu, Sm&) { pdu.header.sequence = 0x80000000; }},
      {CommandStatus::kInvalidSourceTon, [](Pdu&, Sm& sm) { sm.source.ton = 7; }},
      {CommandStatus::kInvalidSourceNpi, [](Pdu&, Sm& sm) { sm.source.npi = 2; }},
      {CommandStatus::kInvalidDestinationTon, [](Pdu&, Sm& sm) { sm.destination.ton = 7; }},
      {CommandStatus::kInvalidDestinationNpi, [](Pdu&, Sm& sm) { sm.destination.npi = 99; }},
      {CommandStatus::kInvalidDestinationAddress, [](Pdu&, Sm& sm) { sm.destination.digits = {}; }},
      {CommandStatus::kInvalidPriority, [](Pdu&, Sm& sm) { sm.priority = 4; }},
      {CommandStatus::kInvalidScheduledTime, [](Pdu&, Sm& sm) { sm.schedule_time = "tomorrow"; }},
      {CommandStatus::kInvalidValidityPeriod, [](Pdu&, Sm& sm) { sm.validity_period = "000001000000000X"; }},
      {CommandStatus::kInvalidRegisteredDelivery, [](Pdu&, Sm& sm) { sm.registered_delivery = 0x20; }},
      {CommandStatus::kInvalidRegisteredDelivery, [](Pdu&, Sm& sm) { sm.registered_delivery = 3; }},
      {CommandStatus::kInvalidReplaceFlag, [](Pdu&, Sm& sm) { sm.replace_if_present = 2; }},
      {CommandStatus::kTlvNotAllowed, [](Pdu& pdu, Sm&) { pdu.tlvs = payload.view(); }},
      {CommandStatus::kInvalidTlvLength, [](Pdu& pdu, Sm&) { pdu.tlvs = odd.view(); }},
      {CommandStatus::kMissingTlv, [](Pdu& pdu, Sm&) { pdu.tlvs = half_sar.view(); }},
      {CommandStatus::kInvalidTlvValue, [](Pdu& pdu, Sm&) { pdu.tlvs = sar_zero.view(); }},
      {CommandStatus::kTlvNotAllowed,
       [](Pdu& pdu, Sm& sm) {
         pdu.tlvs = sar.view();
         sm.esm_class = kEsmUdhi;
       }},
  };
  for (const Case& one : cases) {
    Sm sm{.destination = {.ton = 1, .npi = 1, .digits = "2"}, .short_message = "x"};
    Pdu pdu{.header = {.id = CommandId::kSubmitSm, .sequence = 1}, .body = Empty{}, .tlvs = {}};
    one.spoil(pdu, sm);
    pdu.body = sm;
    const auto why = CheckRequest(pdu);
    EXPECT_EQ(why ? why->answer : CommandStatus::kOk, one.answer) << &one - cases;
  }
}

}  // namespace
}  // namespace smsflow::smpp
