// Watches what is given back to malloc: of a text that was wiped nothing may stand in it.
#include "smpp/wiped.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <cstdlib>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "smpp/session.h"
#include "smpp/text.h"
#include "smpp/unicode.h"

namespace {

constexpr std::size_t kMarksMax = 4;
std::string_view marks[kMarksMax];
std::size_t left_behind = 0;

void GiveBack(void* memory) noexcept {
  if (memory == nullptr) return;
  const std::string_view all(static_cast<const char*>(memory), ::malloc_usable_size(memory));
  for (const std::string_view mark : marks)
    if (!mark.empty() && all.find(mark) != std::string_view::npos) ++left_behind;
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) {
  void* const memory = std::calloc(1, size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept { GiveBack(memory); }
void operator delete(void* memory, std::size_t) noexcept { GiveBack(memory); }

namespace smsflow::smpp {
namespace {

// While it lives, nothing that is given back may hold any of these.
class Watch {
 public:
  explicit Watch(std::vector<std::string_view> what) {
    left_behind = 0;
    for (std::size_t i = 0; i < what.size(); ++i) marks[i] = what[i];
  }
  ~Watch() { Stop(); }
  std::size_t Stop() {
    for (std::string_view& mark : marks) mark = {};
    return left_behind;
  }
};

struct Text {
  std::string_view name, utf8;
  std::uint8_t coding;  // in which a phone writes it
};
const Text kTexts[] = {
    {"short", "yes", kCodingDefault},
    {"GSM", "a dose was taken at eight, and the next one will be at noon", kCodingDefault},
    {"GSM, two bytes each", "ΔΦΓΛΩΠΨΣΘΞΔΦΓΛΩΠΨΣΘΞ", kCodingDefault},
    {"GSM, two septets each", "{}[]~|^€{}[]~|^€{}[]~|^€", kCodingDefault},
    {"UTF-16, three bytes each", "दवा सुबह आठ बजे ली गई थी", kCodingUcs2},
    {"UTF-16, four bytes each", "💊💊💊💊💊💊💊💊💊💊", kCodingUcs2},
    {"Latin-1", "à é î õ ü à é î õ ü à é î õ ü", kCodingLatin1},
};

std::string OctetsOf(const Text& text) {
  if (text.coding == kCodingLatin1) return *Utf8ToLatin1(text.utf8);
  return EncodeText(text.utf8)->octets;
}

TEST(WipedTest, WhatIsNotWipedIsNoticed) {
  std::string text("a text that is longer than a string can hold in itself");
  Watch watch({"longer than a string"});
  text = {};
  text.shrink_to_fit();
  EXPECT_EQ(watch.Stop(), 1U);
}

TEST(WipedTest, ATextThatWasReadLeavesNothingBehind) {
  for (const Text& text : kTexts) {
    const std::string octets = OctetsOf(text);
    Watch watch({text.utf8.substr(0, 9), std::string_view(octets).substr(0, 6)});
    auto decoded = DecodeText(text.coding, octets);
    const bool same = decoded == text.utf8;
    const bool apart = decoded->capacity() >= sizeof(std::string);
    Wipe(*decoded);
    decoded.reset();
    EXPECT_EQ(watch.Stop(), 0U) << text.name;
    EXPECT_TRUE(same) << text.name;
    EXPECT_TRUE(apart) << text.name;
  }
}

TEST(WipedTest, ATextThatWasWrittenLeavesNothingBehind) {
  for (const Text& text : kTexts) {
    const std::string utf8(text.utf8), octets = EncodeText(utf8)->octets;
    Watch watch({utf8, std::string_view(octets).substr(0, 6)});
    {
      auto coded = EncodeText(utf8);
      EXPECT_GE(coded->octets.capacity(), sizeof(std::string)) << text.name;
      Wipe(coded->octets);
    }
    EXPECT_EQ(watch.Stop(), 0U) << text.name;
  }
}

TEST(WipedTest, ASessionKeepsNothingOfWhatItSentAndHeard) {
  constexpr std::string_view kText = "a dose was taken at eight", kNumber = "4915112345678";
  const std::string frame = [&] {
    std::string bytes;
    EXPECT_TRUE(Encode({.header = {.id = CommandId::kDeliverSm, .sequence = 7},
                        .body = Sm{.source = {.digits = kNumber}, .short_message = kText},
                        .tlvs = {}},
                       bytes)
                    .ok());
    return bytes;
  }();
  const auto hear = [](Session& session, CommandId id, std::uint32_t sequence) {
    std::string bytes;
    ASSERT_TRUE(Encode({.header = {.id = id, .sequence = sequence}, .body = BindResp{}, .tlvs = {}}, bytes).ok());
    session.Received(bytes, 0);
  };
  const auto carry = [](Session& session) {
    std::size_t deliveries = 0, sends = 0;
    for (Action& action : session.TakeActions()) {
      if (auto* delivery = std::get_if<action::Delivery>(&action)) {
        ++deliveries;
        Wipe(delivery->frame);
      } else if (auto* send = std::get_if<action::Send>(&action)) {
        ++sends;
        Wipe(send->bytes);
      }
    }
    return std::pair(deliveries, sends);
  };
  const std::string password = "ninechar";
  SessionOptions options;
  options.system_id = "an id";
  options.password = password;
  Session session(options);
  Watch watch({kText, kNumber, password});
  session.Start(0);
  session.Connected(0);
  EXPECT_EQ(carry(session).second, 1U);
  hear(session, CommandId::kBindTransceiverResp, 1);
  EXPECT_TRUE(session.may_submit());
  for (std::uint64_t token = 0; token < 20; ++token) {
    EXPECT_TRUE(session
                    .Submit(token,
                            {.header = {.id = CommandId::kSubmitSm},
                             .body = Sm{.destination = {.digits = kNumber}, .short_message = kText},
                             .tlvs = {}},
                            1'000'000, 0)
                    .ok());
    session.Received(std::string_view(frame).substr(0, token), 0);
    session.Received(std::string_view(frame).substr(token), 0);
    const auto [deliveries, sends] = carry(session);
    EXPECT_EQ(deliveries, 1U);
    session.Acknowledge(std::uint64_t{1} << 32 | 7, CommandStatus::kOk, 0);
  }
  carry(session);
  session.Closed(0);  // half a window of submits was not answered, the rest waits
  session.Stop(0);
  carry(session);
  EXPECT_EQ(watch.Stop(), 0U);
}

}  // namespace
}  // namespace smsflow::smpp
