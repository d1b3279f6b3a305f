// Looks at every block of memory that is given back: none may hold a number or a text that the gateway opened, or
// heard.
#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "crypto/base64url.h"
#include "crypto/envelope.h"
#include "gateway/inbound.h"
#include "gateway/loopback.h"
#include "gateway/plaintext.h"
#include "gateway/sms_pdus.h"
#include "smpp/codec.h"
#include "smpp/session.h"
#include "smpp/text.h"
#include "smpp/unicode.h"
#include "storage/memory_store.h"
#include "tests/gateway/fakes.h"

namespace {

constexpr std::string_view kNumber = "+255123456789";
constexpr std::string_view kText = "a text that must not be found in memory S1D1";

std::vector<std::string_view> looked_for;  // while there is a watch
std::atomic<bool> watching{false};
std::atomic<int> found{0};

void Look(void* block) {
  if (block == nullptr || !watching.load(std::memory_order_relaxed)) return;
  const std::string_view bytes(static_cast<const char*>(block), malloc_usable_size(block));
  for (const std::string_view one : looked_for)
    if (bytes.find(one) != bytes.npos) ++found;
}

}  // namespace

// Not inlined: GCC takes a free() beside a new for a mistake.
[[gnu::noinline]] void* operator new(std::size_t size) {
  void* const block = std::malloc(size == 0 ? 1 : size);
  if (block == nullptr) std::abort();
  return block;
}
[[gnu::noinline]] void operator delete(void* block) noexcept {
  Look(block);
  std::free(block);
}
[[gnu::noinline]] void operator delete(void* block, std::size_t) noexcept { ::operator delete(block); }
[[gnu::noinline]] void* operator new[](std::size_t size) { return ::operator new(size); }
[[gnu::noinline]] void operator delete[](void* block) noexcept { ::operator delete(block); }
[[gnu::noinline]] void operator delete[](void* block, std::size_t) noexcept { ::operator delete(block); }

