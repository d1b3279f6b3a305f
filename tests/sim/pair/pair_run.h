// One seed of two lives that belong together: the real engine over its simulated store, and the real gateway (core,
// store, carrier, SMPP sessions) over its own, between clients and the product's SMSC simulator. One thread, virtual
// time, a clock that all see, or see wrongly. Either is killed between any two steps, and what it had not synced is
// lost; the link between them is slow, breaks, and each end learns of it in its own time.
//
// At the end all is mended and must drain. What is true stands at the SMSC: which handset got what. By that:
//   P1  no part of an attempt is taken by an SMSC twice (I7)
//   P2  nothing leaves for the SMSC outside a slot of its SMS, or at or after its deadline (I1, I2)
//   P3  one SMS is whole on its handset once; more often only where its tenant has the unknown retried, or an operator
//       does it (I8)
//   P4  an SMS that was acknowledged is there, and over in the end (I9, I19)
//   P5  DELIVERED is only what is on the handset, and a definite negative only what is not (I6)
//   P6  what the engine knows of an attempt in the end is what its gateway has recorded
//   P7  all credit is back, and no lease is open (I20)
//   P8  what was canceled or blocked, and answered so, does not leave any more
//   P9  an attempt is handed to one store alone, and nothing is handed over fresh under a pause
//   P10 an engine that knows less than its gateway has seen of it stops
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "smsflow/v1/gateway.pb.h"
#include "tests/sim/finding.h"
#include "tests/sim/gateway/gateway_process.h"
#include "tests/sim/hooks.h"

namespace smsflow::sim {

// Where a seeded bug takes hold. Every hook may be empty.
struct PairHooks {
  Hooks engine;          // store and doors; nothing of the workflow
  GatewayHooks gateway;  // but for `report`
  std::function<void(smsflow::v1::EngineMessage&)> down;
  std::function<void(smsflow::v1::GatewayMessage&)> up;
};

struct PairRunOptions {
  std::uint64_t seed = 1;
  Played played = {.steps = 300};
  PairHooks bug = {};  // empty: none
};

struct PairRunReport : Finding {
  std::uint64_t digest = 0;                   // of all that was submitted and how it ended; the same for the same seed
  std::uint64_t scheduled = 0, submits = 0;   // of which the SMSC heard
  std::map<std::string, std::uint64_t> ends;  // SMSes by their last state
  std::map<std::string, std::uint64_t> faults;  // and events, by name: how often they came true
};

PairRunReport RunPairSeed(const PairRunOptions& options);

// Kinds of fault that a run can be played without.
std::vector<std::string> PairFaultKinds();

// What a campaign of some hundred seeds must have met.
std::vector<std::string> PairNamesToReach();

struct PairBug {
  std::string name;
  std::string what;
  std::function<void(PairHooks&)> plant;
  std::uint64_t seed = 1;  // that found it last
  std::string breaks;      // what it may violate; empty: anything
};
std::vector<PairBug> AllPairBugs();

}  // namespace smsflow::sim
