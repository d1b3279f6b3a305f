#include "smpp/text.h"

#include <gtest/gtest.h>

#include "smpp/gsm.h"
#include "smpp/unicode.h"
#include "tests/smpp/hex.h"

namespace smsflow::smpp {
namespace {

std::string Times(std::size_t count, std::string_view text) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

std::string Gsm(std::string_view utf8) {
  Unsayable why;
  return Utf8ToGsm(utf8, why).value_or("none");
}

std::size_t SegmentsOf(std::string_view utf8, Reference reference = Reference::k8Bit) {
  const auto coded = EncodeText(utf8);
  EXPECT_TRUE(coded.ok());
  const auto parts = Split(coded->octets, coded->alphabet, reference);
  EXPECT_TRUE(parts.ok());
  return parts->size();
}

TEST(GsmTest, EveryCharacterHasItsSeptet) {
  EXPECT_EQ(Hex(Gsm("@£$¥èéùìòÇ\nØø\rÅå")), "000102030405060708090a0b0c0d0e0f");
  EXPECT_EQ(Hex(Gsm("Δ_ΦΓΛΩΠΨΣΘΞÆæßÉ")), "101112131415161718191a1c1d1e1f");
  EXPECT_EQ(Gsm(" !\"#%&'()*+,-./09:;<=>?AZaz"), " !\"#%&'()*+,-./09:;<=>?AZaz");
  EXPECT_EQ(Hex(Gsm("¤¡ÄÖÑÜ§¿äöñüà")), "24405b5c5d5e5f607b7c7d7e7f");
  EXPECT_EQ(Hex(Gsm("\f^{}\\[~]|€")), "1b0a1b141b281b291b2f1b3c1b3d1b3e1b401b65");
}

TEST(GsmTest, AllSeptetsComeBack) {
  for (int septet = 0; septet < 128; ++septet) {
    if (septet == kGsmEscape) continue;
    const std::string one(1, static_cast<char>(septet));
    EXPECT_EQ(Gsm(GsmToUtf8(one)), one) << septet;
  }
}

TEST(GsmTest, WhatCannotBeSaidIsCountedAndNotRepeated) {
  Unsayable why;
  EXPECT_EQ(Utf8ToGsm("aç`á", why), std::nullopt);
  EXPECT_EQ(why.characters, 3U);
  EXPECT_EQ(why.first, 1U);
  EXPECT_EQ(Utf8ToGsm("ab\xff", why), std::nullopt);
  EXPECT_EQ(why.characters, 0U);
  EXPECT_EQ(why.first, 2U);
}

TEST(GsmTest, AnEscapeThatLeadsNowhereIsShownAsAHandsetDoes) {
  EXPECT_EQ(GsmToUtf8(Unhex("1b61")), "a");
  EXPECT_EQ(GsmToUtf8(Unhex("1b")), " ");
  EXPECT_EQ(GsmToUtf8(Unhex("1b1b61")), " a");
  EXPECT_EQ(GsmToUtf8(Unhex("1b6561")), "€a");
  EXPECT_EQ(GsmToUtf8(Unhex("8061")),
            "\ufffd"
            "a");
}

TEST(UnicodeTest, SurrogatePairs) {
  EXPECT_EQ(Hex(*Utf8ToUtf16("aЖ😀")), "00610416d83dde00");
  EXPECT_EQ(Utf16ToUtf8(Unhex("00610416d83dde00")), "aЖ😀");
  EXPECT_EQ(Utf16ToUtf8(Unhex("d83d0061")),
            "\ufffd"
            "a");
  EXPECT_EQ(Utf16ToUtf8(Unhex("de00d83d")), "\ufffd\ufffd");
  EXPECT_EQ(Utf16ToUtf8(Unhex("006100")), "a\ufffd");
}

TEST(UnicodeTest, OnlyWellFormedUtf8IsTaken) {
  for (const char* text : {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
                           "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\xc3", "\xc3("}) {
    EXPECT_FALSE(IsUtf8(text)) << Hex(text);
    EXPECT_FALSE(EncodeText(text).ok());
  }
  EXPECT_TRUE(IsUtf8("\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"));
}

TEST(UnicodeTest, Latin1) {
  EXPECT_EQ(Hex(*Utf8ToLatin1("aÿ")), "61ff");
  EXPECT_EQ(Utf8ToLatin1("€"), std::nullopt);
  EXPECT_EQ(Latin1ToUtf8(Unhex("61ff")), "aÿ");
}

TEST(TextTest, AlphabetsOfDataCodings) {
  for (const int coding : {0x00, 0x01, 0x10, 0x13, 0xf0, 0xf3}) EXPECT_EQ(AlphabetOf(coding), Alphabet::kGsm) << coding;
  for (const int coding : {0x08, 0x18, 0x1b, 0x48}) EXPECT_EQ(AlphabetOf(coding), Alphabet::kUtf16) << coding;
  for (const int coding : {0x02, 0x03, 0x04, 0x06, 0x14, 0xf4, 0xf7}) {
    EXPECT_EQ(AlphabetOf(coding), Alphabet::kOctets) << coding;
  }
  EXPECT_EQ(DecodeText(0x00, "\x1b\x65"), "€");
  EXPECT_EQ(DecodeText(0x03, "\xe9"), "é");
  EXPECT_EQ(DecodeText(0x08, Unhex("20ac")), "€");
  EXPECT_EQ(DecodeText(0x04, "\xe9"), std::nullopt);
}

TEST(TextTest, SegmentsAsTheyAreCharged) {
  EXPECT_EQ(SegmentsOf(""), 1U);
  EXPECT_EQ(SegmentsOf(Times(160, "a")), 1U);
  EXPECT_EQ(SegmentsOf(Times(161, "a")), 2U);
  EXPECT_EQ(SegmentsOf(Times(306, "a")), 2U);
  EXPECT_EQ(SegmentsOf(Times(307, "a")), 3U);
  EXPECT_EQ(SegmentsOf(Times(80, "€")), 1U);
  EXPECT_EQ(SegmentsOf(Times(81, "€")), 2U);
  EXPECT_EQ(SegmentsOf(Times(152, "a") + "€" + Times(152, "a")), 3U);
  EXPECT_EQ(SegmentsOf(Times(70, "ж")), 1U);
  EXPECT_EQ(SegmentsOf(Times(71, "ж")), 2U);
  EXPECT_EQ(SegmentsOf(Times(134, "ж")), 2U);
  EXPECT_EQ(SegmentsOf(Times(66, "ж") + "😀" + Times(66, "ж")), 3U);
  EXPECT_EQ(SegmentsOf(Times(35, "😀")), 1U);
  EXPECT_EQ(SegmentsOf(Times(36, "😀")), 2U);
  EXPECT_EQ(SegmentsOf(Times(304, "a"), Reference::k16Bit), 2U);
  EXPECT_EQ(SegmentsOf(Times(305, "a"), Reference::k16Bit), 3U);
  EXPECT_EQ(Split(std::string(141, 'x'), Alphabet::kOctets, Reference::k8Bit)->at(0).size(), 134U);
}

TEST(TextTest, NoPartBeginsWithinACharacter) {
  // Escapes in a row: of an even number before the cut every one belongs to a pair.
  for (std::size_t lead = 145; lead < 155; ++lead) {
    const std::string septets = Gsm(Times(lead, "a") + Times(90, "€"));
    const auto parts = Split(septets, Alphabet::kGsm, Reference::k8Bit);
    ASSERT_TRUE(parts.ok());
    std::string text;
    for (const std::string_view part : *parts) {
      EXPECT_LE(part.size(), 153U);
      text += GsmToUtf8(part);
    }
    EXPECT_EQ(text, GsmToUtf8(septets)) << lead;
  }
  const std::string escapes = Unhex(Times(200, "1b"));
  EXPECT_EQ(Split(escapes, Alphabet::kGsm, Reference::k8Bit)->at(0).size(), 152U);
}

TEST(TextTest, MoreSegmentsThanCanBeNumberedAreRefused) {
  EXPECT_EQ(Split(std::string(255 * 153, 'a'), Alphabet::kGsm, Reference::k8Bit)->size(), 255U);
  const auto parts = Split(std::string(255 * 153 + 1, 'a'), Alphabet::kGsm, Reference::k8Bit);
  EXPECT_TRUE(absl::IsResourceExhausted(parts.status()));
}

TEST(TextTest, HeadersOfParts) {
  const Concatenation part{.reference = 0x1234, .total = 3, .number = 2};
  EXPECT_EQ(Hex(ConcatenationHeader(part, Reference::k8Bit)), "050003340302");
  EXPECT_EQ(Hex(ConcatenationHeader(part, Reference::k16Bit)), "06080412340302");
  const std::string octets = ConcatenationHeader(part, Reference::k16Bit) + "text";
  const auto data = ReadUserData(octets);
  ASSERT_TRUE(data.ok());
  EXPECT_EQ(data->part, part);
  EXPECT_EQ(data->text, "text");
  EXPECT_EQ(data->header.size(), 7U);
}

TEST(TextTest, AHeaderMayHaveOtherElements) {
  const std::string octets = Unhex("0b 0504 0b84 23f0 0003 07 02 01") + "t";
  const auto ports = ReadUserData(octets);
  ASSERT_TRUE(ports.ok());
  EXPECT_EQ(ports->part, (Concatenation{.reference = 7, .total = 2, .number = 1}));
  EXPECT_EQ(ports->text, "t");
  // A part that cannot be is no part.
  EXPECT_EQ(ReadUserData(Unhex("05 0003 07 02 03"))->part, std::nullopt);
  EXPECT_EQ(ReadUserData(Unhex("05 0003 07 02 00"))->part, std::nullopt);
  EXPECT_EQ(ReadUserData(Unhex("00") + "t")->text, "t");
}

TEST(TextTest, PartsAsTlvs) {
  const Concatenation part{.reference = 0x1234, .total = 3, .number = 2};
  TlvWriter tlvs;
  AddSar(part, tlvs);
  EXPECT_EQ(Hex(tlvs.view().bytes()), "020c00021234020e000103020f000102");
  EXPECT_EQ(ReadSar(tlvs.view()), part);
  for (const auto& [total, number] : {std::pair(3, 0), std::pair(3, 4), std::pair(0, 0)}) {
    TlvWriter none;
    AddSar({.reference = 1, .total = static_cast<std::uint8_t>(total), .number = static_cast<std::uint8_t>(number)},
           none);
    EXPECT_EQ(ReadSar(none.view()), std::nullopt);
  }
  TlvWriter half;
  half.AddShort(Tag::kSarMsgRefNum, 1).AddOctet(Tag::kSarTotalSegments, 2);
  EXPECT_EQ(ReadSar(half.view()), std::nullopt);
}

TEST(TextTest, AHeaderThatIsLongerThanItsHolderIsRefused) {
  for (const char* octets : {"", "01", "05 0003 07 02", "02 0005", "01 00", "03 0001 07 01 00"}) {
    const bool whole = std::string_view(octets) == "03 0001 07 01 00";
    EXPECT_EQ(ReadUserData(Unhex(octets)).ok(), whole) << octets;
  }
}

}  // namespace
}  // namespace smsflow::smpp