namespace smsflow::gateway {
namespace {

// How often a secret stood in a block that was given back while `work` ran.
template <class Work>
int Leaks(Work work, std::vector<std::string_view> secrets = {kNumber.substr(1), kText.substr(2, 30)}) {
  looked_for = std::move(secrets);
  found = 0;
  watching = true;
  work();
  watching = false;
  return found;
}

TEST(Wiped, TheWatchSeesWhatIsNotWiped) {
  EXPECT_EQ(Leaks([] { std::string copy(kText); }), 1);
}

TEST(Wiped, AParsedSmsLeavesNothingBehind) {
  const std::string plaintext =
      "To: " + std::string(kNumber) + "\r\nSender: CLINIC\r\n\r\n" + std::string(kText) + "\r\n";
  const std::string refused = "To: " + std::string(kNumber) + "\r\nTo: " + std::string(kNumber) + "99\r\nno blank line";
  EXPECT_EQ(Leaks([&] {
              Unreadable why;
              EXPECT_TRUE(ParsePlaintext(plaintext, why).ok());
              EXPECT_FALSE(ParsePlaintext(refused, why).ok());
            }),
            0);
}

class Ears : public CarrierEvents {
 public:
  void OnOutcomes(std::vector<Report> more) override { words += more.size(); }
  void OnParts(std::vector<PartAnswer>) override {}
  void OnReceipt(SmscReceipt, Handle) override {}
  std::size_t words = 0;
};

TEST(Wiped, ASubmittedSmsLeavesNothingBehind) {
  const auto key = crypto::PrivateKey::Generate(crypto::KeyKind::kP256);
  engine::Lease lease = LeaseOf(Attempt(1));
  lease.payload =
      *crypto::SealEnvelope(key.public_key(), "clinic/k1", "To: " + std::string(kNumber) + "\n\n" + std::string(kText));
  const auto vault = std::make_shared<crypto::Vault>();
  vault->Replace({key});
  FakeClock clock;
  Ears ears;
  EXPECT_EQ(
      Leaks([&] {
        Loopback carrier({1, 1}, std::make_unique<EnvelopeOpener>(vault), nullptr, clock, [](const absl::Status&) {});
        carrier.Listen(ears);
        carrier.Submit({lease, lease, lease});
        carrier.RunOnce();
        clock.now_ms += 10;
        carrier.RunOnce();
      }),
      0);
  EXPECT_EQ(ears.words, 6u) << "SENT and DELIVERED of each";
}

// From the plaintext to the wire: alphabets that are tried, parts, what waits for its answer and may have to leave
// again.
TEST(Wiped, AnSmsOnItsWayToTheWireLeavesNothingBehind) {
  const auto told = [](const smpp::Pdu& pdu) {
    std::string frame;
    EXPECT_TRUE(smpp::Encode(pdu, frame).ok());
    return frame;
  };
  smpp::Session session({.system_id = "clinic"});
  session.Start(0);
  session.Connected(0);
  session.TakeActions();
  session.Received(told({.header = {.id = smpp::CommandId::kBindTransceiverResp, .sequence = 1},
                         .body = smpp::BindResp{.system_id = "s"},
                         .tlvs = {}}),
                   0);
  session.TakeActions();
  SmscOptions options;
  constexpr std::int64_t kFar_ms = 1'000'000'000;
  std::int64_t now_ms = 0;
  for (const char* ending : {"", "{[]}", " \xd0\x96"}) {
    std::string text = "To: " + std::string(kNumber) + "\nSender: CLINIC\n\n";
    for (int i = 0; i < 5; ++i) text += kText;
    text += ending;
    const crypto::Secret plaintext(text);
    EXPECT_EQ(Leaks([&] {
                Unreadable why;
                const auto sms = ParsePlaintext(plaintext.Reveal(), why);
                ASSERT_TRUE(sms.ok());
                SmsPdus pdus;
                ASSERT_FALSE(pdus.Make(*sms, options, 60'000, 0, 1).has_value());
                for (std::size_t i = 0; i < pdus.size(); ++i)
                  ASSERT_TRUE(session.Submit(i, pdus.Pdu(i), kFar_ms, now_ms).ok());
                session.TakeActions();
                session.Closed(now_ms);  // what was unanswered is let go
                session.TakeActions();
              }),
              0)
        << ending;
    now_ms += 100'000;
    session.Tick(now_ms);
    session.Connected(now_ms);
    session.Received(told({.header = {.id = smpp::CommandId::kBindTransceiverResp, .sequence = 1},
                           .body = smpp::BindResp{.system_id = "s"},
                           .tlvs = {}}),
                     now_ms);
    session.TakeActions();
  }
}

TEST(Wiped, ABindLeavesNothingOfItsPasswordBehind) {
  smpp::Session session({.system_id = "clinic", .password = "ninechar"});
  session.Start(0);
  EXPECT_EQ(Leaks(
                [&] {
                  session.Connected(0);
                  EXPECT_EQ(session.TakeActions().size(), 2u) << "Connect, and Send with the bind";
                },
                {"ninechar"}),
            0);
}

struct Text {
  std::string_view name, utf8;
  std::uint8_t coding;  // in which a phone writes it
};
const Text kTexts[] = {
    {"short", "yes", smpp::kCodingDefault},
    {"GSM", "a dose was taken at eight, and the next one will be at noon", smpp::kCodingDefault},
    {"GSM, two bytes each", "ΔΦΓΛΩΠΨΣΘΞΔΦΓΛΩΠΨΣΘΞ", smpp::kCodingDefault},
    {"GSM, two septets each", "{}[]~|^€{}[]~|^€{}[]~|^€", smpp::kCodingDefault},
    {"UTF-16, three bytes each", "दवा सुबह आठ बजे ली गई थी", smpp::kCodingUcs2},
    {"UTF-16, four bytes each", "💊💊💊💊💊💊💊💊💊💊", smpp::kCodingUcs2},
    {"Latin-1", "à é î õ ü à é î õ ü à é î õ ü", smpp::kCodingLatin1},
};

std::string OctetsOf(const Text& text) {
  return text.coding == smpp::kCodingLatin1 ? *smpp::Utf8ToLatin1(text.utf8) : smpp::EncodeText(text.utf8)->octets;
}

TEST(Wiped, ATextThatWasReadLeavesNothingBehindInAnyCoding) {
  for (const Text& text : kTexts) {
    const std::string octets = OctetsOf(text);
    EXPECT_EQ(Leaks(
                  [&] {
                    auto decoded = smpp::DecodeText(text.coding, octets);
                    EXPECT_EQ(decoded, text.utf8);
                    EXPECT_GE(decoded->capacity(), sizeof(std::string)) << "it stood in itself";
                    smpp::Wipe(*decoded);
                  },
                  {text.utf8.substr(0, 9), std::string_view(octets).substr(0, 6)}),
              0)
        << text.name;
  }
}

// An octet that no alphabet has becomes three bytes.
TEST(Wiped, OctetsThatAreNoTextLeaveNothingBehind) {
  const std::string octets = "1305 S1D1" + std::string(100, '\xd0');
  EXPECT_EQ(Leaks(
                [&] {
                  auto decoded = smpp::DecodeText(smpp::kCodingDefault, octets);
                  EXPECT_EQ(decoded->size(), 9u + 300);
                  smpp::Wipe(*decoded);
                },
                {"1305 S1D1"}),
            0);
}

TEST(Wiped, ATextThatWasWrittenLeavesNothingBehindInAnyCoding) {
  for (const Text& text : kTexts) {
    const std::string octets = smpp::EncodeText(text.utf8)->octets;
    EXPECT_EQ(Leaks(
                  [&] {
                    auto coded = smpp::EncodeText(text.utf8);
                    EXPECT_GE(coded->octets.capacity(), sizeof(std::string)) << "it stood in itself";
                    smpp::Wipe(coded->octets);
                  },
                  {text.utf8, std::string_view(octets).substr(0, 6)}),
              0)
        << text.name;
  }
}

class Deaf : public InboundSink {
 public:
  void Start(Taken) override {}
  void Put(std::vector<InboundSms> sms) override { put += sms.size(); }
  void Stop() override {}
  std::size_t put = 0;
};

// From the bytes of the wire, which end in the midst of each, to what is sealed: whole, in parts, as octets that are no
// text.
TEST(Wiped, AnSmsFromAPhoneLeavesNothingBehind) {
  static constexpr std::string_view kWords = "1305 yes, a dose was taken at eight";
  const auto told = [](std::uint32_t sequence, std::string_view text, std::uint8_t esm_class, std::uint8_t coding) {
    std::string frame;
    EXPECT_TRUE(smpp::Encode({.header = {.id = smpp::CommandId::kDeliverSm, .sequence = sequence},
                              .body = smpp::Sm{.source = {1, 1, kNumber.substr(1)},
                                               .destination = {3, 0, "15001"},
                                               .esm_class = esm_class,
                                               .data_coding = coding,
                                               .short_message = text},
                              .tlvs = {}},
                             frame)
                    .ok());
    return frame;
  };
  const auto part = [](std::uint8_t number) {
    return smpp::ConcatenationHeader({7, 2, number}, smpp::Reference::k8Bit) + std::string(kWords);
  };
  const std::vector<std::string> frames = {
      told(1, kWords, 0, smpp::kCodingDefault), told(2, part(1), smpp::kEsmUdhi, smpp::kCodingDefault),
      told(3, part(2), smpp::kEsmUdhi, smpp::kCodingDefault), told(4, kWords, 0, 0x04)};  // octets (section 5.2.19)
  const auto own = crypto::PrivateKey::Generate(crypto::KeyKind::kP256);
  const auto vault = std::make_shared<crypto::Vault>();
  vault->Replace({own});
  storage::MemoryStore rows;
  Deaf sink;
  FakeClock clock;
  const AgreedClock agreed{clock, nullptr};
  InboundOptions options;
  options.routes = {{"acme", "clinic", {"15001"}, own.public_key(), 0}};
  Inbound inbound(
      std::move(options), rows, sink, own, vault, agreed, nullptr, [] { return false; },
      [](const absl::Status& status) { ADD_FAILURE() << status; });
  ASSERT_TRUE(inbound.Load().ok());
  smpp::Session session({.system_id = "clinic"});
  session.Start(0);
  session.Connected(0);
  std::string bound;
  ASSERT_TRUE(smpp::Encode({.header = {.id = smpp::CommandId::kBindTransceiverResp, .sequence = 1},
                            .body = smpp::BindResp{.system_id = "s"},
                            .tlvs = {}},
                           bound)
                  .ok());
  session.Received(bound, 0);
  session.TakeActions();
  std::size_t answered = 0;
  const std::string base64 = crypto::ToBase64(kWords);
  EXPECT_EQ(Leaks(
                [&] {
                  for (const std::string& frame : frames) {
                    std::string_view rest = frame;
                    for (const std::size_t bytes : {3, 22, 20, 20}) {  // within length, number, and text
                      session.Received(rest.substr(0, bytes), 0);
                      rest.remove_prefix(bytes);
                    }
                    session.Received(rest, 0);
                    for (smpp::Action& action : session.TakeActions()) {
                      auto* delivery = std::get_if<smpp::action::Delivery>(&action);
                      if (delivery == nullptr) continue;
                      inbound.Take({"acme", delivery->frame, 1, clock.now_ms, [&](smpp::CommandStatus status) {
                                      answered += status == smpp::CommandStatus::kOk ? 1 : 0;
                                    }});
                    }
                    inbound.RunOnce();
                  }
                },
                {kNumber.substr(1), kWords.substr(5, 20), std::string_view(base64).substr(8, 20)}),
            0);
  EXPECT_EQ(answered, 4u);
  EXPECT_EQ(sink.put, 3u);
}

}  // namespace
}  // namespace smsflow::gateway
