// Plays one scenario written as text: commands in, what happened out, a line for each step. The commands are listed in
// tests/scenarios/delivery/README.md. Times without a date are on Monday 2026-01-05, UTC; `+1d10:00` is the day after.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/workflows/delivery/single_life.h"
#include "workflows/delivery/zones.h"

namespace smsflow::workflows::delivery {

class ScenarioPlayer {
 public:
  ScenarioPlayer();

  // The output of all commands. A command that cannot be read becomes a line that begins with "ERROR".
  std::string Play(const std::vector<std::string>& commands);
  // What must hold always and did not.
  const std::vector<std::string>& broken() const { return life_.broken(); }

 private:
  struct Words {
    std::vector<std::string> plain;
    std::map<std::string, std::string> named;  // name=value
  };
  static Words Split(const std::string& line);
  void Run(const std::string& line);
  std::optional<std::int64_t> Instant(const Words& words);  // what `clock` and `away` name; an error is told
  void Clock(const Words& words);
  void Away(const Words& words);
  void SetPolicy(const Words& words);
  void ScheduleSms(const Words& words);
  void ReportAttempt(const Words& words);
  void RescheduleSms(const Words& words);
  void ResolveSms(const Words& words);
  void Show();
  void Tell(const Step& step);
  void TellNew();
  std::optional<Slots> SlotsOf(const Words& words);
  std::string TimeText(std::int64_t ms) const;

  std::unique_ptr<ZoneResolver> zones_ = MakeZoneResolver();
  SingleLife life_;
  std::size_t told_ = 0;  // steps that are in output_
  std::string output_;
};

}  // namespace smsflow::workflows::delivery
