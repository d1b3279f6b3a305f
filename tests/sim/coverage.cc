#include "tests/sim/coverage.h"

#include <utility>

namespace smsflow::sim {
namespace {

// By the first word of a name.
constexpr std::pair<std::string_view, std::string_view> kKinds[] = {
    {"command ", "commands of clients, operators and gateways"},
    {"event ", "events"},
    {"row ", "rows of the transition table"},
    {"refused ", "commands refused, by state"},
    {"fault ", "kinds of fault"},
    {"met ", "SMS in each state that met each kind of fault"},
    {"check ", "checks of invariants"},
};

}  // namespace

std::vector<std::string> Below(const Coverage& coverage, const std::vector<std::string>& names, std::uint64_t times) {
  std::vector<std::string> below;
  for (const std::string& name : names)
    if (coverage.Of(name) < times) below.push_back(name);
  return below;
}

std::string CoverageTable(const Coverage& coverage, const std::vector<std::string>& names) {
  std::string table = "| what | how many | the rarest | times |\n|---|---:|---|---:|\n";
  for (const auto& [begin, title] : kKinds) {
    std::size_t count = 0;
    const std::string* rarest = nullptr;
    for (const std::string& name : names) {
      if (name.rfind(begin, 0) != 0) continue;
      ++count;
      if (rarest == nullptr || coverage.Of(name) < coverage.Of(*rarest)) rarest = &name;
    }
    if (rarest == nullptr) continue;
    table += "| " + std::string(title) + " | " + std::to_string(count) + " | " + rarest->substr(begin.size()) + " | " +
             std::to_string(coverage.Of(*rarest)) + " |\n";
  }
  return table;
}

}  // namespace smsflow::sim
