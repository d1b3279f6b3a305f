#include "workflows/delivery/codec/codec.h"

#include <gtest/gtest.h>

#include <random>

#include "workflows/delivery/codec/rows.h"
#include "workflows/delivery/delivery.h"

namespace smsflow::workflows::delivery {
namespace {

std::string Hex(std::string_view bytes) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text += kDigits[static_cast<unsigned char>(c) >> 4];
    text += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

const Slots kSlots = {{1'767'607'200, 1'767'610'800}, {1'767'621'600, 1'767'625'200}};

Data SomeData() {
  return {1'767'607'200'000,
          1'767'607'200'001,
          1'767'610'795'000,
          2,
          {Result::kFailedTransient, Result::kAccepted},
          Stop::kCancel,
          3,
          std::string("undeliverable"),
          {}};
}

// What is on disk today must be read tomorrow: these bytes never change.
TEST(Golden, EveryStoredMessage) {
  EXPECT_EQ(Hex(EncodeFixed({"b", "k", "gw", kSlots})), "0a016212016b1a026777220ba097eeca06901cb054901c");
  EXPECT_EQ(Hex(EncodeFixed({"b", "k", "gw", kSlots, "2025b"})),
            "0a016212016b1a026777220ba097eeca06901cb054901c2a053230323562");
  EXPECT_EQ(Hex(EncodeData(SomeData())),
            "0880d2e5ecb8331081d2e5ecb83318f887c1eeb83320022a02050230013803420d756e64656c6976657261626c65");
  Data noted = SomeData();
  noted.noted = {0, 8};
  EXPECT_EQ(Hex(EncodeData(noted)), Hex(EncodeData(SomeData())) + "4a020008");
  EXPECT_EQ(Hex(EncodeReport({2, Reported::kSent, About::kRoute, "throttled", 5}).body),
            "080410041a097468726f74746c65642005");
  EXPECT_EQ(Hex(EncodeReschedule({kSlots, true, "gw"}).body), "0801120ba097eeca06901cb054901c180122026777");
  EXPECT_EQ(Hex(EncodeReschedule({kSlots, false, "", "2025b"}).body), "0801120ba097eeca06901cb054901c2a053230323562");
  EXPECT_EQ(Hex(EncodeResolve(How::kGiveUp).body), "0803");
  EXPECT_EQ(Hex(EncodePolicy({})), "08c0cf24100018809f49208095f52a28e0a71230e0d4033880b0f1fb1c40004801");
  EXPECT_EQ(Hex(EncodeScheduleAnswer(State::kPending, 1'767'607'200'000, 1'767'610'800'000)),
            "08011080d2e5ecb8331880afc1eeb833");
  EXPECT_EQ(Hex(EncodeCancel().body) + Hex(EncodeBlock().body) + Hex(EncodeLookNow().body), "");
  EXPECT_EQ(FingerprintInput("b", "key", {{10, 20}, {30, 40}}), "1:b3:key10-20;30-40");
}

TEST(Golden, KindsAndOutcomesArePersisted) {
  EXPECT_EQ(EncodeSchedule({}).kind, 1);
  EXPECT_EQ(EncodeReport({1, Reported::kSent, {}, "", 0}).kind, 2);
  EXPECT_EQ(EncodeCancel().kind, 3);
  EXPECT_EQ(EncodeBlock().kind, 4);
  EXPECT_EQ(EncodeReschedule({}).kind, 5);
  EXPECT_EQ(EncodeResolve(How::kRetry).kind, 6);
  EXPECT_EQ(EncodeLookNow().kind, 7);
  EXPECT_EQ(static_cast<int>(Outcome::kCanceled), 2);
  EXPECT_EQ(static_cast<int>(Outcome::kTooLate), 3);
  EXPECT_EQ(static_cast<int>(Outcome::kAlreadyEnded), 4);
  EXPECT_EQ(static_cast<int>(Outcome::kBlocked), 5);
  EXPECT_EQ(kDueTimer, 1);
  EXPECT_EQ(kKeepTimer, 5);
  EXPECT_EQ(kBatchIndex, 1);
  EXPECT_EQ(kKeyIndex, 2);
  EXPECT_EQ(kTargetIndex, 3);
}

TEST(Codec, ReadsWhatItWrites) {
  const Fixed fixed{"batch", "key", "gw", kSlots};
  EXPECT_EQ(DecodeFixed(EncodeFixed(fixed)), fixed);
  EXPECT_EQ(DecodeFixed(EncodeFixed({})), Fixed{});
  const Fixed zoned{"batch", "key", "gw", kSlots, "2025b"};
  EXPECT_EQ(DecodeFixed(EncodeFixed(zoned)), zoned);
  EXPECT_EQ(DecodeData(EncodeData(SomeData())), SomeData());
  EXPECT_EQ(DecodeData(EncodeData({})), Data{});
  Data noted = SomeData();
  noted.noted = {0, 8};
  EXPECT_EQ(DecodeData(EncodeData(noted)), noted);
  noted.noted = {8};  // not one for each result
  EXPECT_EQ(DecodeData(EncodeData(noted)), std::nullopt);
  Policy policy;
  policy.max_jitter_ms = 0;
  policy.on_unknown = OnUnknown::kRetry;
  policy.dedupe = false;
  EXPECT_EQ(DecodePolicy(EncodePolicy(policy)), policy);
  EXPECT_EQ(DecodePolicy(""), Policy{});
  const auto answer = DecodeScheduleAnswer(EncodeScheduleAnswer(State::kExpired, 0, 0));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->state, State::kExpired);
}

TEST(Codec, ABareSmsIsSmall) {
  const auto workflow = MakeDeliveryWorkflow();
  Instance instance;
  Facts facts;
  facts.now_ms = 1'767'603'600'123;
  const Decision decision = workflow->Step(instance, EncodeSchedule({{"", "", "", {kSlots[0]}}}), facts);
  ASSERT_EQ(decision.verdict, Verdict::kApplied);
  ASSERT_TRUE(decision.fixed);
  EXPECT_EQ(*decision.fixed, EncodeSchedule({{"", "", "", {kSlots[0]}}}).body) << "the same bytes";
  EXPECT_LE(decision.fixed->size() + decision.data.size(), 24u);
  EXPECT_EQ(decision.timers.size(), 2u) << "the write budget of a schedule";
  EXPECT_TRUE(decision.index.empty());
}

TEST(Codec, IndexesAreWhatIsThere) {
  const auto workflow = MakeDeliveryWorkflow();
  Instance instance;
  instance.target = "t";
  Facts facts;
  facts.now_ms = 1'767'603'600'123;
  const Decision decision = workflow->Step(instance, EncodeSchedule({{"b", "k", "gw", kSlots}}), facts);
  ASSERT_EQ(decision.index.size(), 3u);
  EXPECT_EQ(decision.index[0].index, kBatchIndex);
  EXPECT_EQ(decision.index[1].value, "k");
  EXPECT_EQ(decision.index[2].value, "t");
  EXPECT_EQ(workflow->ClientKey(*decision.fixed), "k");
  EXPECT_EQ(workflow->Lane(*decision.fixed), "gw");
  ASSERT_FALSE(decision.timers.empty());
  EXPECT_TRUE(decision.timers[0].gated);
  EXPECT_EQ(decision.timers[0].lane, "gw");
  const auto answer = DecodeScheduleAnswer(decision.answer);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->deadline_ms, 1'767'610'800'000);
}

