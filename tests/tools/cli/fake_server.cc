#include "tests/tools/cli/fake_server.h"

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include <chrono>

namespace smsflow::cli {
namespace {

const grpc::Status kNotHere(grpc::StatusCode::UNIMPLEMENTED, "the test has no answer for this");

template <typename Request, typename Response, typename Script>
grpc::Status Stream(const Script& script, const Request* request, grpc::ServerWriter<Response>* writer) {
  if (!script) return kNotHere;
  std::vector<Response> responses;
  const grpc::Status status = script(*request, responses);
  for (const Response& response : responses) writer->Write(response);
  return status;
}

}  // namespace

FakeServer::FakeServer() {
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(static_cast<v1::Scheduler::Service*>(this));
  builder.RegisterService(static_cast<v1::Admin::Service*>(this));
  server_ = builder.BuildAndStart();
  address_ = "127.0.0.1:" + std::to_string(port);
}

FakeServer::~FakeServer() { server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(2)); }

std::string FakeServer::token() {
  const std::lock_guard lock(mutex_);
  return token_;
}

std::string FakeServer::tenant() {
  const std::lock_guard lock(mutex_);
  return tenant_;
}

void FakeServer::Remember(grpc::ServerContext* context) {
  const auto& metadata = context->client_metadata();
  const auto value = [&](const char* name) {
    const auto found = metadata.find(name);
    return found == metadata.end() ? std::string() : std::string(found->second.data(), found->second.size());
  };
  const std::lock_guard lock(mutex_);
  token_ = value("authorization");
  tenant_ = value("smsflow-tenant");
}

template <typename Request, typename Response>
grpc::Status FakeServer::Answer(grpc::ServerContext* context, const Handler<Request, Response>& handler,
                                const Request* request, Response* response) {
  Remember(context);
  return handler ? handler(*request, *response) : kNotHere;
}

grpc::Status FakeServer::Schedule(grpc::ServerContext* c, const v1::ScheduleRequest* q, v1::ScheduleResponse* a) {
  return Answer(c, schedule, q, a);
}
grpc::Status FakeServer::ScheduleBatch(grpc::ServerContext* c, const v1::ScheduleBatchRequest* q,
                                       v1::ScheduleBatchResponse* a) {
  return Answer(c, schedule_batch, q, a);
}
grpc::Status FakeServer::Get(grpc::ServerContext* c, const v1::GetRequest* q, v1::SmsStatus* a) {
  return Answer(c, get, q, a);
}
grpc::Status FakeServer::List(grpc::ServerContext* c, const v1::ListRequest* q, v1::ListResponse* a) {
  return Answer(c, list, q, a);
}
grpc::Status FakeServer::BatchSummary(grpc::ServerContext* c, const v1::BatchSummaryRequest* q,
                                      v1::BatchSummaryResponse* a) {
  return Answer(c, summary, q, a);
}
grpc::Status FakeServer::Cancel(grpc::ServerContext* c, const v1::CancelRequest* q, v1::CancelResponse* a) {
  return Answer(c, cancel, q, a);
}
grpc::Status FakeServer::Reschedule(grpc::ServerContext* c, const v1::RescheduleRequest* q, v1::SmsStatus* a) {
  return Answer(c, reschedule, q, a);
}
grpc::Status FakeServer::Watch(grpc::ServerContext* c, const v1::WatchRequest* q,
                               grpc::ServerWriter<v1::WatchResponse>* writer) {
  Remember(c);
  return Stream(watch, q, writer);
}
grpc::Status FakeServer::Block(grpc::ServerContext* c, const v1::BlockRequest* q, v1::BlockResponse* a) {
  return Answer(c, block, q, a);
}
grpc::Status FakeServer::Unblock(grpc::ServerContext* c, const v1::UnblockRequest* q, v1::UnblockResponse* a) {
  return Answer(c, unblock, q, a);
}
grpc::Status FakeServer::ListBlocked(grpc::ServerContext* c, const v1::ListBlockedRequest* q,
                                     v1::ListBlockedResponse* a) {
  return Answer(c, list_blocked, q, a);
}
grpc::Status FakeServer::GetJournal(grpc::ServerContext* c, const v1::GetJournalRequest* q, v1::GetJournalResponse* a) {
  return Answer(c, journal, q, a);
}
grpc::Status FakeServer::Replay(grpc::ServerContext* c, const v1::ReplayRequest* q,
                                grpc::ServerWriter<v1::ReplayResponse>* writer) {
  Remember(c);
  return Stream(replay, q, writer);
}
grpc::Status FakeServer::Verify(grpc::ServerContext* c, const v1::VerifyRequest* q,
                                grpc::ServerWriter<v1::VerifyResponse>* writer) {
  Remember(c);
  return Stream(verify, q, writer);
}
grpc::Status FakeServer::Stats(grpc::ServerContext* c, const v1::StatsRequest* q, v1::StatsResponse* a) {
  return Answer(c, stats, q, a);
}
grpc::Status FakeServer::Pause(grpc::ServerContext* c, const v1::PauseRequest* q, v1::PauseResponse* a) {
  return Answer(c, pause, q, a);
}
grpc::Status FakeServer::Resume(grpc::ServerContext* c, const v1::PauseRequest* q, v1::PauseResponse* a) {
  return Answer(c, resume, q, a);
}
grpc::Status FakeServer::Resolve(grpc::ServerContext* c, const v1::ResolveRequest* q, v1::SmsStatus* a) {
  return Answer(c, resolve, q, a);
}
grpc::Status FakeServer::Explain(grpc::ServerContext* c, const v1::ExplainRequest* q, v1::ExplainResponse* a) {
  return Answer(c, explain, q, a);
}
grpc::Status FakeServer::Drain(grpc::ServerContext* c, const v1::DrainRequest* q, v1::DrainResponse* a) {
  return Answer(c, drain, q, a);
}

}  // namespace smsflow::cli
