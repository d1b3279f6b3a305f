#include "server/grpc/call_queue.h"

#include <grpc/support/time.h>
#include <pthread.h>
#include <time.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string_view>
#include <utility>

namespace smsflow::server {

int VerbsOf(const char* service) {
  const auto* found = google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(service);
  return found == nullptr ? 0 : found->method_count();
}

int NumberOf(const char* service, const char* verb, const google::protobuf::Descriptor& takes,
             const google::protobuf::Descriptor& gives) {
  const auto* found = google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(service);
  const auto* method = found == nullptr ? nullptr : found->FindMethodByName(verb);
  if (method == nullptr || method->input_type() != &takes || method->output_type() != &gives) {
    std::cerr << service << " has no such verb: " << verb << "\n";
    std::abort();
  }
  return method->index();
}

namespace calls {

absl::Status Admit(const Authenticator* authenticator, const grpc::ServerContext& context) {
  if (authenticator == nullptr) return absl::OkStatus();
  const auto& metadata = context.client_metadata();
  const auto it = metadata.find("authorization");
  return authenticator->Recognize(it == metadata.end() ? std::string_view()
                                                       : std::string_view(it->second.data(), it->second.size()));
}

absl::Status NoMessage() { return absl::InternalError("the call has no message"); }

}  // namespace calls

namespace {

constexpr std::size_t kMany = 3;  // holding a connection back and letting it go costs about one answer's sending
thread_local const CallQueue* answering_many = nullptr;  // of the queue's thread

constexpr std::string_view kOpenToAll = "/grpc.";  // what the paths of health and reflection begin with

// A call of a verb that no service has; destroys itself.
class ServedOther final {
 public:
  ServedOther(CallQueue& queue, grpc::ServerCompletionQueue& gives, grpc::AsyncGenericService& others,
              const Authenticator& authenticator)
      : queue_(queue), gives_(gives), others_(others), authenticator_(authenticator), seat_(queue) {
    others.RequestCall(&context_, &stream_, &gives, &gives, came_.tag());
  }

 private:
  void Came(bool ok) {
    if (!ok) return delete this;
    new ServedOther(queue_, gives_, others_, authenticator_);
    const bool open = std::string_view(context_.method()).starts_with(kOpenToAll);
    const absl::Status status = calls::Admit(open ? nullptr : &authenticator_, context_);
    stream_.Finish(ToGrpc(status.ok() ? absl::UnimplementedError("there is no such verb") : status), finished_.tag());
  }
  void Finished(bool) { delete this; }

  CallQueue& queue_;
  grpc::ServerCompletionQueue& gives_;
  grpc::AsyncGenericService& others_;
  const Authenticator& authenticator_;
  const CallQueue::Seat seat_;
  grpc::GenericServerContext context_;
  grpc::GenericServerAsyncReaderWriter stream_{&context_};
  calls::Operation<ServedOther, &ServedOther::Came> came_{this};
  calls::Operation<ServedOther, &ServedOther::Finished> finished_{this};
};

}  // namespace

void CallQueue::Others(grpc::AsyncGenericService& others, const Authenticator& authenticator) {
  new ServedOther(*this, *queue_, others, authenticator);
}

void CallQueue::Start() {
  {
    const std::lock_guard lock(mutex_);
    running_ = true;
  }
  thread_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), "calls");  // as ps and perf show it
    Loop();
  });
  ::pthread_getcpuclockid(thread_.native_handle(), &clock_);
}

void CallQueue::Loop() {
  void* tag = nullptr;
  bool ok = false;
  std::uint64_t turns = 0;
  while (queue_->Next(&tag, &ok)) {
    turns_.store(++turns, std::memory_order_relaxed);
    static_cast<CallTag*>(tag)->Proceed(ok);
  }
}

CallQueue::Pace CallQueue::pace() const {
  timespec worked{};
  ::clock_gettime(clock_, &worked);
  return {turns_.load(std::memory_order_relaxed), worked.tv_sec * 1'000'000 + worked.tv_nsec / 1'000};
}

void CallQueue::Run(Work work) {
  {
    const std::lock_guard lock(mutex_);
    if (running_) {
      work_.push_back(std::move(work));
      if (woken_) return;
      woken_ = true;
      // A time that is past: it is due at once, on this thread, and wakes the queue's.
      alarm_.Set(queue_.get(), gpr_time_0(GPR_CLOCK_MONOTONIC), static_cast<CallTag*>(&wake_));
      return;
    }
  }
  work();
}

void CallQueue::Wake::Proceed(bool) { queue_.DoWork(); }

void CallQueue::DoWork() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = false;
    doing_.swap(work_);
  }
  if (doing_.size() >= kMany) answering_many = this;
  for (Work& work : doing_) work();
  answering_many = nullptr;
  corks_.Release();
  doing_.clear();
}

void CallQueue::Answers(const CallContext& call) {
  if (answering_many == this) corks_.Hold(call.peer());
}

void CallQueue::EndIfIdle() {
  if (!ending_ || seats_ != 0) return;
  {
    const std::lock_guard lock(mutex_);
    running_ = false;
  }
  queue_->Shutdown();
  ended_.notify_all();
}

// While the server takes calls there is always one that is asked for.
void CallQueue::Emptied() {
  {
    const std::lock_guard lock(mutex_);
    empty_ = true;
  }
  ended_.notify_all();
  EndIfIdle();
}

bool CallQueue::AwaitEmpty(std::int64_t within_ms) {
  std::unique_lock lock(mutex_);
  return ended_.wait_for(lock, std::chrono::milliseconds(within_ms), [this] { return empty_; });
}

void CallQueue::EndOnceIdle() {
  Run([this] {
    if (!std::exchange(ending_, true)) EndIfIdle();
  });
}

bool CallQueue::StopWithin(std::int64_t within_ms) {
  if (queue_ != nullptr && thread_.joinable()) {
    EndOnceIdle();
    std::unique_lock lock(mutex_);
    if (!ended_.wait_for(lock, std::chrono::milliseconds(within_ms), [this] { return !running_; })) return false;
  }
  Stop();
  return true;
}

void CallQueue::Stop() {
  if (queue_ == nullptr) return;
  if (thread_.joinable()) {
    EndOnceIdle();
    thread_.join();
  } else {
    queue_->Shutdown();
    Loop();  // a server that was never built gives back what it was asked for
  }
  queue_.reset();
}

}  // namespace smsflow::server