TEST(Codec, MembershipIsReadWhereItDecides) {
  const auto workflow = MakeDeliveryWorkflow();
  EXPECT_EQ(workflow->SetsRead(EncodeSchedule({})), 1u);
  EXPECT_EQ(workflow->SetsRead({kTimerFired, {}, kDueTimer, 0}), 1u);
  EXPECT_EQ(workflow->SetsRead({kTimerFired, {}, kSlotEndTimer, 0}), 0u);
  EXPECT_EQ(workflow->SetsRead(EncodeReport({1, Reported::kSent, {}, "", 0})), 0u);
}

TEST(Codec, AViewShowsTheSlotsEnd) {
  const auto view = ViewOf(1, "t", EncodeFixed({"b", "k", "gw", kSlots}), EncodeData(SomeData()));
  ASSERT_TRUE(view);
  EXPECT_EQ(view->deadline_ms, 1'767'610'800'000);
  EXPECT_EQ(view->attempts, 2u);
  EXPECT_EQ(view->cause, "undeliverable");
  EXPECT_EQ(view->target, "t");
}

// The one rule for all who show it: of the last failure while it lives; once it is over, why it ended so.
TEST(View, TellsTheCause) {
  using R = Result;
  const std::string fixed = EncodeFixed({"", "", "", kSlots});
  struct Case {
    State state;
    std::vector<R> results;
    const char *stored, *shown;
  };
  for (const Case& one : std::vector<Case>{{State::kPending, {R::kFailedTransient}, "failed", "failed"},
                                           {State::kInSlot, {R::kFailedTransient, R::kNone}, "failed", "failed"},
                                           {State::kDelivered, {R::kFailedTransient, R::kDelivered}, "failed", ""},
                                           {State::kDelivered, {R::kUnknown}, "no_answer", "resolved"},
                                           {State::kExpired, {R::kFailedTransient}, "failed", "failed"},
                                           {State::kExpired, {}, "no_slot", "no_slot"},
                                           {State::kExpired, {R::kUnknown}, "no_answer", "gave_up"},
                                           {State::kCanceled, {R::kFailedTransient}, "failed", "canceled"},
                                           {State::kBlocked, {}, "", "blocked"},
                                           {State::kInvalid, {R::kFailedPermanent}, "rejected", "rejected"},
                                           {State::kUnconfirmed, {R::kSent}, "", "no_receipt"},
                                           {State::kUnknown, {R::kUnknown}, "peer_lost", "peer_lost"}}) {
    Data data;
    data.attempts = static_cast<std::uint32_t>(one.results.size());
    data.results = one.results;
    data.cause = one.stored;
    EXPECT_EQ(ViewOf(static_cast<std::uint16_t>(one.state), "t", fixed, EncodeData(data))->cause, one.shown)
        << NameOf(one.state) << " after " << one.stored;
  }
}

