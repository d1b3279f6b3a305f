#include "tools/flowable/judge.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "smpp/unicode.h"
#include "tools/flowable/java_text.h"
#include "workflows/delivery/slots.h"

namespace smsflow::flowable {
namespace {

constexpr char kTimer[] = "schedulerTimer", kCancel[] = "recvCancel", kSend[] = "sendTask",
               kSendTimeout[] = "sendTimeout";

// Reads variables one after the other and remembers the first that could not be read.
class Reading {
 public:
  explicit Reading(const OldInstance& instance) : instance_(instance) {}

  // Empty when it is absent or null.
  std::string Text(const char* name) {
    const Variable* const variable = One(name);
    if (variable == nullptr) return "";
    std::optional<std::string> text = TextOf(*variable);
    if (text && smpp::IsUtf8(*text)) return *std::move(text);
    Fail(name, variable->is_too_long ? "is longer than any SMS has it"
                                     : absl::StrCat("is no text that can be read (type ", Known(variable->type), ")"));
    return "";
  }

  std::int64_t Number(const char* name) {
    const Variable* const variable = One(name);
    if (variable == nullptr) return 0;
    const bool whole = variable->type == "integer" || variable->type == "long" || variable->type == "short";
    if (whole && variable->number) return *variable->number;
    Fail(name, absl::StrCat("is no whole number (type ", Known(variable->type), ")"));
    return 0;
  }

  bool Has(const char* name) const { return One(name, nullptr) != nullptr; }
  const std::string& error() const { return error_; }

 private:
  static std::optional<std::string> TextOf(const Variable& variable) {
    if (variable.type == "string") return variable.text;
    const bool in_bytes = variable.type == "longString" || variable.type == "serializable";
    return in_bytes && variable.bytes ? DecodeJavaText(*variable.bytes) : std::nullopt;
  }

  // A type's name is the engine's own word; anything else is not repeated.
  static std::string Known(const std::string& type) {
    const bool word = !type.empty() && type.size() <= 32 && std::all_of(type.begin(), type.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
    });
    return word ? type : "unknown";
  }

  const Variable* One(const char* name, std::size_t* count) const {
    const auto found = instance_.variables.find(name);
    if (found == instance_.variables.end()) return nullptr;
    if (count != nullptr) *count = found->second.size();
    const Variable& first = found->second.front();
    const bool is_null = first.type == "null" || (first.type == "string" && !first.text);
    return is_null ? nullptr : &first;
  }

  const Variable* One(const char* name) {
    std::size_t count = 0;
    const Variable* const variable = One(name, &count);
    if (count > 1) Fail(name, "stands there more than once");
    return variable;
  }

  void Fail(const char* name, const std::string& why) {
    if (error_.empty()) error_ = absl::StrCat(name, ": ", why);
  }

  const OldInstance& instance_;
  std::string error_;
};

using Place = std::pair<Standing, std::string>;

bool IsFinal(const std::string& status) {
  constexpr std::array<std::string_view, 5> kFinal = {"DELIVERED", "EXPIRED", "CANCELED", "BLOCKED", "INVALID"};
  return std::find(kFinal.begin(), kFinal.end(), status) != kFinal.end();
}

// Where it waits and what its status says must agree.
Place PlaceOf(const OldInstance& instance, const std::string& status, bool take_locked) {
  const auto waits_at = [&](const char* place) { return instance.places.count(place) > 0; };
  const bool sending = waits_at(kSend) || waits_at(kSendTimeout), timer = waits_at(kTimer) || waits_at(kCancel);
  const bool left = status == "ENROUTE" || status == "SENT";
  if (sending && timer) return {Standing::kUnreadable, "it waits for its slot and for the gateway at once"};
  if (sending) return {Standing::kInFlight, "ENROUTE: the gateway has it, and has not answered"};
  if (timer && (left || IsFinal(status)))
    return {Standing::kUnreadable, "smsStatus: it waits for its slot, and has left or ended"};
  if (timer && !waits_at(kTimer)) return {Standing::kUnreadable, "it waits to be cancelled, and for no slot"};
  if (timer && instance.being_fired && !take_locked)
    return {Standing::kInFlight, "its timer was being fired: the gateway may have it (--take-locked if it cannot)"};
  if (timer || status == "NEW") return {Standing::kPending, ""};
  if (left) return {Standing::kInFlight, absl::StrCat(status, status == "SENT" ? ": its receipt is awaited" : "")};
  if (IsFinal(status)) return {Standing::kUnreadable, "smsStatus: it has ended, but is still there"};
  return {Standing::kUnreadable, "it waits at a place that is not known"};
}

}  // namespace

std::string_view StandingName(Standing standing) {
  switch (standing) {
    case Standing::kPending:
      return "pending";
    case Standing::kInFlight:
      return "in_flight";
    case Standing::kPast:
      return "past";
    case Standing::kUnreadable:
      return "unreadable";
  }
  return "unreadable";
}

OldSms Judge(const OldInstance& instance, std::int64_t now_s, bool take_locked) {
  Reading reading(instance);
  OldSms sms;
  sms.id = instance.id;
  const std::string status = reading.Text("smsStatus");
  std::tie(sms.standing, sms.reason) = PlaceOf(instance, status, take_locked);
  sms.tenant = reading.Text("clientId");
  sms.batch = reading.Text("batchId");
  sms.key = reading.Text("clientKey");
  sms.target = reading.Text("targetId");
  sms.user = reading.Text("userId");
  sms.retries = std::max<std::int64_t>(0, reading.Number("smsRetries"));
  const std::string schedule = reading.Text("schedule");
  sms.payload = reading.Text("payload");
  if (sms.standing != Standing::kPending) return sms;

  const auto unreadable = [&](const std::string& why) {
    sms.standing = Standing::kUnreadable;
    sms.reason = why;
    return sms;
  };
  if (!reading.error().empty()) return unreadable(reading.error());
  if (sms.tenant.empty()) return unreadable("clientId: is missing");
  if (sms.payload.empty()) return unreadable("payload: is missing");
  if (!reading.Has("schedule")) return unreadable("schedule: is missing");
  const auto parsed = workflows::delivery::ParseSlots(schedule, nullptr);
  if (!parsed.ok()) return unreadable(absl::StrCat("schedule: ", parsed.error));
  sms.schedule = workflows::delivery::ToText(parsed.slots);
  if (!parsed.slots.empty() && parsed.slots.back().till_s > now_s) return sms;
  sms.standing = Standing::kPast;
  sms.reason = parsed.slots.empty() ? "it has no slot" : "its last slot is over";
  return sms;
}

}  // namespace smsflow::flowable
