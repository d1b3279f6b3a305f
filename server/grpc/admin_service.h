// smsflow.v1.Admin: what an administrator and an operator on call use. Split as journal.cc (GetJournal, Explain),
// check.cc (Replay, Verify) and operate.cc (Stats, Pause, Resume, Resolve, Drain).
//
// An administrator's key that names tenants sees and touches those alone, and none of the verbs that concern all.
#pragma once

#include <atomic>

#include "server/grpc/doors.h"
#include "smsflow/v1/admin.grpc.pb.h"

namespace smsflow::server {

class AdminService final {
 public:
  // `doors` must outlive it.
  explicit AdminService(const Doors& doors) : wire_(doors.authenticator), doors_(doors) {}

  grpc::Service& wire() { return wire_; }
  void Serve(CallQueue& queue);
  // Long jobs end soon, with what they have.
  void Close() { closing_ = true; }

 private:
  void GetJournal(UnaryCall* call, const v1::GetJournalRequest* request, v1::GetJournalResponse* response);
  void Explain(UnaryCall* call, const v1::ExplainRequest* request, v1::ExplainResponse* response);
  void Replay(WriteStream<v1::ReplayResponse>* stream, const v1::ReplayRequest* request);
  void Verify(WriteStream<v1::VerifyResponse>* stream, const v1::VerifyRequest* request);
  void Stats(UnaryCall* call, const v1::StatsRequest* request, v1::StatsResponse* response);
  void Pause(UnaryCall* call, const v1::PauseRequest* request, v1::PauseResponse* response);
  void Resume(UnaryCall* call, const v1::PauseRequest* request, v1::PauseResponse* response);
  void Resolve(UnaryCall* call, const v1::ResolveRequest* request, v1::SmsStatus* response);
  void Drain(UnaryCall* call, const v1::DrainRequest* request, v1::DrainResponse* response);

  void ChangePause(UnaryCall* call, const v1::PauseRequest& request, bool resume, v1::PauseResponse* response);

  Wire<v1::Admin> wire_;
  const Doors& doors_;
  std::atomic<bool> closing_{false};
};

// An administrator, and the id of the SMS that it asks about. Violations or another tenant's id become a status.
struct AdminAsked {
  Caller caller;
  InstanceId id;
};
absl::StatusOr<AdminAsked> AskedOf(const Doors& doors, const CallContext& context, const std::string& id);
// NOT_FOUND as well for one of a tenant that the caller may not see. May block for the disk.
absl::StatusOr<engine::StoredInstance> ReadFor(const Doors& doors, const AdminAsked& asked);
// PERMISSION_DENIED for an administrator of some tenants only.
absl::Status NeedsAll(const Caller& caller);

}  // namespace smsflow::server
