#include "tools/cli/progress.h"

#include <algorithm>
#include <utility>

namespace smsflow::cli {
namespace {

constexpr std::int64_t kRedrawMs = 100;
constexpr std::uint64_t kBarColumns = 24;

}  // namespace

Progress::Progress(const Terminal& terminal, std::string doing, std::uint64_t total)
    : terminal_(terminal), doing_(std::move(doing)), total_(total), started_ms_(terminal.now_ms()) {}

void Progress::Show(std::uint64_t done) {
  const std::int64_t now_ms = terminal_.now_ms();
  if (!terminal_.err_is_terminal || now_ms - shown_ms_ < kRedrawMs) return;
  shown_ms_ = now_ms;
  visible_ = true;
  terminal_.err << "\r\033[K" << doing_ << "  ";
  if (total_ > 0) {
    const std::uint64_t filled = std::min(done, total_) * kBarColumns / total_;
    for (std::uint64_t i = 0; i < kBarColumns; ++i) terminal_.err << (i < filled ? "█" : "░");
    terminal_.err << "  " << std::min(done, total_) * 100 / total_ << " %  ";
  } else {
    terminal_.err << done << "  ";
  }
  const std::int64_t spent_ms = now_ms - started_ms_;
  if (total_ == 0 && spent_ms > 0) terminal_.err << done * 1000 / static_cast<std::uint64_t>(spent_ms) << "/s";
  terminal_.err << std::flush;
}

void Progress::Clear() {
  if (visible_) terminal_.err << "\r\033[K" << std::flush;
  visible_ = false;
}

}  // namespace smsflow::cli
