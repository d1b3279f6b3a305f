// What smsflow makes of a disk after a power cut at any operation of a recorded run, and of one with a flipped bit:
// it opens with all that was acknowledged, or refuses and says why; and then `db repair` mends a copy exactly when
// nothing below the high-water mark is missing. Never less in silence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/crash/recorded_run.h"

namespace smsflow::crash {

struct CutFigures {
  std::size_t cuts = 0;  // judged
  std::size_t same = 0;  // left the same bytes as the operation before, and were not judged again
  std::size_t recovered = 0;
  std::size_t repaired = 0;  // refused to open, and the copy that repair made was whole
  std::map<std::string, std::size_t> kinds, losses;
};
struct FlipFigures {
  std::size_t flips = 0;
  std::size_t whole = 0;     // opened, and nothing that was acknowledged was missing
  std::size_t unmarked = 0;  // opened, whole up to the mark; what was acknowledged since the mark was saved is gone
  std::size_t found = 0;     // opened, and db verify says what is bad
  std::size_t refused = 0;   // did not open, and said why
  std::size_t repaired = 0;  // of the two above: the copy was whole up to the mark
  std::size_t beyond = 0;    // of the two above: something below the mark is missing, and repair said so
  std::map<std::string, std::size_t> files;  // by what kind of file
};

class PowerCuts {
 public:
  // `folder` is empty and its own.
  PowerCuts(const RecordedRun& run, std::string folder, std::uint64_t seed);

  // Cuts after the share `of_all` (0 to 1) of all operations, drawn by the seed, with every loss; and flips so many
  // bits. Both end early when `late` says so, or something was broken.
  void Cut(double of_all, const std::function<bool()>& late);
  void Flip(std::size_t flips, const std::function<bool()>& late);

  const CutFigures& cuts() const { return cuts_; }
  const FlipFigures& flips() const { return flips_; }
  // What was broken, with the moment and the folder that shows it.
  const std::vector<std::string>& broken() const { return broken_; }

 private:
  using Sequences = std::vector<std::uint64_t>;  // by shard
  void CutOnce(std::size_t after, Loss loss, const DiskModel& model);
  void FlipOnce(const Moment& moment, const Image& image, const Sequences& marked, std::uint64_t marked_log);
  const Moment* LastBefore(std::size_t operations) const;
  // How long that file was when the marks were last saved before that moment.
  std::uint64_t SizeAtMark(const std::string& log, const Moment& moment) const;
  // Opening changes a folder, so what is kept, and what is repaired, is written anew.
  void Write(const Image& image, const char* name) const;
  absl::StatusOr<std::unique_ptr<storage::DataFolder>> Open() const;
  std::string Repair(const Image& image, const Sequences& need) const;
  std::string Missing(storage::DataFolder& folder, const Sequences& need) const;
  void Broken(const Image& image, const std::string& where, const std::string& what);

  const RecordedRun& run_;
  const std::string folder_;
  std::mt19937_64 random_;
  CutFigures cuts_;
  FlipFigures flips_;
  std::vector<std::string> broken_;
  std::map<Loss, std::size_t> last_;  // hash of the image that was judged last
};

}  // namespace smsflow::crash
