// TLS for the gRPC listener, from PEM files that are read again when they change.
#pragma once

#include <grpcpp/security/server_credentials.h>

#include <memory>

#include "absl/status/statusor.h"
#include "server/config.h"

namespace smsflow::server {

// Plaintext credentials when TLS is off: who may have that was decided by the configuration. INVALID_ARGUMENT names the
// key of a file that cannot be read or does not hold what it should. Blocks for the disk.
absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeServerCredentials(const TlsConfig& tls);

}  // namespace smsflow::server
