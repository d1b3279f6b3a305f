#include "tools/cli/watch_stream.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "tools/cli/connection.h"

namespace smsflow::cli {
namespace {

constexpr std::size_t kQueueMost = 1024;  // then the server is made to wait
constexpr std::int64_t kFirstPauseMs = 250;
constexpr std::int64_t kLongestPauseMs = 2'000;

bool IsWorthAnotherTry(const absl::Status& status) {
  return status.code() == absl::StatusCode::kUnavailable || status.code() == absl::StatusCode::kCancelled;
}

}  // namespace

WatchStream::WatchStream(Connection& connection, smsflow::v1::WatchRequest request)
    : connection_(connection), request_(std::move(request)), thread_([this] { Read(); }) {}

WatchStream::~WatchStream() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    if (context_) context_->TryCancel();
  }
  changed_.notify_all();
  thread_.join();
}

std::optional<smsflow::v1::WatchResponse> WatchStream::Next(std::int64_t wait_ms) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::milliseconds(wait_ms), [&] { return !queue_.empty() || over_; });
  if (queue_.empty()) return std::nullopt;
  smsflow::v1::WatchResponse response = std::move(queue_.front());
  queue_.pop_front();
  changed_.notify_all();
  return response;
}

std::optional<absl::Status> WatchStream::over() {
  const std::lock_guard lock(mutex_);
  return queue_.empty() ? over_ : std::nullopt;
}

bool WatchStream::reconnecting() {
  const std::lock_guard lock(mutex_);
  return reconnecting_;
}

int WatchStream::times_mended() {
  const std::lock_guard lock(mutex_);
  return times_mended_;
}

void WatchStream::Read() {
  for (int failures = 0;;) {
    bool answered_before = false;
    {
      const std::lock_guard lock(mutex_);
      answered_before = answered_;
    }
    const std::string token_before = request_.token();
    const absl::Status status = ReadOneCall();
    failures = request_.token() == token_before ? failures + 1 : 0;
    {
      const std::lock_guard lock(mutex_);
      if (stop_ || !IsWorthAnotherTry(status) || !(answered_before || answered_)) {
        over_ = status;
        changed_.notify_all();
        return;
      }
      reconnecting_ = true;
    }
    if (!Pause(failures)) return;
  }
}

absl::Status WatchStream::ReadOneCall() {
  auto context = std::make_shared<grpc::ClientContext>();
  connection_.Prepare(*context, /*with_deadline=*/false);
  {
    const std::lock_guard lock(mutex_);
    if (stop_) return absl::CancelledError("stopped");
    context_ = context;
  }
  const auto reader = connection_.scheduler().Watch(context.get(), request_);
  reader->WaitForInitialMetadata();
  smsflow::v1::WatchResponse response;
  while (reader->Read(&response)) {
    request_.set_token(response.token());
    std::unique_lock lock(mutex_);
    answered_ = true;
    times_mended_ += reconnecting_;
    reconnecting_ = false;
    changed_.wait(lock, [&] { return stop_ || queue_.size() < kQueueMost; });
    if (stop_) break;
    queue_.push_back(std::move(response));
    changed_.notify_all();
  }
  const grpc::Status status = reader->Finish();
  const std::lock_guard lock(mutex_);
  context_.reset();
  return connection_.Explain("watch", *context, status);
}

bool WatchStream::Pause(int failures) {
  const std::int64_t pause_ms = std::min(kLongestPauseMs, kFirstPauseMs << std::min(failures, 5));
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, std::chrono::milliseconds(pause_ms), [&] { return stop_; });
}

}  // namespace smsflow::cli
