// Bugs that are put into a gateway on purpose, each at a seam and for one run only.
#include <memory>
#include <utility>

#include "tests/sim/gateway/gateway_run.h"

namespace smsflow::sim {
namespace {

using gateway::PartAnswer;
using storage::Family;
using workflows::submission::Answer;
using workflows::submission::Heard;

// True at every n-th call.
std::function<bool()> Every(int n) {
  return [n, count = std::make_shared<int>(0)] { return ++*count % n == 0; };
}
std::function<void(GatewayHooks&)> LoseRow(char kind, int every) {
  return [=](GatewayHooks& hooks) {
    hooks.rows.put = [kind, now = Every(every)](Family, std::string& key, std::string&) {
      return key.front() != kind || !now();
    };
  };
}
std::function<void(GatewayHooks&)> PassOver(char kind, int every) {
  return [=](GatewayHooks& hooks) {
    hooks.rows.seen = [kind, now = Every(every)](Family, std::string_view key, bool) {
      return key.front() != kind || !now();
    };
  };
}
std::function<void(GatewayHooks&)> TakeAnswerFor(Answer from, Answer to) {
  return [=](GatewayHooks& hooks) {
    hooks.answer = [=](PartAnswer& answer) {
      if (answer.answer == from) answer.answer = to;
    };
  };
}

void SubmitAgain(GatewayHooks& hooks) {
  hooks.submit = [now = Every(5)](std::vector<engine::Lease>& leases) {
    if (now()) leases.push_back(leases.front());
  };
}
void ForgetDeadline(GatewayHooks& hooks) {
  hooks.submit = [](std::vector<engine::Lease>& leases) {
    for (engine::Lease& lease : leases) lease.deadline_ms += 60'000;
  };
}
std::function<void(GatewayHooks&)> Sorted(void (*change)(gateway::Sorted&)) {
  return [change](GatewayHooks& hooks) { hooks.sorted = change; };
}
void MixUpParts(GatewayHooks& hooks) {
  hooks.answer = [](PartAnswer& answer) {
    if (answer.parts > 1) answer.number = 1;
  };
}
void MixUpAttempts(GatewayHooks& hooks) {
  hooks.answer = [last = std::make_shared<AttemptId>()](PartAnswer& answer) {
    if (answer.parts > 1) return;
    const AttemptId own = answer.attempt;
    if (last->number != 0 && answer.answer != Answer::kUnknown) answer.attempt = *last;
    *last = own;
  };
}
void KeepOneId(GatewayHooks& hooks) {
  hooks.answer = [first = std::make_shared<std::string>()](PartAnswer& answer) {
    if (answer.message_id.empty()) return;
    if (first->empty()) *first = answer.message_id;
    answer.message_id = *first;
  };
}
void TakeEnrouteForDelivered(GatewayHooks& hooks) {
  hooks.receipt = [](gateway::SmscReceipt& receipt) {
    if (receipt.heard == Heard::kFailed || receipt.heard == Heard::kUnderWay) receipt.heard = Heard::kDelivered;
    return true;
  };
}
void TakeDeliveredForFailed(GatewayHooks& hooks) {
  hooks.receipt = [now = Every(4)](gateway::SmscReceipt& receipt) {
    if (receipt.heard == Heard::kDelivered && now()) receipt.heard = Heard::kFailedForGood;
    return true;
  };
}
void LoseReceipts(GatewayHooks& hooks) {
  hooks.receipt = [now = Every(5)](gateway::SmscReceipt&) { return !now(); };
}
void LoseReports(GatewayHooks& hooks) {
  hooks.report = [now = Every(5)](gateway::Report&) { return !now(); };
}
void KeepOneUuid(GatewayHooks& hooks) {
  hooks.hello = [first = std::make_shared<std::string>()](engine::PeerHello& hello) {
    if (first->empty()) *first = hello.peer.store_uuid;
    hello.peer.store_uuid = *first;
  };
}
void CountAnyPart(GatewayHooks& hooks) {
  hooks.options = [](gateway::SmscOptions& options) { options.parts = workflows::submission::PartsRule::kAny; };
}

}  // namespace

std::vector<GatewayBug> AllGatewayBugs() {
  return {
      {"INTENT not synced", "what is submitted may be forgotten by a power cut",
       [](GatewayHooks& hooks) { hooks.rows.sync = [](storage::Sync) { return storage::Sync::kNo; }; }},
      {"attempt forgotten", "a row of an attempt is not written now and then", LoseRow('A', 7)},
      {"open attempt forgotten", "what was open at a kill is not found after it", PassOver('U', 2)},
      {"id of a part forgotten", "an SMSC's id is not written now and then", LoseRow('I', 4)},
      {"parked receipt forgotten", "a receipt that came first is not written", LoseRow('R', 1), 9},
      {"batch torn", "of a batch the rest is written on its own",
       [](GatewayHooks& hooks) { hooks.rows.tear_batches = true; }, 35},
      {"failed write taken for done", "an error of the disk is passed over",
       [](GatewayHooks& hooks) { hooks.rows.swallow_write_errors = true; }},
      {"failed read taken for nothing", "what the disk cannot read counts as never seen",
       [](GatewayHooks& hooks) { hooks.rows.swallow_read_errors = true; }},
      {"an empty store under the old name", "a new store says that it is the one that was lost", KeepOneUuid},
      {"submitted twice", "a lease goes to the carrier twice", SubmitAgain},
      {"submitted too late", "the carrier goes by a later deadline", ForgetDeadline, 10},
      {"silence taken for a refusal", "a submit without an answer counts as refused",
       TakeAnswerFor(Answer::kUnknown, Answer::kRefused)},
      {"refusal taken for an answer", "a refused submit counts as accepted",
       TakeAnswerFor(Answer::kRefused, Answer::kAccepted), 221},
      {"silence taken for an answer", "a submit without an answer counts as accepted",
       TakeAnswerFor(Answer::kUnknown, Answer::kAccepted)},
      {"parts mixed up", "the answer of any part counts for the first", MixUpParts},
      {"attempts mixed up", "an answer counts for the attempt before", MixUpAttempts},
      {"one id for all", "each part is kept under the first id", KeepOneId, 38},
      {"progress taken for delivery", "an undelivered receipt counts as delivered", TakeEnrouteForDelivered, 9},
      {"delivery taken for a failure", "a delivered receipt counts as failed", TakeDeliveredForFailed},
      {"receipt lost", "a receipt is acknowledged and dropped", LoseReceipts},
      {"receipt acknowledged too early", "before it is durable",
       [](GatewayHooks& hooks) { hooks.acknowledge_at_once = true; }, 215},
      {"report lost", "a report that did not leave counts as answered", LoseReports},
      {"queued after INTENT", "what waits for a place is recorded as if it were on its way",
       [](GatewayHooks& hooks) { hooks.queue_after_intent = true; }},
      {"deadline forgotten in the queue", "what waited goes by a later deadline",
       Sorted([](gateway::Sorted& one) { one.sms.lease.deadline_ms += 60'000; })},
      {"long text counted as one segment", "a rate counts SMSes instead of segments",
       Sorted([](gateway::Sorted& one) { one.sms.segments = 1; }), 9},
      {"rate of a sender forgotten", "senders have no limit",
       Sorted([](gateway::Sorted& one) { one.sms.sender_limit = 0; }), 18},
      {"routes mixed up", "an SMS waits for the route of another number",
       Sorted([](gateway::Sorted& one) { one.sms.route = 1 - one.sms.route; })},
      {"any part counts for all", "one receipt is taken for the whole", CountAnyPart, 5},
  };
}

}  // namespace smsflow::sim
