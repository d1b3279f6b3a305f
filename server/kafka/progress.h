// Which records of one partition are answered: all up to where, and how many are not. Those that were given may be
// answered in any order.
//
// Not thread-safe.
#pragma once

#include <cstdint>
#include <deque>

#include "storage/keys.h"

namespace smsflow::server {

class Progress {
 public:
  // Begins anew; what was given before is forgotten.
  void Begin(std::uint64_t next) {
    open_.clear();
    next_ = next;
    digest_ = {};
    answered_ = bytes_ = 0;
  }
  // REQUIRES an offset above all that were given.
  void Give(std::uint64_t offset, const storage::Hash16& digest, std::size_t bytes);
  // False: it was not given, or is answered already.
  bool Answer(std::uint64_t offset);

  // All below it is answered. Rises past offsets that the log leaves out.
  std::uint64_t next() const { return next_; }
  // Of the record before next(); zeros: none was given yet.
  const storage::Hash16& digest() const { return digest_; }
  std::size_t unanswered() const { return open_.size() - answered_; }
  std::size_t unanswered_bytes() const { return bytes_; }

 private:
  struct Given {
    std::uint64_t offset = 0;
    storage::Hash16 digest{};
    std::size_t bytes = 0;
    bool answered = false;
  };
  std::deque<Given> open_;  // from the first that is not answered
  std::size_t answered_ = 0;
  std::size_t bytes_ = 0;  // of those that are not answered
  std::uint64_t next_ = 0;
  storage::Hash16 digest_{};
};

}  // namespace smsflow::server
