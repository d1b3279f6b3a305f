#include "workflows/graph.h"

#include "tools/cli/failure.h"
#include "tools/cli/verbs.h"
#include "workflows/delivery/codec/codec.h"

namespace smsflow::cli {

Outcome RunGraph(const Arguments& arguments, const Terminal& terminal) {
  if (arguments.subject != "delivery")
    return absl::NotFoundError("graph: there is no such workflow; this program knows: delivery");
  const auto table = workflows::delivery::MakeDeliveryWorkflow()->TransitionTable();
  terminal.out << (arguments.dot ? workflows::Dot(table) : workflows::Mermaid(table));
  return kExitOk;
}

}  // namespace smsflow::cli
