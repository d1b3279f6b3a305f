// Watches the free space of the data folder's disk and tells the engine to refuse new SMSes before RocksDB feels a full
// disk: that would abort the process. Receipts and cancels are still taken; the ballast gives them room.
//
// One thread of its own, a look every 200 ms; with a ballast that cannot be made it has more and more patience, up to a
// minute. With room again it makes the ballast anew and lifts the guard by itself.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "engine/engine.h"
#include "storage/data_folder.h"

namespace smsflow::server {

class DiskGuard {
 public:
  // Both outlive it. Starts at once. `ballast_bytes`: what the folder's ballast gives back.
  DiskGuard(storage::DataFolder& folder, engine::Engine& engine, std::uint64_t ballast_bytes);
  ~DiskGuard();

  // One look, on the calling thread.
  void Look();

 private:
  void KeepBallast(bool on);
  void Loop();

  storage::DataFolder& folder_;
  engine::Engine& engine_;
  const std::uint64_t ballast_bytes_;
  bool on_ = false;        // of the thread
  bool unread_ = false;    // the free space could not be told the last time
  int ballast_looks_ = 0;  // looks from a failure to the next try; 0: it did not fail
  int ballast_rests_ = 0;  // of them, those to come
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace smsflow::server