TEST(View, KeepsTheTimesOfWhatEnded) {
  const std::string fixed = EncodeFixed({"", "", "", kSlots});
  Data data;
  const auto view = [&](State state) {
    return *ViewOf(static_cast<std::uint16_t>(state), "t", fixed, EncodeData(data));
  };
  EXPECT_EQ(view(State::kExpired).due_ms, 0) << "it was never due";
  EXPECT_EQ(view(State::kExpired).deadline_ms, kSlots[1].till_s * 1000) << "the last slot there was";
  EXPECT_EQ(view(State::kPending).deadline_ms, 0);
  data.attempts = 1;
  data.results = {Result::kFailedTransient};
  data.left_ms = kSlots[0].from_s * 1000 + 5;
  EXPECT_EQ(view(State::kExpired).due_ms, data.left_ms) << "nothing is due: when the last attempt left";
  EXPECT_EQ(view(State::kExpired).deadline_ms, kSlots[0].till_s * 1000);
  data.due_ms = kSlots[1].from_s * 1000;
  EXPECT_EQ(view(State::kCanceled).due_ms, data.due_ms);
  EXPECT_EQ(view(State::kCanceled).deadline_ms, kSlots[1].till_s * 1000);
}

TEST(Codec, FingerprintsTellNamesApart) {
  EXPECT_NE(FingerprintInput("a", "bc", {}), FingerprintInput("ab", "c", {}));
  EXPECT_NE(FingerprintInput("", "1:x", {}), FingerprintInput("1:x", "", {}));
  EXPECT_NE(FingerprintInput("", "", {{10, 20}}), FingerprintInput("", "", {{10, 21}}));
}

