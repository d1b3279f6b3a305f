#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

#include "ids/ids.h"
#include "tests/tools/cli/fake_server.h"
#include "tests/tools/cli/person.h"
#include "tools/cli/journal_text.h"
#include "tools/cli/json_text.h"
#include "tools/cli/live_table.h"
#include "tools/cli/table.h"

namespace smsflow::cli {
namespace {

std::string Id(std::uint64_t random) { return std::string(InstanceId::Make(kNowMs, ShardId{5}, random).AsBytes()); }

class Rendering : public testing::Test {
 protected:
  Rendering() {
    setenv("TZ", "UTC", 1);
    tzset();
  }
  ~Rendering() override {
    unsetenv("TZ");
    tzset();
  }
};

void AddEntry(v1::GetJournalResponse& journal, std::int64_t after_ms, const char* from, const char* to,
              std::uint32_t attempt, const char* event, const char* detail, const char* cause, const char* actor) {
  v1::JournalEntry& entry = *journal.add_entries();
  entry.set_at_ms(kNowMs + after_ms);
  entry.set_from_state(from);
  entry.set_to_state(to);
  entry.set_attempt(attempt);
  entry.set_event(event);
  entry.set_detail(detail);
  entry.set_cause(cause);
  entry.set_actor(actor);
}

v1::GetJournalResponse Journal() {
  v1::GetJournalResponse journal;
  journal.set_id(Id(1));
  journal.set_tenant("demo");
  journal.set_workflow("delivery");
  AddEntry(journal, 0, "", "PENDING", 0, "schedule", "due 09:30:00", "", "clinic");
  AddEntry(journal, 1'800'000, "PENDING", "IN_SLOT", 1, "due", "handed to g1", "", "");
  AddEntry(journal, 1'800'250, "IN_SLOT", "PENDING", 1, "report FAILED", "retry at 09:40:00", "absent", "g1");
  AddEntry(journal, 1'800'251, "PENDING", "PENDING", 0, "", "", "", "");
  journal.mutable_entries(3)->set_erased(true);
  return journal;
}

TEST_F(Rendering, JournalReadsLikeAStory) {
  Person person;
  EXPECT_EQ(JournalForPeople(Journal(), person.terminal, false),
            R"(01a1fd55-7a80-7005-8000-000000000001  delivery, tenant demo  Sat 21 Nov 2026, UTC

TIME          AFTER    TRY  STATE               WHAT HAPPENED                                              BY
09:00:00.000                new -> PENDING      schedule: due 09:30:00                                     clinic
09:30:00.000  +30 min  1    PENDING -> IN_SLOT  due: handed to g1
09:30:00.250           1    IN_SLOT -> PENDING  report FAILED: retry at 09:40:00 [absent]                  g1
09:30:00.251                PENDING             erased at retention; its digest still stands in the chain
)");
}

TEST_F(Rendering, JournalFoldsWhatChangedNothing) {
  v1::GetJournalResponse journal;
  journal.set_id(Id(1));
  AddEntry(journal, 0, "PENDING", "IN_SLOT", 1, "due", "due 2026-11-21T09:00:00Z", "", "engine");
  for (int i = 0; i < 5; ++i) {
    AddEntry(journal, 100 * i + 10, "IN_SLOT", "IN_SLOT", 1, "silence", "gateway asked", "", "engine");
    AddEntry(journal, 100 * i + 20, "IN_SLOT", "IN_SLOT", 1, "report ACCEPTED", "", "", "g1");
  }
  AddEntry(journal, 2'000, "IN_SLOT", "DELIVERED", 1, "report DELIVERED", "", "", "g1");
  EXPECT_EQ(JournalForPeople(journal, Person().terminal, false),
            R"(01a1fd55-7a80-7005-8000-000000000001  , tenant   Sat 21 Nov 2026, UTC

TIME          AFTER  TRY  STATE                 WHAT HAPPENED                          BY
09:00:00.000         1    PENDING -> IN_SLOT    due 09:00:00                           engine
09:00:00.010         1    IN_SLOT               silence: gateway asked                 engine
09:00:00.020         1    IN_SLOT               report ACCEPTED                        g1
                                                … 7 more that changed nothing (--all)
09:00:00.420         1    IN_SLOT               report ACCEPTED                        g1
09:00:02.000  +1 s   1    IN_SLOT -> DELIVERED  report DELIVERED                       g1
)");
  const std::string all = JournalForPeople(journal, Person().terminal, true);
  EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 3 + 12);
}

TEST_F(Rendering, JournalForScriptsHasEightFields) {
  EXPECT_EQ(JournalForScripts(Journal()),
            "2026-11-21T09:00:00.000Z\t-\t-\tPENDING\tschedule\tdue 09:30:00\t-\tclinic\n"
            "2026-11-21T09:30:00.000Z\t1\tPENDING\tIN_SLOT\tdue\thanded to g1\t-\t-\n"
            "2026-11-21T09:30:00.250Z\t1\tIN_SLOT\tPENDING\treport FAILED\tretry at 09:40:00\tabsent\tg1\n"
            "2026-11-21T09:30:00.251Z\t-\tPENDING\tPENDING\terased\t-\t-\t-\n");
}

TEST_F(Rendering, JournalOverSeveralDaysNamesThem) {
  v1::GetJournalResponse journal = Journal();
  journal.mutable_entries(3)->set_at_ms(kNowMs + 90 * 86'400'000LL);
  const std::string text = JournalForPeople(journal, Person().terminal, false);
  EXPECT_NE(text.find("2026-11-21 09:30:00.250"), std::string::npos);
  EXPECT_NE(text.find("2027-02-19 09:00:00.000  +89 d 23 h"), std::string::npos) << text;
}

TEST_F(Rendering, ExplanationSaysWhatComesNext) {
  v1::ExplainResponse why;
  why.mutable_status()->set_id(Id(1));
  why.mutable_status()->set_state(v1::PENDING);
  why.set_summary("It is due, and waits for a gateway.");
  why.add_reasons("credit: no gateway of tenant demo is attached");
  why.set_next_at_ms(kNowMs + 600'000);
  EXPECT_EQ(ExplanationForPeople(why, Person().terminal), R"(01a1fd55-7a80-7005-8000-000000000001  PENDING
It is due, and waits for a gateway.
  - credit: no gateway of tenant demo is attached
Next: 2026-11-21 09:10:00 (in 10 min)
)");
  EXPECT_EQ(
      ExplanationForScripts(why),
      "state\tPENDING\nsummary\tIt is due, and waits for a gateway.\nreason\tcredit: no gateway of tenant demo is "
      "attached\nnext\t2026-11-21T09:10:00.000Z\n");
  why.set_reasons(0, "slots: 1795251600-1795252200");
  EXPECT_THAT(ExplanationForScripts(why),
              testing::HasSubstr("\nreason\tslots: 2026-11-21T09:00:00Z/2026-11-21T09:10:00Z\n"));
}

TEST_F(Rendering, LiveTableCountsAndShowsWhatChanged) {
  LiveTable live;
  Person person;
  EXPECT_FALSE(live.AllEnded());
  v1::SmsStatus first;
  first.set_id(Id(1));
  first.set_key("a");
  first.set_state(v1::PENDING);
  first.set_due_ms(kNowMs + 5'000);
  first.set_changed_ms(kNowMs);
  live.Take(first);
  v1::Transition second;
  second.set_id(Id(2));
  second.set_target("t");
  second.set_to(v1::INVALID);
  second.set_attempt(1);
  second.set_cause("absent");
  second.set_at_ms(kNowMs + 1'000);
  live.Take(second);
  EXPECT_EQ(live.Draw(person.terminal), R"(1 of 2 ended   PENDING 1   INVALID 1

ID                                    STATE    TRY  CHANGED       DUE     NAME  CAUSE
01a1fd55-7a80-7005-8000-000000000001  PENDING       09:00:00.000  in 5 s  a
01a1fd55-7a80-7005-8000-000000000002  INVALID  1    09:00:01.000          t     absent
)");
  second.set_id(Id(1));
  second.set_to(v1::PENDING);
  live.Take(second);
  second.set_from(v1::PENDING);
  second.set_to(v1::IN_SLOT);
  second.clear_cause();
  live.Take(second);
  EXPECT_NE(live.Draw(person.terminal).find("absent"), live.Draw(person.terminal).rfind("absent"))
      << "while it lives, its last failure counts";
  second.set_to(v1::DELIVERED);
  live.Take(second);
  EXPECT_TRUE(live.AllEnded());
  EXPECT_EQ(live.Draw(person.terminal).find("absent"), live.Draw(person.terminal).rfind("absent"))
      << "what failed before it was delivered is of no interest any more";
  person.terminal.height = 8;
  for (std::uint64_t i = 3; i < 9; ++i) {
    second.set_id(Id(i));
    second.set_at_ms(second.at_ms() + 1);
    live.Take(second);
  }
  const std::string cut = live.Draw(person.terminal);
  EXPECT_EQ(std::count(cut.begin(), cut.end(), '\n'), 7);
  EXPECT_NE(cut.find("and 5 more"), std::string::npos) << cut;
}

TEST(Table, LeavesOutEmptyColumnsAndCutsNothing) {
  Table table({"A", "B", "LONG TITLE"});
  table.Add({"x", "", "1"});
  table.Add({std::string(50, 'y'), "", "ü"});
  EXPECT_EQ(table.ForPeople(Person().terminal), "A" + std::string(51, ' ') + "LONG TITLE\nx" + std::string(51, ' ') +
                                                    "1\n" + std::string(50, 'y') + "  ü\n");
  EXPECT_EQ(table.ForScripts(), "x\t-\t1\n" + std::string(50, 'y') + "\t-\tü\n");
}

TEST(Table, PaintsWithoutLosingItsColumns) {
  Person person;
  person.terminal.color = true;
  Table table({"A", "B"});
  table.Add({Cell(std::string("x"), Color::kGreen), "1"});
  EXPECT_EQ(table.ForPeople(person.terminal), "\033[2mA\033[0m  \033[2mB\033[0m\n\033[32mx\033[0m  1\n");
}

TEST(Visible, LetsNoNameDriveTheTerminal) {
  EXPECT_EQ(Visible("a\033[2Jb\nc\x7f\xc2\x9b"
                    "d ü"),
            "a?[2Jb?c??d ü");
}

TEST(Json, SpellsMessagesAsTheContractsDo) {
  v1::SmsStatus sms;
  sms.set_id(Id(1));
  sms.set_batch("say \"hi\"\n");
  sms.set_state(v1::SENT);
  sms.set_due_ms(kNowMs);
  EXPECT_EQ(
      ToJson(sms),
      R"({"id":"01a1fd55-7a80-7005-8000-000000000001","batch":"say \"hi\"\u000a","key":"","target":"","state":"SENT",)"
      R"("created_ms":0,"due_ms":1795251600000,"deadline_ms":0,"ended_ms":0,"attempts":0,"cause":"","changed_ms":0,)"
      R"("schedule":"","user":""})");
  v1::ScheduleBatchResponse batch;
  batch.add_results()->mutable_error()->set_code(3);
  EXPECT_EQ(ToJson(batch), R"({"results":[{"error":{"code":3,"message":"","violations":[],"retry_after_ms":0}}]})");
  v1::StatsResponse stats;
  stats.add_items()->set_value(0.25);
  stats.add_items()->set_value(3);
  EXPECT_EQ(ToJson(stats), R"({"items":[{"name":"","value":0.25,"help":""},{"name":"","value":3,"help":""}]})");
}

}  // namespace
}  // namespace smsflow::cli
