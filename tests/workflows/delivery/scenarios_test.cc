// Plays every scenario of tests/scenarios/delivery. With SMSFLOW_REWRITE=1 in the environment, what stands below the
// dashes is written anew; then read the difference before you keep it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/workflows/delivery/scenario_player.h"

namespace smsflow::workflows::delivery {
namespace {

namespace fs = std::filesystem;
constexpr const char* kFolder = "tests/scenarios/delivery";

struct Scenario {
  std::vector<std::string> commands;
  std::string expected;
};

// Scenarios are divided by an empty line; in each, `----` divides commands from what is expected.
std::vector<Scenario> Read(const fs::path& path) {
  std::vector<Scenario> scenarios;
  std::ifstream in(path);
  bool fresh = true, below = false;
  for (std::string line; std::getline(in, line);) {
    if (line.empty()) {
      fresh = true;
      continue;
    }
    if (fresh) {
      scenarios.emplace_back();
      fresh = below = false;
    }
    if (line == "----")
      below = true;
    else if (below)
      scenarios.back().expected += line + "\n";
    else
      scenarios.back().commands.push_back(line);
  }
  return scenarios;
}

void Write(const fs::path& path, const std::vector<Scenario>& scenarios) {
  std::ofstream out(path);
  for (std::size_t i = 0; i < scenarios.size(); ++i) {
    if (i > 0) out << "\n";
    for (const std::string& command : scenarios[i].commands) out << command << "\n";
    out << "----\n" << scenarios[i].expected;
  }
}

TEST(Scenarios, HappenAsWritten) {
  const bool rewrite = std::getenv("SMSFLOW_REWRITE") != nullptr;
  std::size_t played = 0;
  for (const auto& entry : fs::directory_iterator(kFolder)) {
    if (entry.path().extension() != ".txt") continue;
    auto scenarios = Read(entry.path());
    for (Scenario& scenario : scenarios) {
      SCOPED_TRACE(entry.path().filename().string() + ": " + scenario.commands.front());
      ScenarioPlayer player;
      const std::string output = player.Play(scenario.commands);
      EXPECT_TRUE(player.broken().empty()) << player.broken().front() << "\n" << output;
      EXPECT_EQ(output.find("ERROR"), output.npos) << output;
      if (rewrite)
        scenario.expected = output;
      else
        EXPECT_EQ(scenario.expected, output);
      ++played;
    }
    if (rewrite) Write(entry.path(), scenarios);
  }
  EXPECT_GE(played, 40u) << "played from the root of the sources?";
}

}  // namespace
}  // namespace smsflow::workflows::delivery
