// Whether the disk of the gateway's store has room for new attempts. RocksDB aborts the process on a full disk, so new
// ones wait before it feels that; what is known is still reported.
#pragma once

#include <atomic>
#include <utility>

#include "gateway/notice.h"
#include "storage/disk_room.h"

namespace smsflow::gateway {

// Of the deciding thread.
class Room {
 public:
  virtual ~Room() = default;
  // Looks. Cheap enough for every round.
  virtual bool Low() = 0;
};

// On a disk, with a ballast that gives the reports of what is under way their room.
class DiskGuard : public Room {
 public:
  // `notice` hears when it begins and ends.
  DiskGuard(storage::DiskRoom room, NoticeHandler notice) : room_(std::move(room)), notice_(std::move(notice)) {}

  bool Low() override;
  bool low() const { return low_.load(std::memory_order_relaxed); }  // as of the last look; any thread

 private:
  storage::DiskRoom room_;
  const NoticeHandler notice_;
  std::atomic<bool> low_{false};
};

}  // namespace smsflow::gateway
