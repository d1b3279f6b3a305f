// The paths of the old contract, but for /iam: /schedule, /block and /actuator, registered on a router. docs/rest.md
// has the list.
//
// All of it is thread-safe once registered. Answers of what changes something come once that is durable.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/engine.h"
#include "engine/reader.h"
#include "engine/seams.h"
#include "server/config.h"
#include "server/grpc/validation.h"
#include "server/grpc/workers.h"
#include "server/rest/router.h"

namespace smsflow::server::rest {

// What the handlers need of the rest of the house. Shared by all that is on its way, so it may be asked for as long as
// the engine lives.
struct OldContract {
  engine::Engine* engine = nullptr;
  const engine::Reader* reader = nullptr;
  const engine::Clock* clock = nullptr;
  Workers* reads = nullptr;                      // may block for the disk; takes at least one of each connection
  std::shared_ptr<const Validation> validation;  // without a horizon
  std::int32_t offset_minutes = 0;               // in which times are shown
  std::string version;
};

void AddScheduleHandlers(const std::shared_ptr<const OldContract>& contract, Router& router);
void AddBlockHandlers(const std::shared_ptr<const OldContract>& contract, Router& router);
void AddActuatorHandlers(const std::shared_ptr<const OldContract>& contract, Router& router);

// 403 unless who asks has the role of users and acts for this tenant; nullopt: it may.
std::optional<Response> Forbidden(const Request& request, const std::string& tenant);
// 400 with every field and its rule, or what else the status is over HTTP.
Response Refused(const absl::Status& status, const Violations& violations);
// Tells in a header how many SMSes a command came to, by outcome; the body of old is empty.
Response Counted(std::uint64_t done, const char* name, std::uint64_t too_late, std::uint64_t ended);

}  // namespace smsflow::server::rest
