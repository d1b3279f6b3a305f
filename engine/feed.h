// Records that come from a log outside, which numbers them and gives them again whenever it is asked.
//
// A shard stores for each partition of each log how far it has applied it, in the very unit that holds the effect, and
// drops what is not above that. So a record takes effect once, however often it is read. Whoever reads a log begins
// again at the lowest of all shards; what is below it everywhere need not be kept for us.
//
// Records of one partition must be given in their order. One that was given may be answered in any order.
//
// Values only.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "storage/keys.h"

namespace smsflow::engine {

struct FeedId {
  std::string log;  // a topic's name
  std::uint32_t partition = 0;
  auto operator<=>(const FeedId&) const = default;
};
using FeedRef = std::shared_ptr<const FeedId>;

// Where a record stands, and what it is: a log that was cut off or made anew has another record there.
struct Origin {
  FeedRef feed;
  std::uint64_t position = 0;
  storage::Hash16 digest{};
  std::uint64_t bytes = 0;  // of its value; only its dead letter tells
};

// How far the shards have come, as it is stored.
struct FeedPosition {
  bool known = false;               // every shard has a row
  std::vector<std::uint64_t> next;  // by shard; 0 where there is none
  std::uint64_t lowest = 0;         // where to begin
  std::uint64_t highest = 0;        // nothing from here on was applied anywhere
  storage::Hash16 digest{};         // of the record before `highest`; zeros: not known
};

}  // namespace smsflow::engine
