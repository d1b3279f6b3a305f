#include "smpp/session.h"

#include <gtest/gtest.h>

#include "smpp/codec.h"
#include "smpp/times.h"
#include "tests/smpp/hex.h"
#include "tests/smpp/session_fixture.h"

namespace smsflow::smpp {
namespace {

using action::Event;

TEST_F(SessionTest, BindsAsItWasTold) {
  SessionOptions options = Options();
  options.bind = CommandId::kBindTransmitter;
  options.system_type = "smpp";
  Begin(options);
  EXPECT_EQ(connects_, 1);
  session_->Connected(now_ms_);
  Take();
  const Pdu bind = Sent();
  EXPECT_EQ(bind.header.id, CommandId::kBindTransmitter);
  EXPECT_EQ(std::get<Bind>(bind.body).system_id, "esme");
  EXPECT_EQ(std::get<Bind>(bind.body).password, "secret");
  EXPECT_EQ(std::get<Bind>(bind.body).system_type, "smpp");
  Hear(CommandId::kBindTransceiverResp, bind.header.sequence, CommandStatus::kOk, BindResp{});  // of another bind
  EXPECT_EQ(session_->state(), Session::State::kBinding);
}

TEST_F(SessionTest, AWindowFullLeavesInOrder) {
  BeginBound(Options(2));
  for (SubmitToken token = 1; token <= 4; ++token) EXPECT_TRUE(Submit(token).ok());
  const std::uint32_t first = SentSubmit(), second = SentSubmit();
  EXPECT_TRUE(sent_.empty());
  EXPECT_EQ(session_->waiting(), 2U);
  Answer(second);
  EXPECT_EQ(Outcome().token, 2U);
  const std::uint32_t third = SentSubmit();
  Answer(first);
  const auto one = Outcome();
  EXPECT_EQ(one.token, 1U);
  EXPECT_EQ(one.kind, OutcomeKind::kAccepted);
  EXPECT_EQ(one.message_id, "id" + std::to_string(first));
  Answer(third, static_cast<CommandStatus>(0x401));
  const auto refused = Outcome();
  EXPECT_EQ(refused.token, 3U);
  EXPECT_EQ(refused.kind, OutcomeKind::kRefused);
  EXPECT_EQ(refused.status, static_cast<CommandStatus>(0x401));
  EXPECT_EQ(refused.message_id, "");
}

TEST_F(SessionTest, SubmitsMayComeBeforeThereIsAConnection) {
  Begin();
  for (SubmitToken token = 1; token <= 5; ++token) EXPECT_TRUE(Submit(token).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(Submit(6)));
  EXPECT_TRUE(sent_.empty());
  Establish();
  EXPECT_EQ(sent_.size(), 5U);
}

TEST_F(SessionTest, WhatWasThrottledLeavesWithWhatIsLeftUntilItsDeadline) {
  SessionOptions options = Options();
  options.throttle_least_ms = options.throttle_most_ms = 20'000;
  BeginBound(std::move(options));
  ASSERT_TRUE(Submit(1, now_ms_ + 90'500, *RelativeTime(90)).ok());
  const auto [first, one] = SentValidity();
  EXPECT_EQ(first, "000000000130000R");
  Answer(one, CommandStatus::kThrottled);
  Pass(20'000);
  const auto [second, two] = SentValidity();
  EXPECT_EQ(second, "000000000110000R");
  Answer(two, CommandStatus::kMessageQueueFull);
  Pass(20'000);
  const auto [third, three] = SentValidity();
  EXPECT_EQ(third, "000000000050000R");
  Answer(three);
  EXPECT_EQ(Outcome().kind, OutcomeKind::kAccepted);
}

TEST_F(SessionTest, AnAbsoluteValidityStaysAsItIs) {
  BeginBound();
  ASSERT_TRUE(Submit(1, now_ms_ + 90'000, *AbsoluteTime(1'800'000'000)).ok());
  const auto [first, one] = SentValidity();
  Answer(one, CommandStatus::kThrottled);
  Pass(200);
  EXPECT_EQ(SentValidity().first, first);
}

TEST_F(SessionTest, WhatWasThrottledUntilItsDeadlineDoesNotLeaveAgain) {
  SessionOptions options = Options();
  options.throttle_least_ms = options.throttle_most_ms = 9'500;
  BeginBound(std::move(options));
  ASSERT_TRUE(Submit(1, now_ms_ + 10'000, *RelativeTime(10)).ok());
  ASSERT_TRUE(Submit(2, now_ms_ + 10'000).ok());
  Answer(SentSubmit(), CommandStatus::kThrottled);
  Answer(SentSubmit(), CommandStatus::kMessageQueueFull);
  Pass(9'500);
  // Half a second is left: too little to be said as a validity, enough for what says none.
  EXPECT_EQ(Outcome().token, 1u);
  ASSERT_EQ(sent_.size(), 1u);
  Answer(SentSubmit(), CommandStatus::kThrottled);
  Pass(9'500);
  const action::Outcome last = Outcome();
  EXPECT_EQ(last.token, 2u);
  EXPECT_EQ(last.kind, OutcomeKind::kExpired);
  EXPECT_TRUE(sent_.empty());
}

TEST_F(SessionTest, WhatIsThrottledHoldsAllThatFollow) {
  BeginBound(Options(4));
  for (SubmitToken token = 1; token <= 7; ++token) EXPECT_TRUE(Submit(token).ok());
  std::uint32_t sequence[5];
  for (int i = 1; i <= 4; ++i) sequence[i] = SentSubmit();
  Answer(sequence[1]);
  EXPECT_EQ(SentSubmit(), sequence[4] + 1);
  Answer(sequence[2], CommandStatus::kThrottled);
  Answer(sequence[3], CommandStatus::kMessageQueueFull);
  EXPECT_EQ(notices_.back().event, Event::kThrottled);
  EXPECT_EQ(session_->window_now(), 2U);
  Pass(500);
  EXPECT_TRUE(sent_.empty());  // not all answers are in
  Answer(sequence[4]);
  EXPECT_TRUE(sent_.empty());  // one is still missing, and could have to go again before what follows
  Answer(sequence[4] + 1, CommandStatus::kThrottled);
  outcomes_.clear();
  Pass(0);
  // 2, 3, 5, 6, 7: in the order in which they came, two at a time.
  std::vector<SubmitToken> order;
  while (order.size() < 5) {
    ASSERT_FALSE(sent_.empty());
    EXPECT_LE(sent_.size(), 3U);
    while (!sent_.empty()) Answer(SentSubmit());
    while (!outcomes_.empty()) order.push_back(Outcome().token);
  }
  EXPECT_EQ(order, (std::vector<SubmitToken>{2, 3, 5, 6, 7}));
  EXPECT_EQ(session_->window_now(), 4U);
}

TEST_F(SessionTest, EachPauseIsLongerThanTheOneBefore) {
  BeginBound(Options(1));
  EXPECT_TRUE(Submit(1).ok());
  for (const std::int64_t pause_ms : {100, 200, 400, 800}) {
    Answer(SentSubmit(), CommandStatus::kThrottled);
    Pass(pause_ms - 1);
    EXPECT_TRUE(sent_.empty()) << pause_ms;
    Pass(1);
    EXPECT_EQ(sent_.size(), 1U) << pause_ms;
  }
  Answer(SentSubmit());
  EXPECT_EQ(Outcome().kind, OutcomeKind::kAccepted);
  EXPECT_TRUE(outcomes_.empty());
  EXPECT_TRUE(Submit(2).ok());
  Answer(SentSubmit(), CommandStatus::kThrottled);
  Pass(100);
  EXPECT_EQ(sent_.size(), 1U);
}

TEST_F(SessionTest, AnAnswerThatDoesNotComeIsUnknownAndMayComeLater) {
  BeginBound(Options(1));
  EXPECT_TRUE(Submit(1).ok());
  EXPECT_TRUE(Submit(2).ok());
  const std::uint32_t first = SentSubmit();
  // The connection lives: it is only this answer that is missing.
  for (int i = 0; i < 6; ++i) {
    Pass(9'999);
    Hear(CommandId::kEnquireLink, 1000 + i);
    Sent();
  }
  EXPECT_TRUE(outcomes_.empty());
  Pass(10);
  const auto unknown = Outcome();
  EXPECT_EQ(unknown.token, 1U);
  EXPECT_EQ(unknown.kind, OutcomeKind::kUnknown);
  const std::uint32_t second = SentSubmit();
  Answer(first);
  const auto late = Outcome();
  EXPECT_EQ(late.token, 1U);
  EXPECT_EQ(late.kind, OutcomeKind::kAccepted);
  Answer(second);
  EXPECT_EQ(Outcome().token, 2U);
  EXPECT_EQ(session_->unanswered(), 0U);
}

TEST_F(SessionTest, ALostConnectionLeavesWhatLeftUnknownAndKeepsTheRest) {
  BeginBound(Options(1));
  EXPECT_TRUE(Submit(1).ok());
  EXPECT_TRUE(Submit(2).ok());
  SentSubmit();
  session_->Closed(now_ms_);
  Take();
  const auto unknown = Outcome();
  EXPECT_EQ(unknown.token, 1U);
  EXPECT_EQ(unknown.kind, OutcomeKind::kUnknown);
  EXPECT_TRUE(outcomes_.empty());
  EXPECT_EQ(notices_.back().event, Event::kLost);
  Pass(999);
  EXPECT_EQ(connects_, 1);
  Pass(1);
  EXPECT_EQ(connects_, 2);
  Establish();
  Answer(SentSubmit());
  EXPECT_EQ(Outcome().token, 2U);
}

TEST_F(SessionTest, PausesBetweenConnectionsGrowAndAreSpread) {
  double chance = 0;
  SessionOptions options = Options();
  options.chance = [&chance] { return chance; };
  Begin(options);
  for (const std::int64_t pause_ms : {500, 1000, 2000, 4000, 8000, 16'000, 30'000, 30'000}) {
    const int before = connects_;
    session_->Closed(now_ms_);
    Take();
    Pass(pause_ms - 1);
    EXPECT_EQ(connects_, before) << pause_ms;
    Pass(1);
    EXPECT_EQ(connects_, before + 1) << pause_ms;
  }
  chance = 0.999;
  session_->Closed(now_ms_);
  Take();
  Pass(59'900);
  const int before = connects_;
  Pass(100);
  EXPECT_EQ(connects_, before + 1);
  Establish();
  session_->Closed(now_ms_);  // that one was bound: the pause is a short one again
  Take();
  Pass(1000);
  EXPECT_EQ(connects_, before + 2);
}

TEST_F(SessionTest, WhatDoesNotAnswerIsGivenUp) {
  Begin();
  Pass(10'000);  // connecting
  EXPECT_EQ(session_->state(), Session::State::kWaiting);
  EXPECT_EQ(closes_, 1);
  Pass(1000);
  session_->Connected(now_ms_);
  Take();
  Sent();
  Pass(10'000);  // binding
  EXPECT_EQ(session_->state(), Session::State::kWaiting);
  EXPECT_EQ(notices_.back().why, "the bind was not answered");
}

TEST_F(SessionTest, ARefusedBindIsNotTriedAgainAtOnce) {
  Begin();
  session_->Connected(now_ms_);
  Take();
  Hear(CommandId::kBindTransceiverResp, Sent().header.sequence, CommandStatus::kInvalidPassword);
  ASSERT_EQ(notices_.size(), 2U);
  EXPECT_EQ(notices_[0].event, Event::kBindRefused);
  EXPECT_EQ(notices_[0].status, CommandStatus::kInvalidPassword);
  Pass(59'999);
  EXPECT_EQ(connects_, 1);
  Pass(1);
  EXPECT_EQ(connects_, 2);
}

TEST_F(SessionTest, NothingLeavesAtOrAfterItsDeadline) {
  BeginBound(Options(1));
  EXPECT_TRUE(Submit(1, now_ms_ + 100'000).ok());
  EXPECT_TRUE(Submit(2, now_ms_ + 5000).ok());
  EXPECT_TRUE(Submit(3, now_ms_ + 5001).ok());
  const std::uint32_t first = SentSubmit();
  now_ms_ += 5000;
  Answer(first);
  EXPECT_EQ(Outcome().token, 1U);
  EXPECT_EQ(Outcome().kind, OutcomeKind::kExpired);
  const std::uint32_t third = SentSubmit();
  Answer(third, CommandStatus::kThrottled);
  Pass(1000);
  const auto expired = Outcome();
  EXPECT_EQ(expired.token, 3U);
  EXPECT_EQ(expired.kind, OutcomeKind::kExpired);
  EXPECT_TRUE(sent_.empty());
  // Nor does it wait for ever where there is no connection.
  session_->Closed(now_ms_);
  Take();
  EXPECT_TRUE(Submit(4, now_ms_ + 10).ok());
  Pass(1000);
  EXPECT_EQ(Outcome().token, 4U);
}

TEST_F(SessionTest, SilenceIsAskedAboutAndThenEnded) {
  BeginBound();
  Pass(29'999);
  EXPECT_TRUE(sent_.empty());
  Pass(1);
  const Pdu enquire = Sent();
  EXPECT_EQ(enquire.header.id, CommandId::kEnquireLink);
  Pass(10'000);
  Hear(CommandId::kEnquireLinkResp, enquire.header.sequence);
  Pass(30'000);
  EXPECT_EQ(Sent().header.id, CommandId::kEnquireLink);
  EXPECT_TRUE(Submit(1).ok());
  SentSubmit();
  Pass(30'000);
  EXPECT_EQ(Outcome().kind, OutcomeKind::kUnknown);
  EXPECT_EQ(notices_.back().why, "the SMSC is silent");
  EXPECT_EQ(closes_, 1);
}

TEST_F(SessionTest, AnswersWhatTheSmscAsks) {
  BeginBound();
  Hear(CommandId::kEnquireLink, 77);
  const Pdu alive = Sent();
  EXPECT_EQ(alive.header.id, CommandId::kEnquireLinkResp);
  EXPECT_EQ(alive.header.sequence, 77U);
  Hear(CommandId::kCancelSm, 78, CommandStatus::kOk, Other{.bytes = "x"});
  const Pdu nack = Sent();
  EXPECT_EQ(nack.header.id, CommandId::kGenericNack);
  EXPECT_EQ(nack.header.status, CommandStatus::kInvalidCommandId);
  EXPECT_EQ(nack.header.sequence, 78U);
  Hear(CommandId::kAlertNotification, 79, CommandStatus::kOk, Other{.bytes = "x"});
  EXPECT_TRUE(sent_.empty());
  session_->Received(Unhex("00000012 00000005 00000000 00000050 6161"), now_ms_);
  Take();
  const Pdu refused = Sent();
  EXPECT_EQ(refused.header.id, CommandId::kDeliverSmResp);
  EXPECT_EQ(refused.header.status, CommandStatus::kInvalidCommandLength);
  EXPECT_TRUE(deliveries_.empty());
  Hear(CommandId::kUnbind, 81);
  EXPECT_EQ(Sent().header.id, CommandId::kUnbindResp);
  EXPECT_EQ(session_->state(), Session::State::kWaiting);
}

TEST_F(SessionTest, WhatIsNoSmppIsNackedAndLeft) {
  BeginBound();
  session_->Received(Unhex("ffffffff 00000005 00000000 00000009"), now_ms_);
  Take();
  const Pdu nack = Sent();
  EXPECT_EQ(nack.header.status, CommandStatus::kInvalidCommandLength);
  EXPECT_EQ(nack.header.sequence, 9U);
  EXPECT_EQ(closes_, 1);
  session_->Received("more", now_ms_);
  Take();
  EXPECT_TRUE(sent_.empty());
}

TEST_F(SessionTest, AnAnswerToNothingAndASecondOneAreIgnored) {
  BeginBound();
  EXPECT_TRUE(Submit(1).ok());
  const std::uint32_t sequence = SentSubmit();
  Answer(sequence + 1);
  EXPECT_TRUE(outcomes_.empty());
  Answer(sequence);
  Answer(sequence, CommandStatus::kThrottled);
  EXPECT_EQ(outcomes_.size(), 1U);
  EXPECT_EQ(session_->waiting(), 0U);
  EXPECT_EQ(session_->window_now(), 10U);
}

TEST_F(SessionTest, ANackRefusesItsSubmit) {
  BeginBound();
  EXPECT_TRUE(Submit(1).ok());
  Hear(CommandId::kGenericNack, SentSubmit(), CommandStatus::kInvalidCommandId);
  const auto refused = Outcome();
  EXPECT_EQ(refused.kind, OutcomeKind::kRefused);
  EXPECT_EQ(refused.status, CommandStatus::kInvalidCommandId);
}

TEST_F(SessionTest, AnIdThatCannotBeReadIsStillAnAnswer) {
  BeginBound();
  EXPECT_TRUE(Submit(1).ok());
  std::string frame = Unhex("00000060 80000004 00000000 00000000") + std::string(80, '7');
  frame[15] = static_cast<char>(SentSubmit());
  session_->Received(frame, now_ms_);
  Take();
  const auto accepted = Outcome();
  EXPECT_EQ(accepted.kind, OutcomeKind::kAccepted);
  EXPECT_EQ(accepted.message_id, "");
}

TEST_F(SessionTest, AMessageIsAnsweredOnceItIsKept) {
  SessionOptions options = Options();
  options.deliveries = 1;
  BeginBound(options);
  Hear(CommandId::kDeliverSm, 5, CommandStatus::kOk, Sm{.short_message = "id:1 stat:DELIVRD"});
  ASSERT_EQ(deliveries_.size(), 1U);
  EXPECT_TRUE(sent_.empty());
  Hear(CommandId::kDataSm, 6, CommandStatus::kOk, DataSm{});
  const Pdu busy = Sent();
  EXPECT_EQ(busy.header.id, CommandId::kDataSmResp);
  EXPECT_EQ(busy.header.status, CommandStatus::kReceiverTemporaryError);
  session_->Acknowledge(deliveries_[0].key, CommandStatus::kOk, now_ms_);
  session_->Acknowledge(deliveries_[0].key, CommandStatus::kOk, now_ms_);
  Take();
  const Pdu answer = Sent();
  EXPECT_EQ(answer.header.id, CommandId::kDeliverSmResp);
  EXPECT_EQ(answer.header.sequence, 5U);
  EXPECT_EQ(answer.header.status, CommandStatus::kOk);
  EXPECT_TRUE(sent_.empty());
  // A key of the connection before is no key of this one.
  Hear(CommandId::kDeliverSm, 7, CommandStatus::kOk, Sm{});
  session_->Closed(now_ms_);
  Pass(1000);
  Establish();
  Hear(CommandId::kDeliverSm, 7, CommandStatus::kOk, Sm{});
  ASSERT_EQ(deliveries_.size(), 3U);
  session_->Acknowledge(deliveries_[1].key, CommandStatus::kOk, now_ms_);
  Take();
  EXPECT_TRUE(sent_.empty());
}

TEST_F(SessionTest, StoppingWaitsForAnswersAndUnbinds) {
  BeginBound(Options(1));
  EXPECT_TRUE(Submit(1).ok());
  EXPECT_TRUE(Submit(2).ok());
  const std::uint32_t first = SentSubmit();
  session_->Stop(now_ms_);
  Take();
  const auto given_up = Outcome();
  EXPECT_EQ(given_up.token, 2U);
  EXPECT_EQ(given_up.kind, OutcomeKind::kGivenUp);
  EXPECT_TRUE(absl::IsFailedPrecondition(Submit(3)));
  EXPECT_TRUE(sent_.empty());
  Answer(first);
  EXPECT_EQ(Outcome().kind, OutcomeKind::kAccepted);
  const Pdu unbind = Sent();
  EXPECT_EQ(unbind.header.id, CommandId::kUnbind);
  EXPECT_EQ(closes_, 0);
  Hear(CommandId::kUnbindResp, unbind.header.sequence);
  EXPECT_EQ(closes_, 1);
  EXPECT_EQ(notices_.back().event, Event::kStopped);
  EXPECT_EQ(session_->NextDue(), std::nullopt);
}

TEST_F(SessionTest, StoppingDoesNotWaitForEver) {
  BeginBound();
  EXPECT_TRUE(Submit(1).ok());
  SentSubmit();
  session_->Stop(now_ms_);
  Take();
  Pass(5000);
  EXPECT_EQ(Sent().header.id, CommandId::kUnbind);
  Pass(5000);
  EXPECT_EQ(Outcome().kind, OutcomeKind::kUnknown);
  EXPECT_EQ(session_->state(), Session::State::kStopped);
  EXPECT_EQ(closes_, 1);

  Begin();
  session_->Stop(now_ms_);
  Take();
  EXPECT_EQ(session_->state(), Session::State::kStopped);
}

TEST_F(SessionTest, WhatCannotBeSubmittedIsRefusedAtOnce) {
  SessionOptions receiver = Options();
  receiver.bind = CommandId::kBindReceiver;
  BeginBound(receiver);
  EXPECT_TRUE(absl::IsFailedPrecondition(Submit(1)));
  BeginBound();
  const Pdu enquire{.header = {.id = CommandId::kEnquireLink}, .body = Empty{}, .tlvs = {}};
  EXPECT_TRUE(absl::IsInvalidArgument(session_->Submit(1, enquire, kFar_ms, now_ms_)));
  const Pdu torn{.header = {.id = CommandId::kSubmitSm}, .body = Sm{.validity_period = "1"}, .tlvs = {}};
  EXPECT_TRUE(absl::IsInvalidArgument(session_->Submit(1, torn, kFar_ms, now_ms_)));
  EXPECT_TRUE(sent_.empty());
}

TEST_F(SessionTest, OptionsHaveRules) {
  const auto refused = [](auto change) {
    SessionOptions options = Options();
    change(options);
    return std::string(Session::CheckOptions(options).message());
  };
  EXPECT_EQ(refused([](SessionOptions& o) { o.bind = CommandId::kUnbind; }),
            "bind: must be receiver, transmitter or transceiver");
  EXPECT_EQ(refused([](SessionOptions& o) { o.window = 0; }), "window: must be 1 to 10000");
  EXPECT_EQ(refused([](SessionOptions& o) { o.enquire_ms = 0; }), "times: must be 1 ms to a day");
  EXPECT_EQ(refused([](SessionOptions& o) { o.again_most_ms = 1; }),
            "pauses: the longest must not be below the shortest");
  EXPECT_EQ(refused([](SessionOptions& o) { o.password = "123456789"; }), "password: must be at most 8 octets");
}

}  // namespace
}  // namespace smsflow::smpp
