// How often something was seen before, for as many things as a file has rows, in 11 to 22 bytes each.
//
// What it keeps is 8 bytes of a digest. Two things that share them are counted as one, which is harmless where the
// count only tells alike things apart. A value, used from one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace smsflow::cli {

class Occurrences {
 public:
  // Holds at most `most` different things with their repetitions.
  explicit Occurrences(std::size_t most = 25'000'000) : most_(most), slots_(1024, 0) {}
  // 0 for the first, then 1, 2 …; nullopt: it is full.
  std::optional<std::uint64_t> Count(const std::string& thing);

 private:
  bool Has(std::uint64_t print) const;
  void Insert(std::uint64_t print);

  std::size_t most_, used_ = 0;
  std::vector<std::uint64_t> slots_;  // 0: free; a power of two of them
};

}  // namespace smsflow::cli
