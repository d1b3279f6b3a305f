// A transition table as a picture. Arrows with the same ends share one line, so that a large table stays readable.
// Pure; safe from any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "workflows/workflow.h"

namespace smsflow::workflows {

// `start` is the state that stands for "not there yet"; it is drawn as the beginning.
std::string Mermaid(const std::vector<TableRow>& table, std::string_view start = "new");
std::string Dot(const std::vector<TableRow>& table, std::string_view start = "new");

}  // namespace smsflow::workflows
