// Every check of the crash run, shown to find what it is for: a run in which all is well, and one lie at a time.
#include "tests/crash/checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "ids/ids.h"
#include "tests/crash/book.h"
#include "tests/crash/tale.h"
#include "tests/crash/watched.h"
#include "tests/storage/temporary_folder.h"

namespace smsflow::crash {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t kFromS = 1'700'000'000, kTillS = kFromS + 10;  // the slot of every SMS here, long over
constexpr std::int64_t kInMs = kFromS * 1000 + 500, kEndMs = kTillS * 1000;

std::string Id(std::uint64_t number) { return std::string(InstanceId::Make(kInMs, ShardId{1}, number).AsBytes()); }
const std::string kOurs = Id(1), kOther = Id(2);

// An engine that says what it was told to say.
class ToldAnswers final : public Answers {
 public:
  absl::StatusOr<v1::SmsStatus> Get(const std::string&, const std::string& id) override {
    const auto found = statuses.find(id);
    if (found == statuses.end()) return absl::NotFoundError("there is no such SMS");
    return found->second;
  }
  absl::StatusOr<v1::ListResponse> List(const std::string& tenant, const std::string&) override {
    v1::ListResponse page;
    if (tenant != "clinic") return page;
    for (const std::string& id : listed) page.add_items()->set_id(id);
    return page;
  }
  absl::StatusOr<v1::GetJournalResponse> GetJournal(const std::string& id) override {
    v1::GetJournalResponse journal;
    journal.set_id(id);
    const auto add = [&](std::int64_t at_ms, const char* from, const char* to, const char* event) {
      v1::JournalEntry& entry = *journal.add_entries();
      entry.set_at_ms(at_ms);
      entry.set_from_state(from);
      entry.set_to_state(to);
      entry.set_event(event);
    };
    add(kInMs - 350, "", "PENDING", "schedule");
    add(left_ms, "PENDING", "IN_SLOT", "due");
    add(kInMs, "IN_SLOT", "DELIVERED", "report DELIVERED");
    return journal;
  }

  std::map<std::string, v1::SmsStatus> statuses;
  std::vector<std::string> listed;
  std::int64_t left_ms = kInMs - 100;  // by the journal
};

// One SMS that was scheduled, left once and was delivered: what the client, the engine and the gateway say of it, for a
// lie to change.
class Scene {
 public:
  Scene() : sms(book.Add(Asked())) {
    Answer(sms, kOurs, /*duplicate=*/false);
    status().set_id(kOurs);
    status().set_state(v1::DELIVERED);
    status().set_attempts(1);
    status().set_schedule(ToText(sms->orders.front().slots));
    sms->orders.front().told_ms = kInMs - 300;
    answers.listed = {kOurs};
    Submitted(kOurs, 1, kInMs);
  }

  static Sms Asked() {
    Sms asked;
    asked.tenant = "clinic";
    asked.request.set_target("t1");
    asked.request.set_batch("b1");
    asked.orders = {{.text = "S1D1", .slots = {{kFromS, kTillS}}, .asked_ms = kInMs - 400}};
    return asked;
  }
  void Answer(Sms* which, const std::string& id, bool duplicate) {
    v1::ScheduleResponse answer;
    answer.set_id(id);
    answer.set_state(v1::PENDING);
    answer.set_duplicate(duplicate);
    book.Acknowledged(which, answer);
  }
  void Submitted(const std::string& id, int attempt, std::int64_t at_ms, std::int64_t deadline_ms = kEndMs) {
    truth << IdText(id) << "." << attempt << " " << at_ms << " " << deadline_ms << "\n";
  }
  v1::SmsStatus& status() { return answers.statuses[kOurs]; }
  void EndedAs(v1::SmsState state, const std::string& cause = "") {
    status().set_state(state);
    status().set_cause(cause);
  }
  void Rescheduled(std::int64_t from_s, std::int64_t asked_ms, std::int64_t told_ms) {
    sms->orders.push_back({.text = "S1D1", .slots = {{from_s, from_s + 5}}, .asked_ms = asked_ms, .told_ms = told_ms});
  }
  void Struck(Stroke::What what, Stroke::By by, const std::string& name, std::int64_t asked_ms, std::int64_t told_ms) {
    Stroke* stroke = book.Begin({.what = what, .by = by, .tenant = "clinic", .name = name});
    stroke->asked_ms = asked_ms;
    stroke->told_ms = told_ms;
  }
  void NothingLeft() { truth.str(""); }

