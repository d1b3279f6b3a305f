// How far a gateway has come in its partitions of `send-sms`: an offset counts as done once what its record asked for
// is durable in the store, and what is committed is the first that is not. Reading one again is harmless, for the store
// knows each attempt; leaving one out would cost the engine a minute.
//
// An engine repeats what it hears nothing of, and of what only waits nobody says anything. So of the records of a
// partition that ask the same of an attempt the newest alone is open: it says all that the others said, and how many
// are open is bound by how many attempts there are.
//
// Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <unordered_map>
#include <vector>

#include "ids/ids.h"

namespace smsflow::gateway {

class KafkaOffsets {
 public:
  // From here on, and nothing is open: what was open before will be read again.
  void Begin(const std::map<std::int32_t, std::int64_t>& starts);

  enum class Asks : std::uint8_t { kLease, kProbe };

  // A record was read; without Open() it is done at once. False: of a partition that is not ours, or read before.
  bool Read(std::int32_t partition, std::int64_t offset);
  void Open(std::int32_t partition, std::int64_t offset);
  // False: the same is asked of it by a record that is open, so it need not be told again.
  bool Open(std::int32_t partition, std::int64_t offset, const AttemptId& attempt, Asks what);
  void Done(std::int32_t partition, std::int64_t offset);
  void Done(const AttemptId& attempt);  // all that was asked of it
  std::size_t open() const { return open_; }

  // Where each partition would be read on after a restart: the first offset that is not done. A negative one: nothing
  // is known yet, so there is nothing to commit.
  std::map<std::int32_t, std::int64_t> Positions() const;

 private:
  struct Place {
    std::int32_t partition = 0;
    std::int64_t offset = 0;
    Asks what = Asks::kLease;
  };
  struct Partition {
    std::int64_t next = 0;  // to be read; negative: wherever the log begins
    std::set<std::int64_t> open;
  };

  std::map<std::int32_t, Partition> partitions_;
  std::unordered_map<AttemptId, std::vector<Place>> attempts_;
  std::size_t open_ = 0;
};

}  // namespace smsflow::gateway
