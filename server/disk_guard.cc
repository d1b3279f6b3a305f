#include "server/disk_guard.h"

#include <algorithm>
#include <chrono>

#include "logging/logging.h"

namespace smsflow::server {

namespace {

constexpr std::chrono::milliseconds kRhythm(200);
constexpr int kRestsMost = 300;  // a minute

std::string Megabytes(std::uint64_t bytes) { return std::to_string(bytes >> 20) + " MB"; }

}  // namespace

DiskGuard::DiskGuard(storage::DataFolder& folder, engine::Engine& engine, std::uint64_t ballast_bytes)
    : folder_(folder), engine_(engine), ballast_bytes_(ballast_bytes) {
  Look();
  thread_ = std::thread([this] { Loop(); });
}

DiskGuard::~DiskGuard() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void DiskGuard::Loop() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, kRhythm, [this] { return stopping_; })) {
    lock.unlock();
    Look();
    lock.lock();
  }
}

void DiskGuard::Look() {
  const auto free = folder_.FreeBytes();
  if (!free.ok()) {
    if (!unread_) Log(LogLevel::kError, "the disk's free space cannot be read", {{"error", free.status().ToString()}});
    unread_ = true;
    return;
  }
  unread_ = false;
  const std::uint64_t reserve = folder_.ReserveBytes();
  // While it is on, the ballast is part of what is free: room for it, and half as much again, or it would flutter.
  const bool on = *free < (on_ ? reserve + reserve / 2 + ballast_bytes_ : reserve);
  if (on == on_) return KeepBallast(on);
  on_ = on;
  ballast_rests_ = 0;
  engine_.SetDiskGuard(on);
  Log(on ? LogLevel::kError : LogLevel::kWarn,
      on ? "the disk is nearly full: new SMSes are refused, receipts and cancels are taken"
         : "the disk has room again: new SMSes are accepted",
      {{"free", Megabytes(*free)}, {"reserve", Megabytes(reserve)}});
  KeepBallast(on);
}

// At each look: a start that found no room for it made none, and what failed once may do later. But to try costs the
// whole ballast in writes, where the disk says that it has room and takes none, as under a quota.
void DiskGuard::KeepBallast(bool on) {
  if (ballast_rests_ > 0) {
    --ballast_rests_;
    return;
  }
  const absl::Status ballast = on ? folder_.ReleaseBallast() : folder_.RestoreBallast();
  if (ballast.ok()) {
    ballast_looks_ = 0;
    return;
  }
  if (ballast_looks_ == 0) Log(LogLevel::kError, "the ballast file", {{"error", ballast.ToString()}});
  ballast_looks_ = std::clamp(2 * ballast_looks_, 1, kRestsMost);
  ballast_rests_ = ballast_looks_;
}

}  // namespace smsflow::server
