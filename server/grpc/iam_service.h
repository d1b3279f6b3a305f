// smsflow.v1.Iam over gRPC: the credential, a thread that may block, and server/accounts/iam.h for all the rest.
//
// An administrator's key that names tenants has none of its verbs: accounts concern all.
#pragma once

#include "server/accounts/iam.h"
#include "server/grpc/doors.h"
#include "smsflow/v1/iam.grpc.pb.h"

namespace smsflow::server {

class IamService final {
 public:
  // Both must outlive it.
  IamService(const Doors& doors, Accounts& accounts) : wire_(doors.authenticator), doors_(doors), iam_(accounts) {}

  grpc::Service& wire() { return wire_; }
  void Serve(CallQueue& queue);

 private:
  template <auto kVerb, class Asked, class Given>
  void Run(UnaryCall* call, const Asked* asked, Given* given);

  Wire<v1::Iam> wire_;
  const Doors& doors_;
  Iam iam_;
};

}  // namespace smsflow::server
