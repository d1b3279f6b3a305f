#include "tests/sim/shrink.h"

#include <algorithm>
#include <ctime>
#include <numeric>
#include <utility>

namespace smsflow::sim {
namespace {

double CpuS() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

class Shrinker {
 public:
  Shrinker(const Played& whole, const Finding& found, const std::function<Finding(const Played&)>& play, double cpu_s)
      : play_(play), kind_(KindOf(found)), begun_s_(CpuS()), end_s_(begun_s_ + cpu_s), best_{whole, found} {
    best_.played.steps = std::min(whole.steps, found.step);
  }

  void SwitchOff(const std::vector<std::string>& faults) {
    for (const std::string& fault : faults) {
      Played less = best_.played;
      if (less.without.insert(fault).second) Try(less);
    }
    // Whoever reads it wants to know which mattered.
    for (const std::string& fault : std::set<std::string>(best_.played.without)) {
      Played more = best_.played;
      more.without.erase(fault);
      Try(more, /*same_trace=*/true);
    }
  }

  void LeaveOut() {
    std::vector<int> kept(static_cast<std::size_t>(std::max(best_.played.steps, 0)));
    std::iota(kept.begin(), kept.end(), 1);
    std::erase_if(kept, [this](int step) { return best_.played.left_out.contains(step); });
    for (std::size_t length = std::max<std::size_t>(kept.size() / 2, 1); length != 0; length /= 2) {
      for (std::size_t at = 0; at < kept.size() && !Over();) {
        const auto from = kept.begin() + static_cast<std::ptrdiff_t>(at);
        const auto till = kept.begin() + static_cast<std::ptrdiff_t>(std::min(at + length, kept.size()));
        Played less = best_.played;
        less.left_out.insert(from, till);
        if (Try(less))
          kept.erase(from, till);
        else
          at += length;
      }
    }
  }

  Shrunk Best() {
    best_.cpu_s = CpuS() - begun_s_;
    return std::move(best_);
  }

 private:
  bool Over() const { return CpuS() >= end_s_; }
  bool Try(const Played& played, bool same_trace = false) {
    if (Over()) return false;
    ++best_.runs;
    Finding finding = play_(played);
    if (KindOf(finding) != kind_ || (same_trace && finding.trace != best_.finding.trace)) return false;
    best_.played = played;
    best_.finding = std::move(finding);
    return true;
  }

  const std::function<Finding(const Played&)>& play_;
  const std::string kind_;
  const double begun_s_, end_s_;
  Shrunk best_;
};

}  // namespace

Shrunk Shrink(const Played& whole, const Finding& found, const std::vector<std::string>& faults,
              const std::function<Finding(const Played&)>& play, double cpu_s_max) {
  Shrinker shrinker(whole, found, play, cpu_s_max);
  shrinker.SwitchOff(faults);
  shrinker.LeaveOut();
  shrinker.SwitchOff(faults);  // without those steps others may go as well
  return shrinker.Best();
}

}  // namespace smsflow::sim
