// A progress bar on stderr, when somebody looks; nothing otherwise.
//
// Redraws at most ten times a second; used from one thread.
#pragma once

#include <cstdint>
#include <string>

#include "tools/cli/terminal.h"

namespace smsflow::cli {

class Progress {
 public:
  // `total` 0: nobody knows how much it is, so only the count is shown.
  Progress(const Terminal& terminal, std::string doing, std::uint64_t total);
  ~Progress() { Clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Show(std::uint64_t done);
  void Clear();  // leaves the line empty, so that something else can be printed

 private:
  const Terminal& terminal_;
  const std::string doing_;
  const std::uint64_t total_;
  const std::int64_t started_ms_;
  std::int64_t shown_ms_ = 0;
  bool visible_ = false;
};

}  // namespace smsflow::cli
