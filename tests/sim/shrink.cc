#include "tests/sim/shrink.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

namespace smsflow::sim {
namespace {

constexpr int kRunsMax = 300;

// "I19", or how the sentence begins.
std::string KindOf(const RunReport& report) {
  if (report.violations.empty()) return "";
  const std::string& text = report.violations.front();
  const std::size_t colon = text.find(':');
  return text.substr(0, colon < 16 ? colon : text.find_first_of("0123456789"));
}

}  // namespace

RunReport Shrink(RunOptions options, const RunReport& found) {
  const std::string kind = KindOf(found);
  options.coverage = nullptr;
  options.steps = std::min(options.steps, found.step);
  RunReport best = found;
  std::vector<int> kept(static_cast<std::size_t>(options.steps));
  std::iota(kept.begin(), kept.end(), 1);
  int runs = 0;
  for (std::size_t length = std::max<std::size_t>(kept.size() / 2, 1); length != 0; length /= 2) {
    for (std::size_t at = 0; at < kept.size() && runs < kRunsMax;) {
      const std::size_t till = std::min(at + length, kept.size());
      RunOptions shorter = options;
      shorter.left_out.insert(kept.begin() + static_cast<std::ptrdiff_t>(at),
                              kept.begin() + static_cast<std::ptrdiff_t>(till));
      ++runs;
      RunReport report = RunSeed(shorter);
      if (KindOf(report) != kind) {
        at = till;
        continue;
      }
      best = std::move(report);
      options.left_out = std::move(shorter.left_out);
      kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(at), kept.begin() + static_cast<std::ptrdiff_t>(till));
    }
  }
  return best;
}

}  // namespace smsflow::sim
