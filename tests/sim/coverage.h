// What a campaign has reached, counted by name: "row PENDING, due -> IN_SLOT", "fault disk full", "check I8 copies on a
// handset". What is counted nowhere was never tried, and the tests say so. Belongs to one thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace smsflow::sim {

class Coverage {
 public:
  void Hit(std::string_view name, std::uint64_t times = 1) {
    const auto it = counts_.find(name);
    if (it != counts_.end())
      it->second += times;
    else
      counts_.emplace(name, times);
  }
  void Add(const Coverage& other) {
    for (const auto& [name, count] : other.counts_) Hit(name, count);
  }
  std::uint64_t Of(std::string_view name) const {
    const auto it = counts_.find(name);
    return it == counts_.end() ? 0 : it->second;
  }
  const std::map<std::string, std::uint64_t, std::less<>>& counts() const { return counts_; }

 private:
  std::map<std::string, std::uint64_t, std::less<>> counts_;
};

// Of `names`, those that were counted fewer times.
std::vector<std::string> Below(const Coverage& coverage, const std::vector<std::string>& names, std::uint64_t times);
// One line for each kind of name, with its rarest; for docs/testing.md.
std::string CoverageTable(const Coverage& coverage, const std::vector<std::string>& names);

}  // namespace smsflow::sim
