// What smsflow makes of a disk after a power cut at any operation of a recorded run: it opens with all that was
// acknowledged, or refuses and says why; and then `db repair` mends a copy. Never less in silence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <unordered_set>
#include <vector>

#include "tests/crash/left_disk.h"

namespace smsflow::crash {

// After so many operations, with that loss. Each is judged alone, in whatever order.
struct PowerCut {
  std::size_t after = 0;
  Loss loss = Loss::kUnsynced;
};
// All that are possible in the run, each operation with every loss, shuffled by the seed.
std::vector<PowerCut> AllCuts(const RecordedRun& run, std::uint64_t seed);

// What was judged already: the bytes, and what had to be there. Thread-safe.
class JudgedDisks {
 public:
  bool IsNew(const Image& image, const Needed& need);

 private:
  std::mutex mutex_;
  std::unordered_set<std::size_t> hashes_;
};

struct CutFigures {
  std::size_t cuts = 0;  // judged
  std::size_t same = 0;  // left what another cut had left, and were not judged again
  std::size_t recovered = 0;
  std::size_t revived = 0;   // of these, the engine itself recovered and worked on
  std::size_t repaired = 0;  // refused to open, and the copy that repair made was whole
  std::map<std::string, std::size_t> kinds, losses;

  std::size_t tried() const { return cuts + same; }
  void Add(const CutFigures& other);
};

class PowerCuts {
 public:
  // `folder` is empty and its own. `judged` may be shared, and outlives this.
  PowerCuts(const RecordedRun& run, const std::string& folder, std::uint64_t seed, JudgedDisks& judged);

  // Judges these, in any order; ends early when `late` says so, or something was broken.
  void Cut(const std::vector<PowerCut>& cuts, const std::function<bool()>& late);

  const CutFigures& figures() const { return figures_; }
  // What was broken, with the moment and the folder that shows it.
  const std::vector<std::string>& broken() const { return broken_; }

 private:
  void CutOnce(const PowerCut& cut, const DiskModel& model);
  void Broken(const Image& image, const std::string& where, const std::string& what);

  const RecordedRun& run_;
  const LeftDisk disk_;
  const std::uint64_t seed_;
  JudgedDisks& judged_;
  CutFigures figures_;
  std::vector<std::string> broken_;
};

}  // namespace smsflow::crash
