// Who takes an SMS on: opens it and submits it to an SMSC. The loopback carrier only says that it did.
#pragma once

#include <vector>

#include "engine/bus.h"
#include "gateway/attempt.h"
#include "gateway/routes.h"

namespace smsflow::gateway {

// Called from the carrier's thread; must not block.
class CarrierEvents {
 public:
  virtual ~CarrierEvents() = default;
  // Any number of words on an attempt, in any order, at any time after it was submitted.
  virtual void OnOutcomes(std::vector<Report> outcomes) = 0;
  // The same of single parts.
  virtual void OnParts(std::vector<PartAnswer> answers) = 0;
  // Acknowledge(handle) follows once the receipt is durable.
  virtual void OnReceipt(SmscReceipt receipt, Handle handle) = 0;
};

// Thread-safe.
class Carrier {
 public:
  virtual ~Carrier() = default;
  virtual void Start(CarrierEvents& events) = 0;
  // Whether it would submit this at once, over `route` where there are routes. If so its place is kept until Submit()
  // brings it; if not it is asked again. What waits elsewhere is no INTENT yet, so a gateway that dies loses no more
  // than what has a place.
  virtual bool Take(const engine::Lease&, const Route* /*route*/) { return true; }
  // Of one for which Take() finds no place: whoever could take it has been away for long, while others stand. So it
  // should not wait, for what waits holds the credit that theirs need.
  virtual bool IsAway(const engine::Lease&, const Route* /*route*/) { return false; }
  // The INTENT of each is durable. Does not block.
  virtual void Submit(std::vector<engine::Lease> leases) = 0;
  // What was told with these is durable.
  virtual void Acknowledge(const std::vector<Handle>&) {}
  // Gives up what has not left, ends the carrier's threads; afterwards no event comes but of what Submit() still
  // brings, which has not left either.
  virtual void Stop() = 0;
};

}  // namespace smsflow::gateway
