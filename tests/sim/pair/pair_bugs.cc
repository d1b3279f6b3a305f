// Bugs that are put at the seams between engine and gateway, each for one run: what one of them owes the other.
#include <memory>
#include <utility>

#include "tests/sim/pair/pair_run.h"

namespace smsflow::sim {
namespace {

namespace v1 = smsflow::v1;
using storage::Family;
using workflows::submission::Answer;

// True at every n-th call.
std::function<bool()> Every(int n) {
  return [n, count = std::make_shared<int>(0)] { return ++*count % n == 0; };
}

void DenyTheUnknown(PairHooks& hooks) {
  hooks.up = [](v1::GatewayMessage& message) {
    if (!message.has_reports()) return;
    for (v1::Report& report : *message.mutable_reports()->mutable_reports())
      if (report.result() == v1::RESULT_UNKNOWN) report.set_result(v1::NEVER_SEEN);
  };
}
void OneStoreForAll(PairHooks& hooks) {
  hooks.engine.attach = [](engine::PeerHello& hello) {
    hello.peer.store_uuid = "11111111-2222-4333-8444-555555555555";
  };
}
void TakeAnAnswerForAll(PairHooks& hooks) {
  hooks.down = [](v1::EngineMessage& message) {
    if (!message.has_answers()) return;
    for (v1::ReportAnswer& answer : *message.mutable_answers()->mutable_answers())
      answer.set_tag(static_cast<std::uint64_t>(gateway::Reported::kDelivered));
  };
}
void ForgetTheGuard(PairHooks& hooks) {
  hooks.engine.lease = [](engine::Lease& lease) { lease.deadline_ms += 10 * 60'000; };
}
void ReportTheFirst(PairHooks& hooks) {
  hooks.engine.report = [](AttemptId& about, workflows::Event& event) { event.effect = about.number = 1; };
}
void CreditTwice(PairHooks& hooks) {
  hooks.up = [](v1::GatewayMessage& message) {
    if (message.has_credit()) message.mutable_credit()->set_more(2 * message.credit().more());
  };
}
void LoseRecords(PairHooks& hooks) {
  hooks.gateway.rows.put = [now = Every(7)](Family, std::string& key, std::string&) {
    return key.front() != 'A' || !now();
  };
}
void ForgetUnanswered(PairHooks& hooks) {
  hooks.gateway.rows.seen = [now = Every(2)](Family, std::string_view key, bool) {
    return key.front() != 'U' || !now();
  };
}
void TakeSilenceForRefusal(PairHooks& hooks) {
  hooks.gateway.answer = [](gateway::PartAnswer& answer) {
    if (answer.answer == Answer::kUnknown) answer.answer = Answer::kRefused;
  };
}

}  // namespace

std::vector<PairBug> AllPairBugs() {
  return {
      {"the unknown denied", "of what may have been sent the engine hears NEVER_SEEN", DenyTheUnknown, 16, "P3 P6"},
      {"one store for all", "the engine takes a new store of the gateway for the one that was lost", OneStoreForAll, 1,
       "P9"},
      {"marks ignored", "the engine does not look at what the gateway has seen of it",
       [](PairHooks& hooks) { hooks.engine.attach = [](engine::PeerHello& hello) { hello.marks.clear(); }; }, 3, "P10"},
      {"report answered too early", "before it is stored",
       [](PairHooks& hooks) { hooks.engine.answer_reports_at_once = true; }, 54, "P6"},
      {"an answer taken for all", "the answer to a weaker report counts for the strongest", TakeAnAnswerForAll, 6,
       "P6"},
      {"deadline beyond the slot", "the engine hands over a later one", ForgetTheGuard, 5, "P2"},
      {"report of another attempt", "each counts for the first attempt", ReportTheFirst, 2, "P4 P5 P6"},
      {"credit counted twice", "the engine takes what the gateway gives for twice as much", CreditTwice, 1, "P7"},
      {"sweep answered too early", "what is canceled or blocked may still leave",
       [](PairHooks& hooks) { hooks.engine.answer_sweeps_at_once = true; }, 2, "P8"},
      {"engine without sync", "the engine answers and hands over what a power cut may take back",
       [](PairHooks& hooks) { hooks.engine.sync = [](storage::Sync) { return storage::Sync::kNo; }; }, 1, ""},
      {"gateway without sync", "the gateway submits what a power cut may make it forget",
       [](PairHooks& hooks) { hooks.gateway.rows.sync = [](storage::Sync) { return storage::Sync::kNo; }; }, 3,
       "P1 P5 P6"},
      {"record forgotten", "a row of an attempt is not written, and its lease is taken once more", LoseRecords, 4,
       "P1 P5 P6"},
      {"report not repeated", "what was not answered is not said again", ForgetUnanswered, 6, "P6"},
      {"silence taken for a refusal", "a submit without an answer counts as a definite negative", TakeSilenceForRefusal,
       2, "P5"},
      {"failed write taken for done", "an error of the gateway's disk is passed over",
       [](PairHooks& hooks) { hooks.gateway.rows.swallow_write_errors = true; }, 17, "P1 P5 P6"},
  };
}

std::vector<std::string> PairNamesToReach() {
  return {"a lost store of the gateway is found",
          "a message of the link goes astray",
          "a slow write",
          "an attempt is handed over again",
          "an older copy of the engine's folder stops",
          "an outage",
          "canceled",
          "canceled too late",
          "many stopped",
          "more than one copy, as was asked for",
          "paused",
          "rescheduled",
          "resolved",
          "the SMSC is down or up",
          "the connections to the SMSC are cut",
          "the engine ended itself for its disk",
          "the engine is killed",
          "the engine's clock is put right",
          "the engine's clock jumps",
          "the gateway ended itself for its disk",
          "the gateway is killed",
          "the gateway's clock is put right",
          "the gateway's clock jumps",
          "the gateway's disk is nearly full, or has room",
          "the gateway's store is lost",
          "the link is cut",
          "told ACCEPTED",
          "told DELIVERED",
          "told EXPIRED",
          "told FAILED",
          "told FAILED_PERMANENT",
          "told NEVER_SEEN",
          "told SENT",
          "told UNKNOWN"};
}

}  // namespace smsflow::sim
