// What clients and gateways say, or are told, is not what should be; and what the clock and chance do.
#include <memory>
#include <utility>

#include "tests/sim/bugs.h"
#include "workflows/delivery/codec/codec.h"

namespace smsflow::sim {

namespace delivery = workflows::delivery;

std::vector<Bug> DoorBugs() {
  return {
      {"lease to a second store", "a store that is new is taken for the old one",
       [](Hooks& hooks) {
         hooks.attach = [](engine::PeerHello& hello) { hello.peer.store_uuid = "store-" + hello.peer.gateway + "-1"; };
       }},
      {"gateway of all tenants", "whom a gateway serves is not looked at",
       [](Hooks& hooks) { hooks.attach = [](engine::PeerHello& hello) {
                            hello.tenants = {"a", "b", "c"};
                          }; }},
      {"gateway of all keys", "what a gateway can open is not looked at",
       [](Hooks& hooks) { hooks.attach = [](engine::PeerHello& hello) {
                            hello.lanes = {"k1", "k2", "k3", ""};
                          }; }},
      {"tenant of a command not checked", "every command is an administrator's",
       [](Hooks& hooks) { hooks.send = [](engine::EventRequest& request) { request.tenant.clear(); }; }},
      {"fingerprint not compared", "a used key is taken for another request",
       [](Hooks& hooks) {
         hooks.create = [](engine::CreateRequest& request) { request.fingerprint = std::string(16, 'f'); };
       }},
      {"idempotency key not stored", "every fourth request is made again when it is asked again",
       [](Hooks& hooks) {
         hooks.create = [count = std::make_shared<int>(0)](engine::CreateRequest& request) {
           if (++*count % 4 == 0) request.dedupe_key.clear();
         };
       }},
      {"cancel told as done", "CANCELED is answered where it was too late",
       [](Hooks& hooks) {
         hooks.answer = [](engine::Answer& answer) {
           if (answer.outcome == static_cast<std::uint16_t>(delivery::Outcome::kTooLate))
             answer.outcome = static_cast<std::uint16_t>(delivery::Outcome::kCanceled);
         };
       }},
      {"unblock forgotten", "who was unblocked stays blocked",
       [](Hooks& hooks) {
         hooks.sweep = [](engine::SweepRequest& request) {
           if (request.membership) request.membership->member = true;
         };
       }},
      {"resume forgotten", "what was paused stays paused",
       [](Hooks& hooks) { hooks.pause = [](engine::PauseRequest& request) { request.resume = false; }; }},
      {"block without its row", "what is pending is swept, what comes later leaves",
       [](Hooks& hooks) {
         hooks.sweep = [](engine::SweepRequest& request) {
           if (request.membership) request.membership->set = 5;
         };
       }},
      {"block without its sweep", "what is pending leaves",
       [](Hooks& hooks) {
         hooks.sweep = [](engine::SweepRequest& request) {
           if (request.membership) request.sweep = false;
         };
       }},
      {"cancel of the whole tenant", "a cancel of a batch, a key or a target ends all of its tenant",
       [](Hooks& hooks) {
         hooks.sweep = [](engine::SweepRequest& request) {
           if (request.event.kind == delivery::kCancelEvent) request.index = 0;
         };
       }},
      {"cancel of another tenant's batch", "the name of the batch is looked for, and not whose it is",
       [](Hooks& hooks) {
         hooks.sweep = [](engine::SweepRequest& request) {
           const bool batch = request.event.kind == delivery::kCancelEvent && request.index == delivery::kBatchIndex;
           if (batch) request.tenant = request.tenant == "a" ? "b" : "a";
         };
       }},
      {"block of strangers", "whoever is in the shard of a blocked target ends as BLOCKED",
       [](Hooks& hooks) {
         hooks.sweep = [](engine::SweepRequest& request) {
           if (request.membership && request.membership->member) request.index = 0;
         };
       }},
      {"look now at nobody", "of a batch or a tenant; it is answered, and nobody hears it",
       [](Hooks& hooks) {
         hooks.sweep = [](engine::SweepRequest& request) {
           if (request.event.kind == delivery::kLookNowEvent) request.tenant += "another";
         };
       }},
      {"gateway's pause ignored", "it is answered and holds nobody",
       [](Hooks& hooks) {
         hooks.pause = [](engine::PauseRequest& request) {
           if (request.scope == storage::PauseScope::kGateway) request.value = "another";
         };
       }},
      {"sweep answered too early", "before any shard has heard of it",
       [](Hooks& hooks) { hooks.answer_sweeps_at_once = true; }},
      {"report answered before it is durable", "a gateway is told what a crash undoes",
       [](Hooks& hooks) { hooks.answer_reports_at_once = true; }},
      {"report on the first attempt", "the number of the attempt is not read",
       [](Hooks& hooks) { hooks.report = [](AttemptId& attempt, workflows::Event&) { attempt.number = 1; }; }},
      {"disk guard ignored", "new work is taken though the disk is nearly full",
       [](Hooks& hooks) { hooks.ignore_disk_guard = true; }},
      {"drain ignored", "work leaves though the engine drains", [](Hooks& hooks) { hooks.ignore_drain = true; }},
      {"deadline lost on the way", "the gateway gets ten minutes more",
       [](Hooks& hooks) { hooks.lease = [](engine::Lease& lease) { lease.deadline_ms += 600'000; }; }},
      {"half of the credit of who comes back", "in memory alone: a gateway that attaches again gets half of its window",
       [](Hooks& hooks) { hooks.half_credit_again = true; }},
      {"queue without a bound", "whatever is asked waits, however much waits already",
       [](Hooks& hooks) { hooks.no_queue_max = true; }},
      {"full for good", "in memory alone: a link that was full once is never looked at again",
       [](Hooks& hooks) { hooks.full_for_good = true; }},
      {"lease sent twice", "every lease goes over the link two times", [](Hooks& hooks) { hooks.lease_twice = true; }},
      {"payloads swapped", "every third lease carries the payload of the one before",
       [](Hooks& hooks) {
         hooks.lease = [count = std::make_shared<int>(0),
                        last = std::make_shared<std::string>()](engine::Lease& lease) {
           std::string mine = lease.payload;
           if (++*count % 3 == 0) lease.payload = *last;
           *last = std::move(mine);
         };
       }},
      {"every clock trusted", "a jump of the clock stops nothing",
       [](Hooks& hooks) { hooks.trust_every_clock = true; }},
      {"a jump noticed too late", "the clock may jump three milliseconds further than the guard is to let pass",
       [](Hooks& hooks) { hooks.clock_guard_late_ms = 3; }},
      {"clock a little ahead", "the engine's clock is two seconds ahead of the truth",
       [](Hooks& hooks) { hooks.clock_ahead_ms = 2'000; }},
      {"fire budget ignored", "all that is overdue leaves at once", [](Hooks& hooks) { hooks.no_budget = true; }},
      {"high-water mark ahead of the data", "what is not written yet is said to be durable",
       [](Hooks& hooks) { hooks.high_water_ahead = 1; }},
      {"chance repeats", "random numbers come again after three", [](Hooks& hooks) { hooks.same_random = true; }},
  };
}

}  // namespace smsflow::sim
