#include "tests/crash/api.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <thread>

#include "smsflow/v1/admin.grpc.pb.h"
#include "smsflow/v1/scheduler.grpc.pb.h"
#include "tests/crash/site.h"

namespace smsflow::crash {
namespace {

constexpr std::chrono::seconds kPatience{5};
constexpr int kReadTries = 10;

grpc::ChannelArguments Arguments() {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 10'000);  // how long one attempt to connect may take
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 200);
  arguments.SetMaxReceiveMessageSize(64 << 20);
  return arguments;
}

void Prepare(grpc::ClientContext& context, const std::string& who) {
  context.set_wait_for_ready(true);
  context.AddMetadata("authorization", "Bearer " + TokenOf(who));
}

absl::Status ToStatus(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

// Calls `method` of `stub` with a deadline and a token.
template <class Stub, class Request, class Response>
absl::StatusOr<Response> Call(Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                              const std::string& who, const Request& request) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  Prepare(context, who);
  Response response;
  const grpc::Status status = (stub.*method)(&context, request, &response);
  if (!status.ok()) return ToStatus(status);
  return response;
}

// For who only reads: a machine may stand still for longer than one call waits.
template <class Ask>
auto Persistently(Ask ask) {
  auto answer = ask();
  for (int tries = 1; tries < kReadTries && !answer.ok() && IsIndefinite(answer.status()); ++tries) answer = ask();
  return answer;
}

}  // namespace

struct Api::Stubs {
  explicit Stubs(const std::string& address)
      : channel(grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), Arguments())),
        scheduler(channel),
        admin(channel) {}
  std::shared_ptr<grpc::Channel> channel;
  v1::Scheduler::Stub scheduler;
  v1::Admin::Stub admin;
};

Api::Api(const std::string& address) : stubs_(std::make_unique<Stubs>(address)) {}
Api::~Api() = default;

absl::StatusOr<v1::ScheduleResponse> Api::Schedule(const std::string& tenant, const v1::ScheduleRequest& request) {
  return Call(stubs_->scheduler, &v1::Scheduler::Stub::Schedule, tenant, request);
}

absl::StatusOr<v1::ScheduleBatchResponse> Api::ScheduleBatch(const std::string& tenant,
                                                             const v1::ScheduleBatchRequest& request) {
  return Call(stubs_->scheduler, &v1::Scheduler::Stub::ScheduleBatch, tenant, request);
}

StreamAnswers Api::ScheduleStream(const std::string& tenant, const std::vector<v1::ScheduleRequest>& items) {
  StreamAnswers answers;
  answers.results.resize(items.size());
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  Prepare(context, tenant);
  const auto stream = stubs_->scheduler.ScheduleStream(&context);
  for (std::size_t i = 0; i < items.size(); ++i) {
    v1::ScheduleStreamRequest request;
    request.set_tag(i);
    *request.mutable_item() = items[i];
    if (!stream->Write(request)) break;
  }
  stream->WritesDone();
  for (v1::ScheduleStreamResponse response; stream->Read(&response);) {
    for (const auto& answer : response.answers()) {
      if (answer.tag() >= items.size() || answers.results[answer.tag()].has_value()) {
        ++answers.strange;
      } else {
        answers.results[answer.tag()] = answer.result();
      }
    }
  }
  answers.end = ToStatus(stream->Finish());
  return answers;
}

absl::Status Api::Watch(const std::string& tenant, const v1::WatchRequest& request, const std::atomic<bool>& stop,
                        const std::function<void(const v1::WatchResponse&)>& take) {
  grpc::ClientContext context;
  Prepare(context, tenant);
  // Before the call: opening the stream waits for an engine, and there may be none any more.
  std::atomic<bool> ended{false};
  std::thread stopper([&] {
    while (!stop && !ended) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    context.TryCancel();
  });
  const auto stream = stubs_->scheduler.Watch(&context, request);
  for (v1::WatchResponse response; stream->Read(&response);) take(response);
  ended = true;
  stopper.join();
  return ToStatus(stream->Finish());
}

absl::StatusOr<v1::SmsStatus> Api::Reschedule(const std::string& tenant, const v1::RescheduleRequest& request) {
  return Call(stubs_->scheduler, &v1::Scheduler::Stub::Reschedule, tenant, request);
}

absl::StatusOr<v1::CancelResponse> Api::Cancel(const std::string& tenant, const v1::CancelRequest& request) {
  return Call(stubs_->scheduler, &v1::Scheduler::Stub::Cancel, tenant, request);
}

absl::StatusOr<v1::BlockResponse> Api::Block(const std::string& tenant, const std::string& target) {
  v1::BlockRequest request;
  request.set_target(target);
  return Call(stubs_->scheduler, &v1::Scheduler::Stub::Block, tenant, request);
}

absl::StatusOr<v1::UnblockResponse> Api::Unblock(const std::string& tenant, const std::string& target) {
  v1::UnblockRequest request;
  request.set_target(target);
  return Call(stubs_->scheduler, &v1::Scheduler::Stub::Unblock, tenant, request);
}

absl::StatusOr<v1::SmsStatus> Api::Get(const std::string& tenant, const std::string& id) {
  v1::GetRequest request;
  request.set_id(id);
  return Call(stubs_->scheduler, &v1::Scheduler::Stub::Get, tenant, request);
}

absl::StatusOr<v1::ListResponse> Api::List(const std::string& tenant, const std::string& page_token) {
  v1::ListRequest request;
  request.set_page_size(1000);
  request.set_page_token(page_token);
  return Persistently([&] { return Call(stubs_->scheduler, &v1::Scheduler::Stub::List, tenant, request); });
}

absl::StatusOr<v1::ListResponse> Api::ListBatch(const std::string& tenant, const std::string& batch) {
  v1::ListRequest request;
  request.mutable_filter()->set_batch(batch);
  return Persistently([&] { return Call(stubs_->scheduler, &v1::Scheduler::Stub::List, tenant, request); });
}

absl::StatusOr<v1::GetJournalResponse> Api::GetJournalAs(const std::string& who, const std::string& id) {
  v1::GetJournalRequest request;
  request.set_id(id);
  return Persistently([&] { return Call(stubs_->admin, &v1::Admin::Stub::GetJournal, who, request); });
}

absl::StatusOr<std::map<std::string, double>> Api::Stats() {
  const auto answer = Call(stubs_->admin, &v1::Admin::Stub::Stats, std::string("admin"), v1::StatsRequest());
  if (!answer.ok()) return answer.status();
  std::map<std::string, double> figures;
  for (const auto& item : answer->items()) figures[item.name()] = item.value();
  return figures;
}

}  // namespace smsflow::crash
