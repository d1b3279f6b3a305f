// What clients and operators have asked for in a run, so that a journal in which more was done than that is noticed.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "engine/engine.h"
#include "tests/sim/entitled.h"

namespace smsflow::sim {

class AskedFor {
 public:
  // Whether it was done, or ever heard, is not known.
  void One(const engine::EventRequest& request) { ones_.emplace(request.id, request.event.kind, request.actor); }
  void Many(const engine::SweepRequest& sweep);
  // Whether somebody asked for what this record tells of: of this SMS alone, or of those to which it belongs. True for
  // what is no command.
  bool Covers(const InstanceId& id, const Life& life, const JournalBody& record) const;

 private:
  struct Sweep {
    std::string tenant;
    std::uint32_t index = 0;
    std::string value;
  };
  std::set<std::tuple<InstanceId, std::uint32_t, std::string>> ones_;  // which event, and who asked
  std::multimap<std::pair<std::string, std::uint32_t>, Sweep> many_;   // by who asked, and for which event
};

}  // namespace smsflow::sim
