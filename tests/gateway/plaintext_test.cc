#include "gateway/plaintext.h"

#include <gtest/gtest.h>

namespace smsflow::gateway {
namespace {

Sms Read(std::string_view plaintext) {
  Unreadable why;
  auto sms = ParsePlaintext(plaintext, why);
  EXPECT_TRUE(sms.ok()) << sms.status();
  return sms.ok() ? *std::move(sms) : Sms{};
}
std::string TextOf(std::string_view plaintext) { return std::string(Read(plaintext).text.Reveal()); }

std::string Refused(std::string_view plaintext) {
  Unreadable why;
  const auto sms = ParsePlaintext(plaintext, why);
  if (sms.ok()) return "accepted";
  EXPECT_EQ(std::string(sms.status().message()).find("255"), std::string::npos) << "an error must not tell a number";
  return std::string(why.cause);
}

TEST(Plaintext, HeaderBlankLineText) {
  const Sms sms = Read("To: +255123456789\nSender: TEST\n\nS1D1");
  EXPECT_EQ(sms.recipient, "+255123456789");
  EXPECT_EQ(sms.sender, "TEST");
  EXPECT_EQ(sms.text.Reveal(), "S1D1");
}

TEST(Plaintext, PrioritiesByTheirWord) {
  const auto of = [](const std::string& line) { return Read("To: +255123456789\n" + line + "\nx").priority; };
  EXPECT_EQ(of("Priority: code\n"), Priority::kCode);
  EXPECT_EQ(of("Priority: bulk\n"), Priority::kBulk);
  EXPECT_EQ(of("Priority:transactional\n"), Priority::kTransactional);
  for (const char* other : {"", "Priority:\n", "Priority: CODE\n", "Priority: urgent\n", "priority: code\n"})
    EXPECT_EQ(of(other), Priority::kTransactional) << other;
}

TEST(Plaintext, NewlinesAreTakenAsTheyCome) {
  EXPECT_EQ(TextOf("To: +255123456789\r\n\r\na\r\nb\r\n"), "a\nb");
  EXPECT_EQ(TextOf("To: +255123456789\n\na\n\n"), "a\n");
  EXPECT_EQ(TextOf("To: +255123456789\n\n\na"), "\na");
  EXPECT_EQ(TextOf("To: +255123456789\n\na\rb\r\n\r\n"), "a\rb\n") << "a CR alone is part of the text";
  EXPECT_EQ(TextOf("To: +255123456789\n\na\r\r\nb\r"), "a\r\nb\r");
}

TEST(Plaintext, HeaderLinesAreLenient) {
  const Sms sms = Read("  To :+255123456789  \nX-Note: whatever: it is\nSender: A\nSender: B\nto: +1\n\nx");
  EXPECT_EQ(sms.recipient, "+255123456789");
  EXPECT_EQ(sms.sender, "B");
  EXPECT_EQ(Read("To: +255123456789\nSender: A\nSender:\n\nx").sender, "");
}

TEST(Plaintext, WhatIsNoSmsIsRefusedByItsRule) {
  EXPECT_EQ(Refused(""), "invalid_message");
  EXPECT_EQ(Refused("To: +255123456789\nno blank line"), "invalid_message");
  EXPECT_EQ(Refused("To: +255123456789\nnot a header\n\nx"), "invalid_message");
  EXPECT_EQ(Refused("-To: +255123456789\n\nx"), "invalid_message");
  EXPECT_EQ(Refused("To: +255123456789\n\n \n"), "invalid_message");
  EXPECT_EQ(Refused("Sender: A\n\nx"), "invalid_recipient");
  EXPECT_EQ(Refused("To:\n\nx"), "invalid_recipient");
  EXPECT_EQ(Refused("To: 255123456789\n\nx"), "invalid_recipient");
  EXPECT_EQ(Refused("To: +0255123456789\n\nx"), "invalid_recipient");
  EXPECT_EQ(Refused("To: +255123\n\nx"), "invalid_recipient");
  EXPECT_EQ(Refused("To: +2551234567890123\n\nx"), "invalid_recipient");
  EXPECT_EQ(Refused("To: +25512345678x\n\nx"), "invalid_recipient");
}

}  // namespace
}  // namespace smsflow::gateway
