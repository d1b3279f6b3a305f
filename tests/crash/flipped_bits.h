// What smsflow makes of a disk with one flipped bit: it opens with all that was acknowledged, or refuses and says why;
// and then `db repair` mends a copy exactly when nothing below the high-water mark is missing. Never less in silence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/crash/left_disk.h"

namespace smsflow::crash {

struct FlipFigures {
  std::size_t flips = 0;
  std::size_t whole = 0;     // opened, and nothing that was acknowledged was missing
  std::size_t found = 0;     // opened, and db verify says what is bad
  std::size_t refused = 0;   // did not open, and said why
  std::size_t repaired = 0;  // of the two above: the copy was whole up to the mark
  std::size_t beyond = 0;    // of the two above: something below the mark is missing, and repair said so
  std::map<std::string, std::size_t> files;  // by what kind of file

  void Add(const FlipFigures& other);
};

class FlippedBits {
 public:
  // `folder` is empty and its own.
  FlippedBits(const RecordedRun& run, const std::string& folder, std::uint64_t seed);

  // Flips so many bits, each alone; ends early when `late` says so, or something was broken.
  void Flip(std::size_t flips, const std::function<bool()>& late);

  const FlipFigures& figures() const { return figures_; }
  // What was broken, with the moment and the folder that shows it.
  const std::vector<std::string>& broken() const { return broken_; }

 private:
  // A disk before its bit is flipped.
  struct Whole {
    const Moment& moment;
    Image image;
    std::string log;               // the newest; empty: there is none
    Sequences marked;              // by the saved marks
    std::size_t marked_at = 0;     // after so many operations they were, with all of the run until then
    std::uint64_t marked_log = 0;  // how long the log was then
  };
  void FlipOnce(const Whole& whole);
  std::uint64_t SizeAtMark(const std::string& log, std::size_t marked) const;
  void Broken(const Image& image, const std::string& where, const std::string& what);

  const RecordedRun& run_;
  const LeftDisk disk_;
  std::mt19937_64 random_;
  FlipFigures figures_;
  std::vector<std::string> broken_;
};

}  // namespace smsflow::crash
