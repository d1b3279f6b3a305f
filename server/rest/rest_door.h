// The REST door: HTTP server, gate, and the handlers of the old contract, on a port of its own.
//
// Thread-safe. What it answers from the engine may come after Stop(), and then goes nowhere: so the engine may be
// stopped before or after it, but must not be destroyed while it serves.
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
#include "server/grpc/workers.h"
#include "server/rest/identity.h"
#include "server/rest/router.h"

namespace smsflow::server::rest {

struct RestParts {
  engine::Engine* engine = nullptr;
  const engine::Reader* reader = nullptr;
  const engine::Clock* clock = nullptr;
  Identity* identity = nullptr;
  std::size_t connections_max = 1'000;  // open at once
  // Further groups of handlers. What may block runs on `workers`.
  std::function<void(Router& router, Workers& workers)> more;
  // Of those who may show a token instead, under /api/ alone; null: nobody.
  const Authenticator* tokens = nullptr;
};

class RestDoor {
 public:
  // Serves when it returns; null when `listen.rest` is empty. All parts outlive it. INVALID_ARGUMENT: a certificate
  // that cannot be used; UNAVAILABLE: the address cannot be listened on.
  static absl::StatusOr<std::unique_ptr<RestDoor>> Start(const Config& config, RestParts parts);
  virtual ~RestDoor() = default;

  // As clients name it, with the port that was chosen.
  virtual const std::string& address() const = 0;
  virtual std::vector<NamedFigure> figures() const = 0;
  // Nobody comes in any more, and connections end with what they wait for. Does not block.
  virtual void BeginStop() = 0;
  // The same, and waits at most so long for them.
  virtual void Stop(std::int64_t within_ms) = 0;
};

}  // namespace smsflow::server::rest
