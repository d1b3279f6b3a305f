// How often each moment was aimed at, and how often it was truly met, as is proven after the fact. Of one thread.
#pragma once

#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace smsflow::crash {

class Moments {
 public:
  void Note(const std::string& moment, bool met);
  // A table, in the order in which the moments were first noted.
  void Print(std::ostream& out) const;

 private:
  struct Tally {
    int aimed = 0, met = 0;
  };
  std::vector<std::pair<std::string, Tally>> all_;
};

}  // namespace smsflow::crash
