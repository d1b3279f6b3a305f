// The gRPC door: listener, TLS, limits, health, reflection, and the services.
//
// Thread-safe. Stop() takes as long as it must, at most what it is given and a little: calls that were begun are
// answered, streams are ended, new ones are refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/engine.h"
#include "engine/reader.h"
#include "engine/seams.h"
#include "server/auth.h"
#include "server/config.h"
#include "server/figures.h"
#include "workflows/workflow.h"

namespace smsflow::server {

class Accounts;
class CallQueue;

struct GrpcServerParts {
  engine::Engine* engine = nullptr;
  const engine::Reader* reader = nullptr;
  const Authenticator* authenticator = nullptr;
  const engine::Clock* clock = nullptr;
  const workflows::Workflow* delivery = nullptr;
  Accounts* accounts = nullptr;
  std::string engine_epoch;
  std::uint16_t shards = 0;
  std::function<std::vector<NamedFigure>()> figures;
  std::size_t connections_max = 1'000;  // open at once
};

class GrpcServer {
 public:
  // Listens when it returns. All parts outlive it. INVALID_ARGUMENT: a certificate that cannot be used; UNAVAILABLE:
  // the address cannot be listened on.
  static absl::StatusOr<std::unique_ptr<GrpcServer>> Start(const Config& config, GrpcServerParts parts);
  virtual ~GrpcServer() = default;

  // As clients name it, with the port that was chosen.
  virtual const std::string& address() const = 0;
  // What its verbs do, for doors that ask for them by name.
  virtual CallQueue& calls() = 0;
  // What it has to tell of its listener; also part of what Stats shows.
  virtual std::vector<NamedFigure> figures() const = 0;
  // REQUIRES a running engine: it gives the answers that are still owed. One that takes longer, as that of a sweep over
  // everything, is given when the engine stops; so the engine is stopped before this is destroyed.
  virtual void Stop(std::int64_t within_ms) = 0;
};

// Must be called before anything of gRPC: which TLS 1.2 suites may be used, and how much gRPC says by itself.
void PrepareGrpc();

}  // namespace smsflow::server
