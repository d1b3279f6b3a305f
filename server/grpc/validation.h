// The form of what a client asks for: every rule that can be checked without looking at what is stored. All violations
// come back at once, each with its field and the rule, never with the value.
//
// Thread-safe; may read the time zone database once.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/reader.h"
#include "server/config.h"
#include "server/grpc/status.h"
#include "smsflow/v1/scheduler.pb.h"
#include "workflows/delivery/slots.h"

namespace smsflow::server {

class Validation {
 public:
  // `zones` must outlive it. A horizon of 0 is none, as on the old contracts: there an SMS may also have no slot, and
  // expires at once.
  Validation(const LimitsConfig& limits, const workflows::delivery::ZoneResolver* zones);

  // Fills everything of `create` but its actor. `create.tenant` must be set. What is in `create` after violations is of
  // no use. The request's payload and names are moved out of it.
  Violations Schedule(v1::ScheduleRequest&& request, std::int64_t now_ms, engine::CreateRequest& create) const;

  // `tenant` and `key` are the SMS's own, for the envelope's check. Fills event and payload.
  Violations Reschedule(v1::RescheduleRequest&& request, const std::string& tenant, const std::string& key,
                        std::int64_t now_ms, engine::EventRequest& event) const;

  Violations Filter(const v1::Filter& filter, const std::string& tenant, engine::ListQuery& query) const;

  // 16 raw bytes of a UUIDv7.
  static std::optional<InstanceId> Id(const std::string& bytes, const char* field, Violations& violations);
  // A name that must be there: 1 to 128 bytes of printable UTF-8.
  void Name(const std::string& text, const char* field, Violations& violations) const;

 private:
  void OptionalName(const std::string& text, const char* field, Violations& violations) const;
  workflows::delivery::ParsedSlots Slots(const std::string& text, std::int64_t now_ms, Violations& violations) const;
  // Also sets `key_id` to the envelope's when it was empty.
  void Payload(const std::string& payload, const std::string& subject, std::string& key_id,
               Violations& violations) const;

  LimitsConfig limits_;
  const workflows::delivery::ZoneResolver* zones_;
  std::string name_rule_;
};

}  // namespace smsflow::server
