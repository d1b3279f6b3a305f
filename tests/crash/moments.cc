#include "tests/crash/moments.h"

#include <algorithm>
#include <iomanip>

namespace smsflow::crash {

void Moments::Note(const std::string& moment, bool met) {
  auto entry = std::find_if(all_.begin(), all_.end(), [&](const auto& each) { return each.first == moment; });
  if (entry == all_.end()) entry = all_.insert(all_.end(), {moment, {}});
  ++entry->second.aimed;
  if (met) ++entry->second.met;
}

void Moments::Print(std::ostream& out) const {
  out << std::left << std::setw(66) << "moment" << std::right << std::setw(8) << "aimed" << std::setw(6) << "met\n";
  for (const auto& [moment, tally] : all_) {
    out << std::left << std::setw(66) << moment << std::right << std::setw(8) << tally.aimed << std::setw(5)
        << tally.met << "\n";
  }
}

}  // namespace smsflow::crash
