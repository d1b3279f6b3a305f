// Tells the engine what the gateway knows, at the pace of the link: however much is to be told, little of it is in
// memory. What does not go now is not lost: it stands in the store, and is told from there once the link has room.
//
// Used by one thread.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "gateway/link.h"
#include "gateway/store.h"

namespace smsflow::gateway {

class Teller {
 public:
  static constexpr std::size_t kPage = 1'000;          // read from the store at once
  static constexpr std::size_t kRepeatAhead = 2'000;   // with so many under way nothing more is read
  static constexpr std::size_t kUnderWayMax = 20'000;  // with so many under way what is new is left to the store

  // Both outlive it.
  Teller(const Store& store, Link& link) : store_(store), link_(link) {}

  // What the engine has not answered is to be told again.
  void OnAttached();
  void OnGone(std::size_t reports);
  void Tell(std::vector<Report> reports);
  // The next pages of what is to be told again, as far as the link has room. All that was told must be committed.
  [[nodiscard]] absl::Status Repeat();
  // Repeat() would go on if the link had room.
  bool WaitsForRoom() const { return repeating_ || left_out_; }
  std::size_t under_way() const { return under_way_; }  // reports that have not left

 private:
  const Store& store_;
  Link& link_;
  std::size_t under_way_ = 0;
  bool left_out_ = false;  // something was not told that nobody will tell but Repeat()
  bool repeating_ = false;
  std::optional<AttemptId> after_;  // where Repeat() goes on
};

}  // namespace smsflow::gateway
