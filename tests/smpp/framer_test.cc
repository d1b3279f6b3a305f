#include "smpp/framer.h"

#include <gtest/gtest.h>

#include "tests/smpp/hex.h"

namespace smsflow::smpp {
namespace {

std::string AllGolden() {
  std::string stream;
  for (const auto& [name, frame] : GoldenPdus()) stream += frame;
  return stream;
}

TEST(FramerTest, ThePdusAreTheSameHoweverTheBytesCome) {
  const std::string stream = AllGolden();
  for (const std::size_t step : {std::size_t{1}, std::size_t{3}, std::size_t{16}, std::size_t{100}, stream.size()}) {
    Framer framer;
    std::string together;
    std::size_t count = 0;
    for (std::size_t at = 0; at < stream.size(); at += step) {
      framer.Append(std::string_view(stream).substr(at, step));
      while (const auto frame = framer.Next()) {
        together += *frame;
        ++count;
      }
    }
    EXPECT_EQ(together, stream);
    EXPECT_EQ(count, GoldenPdus().size());
    EXPECT_EQ(framer.buffered(), 0U);
    EXPECT_FALSE(framer.broken());
  }
}

TEST(FramerTest, ALengthThatCannotBeEndsTheStream) {
  for (const char* start : {"00000000", "0000000f", "00020001", "ffffffff"}) {
    Framer framer;
    framer.Append(GoldenPdus().at("enquire_link"));
    framer.Append(Unhex(start));
    EXPECT_TRUE(framer.Next().has_value());
    EXPECT_FALSE(framer.Next().has_value()) << start;
    ASSERT_TRUE(framer.broken()) << start;
    EXPECT_EQ(framer.broken()->answer, CommandStatus::kInvalidCommandLength);
    framer.Append(GoldenPdus().at("enquire_link"));
    EXPECT_FALSE(framer.Next().has_value());
    EXPECT_EQ(framer.buffered(), 0U);
  }
}

TEST(FramerTest, OfWhatWasTakenNothingIsLeftInItsMemory) {
  for (const std::size_t more : {0, 5}) {
    Framer framer;
    const std::string frame = std::string("\0\0\0\x40", 4) + std::string(60, 'x');
    framer.Append(frame + frame.substr(0, more));
    const std::string_view taken = *framer.Next();  // of memory that stays the framer's
    EXPECT_EQ(taken, frame);
    EXPECT_FALSE(framer.Next().has_value());
    EXPECT_EQ(taken.substr(more).find_first_not_of('\0'), taken.npos);
    framer.Append(frame.substr(more));
    EXPECT_TRUE(framer.Next().has_value());
  }
}

TEST(FramerTest, WhatIsOnlyAnnouncedTakesNoMemory) {
  Framer framer(1024);
  framer.Append(Unhex("00000400 00000004 00000000 00000007"));
  EXPECT_FALSE(framer.Next().has_value());
  EXPECT_FALSE(framer.broken());
  EXPECT_EQ(framer.buffered(), 16U);

  Framer strict(1023);
  strict.Append(Unhex("00000400 00000004 00000000 00000007"));
  EXPECT_FALSE(strict.Next().has_value());
  EXPECT_TRUE(strict.broken());
  EXPECT_EQ(strict.broken_sequence(), 7U);
}

}  // namespace
}  // namespace smsflow::smpp
