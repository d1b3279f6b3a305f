// Looks at every block of memory that is given back: none may hold a number or a text that the gateway opened.
#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "crypto/envelope.h"
#include "gateway/loopback.h"
#include "gateway/plaintext.h"
#include "gateway/sms_pdus.h"
#include "smpp/codec.h"
#include "smpp/session.h"
#include "tests/gateway/fakes.h"

namespace {

constexpr std::string_view kNumber = "+255123456789";
constexpr std::string_view kText = "a text that must not be found in memory S1D1";

std::atomic<bool> watching{false};
std::atomic<int> found{0};

void Look(void* block) {
  if (block == nullptr || !watching.load(std::memory_order_relaxed)) return;
  const std::string_view bytes(static_cast<const char*>(block), malloc_usable_size(block));
  if (bytes.find(kNumber.substr(1)) != bytes.npos || bytes.find(kText.substr(2, 30)) != bytes.npos) ++found;
}

}  // namespace

void* operator new(std::size_t size) {
  void* const block = std::malloc(size == 0 ? 1 : size);
  if (block == nullptr) std::abort();
  return block;
}
void operator delete(void* block) noexcept {
  Look(block);
  std::free(block);
}
void operator delete(void* block, std::size_t) noexcept { ::operator delete(block); }
void* operator new[](std::size_t size) { return ::operator new(size); }
void operator delete[](void* block) noexcept { ::operator delete(block); }
void operator delete[](void* block, std::size_t) noexcept { ::operator delete(block); }

namespace smsflow::gateway {
namespace {

// How many blocks with a secret in them were given back while `work` ran.
template <class Work>
int Leaks(Work work) {
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
                for (smpp::Action& action : session.TakeActions()) {
                  if (auto* send = std::get_if<smpp::action::Send>(&action)) smpp::Wipe(send->bytes);
                }
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

}  // namespace
}  // namespace smsflow::gateway