// Bytes that nobody wrote are refused, not guessed at; whatever they are, nothing breaks.
TEST(Codec, RefusesWhatItCannotRead) {
  EXPECT_FALSE(DecodeFixed("\xff\xff\xff"));
  EXPECT_FALSE(DecodeFixed(std::string("\x22\x01\x0a", 3))) << "a slot without a length";
  EXPECT_FALSE(DecodeFixed(std::string("\x22\x02\x0a\x00", 4))) << "an empty slot";
  EXPECT_FALSE(DecodeData(std::string("\x20\x02\x2a\x01\x05", 5))) << "two attempts, one result";
  EXPECT_FALSE(DecodeData(std::string("\x20\x01\x2a\x01\x09", 5))) << "no such result";
  EXPECT_FALSE(DecodeData(std::string("\x20\x01\x2a\x01\xff", 5))) << "nor one below zero";
  EXPECT_FALSE(DecodePolicy("\xff"));
  const auto workflow = MakeDeliveryWorkflow();
  Instance instance;
  for (const Event& event : {Event{99, "", 0, 0}, Event{kReportEvent, "", 0, 1}, Event{kResolveEvent, "\x08\x09", 0, 0},
                             Event{kScheduleEvent, "\xff", 0, 0}, Event{kReportEvent, "\x08\x04", 0, 0}}) {
    const Decision decision = workflow->Step(instance, event, {});
    EXPECT_EQ(decision.verdict, Verdict::kRefused) << event.kind;
    EXPECT_EQ(decision.code, Refusal::kInvalidArgument) << event.kind;
  }
  EXPECT_FALSE(DecodeScheduleAnswer("\xff"));
  EXPECT_EQ(workflow->ClientKey("\xff"), "");
  EXPECT_EQ(workflow->Lane("\xff"), "");
}

TEST(Codec, RefusesToDecideOnWhatItCannotRead) {
  const auto workflow = MakeDeliveryWorkflow();
  const std::string fixed = EncodeFixed({"b", "k", "gw", kSlots}), data = EncodeData(SomeData());
  const auto decide = [&](std::string_view its_fixed, std::string_view its_data, std::string_view policy) {
    Instance instance;
    instance.state = 1;
    instance.fixed = its_fixed;
    instance.data = its_data;
    Facts facts;
    facts.policy = policy;
    return workflow->Step(instance, EncodeCancel(), facts);
  };
  EXPECT_EQ(decide(fixed, data, "").verdict, Verdict::kApplied);
  for (const Decision& decision : {decide("\xff", data, ""), decide(fixed, "\xff", ""), decide(fixed, data, "\xff")}) {
    EXPECT_EQ(decision.verdict, Verdict::kRefused);
    EXPECT_EQ(decision.code, Refusal::kFailedPrecondition);
  }
  EXPECT_FALSE(ViewOf(1, "t", "\xff", data));
  EXPECT_FALSE(ViewOf(1, "t", fixed, "\xff"));
  for (const Description& told :
       {workflow->Describe(EncodeCancel(), "\xff", data), workflow->Describe(EncodeCancel(), fixed, "\xff")})
    EXPECT_EQ(told.detail, "cannot be read");
}

// A number that a later version may have written: it takes no event, and nothing is lost by asking.
TEST(Codec, AStateThatIsNoneTakesNoEvent) {
  const auto workflow = MakeDeliveryWorkflow();
  const std::string fixed = EncodeFixed({"b", "k", "gw", kSlots}), data = EncodeData(SomeData());
  Instance instance;
  instance.state = 77;
  instance.fixed = fixed;
  instance.data = data;
  EXPECT_EQ(workflow->Step(instance, EncodeCancel(), {}).verdict, Verdict::kRefused);
  EXPECT_EQ(workflow->Step(instance, {kTimerFired, {}, kDueTimer, 0}, {}).verdict, Verdict::kIgnored);
  EXPECT_EQ(workflow->Step(instance, EncodeReport({1, Reported::kDelivered, {}, "", 0}), {}).verdict, Verdict::kNoted);
  EXPECT_EQ(workflow->StateName(77), "?");
}

TEST(Codec, TellsTheKernelWhatItIs) {
  const auto workflow = MakeDeliveryWorkflow();
  EXPECT_EQ(workflow->number(), kWorkflowNumber);
  EXPECT_EQ(workflow->name(), "delivery");
  EXPECT_EQ(workflow->version(), kWorkflowVersion);
  EXPECT_EQ(workflow->StateName(10), "UNKNOWN");
  EXPECT_EQ(workflow->TransitionTable().size(), TransitionTable().size());
}

