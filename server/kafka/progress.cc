#include "server/kafka/progress.h"

#include <algorithm>
#include <cassert>

namespace smsflow::server {

void Progress::Give(std::uint64_t offset, const storage::Hash16& digest, std::size_t bytes) {
  assert(offset >= next_ && (open_.empty() || offset > open_.back().offset));
  open_.push_back({offset, digest, bytes, false});
  bytes_ += bytes;
}

bool Progress::Answer(std::uint64_t offset) {
  const auto one = std::lower_bound(open_.begin(), open_.end(), offset,
                                    [](const Given& given, std::uint64_t at) { return given.offset < at; });
  if (one == open_.end() || one->offset != offset || one->answered) return false;
  one->answered = true;
  ++answered_;
  bytes_ -= one->bytes;
  for (; !open_.empty() && open_.front().answered; open_.pop_front(), --answered_) {
    next_ = open_.front().offset + 1;
    digest_ = open_.front().digest;
  }
  return true;
}

}  // namespace smsflow::server
