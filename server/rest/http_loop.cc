#include "server/rest/http_loop.h"

#include <chrono>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace smsflow::server::rest {

namespace {

constexpr auto kLookEvery = std::chrono::milliseconds(100);

}  // namespace

Loop::Loop(std::shared_ptr<HttpShared> shared) : shared_(std::move(shared)) {}
Loop::~Loop() { Stop(); }

void Loop::Start() {
  Tick();
  thread_ = std::thread([this] { io_.run(); });
}

void Loop::Stop() {
  if (!thread_.joinable()) return;
  Post([this] {
    const std::vector<Served*> left(served_.begin(), served_.end());
    for (Served* served : left) served->Cut();
    timer_.cancel();
    io_.stop();
  });
  thread_.join();
}

void Loop::Add(Served* served) {
  served_.insert(served);
  const std::lock_guard lock(shared_->mutex);
  ++shared_->open;
}

void Loop::Remove(Served* served) {
  if (served_.erase(served) == 0) return;
  const std::lock_guard lock(shared_->mutex);
  if (--shared_->open == 0) shared_->ended.notify_all();
}

void Loop::Drain() {
  draining_ = true;
  const std::vector<Served*> all(served_.begin(), served_.end());
  for (Served* served : all) served->Drain();
}

void Loop::Tick() {
  const std::int64_t wall_s = shared_->hooks.wall_ms() / 1'000;
  if (wall_s != date_s_) {
    date_s_ = wall_s;
    date_ = absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT", absl::FromUnixSeconds(wall_s), absl::UTCTimeZone());
  }
  const std::int64_t now_ms = this->now_ms();
  const std::vector<Served*> all(served_.begin(), served_.end());
  for (Served* served : all) {
    if (served_.contains(served)) served->Look(now_ms);
  }
  timer_.expires_after(kLookEvery);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) Tick();
  });
}

}  // namespace smsflow::server::rest
