// Whether an SMS was entitled to what its journal says became of it: the rules once more, worked out from the records
// alone and without the machine's own guards and plans, so that a mistake of the machine is not made twice.
//
// Pure, but for the counts.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "smsflow/stored/v1/records.pb.h"
#include "tests/sim/coverage.h"
#include "workflows/delivery/policy.h"
#include "workflows/delivery/state.h"

namespace smsflow::sim {

namespace delivery = workflows::delivery;
using ::smsflow::stored::v1::JournalBody;

// An SMS as its journal tells it, up to some record.
struct Life {
  std::string tenant, target;
  delivery::State state = delivery::State::kNew;
  delivery::Fixed fixed;
  delivery::Data data;
  std::map<std::uint32_t, std::int64_t> timers;  // when each is due, by name
  bool payload_erased = false;
  std::int64_t sent_ms = 0;         // when it became SENT
  bool by_hand = false;             // it waits because an operator wants another attempt
  std::set<std::uint32_t> unknown;  // attempts of which at some time nobody could tell
  std::set<std::uint32_t> retried;  // … after which an operator had another made
  bool resolved_delivered = false;  // by an operator

  // Takes the next record. False: it cannot be read.
  bool Take(const JournalBody& record);
};

struct Objection {
  const char* invariant;  // "I5"
  std::string what;       // after the name of the SMS
};
// What in this record the rules do not allow.
std::vector<Objection> ObjectionsTo(const JournalBody& record, const Life& before, const delivery::Policy& policy,
                                    Coverage& coverage);

}  // namespace smsflow::sim