// Spoiled bytes are refused or read as something that is written as it was read; nothing crashes on them.
TEST(Codec, SurvivesSpoiledBytes) {
  const auto workflow = MakeDeliveryWorkflow();
  const std::string originals[] = {EncodeFixed({"b", "k", "gw", kSlots}), EncodeData(SomeData()), EncodePolicy({}),
                                   EncodeReport({2, Reported::kSent, About::kRoute, "throttled", 5}).body};
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    std::mt19937_64 random(seed);
    std::string bytes = originals[random() % std::size(originals)];
    for (std::uint64_t count = 1 + random() % 4; count > 0; --count) {
      const std::size_t at = random() % bytes.size();
      if (random() % 4 == 0 && bytes.size() > 1)
        bytes.erase(at, 1);
      else
        bytes[at] = static_cast<char>(random());
    }
    if (const auto fixed = DecodeFixed(bytes)) {
      ASSERT_EQ(DecodeFixed(EncodeFixed(*fixed)), fixed) << seed;
    }
    if (const auto data = DecodeData(bytes)) {
      ASSERT_EQ(DecodeData(EncodeData(*data)), data) << seed;
    }
    if (const auto policy = DecodePolicy(bytes)) {
      ASSERT_EQ(DecodePolicy(EncodePolicy(*policy)), policy) << seed;
    }
    Instance instance;
    instance.fixed = originals[0];
    instance.data = bytes;
    instance.state = static_cast<std::uint16_t>(1 + random() % 10);
    Facts facts;
    facts.now_ms = 1'767'607'200'000;
    const Event event{static_cast<std::uint16_t>(1 + random() % 7), bytes, 0, 1};
    const Decision decision = workflow->Step(instance, event, facts);
    workflow->Describe(event, bytes, decision.data);
  }
}

TEST(Describe, TellsWhatAPersonWantsToKnow) {
  const auto workflow = MakeDeliveryWorkflow();
  const std::string fixed = EncodeFixed({"b", "k", "", kSlots});
  Data data;
  data.attempts = 1;
  data.results = {Result::kDelivered};
  const Description sent = workflow->Describe(EncodeReport({1, Reported::kSent, {}, "", 0}), fixed, EncodeData(data));
  EXPECT_EQ(sent.event, "report SENT");
  EXPECT_EQ(sent.detail, "not above DELIVERED, noted");
  data = {};
  data.due_ms = 1'767'607'200'000;
  const Description scheduled = workflow->Describe(EncodeSchedule({}), fixed, EncodeData(data));
  EXPECT_EQ(scheduled.detail, "2 slots; due 2026-01-05T10:00:00Z, deadline 2026-01-05T11:00:00Z");
  const std::string zoned = EncodeFixed({"b", "k", "", kSlots, "2025b"});
  EXPECT_EQ(workflow->Describe(EncodeSchedule({}), zoned, EncodeData({})).detail,
            "2 slots; local times by tzdata 2025b");
  EXPECT_EQ(workflow->Describe(EncodeReschedule({kSlots, false, "", "2025b"}), fixed, EncodeData({})).detail,
            "new slots; local times by tzdata 2025b");
  EXPECT_EQ(workflow->Describe({77, "", 0, 0}, fixed, "").detail, "cannot be read");
}