  std::vector<std::string> Found() {
    std::ofstream(folder / "truth") << truth.str();
    CheckAll(answers, book, folder / "truth", /*patience_ms=*/-1, findings);
    std::vector<std::string> found;
    for (const Finding& finding : findings.Take()) found.push_back(finding.what);
    return found;
  }

  storage::TemporaryFolder folder;
  Findings findings;
  Book book{folder / "acknowledged", findings};
  ToldAnswers answers;
  std::ostringstream truth;
  Sms* sms;
};

struct Lie {
  const char* name;
  std::function<void(Scene&)> tell;
  std::string finding;  // a part of what must be said
};

std::vector<Lie> LiesOfTheBook() {
  const std::string ours = IdText(kOurs), other = IdText(kOther);
  return {
      {"a creation is doubled", [](Scene& s) { s.Answer(s.sms, kOurs, false); },
       ours + " was acknowledged twice as new"},
      {"a key has two instances", [](Scene& s) { s.Answer(s.sms, kOther, true); },
       other + " is a second instance of the key of " + ours},
      {"a key has two instances, both new", [](Scene& s) { s.Answer(s.sms, kOther, false); },
       other + " was acknowledged twice as new"},
      {"an answer without an id", [](Scene& s) { s.Answer(s.sms, "", true); }, "an acknowledgement without an id"},
      {"taken for a blocked target",
       [](Scene& s) {
         Sms asked = Scene::Asked();
         asked.must_be_blocked = true;
         s.Answer(s.book.Add(asked), kOther, false);
       },
       other + " was taken although its target is blocked"},
  };
}

std::vector<Lie> LiesOfTheEngine() {
  const std::string ours = IdText(kOurs), other = IdText(kOther);
  return {
      {"lost", [](Scene& s) { s.answers.statuses.clear(); }, ours + " was acknowledged and is lost: NOT_FOUND"},
      {"in no list", [](Scene& s) { s.answers.listed.clear(); }, ours + " is in no list"},
      {"listed twice",
       [](Scene& s) {
         s.answers.listed = {kOurs, kOurs};
       },
       ours + " is listed twice"},
      {"never asked for",
       [](Scene& s) {
         s.answers.listed = {kOurs, kOther};
       },
       other + " is there, and nobody was told of it"},
      {"it never ends", [](Scene& s) { s.EndedAs(v1::SENT); }, "it never ends"},
      {"delivered, but nothing left", [](Scene& s) { s.NothingLeft(); }, "nothing left for it"},
      {"nothing left, nobody says why",
       [](Scene& s) {
         s.NothingLeft();
         s.EndedAs(v1::EXPIRED);
       },
       "nothing left for it, and its state does not say why"},
      {"nobody delivered it", [](Scene& s) { s.sms->orders.front().text = "S1I1"; }, "nobody delivered it"},
      {"nobody called it invalid", [](Scene& s) { s.EndedAs(v1::INVALID); }, "nobody called it invalid"},
      {"expired though it left", [](Scene& s) { s.EndedAs(v1::EXPIRED); }, "it left, and nobody said that it failed"},
      {"nobody canceled it", [](Scene& s) { s.EndedAs(v1::CANCELED); }, "nobody canceled it"},
      {"nobody blocked it", [](Scene& s) { s.EndedAs(v1::BLOCKED); }, "nobody blocked its target"},
      {"too many attempts", [](Scene& s) { s.status().set_attempts(4); }, "more attempts than max_attempts"},
      {"a cancel is forgotten", [](Scene& s) { s.sms->canceled_ms = kInMs - 1; }, "it was answered as canceled"},
  };
}

// About what was promised by an answer: the journal's own hand-overs tell.
std::vector<Lie> LiesOfCommands() {
  return {
      {"it has other slots", [](Scene& s) { s.status().set_schedule("1-2"); }, "which nobody asked for last"},
      {"a reschedule is forgotten", [](Scene& s) { s.Rescheduled(kTillS, kInMs + 1, kInMs + 2); },
       "which nobody asked for last"},
      {"it left in slots that had been replaced", [](Scene& s) { s.Rescheduled(kTillS, kInMs - 50, kInMs - 40); },
       "attempt 1 left outside its slots"},
      {"it was rescheduled though it was stopped",
       [](Scene& s) {
         s.sms->stopped_ms = kInMs;
         s.Rescheduled(kTillS, kInMs + 1, kInMs + 2);
       },
       "it was rescheduled after a cancel was answered"},
      {"it left though it was stopped", [](Scene& s) { s.sms->stopped_ms = kInMs - 200; },
       "an attempt left after a cancel was answered"},
      {"it left though its batch was canceled",
       [](Scene& s) { s.Struck(Stroke::kCancel, Stroke::kBatch, "b1", kInMs - 250, kInMs - 200); },
       "an attempt left after b1 was canceled"},
      {"it left though its target was blocked",
       [](Scene& s) { s.Struck(Stroke::kBlock, Stroke::kTarget, "t1", kInMs - 250, kInMs - 200); },
       "an attempt left after t1 was blocked"},
      {"it left though its target was blocked again",
       [](Scene& s) {
         s.Struck(Stroke::kUnblock, Stroke::kTarget, "t1", kInMs - 270, kInMs - 260);
         s.Struck(Stroke::kBlock, Stroke::kTarget, "t1", kInMs - 250, kInMs - 200);
       },
       "an attempt left after t1 was blocked"},
  };
}

std::vector<Lie> LiesOfTheGateway() {
  const std::string ours = IdText(kOurs), other = IdText(kOther);
  return {
      {"submitted twice", [](Scene& s) { s.Submitted(kOurs, 1, kInMs + 1); }, ours + ".1 was submitted twice"},
      {"after its deadline", [](Scene& s) { s.Submitted(kOurs, 2, kEndMs, kEndMs); },
       ours + ".2 was submitted after its deadline"},
      {"before its slot", [](Scene& s) { s.Submitted(kOurs, 2, kFromS * 1000 - 1); },
       "attempt 2 left outside its slots"},
      {"its deadline is beyond its slot", [](Scene& s) { s.Submitted(kOurs, 2, kInMs, kEndMs + 1); },
       "attempt 2 left outside its slots"},
      {"more than one copy", [](Scene& s) { s.Submitted(kOurs, 2, kInMs); }, "more than one copy"},
      {"an attempt that nobody ordered", [](Scene& s) { s.Submitted(kOurs, 2, kInMs); },
       "the engine does not know attempt 2, which left"},
      {"an SMS that nobody ordered", [](Scene& s) { s.Submitted(kOther, 1, kInMs); },
       other + " was submitted, and nobody was told of it"},
      {"it left after it was canceled",
       [](Scene& s) {
         s.sms->canceled_ms = kInMs - 1;
         s.EndedAs(v1::CANCELED);
       },
       "it left after it was answered as canceled"},
      {"it left for a blocked target",
       [](Scene& s) {
         s.sms->must_be_blocked = true;
         s.EndedAs(v1::BLOCKED);
       },
       "it left although its target is blocked"},
      {"nonsense", [](Scene& s) { s.truth << "what is this?\n"; },
       "a line of the truth log cannot be read: 'what is this?'"},
  };
}

TEST(Checks, FindNothingWhereAllIsWell) { EXPECT_THAT(Scene().Found(), IsEmpty()); }

TEST(Checks, FindEveryLieByItsOwnName) {
  for (const auto& lies : {LiesOfTheBook(), LiesOfTheEngine(), LiesOfCommands(), LiesOfTheGateway()}) {
    for (const Lie& lie : lies) {
      SCOPED_TRACE(lie.name);
      Scene scene;
      lie.tell(scene);
      EXPECT_THAT(scene.Found(), Contains(HasSubstr(lie.finding)));
    }
  }
}

TEST(Checks, AFindingIsToldWithTheJournalOfItsSms) {
  Scene scene;
  scene.Submitted(kOurs, 1, kInMs + 1);
  std::ofstream(scene.folder / "truth") << scene.truth.str();
  std::ostringstream told;
  TellFindings({{IdText(kOurs) + ".1 was submitted twice", kOurs}, {"db verify: " + IdText(kOther) + " is bad", ""}},
               scene.book, scene.folder / "truth", scene.answers, /*tales=*/2, told);
  const std::string text = told.str();
  EXPECT_THAT(text,
              HasSubstr("BROKEN: " + IdText(kOurs) +
                        ".1 was submitted twice\n  client\n    tenant clinic, batch b1, target t1\n    asked at "));
  EXPECT_THAT(text, HasSubstr(" to send 'S1D1' in "));
  EXPECT_THAT(text, HasSubstr("submitted attempt 1 at "));
  EXPECT_THAT(text, HasSubstr("IN_SLOT -> DELIVERED"));
  EXPECT_THAT(text, HasSubstr("was never told of " + IdText(kOther)));
  EXPECT_THAT(text, HasSubstr("submitted nothing"));
}

TEST(Checks, AskingAgainIsNoDouble) {
  Scene scene;
  scene.Answer(scene.sms, kOurs, /*duplicate=*/true);
  EXPECT_THAT(scene.Found(), IsEmpty());
}

// Two clients asked at once; the answer that calls it known was read first.
TEST(Checks, AnAnswerThatIsReadLateIsNoDouble) {
  Scene scene;
  Sms* sms = scene.book.Add(Scene::Asked());
  scene.Answer(sms, kOther, /*duplicate=*/true);
  scene.Answer(sms, kOther, /*duplicate=*/false);
  EXPECT_EQ(scene.findings.count(), 0u);
}

// Whatever was not promised may happen: an answer was lost, a name was canceled before the SMS was there or after it
// had left, a block was lifted meanwhile.
TEST(Checks, WhatWasNotPromisedIsNoFault) {
  Scene scene;
  scene.Rescheduled(kTillS, kInMs - 50, /*told_ms=*/0);
  scene.Struck(Stroke::kCancel, Stroke::kBatch, "b1", kInMs - 400, kInMs - 350);
  scene.Struck(Stroke::kCancel, Stroke::kBatch, "b1", kInMs - 50, kInMs - 40);
  scene.Struck(Stroke::kCancel, Stroke::kBatch, "b1", kInMs - 250, /*told_ms=*/0);
  scene.Struck(Stroke::kCancel, Stroke::kBatch, "b2", kInMs - 250, kInMs - 200);
  scene.Struck(Stroke::kBlock, Stroke::kTarget, "t1", kInMs - 250, kInMs - 200);
  scene.Struck(Stroke::kUnblock, Stroke::kTarget, "t1", kInMs - 150, /*told_ms=*/0);
  EXPECT_THAT(scene.Found(), IsEmpty());
}

// What a watch showed, as numbers of the journal's entries, each with how often the watch had been cut before.
std::vector<std::string> FoundInWatch(const std::vector<std::pair<int, int>>& shown) {
  ToldAnswers answers;
  const v1::GetJournalResponse journal = *answers.GetJournal(kOurs);
  std::vector<Seen> seen;
  for (const auto& [entry, stretch] : shown) seen.push_back({WordsOf(journal.entries(entry)), stretch});
  Findings findings;
  CheckSeen(kOurs, "the watch", seen, journal, /*least=*/3, findings);
  std::vector<std::string> found;
  for (const Finding& finding : findings.Take()) found.push_back(finding.what);
  return found;
}

TEST(Checks, AWatchMayRepeatItselfAfterACutAndOnlyThen) {
  EXPECT_THAT(FoundInWatch({{0, 0}, {1, 0}, {2, 0}}), IsEmpty());
  EXPECT_THAT(FoundInWatch({{0, 0}, {1, 1}, {2, 2}}), IsEmpty());
  EXPECT_THAT(FoundInWatch({{0, 0}, {1, 0}, {0, 1}, {1, 1}, {2, 1}}), IsEmpty());
  EXPECT_THAT(FoundInWatch({{0, 0}, {1, 0}, {1, 0}, {2, 0}}), Contains(HasSubstr("in place of")));
  EXPECT_THAT(FoundInWatch({{0, 0}, {1, 0}, {2, 0}, {2, 0}}), Contains(HasSubstr("in place of the journal's end")));
}

TEST(Checks, AWatchLeavesNothingOut) {
  EXPECT_THAT(FoundInWatch({{0, 0}, {2, 0}}), Contains(HasSubstr("in place of")));
  EXPECT_THAT(FoundInWatch({{0, 0}, {2, 1}}), Contains(HasSubstr("in place of")));
  EXPECT_THAT(FoundInWatch({{0, 0}, {1, 1}}), Contains(HasSubstr("never showed")));
  EXPECT_THAT(FoundInWatch({}), Contains(HasSubstr("never showed")));
}

TEST(Checks, AWatchSaysTheSameAsTheJournal) {
  v1::Transition transition;
  transition.set_from(v1::IN_SLOT);
  transition.set_to(v1::DELIVERED);
  transition.set_at_ms(kInMs);
  transition.set_event("report DELIVERED");
  EXPECT_EQ(WordsOf(transition), WordsOf(ToldAnswers().GetJournal(kOurs)->entries(2)));
}

TEST(Checks, HalfALineOfAGatewayThatWasKilledIsNoSubmit) {
  Scene scene;
  scene.truth << "0185";
  EXPECT_THAT(scene.Found(), IsEmpty());
}

}  // namespace
}  // namespace smsflow::crash
