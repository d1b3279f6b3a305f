// One seed of a gateway's life: the product's own core, store, carrier and SMPP sessions between a model of the engine
// and the product's SMSC simulator. One thread, virtual time; crashes between any two steps and within a write, of
// which what was not synced is lost; links that are cut with bytes on the way. The same seed makes the same run.
//
// What must hold, whatever happens (docs/hand-over.md):
//   G1  no part of an attempt is taken by an SMSC twice
//   G2  nothing is submitted that the gateway's store does not know
//   G3  nothing is submitted at or after its deadline
//   G4  after NEVER_SEEN nothing of the attempt is submitted, nor anything else said of it
//   G5  a definite negative is told only of what no handset got; SENT and DELIVERED only of what is so
//   G6  what is recorded of an attempt only rises
//   G7  in the end, with all mended, every attempt has a result, the engine has the one that is recorded, and a receipt
//       that was taken over counts
//   G8  no number, no text in the store
//   G9  no more attempts are open than the window has places: what waits for its turn or a place is no INTENT
//   G10 over a route, and from a sender, no more segments leave than its rate allows
//   G11 each leaves by the route that its number has
//   G12 a gateway whose disk failed, at a write or a read, ends
// A store that was lost comes back empty, or as it was: what it held is UNKNOWN meanwhile, and asked of no other store;
// an empty one has another uuid.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/sim/finding.h"
#include "tests/sim/gateway/gateway_process.h"

namespace smsflow::sim {

struct GatewayRunOptions {
  std::uint64_t seed = 1;
  Played played = {.steps = 300};
  GatewayHooks bug = {};  // empty: none
};

struct GatewayRunReport : Finding {
  std::uint64_t digest = 0;  // of all that was submitted and told; the same for the same seed
  std::uint64_t attempts = 0, submits = 0, crashes = 0, cuts = 0;
  std::map<std::string, std::uint64_t> ends;  // attempts by what the engine knows of them in the end
};

GatewayRunReport RunGatewaySeed(const GatewayRunOptions& options);

// Kinds of fault that a run can be played without.
std::vector<std::string> GatewayFaultKinds();

struct GatewayBug {
  std::string name;
  std::string what;
  std::function<void(GatewayHooks&)> plant;
  std::uint64_t seed = 1;  // that found it last
};
std::vector<GatewayBug> AllGatewayBugs();

}  // namespace smsflow::sim