TEST(Describe, HasAWordForEachEvent) {
  const auto workflow = MakeDeliveryWorkflow();
  const std::string fixed = EncodeFixed({"b", "k", "", kSlots});
  Data data;
  data.attempts = 1;
  data.results = {Result::kSent};
  const auto told = [&](const Event& event) {
    const Description one = workflow->Describe(event, fixed, EncodeData(data));
    return one.event + (one.detail.empty() ? "" : ": " + one.detail) +
           (one.cause.empty() ? "" : " (" + one.cause + ")");
  };
  const auto fired = [](std::uint16_t timer) { return Event{kTimerFired, {}, timer, 0}; };
  const auto report = [](Reported reported, About about) { return EncodeReport({1, reported, about, "", 0}); };
  EXPECT_EQ(told(EncodeCancel()), "cancel");
  EXPECT_EQ(told(EncodeBlock()), "block");
  EXPECT_EQ(told(EncodeLookNow()), "look now");
  EXPECT_EQ(told({kPeerLost, {}, 0, 1}), "gateway store lost (peer_lost)");
  EXPECT_EQ(told(EncodeResolve(How::kDelivered)), "resolve: delivered");
  EXPECT_EQ(told(EncodeResolve(How::kRetry)), "resolve: retry");
  EXPECT_EQ(told(EncodeResolve(How::kGiveUp)), "resolve: give up");
  EXPECT_EQ(told(EncodeReschedule({std::nullopt, true, "gw"})), "reschedule: new payload");
  EXPECT_EQ(told(EncodeReschedule({kSlots, true, "gw"})), "reschedule: new payload; new slots");
  EXPECT_EQ(told(fired(kDueTimer)), "due");
  EXPECT_EQ(told(fired(kProbeTimer)), "silence: gateway asked");
  EXPECT_EQ(told(fired(kReceiptTimer)), "receipt overdue (no_receipt)");
  EXPECT_EQ(told(fired(kKeepTimer)), "last slot over: payload erased");
  EXPECT_EQ(told(fired(77)), "timer") << "of a later version";
  EXPECT_EQ(told(report(Reported::kSent, About::kNotSaid)), "report SENT");
  EXPECT_EQ(told(report(Reported::kUnknown, About::kNotSaid)), "report UNKNOWN: not above SENT, noted");
  data.results = {Result::kFailedPermanent};
  EXPECT_EQ(told(report(Reported::kInvalid, About::kMessage)), "report INVALID: about the message");
  EXPECT_EQ(told(report(Reported::kInvalid, About::kRecipient)), "report INVALID: about the recipient");
  EXPECT_EQ(told(report(Reported::kInvalid, About::kSender)), "report INVALID: about the sender");
  EXPECT_EQ(told(report(Reported::kExpired, About::kRoute)),
            "report EXPIRED: not above FAILED for good, noted; about the route");
  data.results = {Result::kUnknown};
  EXPECT_EQ(told(fired(kProbeTimer)), "silence: no answer in time");
  EXPECT_EQ(told(report(Reported::kAccepted, About::kNotSaid)), "report ACCEPTED: not above UNKNOWN, noted");
  data.cause = "contradiction";
  EXPECT_EQ(told(report(Reported::kAccepted, About::kNotSaid)), "report ACCEPTED: it contradicts an earlier report");
  data.attempts = 2;
  data.results = {Result::kUnknown, Result::kNone};
  EXPECT_EQ(told(report(Reported::kAccepted, About::kNotSaid)), "report ACCEPTED: not above UNKNOWN, noted")
      << "the contradiction was of another attempt";
  data.due_ms = 5'000;
  EXPECT_EQ(told(fired(kDueTimer)), "due: due 1970-01-01T00:00:05Z") << "in no slot that there is";
  const std::string one = EncodeFixed({"", "", "", {kSlots[0]}});
  EXPECT_EQ(workflow->Describe(EncodeSchedule({}), one, EncodeData({})).detail, "1 slot");
  data = {};
  data.stop = Stop::kBlock;
  EXPECT_EQ(workflow->Describe(EncodeSchedule({}), one, EncodeData(data)).cause, "blocked");
}

// The timer fires the guard before the slot ends: what it means depends on whether an attempt is out.
TEST(Describe, TellsTheDeadlineOfAHandOverFromTheEndOfASlot) {
  const auto workflow = MakeDeliveryWorkflow();
  const std::string fixed = EncodeFixed({"b", "k", "", kSlots});
  Data data;
  data.attempts = 1;
  data.results = {Result::kAccepted};
  const Event timer{kTimerFired, {}, kSlotEndTimer, 0};
  EXPECT_EQ(workflow->Describe(timer, fixed, EncodeData(data)).event, "hand-over deadline");
  data.results = {Result::kFailedTransient};
  data.due_ms = 1'767'621'600'000;
  const Description waited = workflow->Describe(timer, fixed, EncodeData(data));
  EXPECT_EQ(waited.event, "slot end");
  EXPECT_EQ(waited.detail, "too late to leave in it; due 2026-01-05T14:00:00Z, deadline 2026-01-05T15:00:00Z");
}

}  // namespace
}  // namespace smsflow::workflows::delivery
