// A folder for one run, removed with all that is in it when the run is over.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace smsflow::bench {

class Scratch {
 public:
  // In `parent`, which must lie on a disk: FAILED_PRECONDITION for a file system in memory, where a sync costs nothing.
  static absl::StatusOr<Scratch> Make(const std::string& parent);
  ~Scratch();
  Scratch(Scratch&& other) noexcept;
  Scratch& operator=(Scratch&&) = delete;

  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  explicit Scratch(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace smsflow::bench
