// Watches the free space of the data folder's disk and tells the engine to refuse new SMSes before RocksDB feels a full
// disk: that would abort the process. Receipts and cancels are still taken; the ballast gives them room.
//
// One thread of its own, a look every 200 ms. With room again it makes the ballast anew and lifts the guard by itself.
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
  void KeepBallast(bool on);

 private:
  void Loop();

  storage::DataFolder& folder_;
  engine::Engine& engine_;
  const std::uint64_t ballast_bytes_;
  bool on_ = false;      // of the thread
  bool unread_ = false;  // the free space could not be told the last time
  bool ballast_failed_ = false;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace smsflow::server
