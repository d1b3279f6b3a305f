// SMSCs that answer no submits, and a stop amid the parts of an SMS: how much of what waits becomes unknown, or is
// failed and comes again.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

#include "smpp/session.h"
#include "tests/smpp/session_fixture.h"

namespace smsflow::smpp {
namespace {

class MuteSmsc : public SessionTest {
 protected:
  // It answers links and binds and no submit, for so long; it ends each connection `at_once` when it is given one.
  void BeMute(std::int64_t milliseconds, bool at_once = false) {
    for (const std::int64_t end_ms = now_ms_ + milliseconds; now_ms_ < end_ms;) {
      Pass(1000);
      if (session_->state() == Session::State::kConnecting) {
        sent_.clear();
        Establish();
      }
      if (session_->state() == Session::State::kBound) Hear(CommandId::kEnquireLink, ++enquiry_);
      if (at_once && session_->unanswered() != 0) {
        session_->Closed(now_ms_);
        Take();
      }
    }
  }
  std::size_t Unknown() const {
    return static_cast<std::size_t>(std::count_if(
        outcomes_.begin(), outcomes_.end(), [](const auto& outcome) { return outcome.kind == OutcomeKind::kUnknown; }));
  }
  // All but the last submit are over.
  void AnswerTheLast() {
    std::uint32_t last = 0;
    while (!sent_.empty()) {
      const Pdu pdu = Sent();
      if (pdu.header.id == CommandId::kSubmitSm) last = pdu.header.sequence;
    }
    Answer(last);
  }
  void BeginWithMany() {
    SessionOptions options = Options(10);
    options.waiting = 1000;
    BeginBound(options);
    for (SubmitToken token = 1; token <= 500; ++token) EXPECT_TRUE(Submit(token).ok());
  }
  std::uint32_t enquiry_ = 5000;
};

TEST_F(MuteSmsc, CannotTurnAllThatWaitsIntoUnknown) {
  BeginWithMany();
  BeMute(600'000);
  EXPECT_GE(Unknown(), 11U) << "it is asked again from time to time";
  EXPECT_LE(Unknown(), 16U) << "a window, and one each time";
  EXPECT_GT(session_->waiting(), 450U);
  EXPECT_EQ(session_->window_now(), 1U);
}

TEST_F(MuteSmsc, ThatEndsEachConnectionInsteadGetsNoWindowEachTimeEither) {
  BeginWithMany();
  BeMute(600'000, /*at_once=*/true);
  EXPECT_GE(Unknown(), 11U);
  EXPECT_LE(Unknown(), 26U) << "a window, and one after each pause, which grow";
}

TEST_F(MuteSmsc, GetsAWholeWindowAgainWhenItAnswers) {
  BeginWithMany();
  BeMute(130'000);
  while (session_->state() != Session::State::kBound || session_->unanswered() != 1) BeMute(1000);
  AnswerTheLast();
  EXPECT_EQ(session_->window_now(), 10U);
  EXPECT_EQ(session_->unanswered(), 10U);
}

// A late answer shows that it is only slow.
TEST_F(MuteSmsc, ThatIsOnlySlowKeepsItsConnection) {
  BeginWithMany();
  const std::uint32_t first = SentSubmit();
  BeMute(61'000);
  EXPECT_EQ(Unknown(), 10U);
  EXPECT_FALSE(session_->may_submit());
  EXPECT_EQ(session_->unanswered(), 0U);
  Answer(first);
  EXPECT_TRUE(session_->may_submit());
  EXPECT_EQ(session_->unanswered(), 10U);
  EXPECT_EQ(connects_, 1);
}

TEST_F(MuteSmsc, IsProbedUntilItAnswersWhateverIsBound) {
  BeginBound();
  EXPECT_TRUE(session_->standing().may_submit);
  EXPECT_FALSE(session_->standing().probing);
  EXPECT_EQ(session_->standing().since_ms, now_ms_);
  EXPECT_TRUE(Submit(1).ok());
  SentSubmit();
  Pass(10);
  session_->Closed(now_ms_);
  Take();
  const std::int64_t lost_ms = now_ms_;
  Pass(1000);
  EXPECT_FALSE(session_->standing().may_submit);
  EXPECT_TRUE(session_->standing().probing);
  EXPECT_EQ(session_->standing().since_ms, lost_ms) << "connecting is nothing yet";
  Establish();
  EXPECT_TRUE(session_->standing().may_submit);
  EXPECT_TRUE(session_->standing().probing);
  EXPECT_EQ(session_->standing().since_ms, now_ms_);
  EXPECT_TRUE(Submit(2).ok());
  Answer(SentSubmit());
  EXPECT_FALSE(session_->standing().probing);
}

class StoppingAmidParts : public SessionTest {
 protected:
  // Two SMSes of three parts each, tokens 1 to 6; the first part of the first has left.
  void SetUp() override {
    SessionOptions options = Options(1);
    options.waiting = 10;
    BeginBound(options);
    for (SubmitToken token = 1; token <= 6; ++token) {
      const auto number = static_cast<std::uint8_t>((token - 1) % 3 + 1);
      ASSERT_TRUE(session_->Submit(token, kPdu, kFar_ms, now_ms_, {number, 3}).ok());
    }
    Take();
  }
  void Stop() {
    session_->Stop(now_ms_);
    Take();
  }
  std::string Told() {
    std::string all;
    for (const auto& outcome : std::exchange(outcomes_, {}))
      all += std::to_string(outcome.token) + "ARUEG"[static_cast<int>(outcome.kind)];
    return all;
  }
  const Pdu kPdu{.header = {.id = CommandId::kSubmitSm},
                 .body = Sm{.destination = {.ton = 1, .npi = 1, .digits = "255700000001"}, .short_message = "x"},
                 .tlvs = {}};
};

TEST_F(StoppingAmidParts, CompletesWhatHasBegun) {
  Stop();
  EXPECT_EQ(Told(), "4G5G6G");
  for (int part = 1; part <= 3; ++part) Answer(SentSubmit());
  EXPECT_EQ(Told(), "1A2A3A");
  EXPECT_EQ(Sent().header.id, CommandId::kUnbind);
}

TEST_F(StoppingAmidParts, AlsoThroughThrottling) {
  Stop();
  Told();
  Answer(SentSubmit());
  Answer(SentSubmit(), CommandStatus::kThrottled);
  EXPECT_TRUE(sent_.empty());
  Pass(100);
  for (int part = 2; part <= 3; ++part) Answer(SentSubmit());
  EXPECT_EQ(Told(), "1A2A3A");
  EXPECT_EQ(Sent().header.id, CommandId::kUnbind);
}

TEST_F(StoppingAmidParts, ForAsLongAsItMayDrain) {
  Stop();
  Told();
  Answer(SentSubmit());
  SentSubmit();
  Pass(5000);
  EXPECT_EQ(Sent().header.id, CommandId::kUnbind);
  EXPECT_EQ(Told(), "1A");
  Pass(5000);
  EXPECT_EQ(Told(), "3U2U") << "the first is with the SMSC: another attempt would bring it again";
  EXPECT_EQ(session_->state(), Session::State::kStopped);
}

TEST_F(StoppingAmidParts, AlsoIfTheSmscCloses) {
  Stop();
  Told();
  Answer(SentSubmit());
  session_->Closed(now_ms_);
  Take();
  EXPECT_EQ(Told(), "1A3U2U");
  EXPECT_EQ(session_->state(), Session::State::kStopped);
}

// Throttled, so none of it is on its way when the connection is lost.
TEST_F(StoppingAmidParts, WithoutAConnectionNobodyKnowsOfWhatHasBegun) {
  Answer(SentSubmit());
  Answer(SentSubmit(), CommandStatus::kThrottled);
  session_->Closed(now_ms_);
  Take();
  EXPECT_EQ(Told(), "1A");
  Stop();
  EXPECT_EQ(Told(), "4G5G6G2U3U");
  EXPECT_EQ(session_->state(), Session::State::kStopped);
}

TEST_F(StoppingAmidParts, WithoutAConnectionWhatWasOnlyThrottledIsGivenUp) {
  Answer(SentSubmit(), CommandStatus::kThrottled);
  session_->Closed(now_ms_);
  Take();
  Stop();
  EXPECT_EQ(Told(), "1G2G3G4G5G6G");
}

TEST_F(StoppingAmidParts, ThrottledWhenItCanNoLongerLeave) {
  Stop();
  Told();
  Answer(SentSubmit());
  const std::uint32_t second = SentSubmit();
  Pass(5000);
  const Pdu unbind = Sent();
  EXPECT_EQ(unbind.header.id, CommandId::kUnbind);
  Answer(second, CommandStatus::kThrottled);
  EXPECT_EQ(Told(), "1A");
  Hear(CommandId::kUnbindResp, unbind.header.sequence);
  EXPECT_EQ(Told(), "2U3U");
  EXPECT_EQ(session_->state(), Session::State::kStopped);
}

}  // namespace
}  // namespace smsflow::smpp
