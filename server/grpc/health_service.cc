#include "server/grpc/health_service.h"

#include <array>
#include <mutex>
#include <string_view>

#include "server/grpc/status.h"

namespace smsflow::server {

namespace {

constexpr std::array<std::string_view, 4> kServices = {"", "smsflow.v1.Scheduler", "smsflow.v1.Gateway",
                                                       "smsflow.v1.Admin"};

bool IsKnown(std::string_view service) {
  for (const std::string_view known : kServices) {
    if (service == known) return true;
  }
  return false;
}

// Says how it is, and once more when it ends.
class HealthWatch final : public WriteReactor<health::HealthCheckResponse>, public OpenStreams::Stream {
 public:
  HealthWatch(WriteStream<health::HealthCheckResponse>* stream, OpenStreams& watches)
      : WriteReactor(stream), watches_(watches) {}

  void Begin(health::HealthCheckResponse::ServingStatus status) {
    const bool added = watches_.Add(this);
    const std::lock_guard lock(mutex_);
    if (!added) ending_ = true;
    Say(ending_ ? health::HealthCheckResponse::NOT_SERVING : status);
  }
  void End(const absl::Status&) override {
    const std::lock_guard lock(mutex_);
    if (ending_) return;
    ending_ = true;
    if (begun_ && !writing_) Say(health::HealthCheckResponse::NOT_SERVING);
  }

 private:
  // REQUIRES mutex_ held and nothing on its way.
  void Say(health::HealthCheckResponse::ServingStatus status) {
    begun_ = writing_ = true;
    response_.set_status(status);
    StartWrite(&response_);
  }
  void OnWriteDone(bool) override {
    const std::lock_guard lock(mutex_);
    writing_ = false;
    if (!ending_) return;
    if (!cancelled_ && response_.status() != health::HealthCheckResponse::NOT_SERVING) {
      return Say(health::HealthCheckResponse::NOT_SERVING);
    }
    Finish(ToGrpc(cancelled_ ? absl::CancelledError("the watch was cancelled") : OpenStreams::Stopping()));
  }
  void OnCancel() override {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    if (!ending_ && !writing_) Finish(ToGrpc(absl::CancelledError("the watch was cancelled")));
    ending_ = true;
  }
  void OnDone() override {
    watches_.Remove(this);
    // Whoever finished it may still hold the lock.
    { const std::lock_guard lock(mutex_); }
    delete this;
  }

  OpenStreams& watches_;
  std::mutex mutex_;
  health::HealthCheckResponse response_;
  bool begun_ = false;
  bool writing_ = false;
  bool cancelled_ = false;
  bool ending_ = false;
};

}  // namespace

void HealthService::Serve(CallQueue& queue) {
  queue.Unary(wire_, "Check", *this, &HealthService::Check, {1, false});
  queue.Writes(wire_, "Watch", *this, &HealthService::Watch);
}

void HealthService::Close() {
  closed_ = true;
  watches_.Close();
}

void HealthService::Check(UnaryCall* call, const health::HealthCheckRequest* request,
                          health::HealthCheckResponse* response) {
  if (!IsKnown(request->service())) return call->Finish(ToGrpc(absl::NotFoundError("service: unknown")));
  response->set_status(closed_ ? health::HealthCheckResponse::NOT_SERVING : health::HealthCheckResponse::SERVING);
  call->Finish(grpc::Status::OK);
}

void HealthService::Watch(WriteStream<health::HealthCheckResponse>* stream, const health::HealthCheckRequest* request) {
  (new HealthWatch(stream, watches_))
      ->Begin(IsKnown(request->service()) ? health::HealthCheckResponse::SERVING
                                          : health::HealthCheckResponse::SERVICE_UNKNOWN);
}

}  // namespace smsflow::server
