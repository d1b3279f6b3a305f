// The client's session against the simulator with every fault it has, both in virtual time: whatever happens on the
// connection, what the session says of a submit is never contradicted by the truth, and nothing is taken twice.
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <set>

#include "smpp/codec.h"
#include "smpp/message_ids.h"
#include "smpp/receipt.h"
#include "smpp/session.h"
#include "tools/smsc/smsc.h"

namespace smsflow::smpp {
namespace {

constexpr SubmitToken kSubmits = 300;

class RememberedTruth : public smsc::Truth {
 public:
  void Tell(const std::string& line) override { all += line; }
  std::string all;
};

// The network and the clock between the two: bytes take 1 to 5 ms each way, in order.
class World {
 public:
  World(std::string_view script, std::uint64_t seed, std::uint32_t window) : chance_(seed) {
    const auto read = smsc::ReadScript("seed = " + std::to_string(seed) + "\n" + std::string(script), "script");
    EXPECT_TRUE(read.ok()) << read.status();
    smsc_ = std::make_unique<smsc::Smsc>(*read, truth, 1'767'225'600);
    session = std::make_unique<Session>(SessionOptions{.system_id = "esme",
                                                       .window = window,
                                                       .waiting = kSubmits,
                                                       .response_ms = 3000,
                                                       .enquire_ms = 2000,
                                                       .again_least_ms = 100,
                                                       .again_most_ms = 1000,
                                                       .chance = [this] { return Chance(); }});
    session->Start(now_ms);
  }

  void Submit(SubmitToken token, std::int64_t deadline_ms) {
    TlvWriter tlvs;
    tlvs.AddShort(Tag::kUserMessageReference, static_cast<std::uint16_t>(token));
    const Pdu pdu{.header = {.id = CommandId::kSubmitSm},
                  .body = Sm{.destination = {.ton = 1, .npi = 1, .digits = "255700000001"},
                             .registered_delivery = kReceiptAlways,
                             .short_message = "x"},
                  .tlvs = tlvs.view()};
    ASSERT_TRUE(session->Submit(token, pdu, deadline_ms, now_ms).ok());
    Settle();
  }

  void Run(std::int64_t milliseconds) {
    Settle();
    const std::int64_t end_ms = now_ms + milliseconds;
    while (true) {
      std::int64_t due_ms = end_ms + 1;
      if (const auto due = session->NextDue()) due_ms = std::min(due_ms, *due);
      if (const auto due = smsc_->NextDue()) due_ms = std::min(due_ms, *due);
      if (!wire_.empty()) due_ms = std::min(due_ms, wire_.begin()->first);
      if (due_ms > end_ms) break;
      now_ms = std::max(now_ms, due_ms);
      while (!wire_.empty() && wire_.begin()->first <= now_ms) {
        const auto event = std::move(wire_.begin()->second);
        wire_.erase(wire_.begin());
        event();
        Settle();
      }
      session->Tick(now_ms);
      smsc_->Tick(now_ms);
      Settle();
    }
    now_ms = end_ms;
  }

  std::int64_t now_ms = 0;
  RememberedTruth truth;
  std::unique_ptr<Session> session;
  std::map<SubmitToken, std::vector<action::Outcome>> outcomes;
  std::vector<std::string> receipts;  // ids
  std::vector<SubmitToken> accepted;  // in the order in which the session heard

 private:
  double Chance() {
    chance_ = chance_ * 6364136223846793005 + 1442695040888963407;
    return static_cast<double>(chance_ >> 11) * 0x1p-53;
  }
  void Later(std::int64_t& last_ms, std::function<void()> event) {
    last_ms = std::max(last_ms, now_ms + 1 + static_cast<std::int64_t>(Chance() * 5));
    wire_.emplace(last_ms, std::move(event));
  }
  void Settle() {
    bool again = true;
    while (again) {
      again = false;
      for (Action& one : session->TakeActions()) {
        again = true;
        std::visit([this](auto& what) { Do(what); }, one);
      }
      for (smsc::Action& one : smsc_->TakeActions()) {
        again = true;
        Do(one);
      }
    }
  }
  void Do(action::Connect&) {
    const auto id = ++connection_;
    Later(to_smsc_ms_, [this, id] {
      if (id != connection_) return;
      smsc_->Connected(id, now_ms);
      session->Connected(now_ms);
    });
  }
  void Do(action::Send& send) {
    Later(to_smsc_ms_, [this, id = connection_, bytes = std::move(send.bytes)] { smsc_->Received(id, bytes, now_ms); });
  }
  void Do(action::Close&) {
    const auto id = connection_++;
    Later(to_smsc_ms_, [this, id] { smsc_->Disconnected(id, now_ms); });
  }
  void Do(action::Outcome& outcome) {
    if (outcome.kind == OutcomeKind::kAccepted) accepted.push_back(outcome.token);
    outcomes[outcome.token].push_back(outcome);
  }
  void Do(action::Delivery& delivery) {
    Refusal why;
    const auto pdu = Decode(delivery.frame, why);
    ASSERT_TRUE(pdu.ok());
    const auto receipt = ReadReceipt(*pdu);
    ASSERT_TRUE(receipt.has_value());
    receipts.push_back(NormalId(receipt->text_id));
    session->Acknowledge(delivery.key, CommandStatus::kOk, now_ms);
  }
  void Do(action::Notice&) {}
  void Do(smsc::Action& one) {
    const auto id = one.connection;
    if (one.kind == smsc::Action::Kind::kSilence) return;
    Later(to_session_ms_, [this, id, kind = one.kind, bytes = std::move(one.bytes)] {
      if (kind != smsc::Action::Kind::kSend) smsc_->Disconnected(id, now_ms);
      if (id != connection_) return;
      if (kind == smsc::Action::Kind::kSend) {
        session->Received(bytes, now_ms);
      } else {
        session->Closed(now_ms);
      }
    });
  }

  std::uint64_t chance_;
  std::unique_ptr<smsc::Smsc> smsc_;
  std::multimap<std::int64_t, std::function<void()>> wire_;
  std::int64_t to_smsc_ms_ = 0, to_session_ms_ = 0;
  smsc::ConnectionId connection_ = 0;
};

std::string MemberOf(std::string_view line, std::string_view name) {
  const std::string key = "\"" + std::string(name) + "\":";
  const std::size_t at = line.find(key);
  if (at == std::string_view::npos) return {};
  const std::size_t end = line.find_first_of(",}", at);
  std::string value(line.substr(at + key.size(), end - at - key.size()));
  value.erase(std::remove(value.begin(), value.end(), '"'), value.end());
  return value;
}

// What the SMSC took, by token: how often, and under which id last. And the order in which it took them.
struct Taken {
  std::map<SubmitToken, int> times;
  std::map<SubmitToken, std::string> ids;
  std::vector<SubmitToken> order;
};

Taken Read(const std::string& truth) {
  Taken taken;
  std::size_t at = 0;
  while (at < truth.size()) {
    const std::size_t end = truth.find('\n', at);
    const std::string_view line = std::string_view(truth).substr(at, end - at);
    at = end + 1;
    if (MemberOf(line, "event") != "submit" || MemberOf(line, "status") != "0") continue;
    SubmitToken token = 0;
    for (const char c : MemberOf(line, "user_message_reference"))
      token = token * 10 + static_cast<SubmitToken>(c - '0');
    ++taken.times[token];
    taken.ids[token] = MemberOf(line, "message_id");
    taken.order.push_back(token);
  }
  return taken;
}

void CheckAgainstTruth(const World& world) {
  const Taken taken = Read(world.truth.all);
  for (const auto& [token, times] : taken.times) EXPECT_EQ(times, 1) << "submit " << token << " was taken twice";
  for (SubmitToken token = 1; token <= kSubmits; ++token) {
    const auto it = world.outcomes.find(token);
    ASSERT_NE(it, world.outcomes.end()) << "submit " << token << " has no outcome";
    const auto& told = it->second;
    ASSERT_LE(told.size(), 2U) << token;
    EXPECT_TRUE(told.size() == 1 || told[0].kind == OutcomeKind::kUnknown) << token;
    const auto& last = told.back();
    const bool was_taken = taken.times.count(token) != 0;
    if (last.kind == OutcomeKind::kAccepted) {
      ASSERT_TRUE(was_taken) << token;
      EXPECT_EQ(last.message_id, taken.ids.at(token));
    } else if (last.kind != OutcomeKind::kUnknown) {
      EXPECT_FALSE(was_taken) << "submit " << token << " was taken, but is told as " << static_cast<int>(last.kind);
    }
  }
}

constexpr char kEveryFault[] = R"(
[response]
delay_ms = [0, 30]
[receipt]
delay_ms = [0, 200]
[limits]
submits_per_s = 60
deliver_timeout_ms = 500
[[fault]]
kind = "refuse"
rate = 0.1
[[fault]]
kind = "refuse"
rate = 0.03
status = 0x0b
[[fault]]
kind = "drop-response"
rate = 0.02
[[fault]]
kind = "delay-response"
rate = 0.03
delay_ms = [2000, 6000]
[[fault]]
kind = "early-receipt"
rate = 0.1
[[fault]]
kind = "double-receipt"
rate = 0.1
delay_ms = [0, 2000]
[[fault]]
kind = "reset"
rate = 0.01
[[fault]]
kind = "close"
rate = 0.01
[[fault]]
kind = "silence"
rate = 0.005
)";

TEST(SessionSmscTest, WhatIsToldIsNeverContradictedByTheTruth) {
  std::map<OutcomeKind, int> kinds;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    World world(kEveryFault, seed, 1 + static_cast<std::uint32_t>(seed % 10));
    for (SubmitToken token = 1; token <= kSubmits; ++token) {
      world.Submit(token, token % 20 == 0 ? world.now_ms + 300 : 1'000'000);
      world.Run(token % 7 == 0 ? 40 : 1);
    }
    world.Run(120'000);
    world.session->Stop(world.now_ms);
    world.Run(20'000);
    EXPECT_EQ(world.session->state(), Session::State::kStopped);
    CheckAgainstTruth(world);
    for (const auto& [token, told] : world.outcomes) ++kinds[told.back().kind];
    if (::testing::Test::HasFailure()) return;
  }
  // Each way to end was gone, so none of the above held for want of a case.
  EXPECT_GT(kinds[OutcomeKind::kAccepted], 5000);
  EXPECT_GT(kinds[OutcomeKind::kRefused], 50);
  EXPECT_GT(kinds[OutcomeKind::kUnknown], 50);
  EXPECT_GT(kinds[OutcomeKind::kExpired], 50);
}

TEST(SessionSmscTest, ThrottlingKeepsTheOrder) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    World world("[limits]\nsubmits_per_s = 40\n[response]\ndelay_ms = 5\n", seed, 8);
    for (SubmitToken token = 1; token <= kSubmits; ++token) world.Submit(token, 1'000'000);
    world.Run(60'000);
    const Taken taken = Read(world.truth.all);
    ASSERT_EQ(taken.order.size(), kSubmits);
    EXPECT_TRUE(std::is_sorted(taken.order.begin(), taken.order.end()));
    EXPECT_EQ(world.receipts.size(), kSubmits);
    CheckAgainstTruth(world);
  }
}

}  // namespace
}  // namespace smsflow::smpp
