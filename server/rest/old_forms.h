// What the old contract looks like: its times, its errors, its view of an SMS. Pure; what must hold is in docs/rest.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/engine.h"
#include "engine/reader.h"
#include "server/rest/router.h"

namespace smsflow::server::rest {

// `{"timestamp":…,"status":…,"error":…,"message":…,"path":…}`
void ShowOldError(const Problem& problem, Response& response);

// Cut to seconds, in an offset from UTC: "2096-10-02T07:06:40Z", "2096-10-02T10:06:40+03:00". From year 0 to 9999.
std::string OldTime(std::int64_t ms, std::int32_t offset_minutes);

struct OldRequest {
  std::string batch, key, target;  // empty: absent or null
  std::string schedule, payload;
};
// Of one JSON object, as the old clients send it: what is not known is skipped, null is absent. INVALID_ARGUMENT names
// every member and its rule.
absl::Status ReadOldRequest(std::string_view body, OldRequest& request);

struct OldSms {
  std::string id, tenant;
  std::string batch, key, target;  // empty: null
  std::string_view status;
  std::int64_t due_ms = 0;  // 0: null, as with all times
  std::int64_t deadline_ms = 0;
  std::int64_t started_ms = 0;
  std::int64_t ended_ms = 0;
  std::int64_t retries = 0;
  std::string user;  // empty: null
};
void AppendJson(const OldSms& sms, std::int32_t offset_minutes, std::string& out);

// As it is now; nullopt: what is stored of it cannot be read.
std::optional<OldSms> OldSmsOf(const engine::StoredInstance& instance);
// As it was scheduled: fills in all that the answer tells. False: it cannot be read.
bool FillFirst(const engine::Answer& answer, OldSms& sms);

}  // namespace smsflow::server::rest
