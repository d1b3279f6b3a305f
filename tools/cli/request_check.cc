#include "tools/cli/request_check.h"

#include <array>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "smpp/unicode.h"
#include "workflows/delivery/slots.h"

namespace smsflow::cli {
namespace {

constexpr std::size_t kNameBytesMax = 128, kPayloadBytesMax = 16 * 1024;

}  // namespace

bool IsPrintable(std::string_view text) {
  while (!text.empty()) {
    const auto point = smpp::TakeCodePoint(text);
    if (!point || *point < 0x20 || (*point >= 0x7F && *point < 0xA0) || *point == 0x2028 || *point == 0x2029)
      return false;
  }
  return true;
}

std::string SlotsAsTyped(std::string text, std::string_view name) {
  constexpr std::string_view kSchedule = "schedule: ", kForms = "must be SECONDS-SECONDS or TIME/TIME";
  for (std::size_t at = 0; (at = text.find(kSchedule, at)) != std::string::npos; ++at)
    if (at == 0 || text.compare(at - 2, 2, "; ") == 0)
      text.replace(at, kSchedule.size(), absl::StrCat(std::string(name), ": "));
  if (const std::size_t at = text.find(kForms); at != std::string::npos)
    text.replace(at, kForms.size(), "must be +S1[+S2] (from now + S1, for S2: +20s+5m), TIME/TIME or SECONDS-SECONDS");
  return text;
}

absl::Status CheckLikeTheServer(const smsflow::v1::ScheduleRequest& request,
                                const workflows::delivery::ZoneResolver* zones) {
  const std::array<std::pair<const char*, const std::string*>, 5> names = {
      {{"batch", &request.batch()},
       {"key", &request.key()},
       {"target", &request.target()},
       {"idempotency_key", &request.idempotency_key()},
       {"key_id", &request.key_id()}}};
  for (const auto& [name, text] : names)
    if (text->size() > kNameBytesMax || !IsPrintable(*text))
      return absl::InvalidArgumentError(absl::StrCat(name, ": must be 1 to 128 bytes of printable UTF-8"));
  if (request.payload().empty() || request.payload().size() > kPayloadBytesMax)
    return absl::InvalidArgumentError("payload: must be 1 to 16384 bytes");
  const auto parsed = workflows::delivery::ParseSlots(request.schedule(), zones);
  if (!parsed.ok()) return absl::InvalidArgumentError(absl::StrCat("schedule: ", parsed.error));
  return absl::OkStatus();
}

}  // namespace smsflow::cli
