#include "workflows/graph.h"

#include <algorithm>

namespace smsflow::workflows {
namespace {

struct Arrow {
  std::string_view source, target;
  std::vector<std::string> labels;
};

std::string LabelOf(const TableRow& row) {
  std::string label(row.event);
  if (!row.guard.empty()) label.append(" [").append(row.guard).append("]");
  return label;
}

// In the order in which the table first names each pair of states.
std::vector<Arrow> Arrows(const std::vector<TableRow>& table) {
  std::vector<Arrow> arrows;
  for (const TableRow& row : table) {
    const auto same = [&](const Arrow& arrow) { return arrow.source == row.source && arrow.target == row.target; };
    auto arrow = std::find_if(arrows.begin(), arrows.end(), same);
    if (arrow == arrows.end()) arrow = arrows.insert(arrows.end(), {row.source, row.target, {}});
    arrow->labels.push_back(LabelOf(row));
  }
  return arrows;
}

std::string Joined(const std::vector<std::string>& labels, std::string_view between) {
  std::string text;
  for (const std::string& label : labels) {
    if (!text.empty()) text += between;
    text += label;
  }
  return text;
}

}  // namespace

std::string Mermaid(const std::vector<TableRow>& table, std::string_view start) {
  std::string text = "stateDiagram-v2\n";
  for (const Arrow& arrow : Arrows(table)) {
    text.append("  ").append(arrow.source == start ? "[*]" : arrow.source).append(" --> ").append(arrow.target);
    text.append(": ").append(Joined(arrow.labels, "<br/>")).append("\n");
  }
  return text;
}

std::string Dot(const std::vector<TableRow>& table, std::string_view start) {
  std::string text = "digraph workflow {\n  rankdir=LR;\n  node [shape=box, style=rounded];\n";
  text.append("  \"").append(start).append("\" [shape=point];\n");
  for (const Arrow& arrow : Arrows(table)) {
    text.append("  \"").append(arrow.source).append("\" -> \"").append(arrow.target).append("\" [label=\"");
    text.append(Joined(arrow.labels, "\\n")).append("\"];\n");
  }
  return text + "}\n";
}

}  // namespace smsflow::workflows
