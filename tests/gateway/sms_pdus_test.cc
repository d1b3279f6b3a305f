// An SMS as the PDUs in which it leaves: addresses, alphabets, parts, validity.
#include "gateway/sms_pdus.h"

#include <gtest/gtest.h>

#include "smpp/text.h"

namespace smsflow::gateway {
namespace {

constexpr std::int64_t kNowMs = 1'800'000'000'000;  // 2027-01-15T08:00:00Z

struct Made {
  SmscOptions options;
  crypto::Secret plaintext;
  Sms sms;
  SmsPdus pdus;
  std::optional<Unreadable> why;
};

std::unique_ptr<Made> Make(SmscOptions options, const std::string& text, const std::string& sender = "CLINIC",
                           std::int64_t left_ms = 90'500) {
  auto made = std::make_unique<Made>();
  made->options = std::move(options);
  made->plaintext = crypto::Secret("To: +255123456789\nSender: " + sender + "\n\n" + text);
  Unreadable unreadable;
  auto sms = ParsePlaintext(made->plaintext.Reveal(), unreadable);
  EXPECT_TRUE(sms.ok()) << sms.status();
  made->sms = std::move(*sms);
  made->why = made->pdus.Make(made->sms, made->options, left_ms, kNowMs, 258);
  return made;
}

smpp::Sm First(Made& made) { return std::get<smpp::Sm>(made.pdus.Pdu(0).body); }

TEST(SmsPdus, AShortTextIsOnePdu) {
  const auto made = Make({}, "Hello {world}");
  ASSERT_FALSE(made->why.has_value());
  ASSERT_EQ(made->pdus.size(), 1u);
  const smpp::Sm sm = First(*made);
  EXPECT_EQ(sm.destination.digits, "255123456789");
  EXPECT_EQ(sm.destination.ton, 1);
  EXPECT_EQ(sm.destination.npi, 1);
  EXPECT_EQ(sm.source.digits, "CLINIC");
  EXPECT_EQ(sm.source.ton, 5);
  EXPECT_EQ(sm.source.npi, 0);
  EXPECT_EQ(sm.data_coding, 0);
  EXPECT_EQ(sm.esm_class, 0);
  EXPECT_EQ(sm.registered_delivery, 1);
  EXPECT_EQ(sm.validity_period, "000000000130000R") << "90 seconds: what is left is never rounded up";
  EXPECT_EQ(sm.short_message, "Hello \x1b\x28world\x1b\x29");
}

TEST(SmsPdus, SendersByTheirForm) {
  auto made = Make({}, "a", "+255700000001");
  EXPECT_EQ(First(*made).source.ton, 1);
  EXPECT_EQ(First(*made).source.digits, "255700000001");
  SmscOptions options;
  options.source_ton = 3;
  options.source_npi = 0;
  made = Make(options, "a", "15001");
  EXPECT_EQ(First(*made).source.ton, 3);
  EXPECT_EQ(First(*made).source.digits, "15001");
  options.source = "15002";
  made = Make(options, "a", "");
  EXPECT_EQ(First(*made).source.digits, "15002");
  made = Make({}, "a", "");
  EXPECT_EQ(First(*made).source.digits, "");
  for (const char* sender : {"TWELVE CHARS", "Klinik\xc3\xa4", "123456789012345678901", "+"}) {
    made = Make({}, "a", sender);
    if (std::string_view(sender) == "+") continue;  // a letter like any other
    ASSERT_TRUE(made->why.has_value()) << sender;
    EXPECT_EQ(made->why->cause, "invalid_sender");
    EXPECT_EQ(made->why->about, About::kSender);
  }
}

TEST(SmsPdus, PartsWithHeadersOrTlvs) {
  SmscOptions options;
  auto made = Make(options, std::string(161, 'a'));
  ASSERT_EQ(made->pdus.size(), 2u);
  smpp::Pdu pdu = made->pdus.Pdu(1);
  smpp::Sm sm = std::get<smpp::Sm>(pdu.body);
  EXPECT_EQ(sm.esm_class, smpp::kEsmUdhi);
  EXPECT_EQ(sm.short_message, std::string("\x05\x00\x03\x02\x02\x02", 6) + std::string(8, 'a'));
  EXPECT_TRUE(pdu.tlvs.empty());

  options.segments = Segments::kUdh16;
  made = Make(options, std::string(161, 'a'));
  sm = std::get<smpp::Sm>(made->pdus.Pdu(0).body);
  EXPECT_EQ(sm.short_message, std::string("\x06\x08\x04\x01\x02\x02\x01", 7) + std::string(152, 'a'));

  options.segments = Segments::kSar;
  made = Make(options, std::string(161, 'a'));
  pdu = made->pdus.Pdu(1);
  sm = std::get<smpp::Sm>(pdu.body);
  EXPECT_EQ(sm.esm_class, 0) << "never both: the parts would be counted twice";
  EXPECT_EQ(smpp::ReadSar(pdu.tlvs), (smpp::Concatenation{258, 2, 2}));
}

TEST(SmsPdus, WhatGsmCannotSayIsUtf16) {
  const auto made = Make({}, "\xd0\x96");
  EXPECT_EQ(First(*made).data_coding, 8);
  EXPECT_EQ(First(*made).short_message, "\x04\x16");
}

TEST(SmsPdus, WhatCannotBeSent) {
  SmscOptions options;
  options.segments_max = 2;
  EXPECT_FALSE(Make(options, std::string(306, 'a'))->why.has_value());
  EXPECT_EQ(Make(options, std::string(307, 'a'))->why->cause, "invalid_message");
  EXPECT_EQ(Make(options, "\xff\xfe")->why->cause, "invalid_message");
}

TEST(SmsPdus, ValidityAndReceiptsAsConfigured) {
  SmscOptions options;
  options.validity = Validity::kAbsolute;
  options.receipts = false;
  options.service_type = "CMT";
  options.gsm_coding = 241;
  const auto made = Make(options, "a");
  EXPECT_EQ(First(*made).validity_period, "270115080130000+");
  EXPECT_EQ(First(*made).registered_delivery, 0);
  EXPECT_EQ(First(*made).service_type, "CMT");
  EXPECT_EQ(First(*made).data_coding, 241);
  options.validity = Validity::kNone;
  EXPECT_EQ(First(*Make(options, "a")).validity_period, "");
}

}  // namespace
}  // namespace smsflow::gateway
