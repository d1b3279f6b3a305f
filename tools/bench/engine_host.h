// What an engine needs around it when a benchmark runs it in its own process: the delivery workflow, a policy without
// jitter, and a gateway that opens and stores nothing.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "engine/bus.h"
#include "engine/engine.h"
#include "storage/index_keys.h"
#include "workflows/delivery/codec/codec.h"

namespace smsflow::bench {

// Everything but the store and its high-water mark. Must outlive the engine that is given its parts.
class EngineHost {
 public:
  EngineHost();

  // A failed write ends the process with one line.
  engine::EngineParts Parts(engine::Clock& clock, engine::Random& random) const;

 private:
  std::unique_ptr<workflows::Workflow> workflow_;
  engine::Policy policy_;
  storage::IndexKeys index_keys_;
};

engine::PeerHello BenchHello();
workflows::Event ReportOf(const AttemptId& attempt, workflows::delivery::Reported result);

}  // namespace smsflow::bench
