// The headers that records of smsflow carry beside their JSON. Old programs read none of them, so the JSON alone is
// what it always was.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace smsflow::kafka {

struct Header {
  std::string name;
  std::string value;
  bool operator==(const Header&) const = default;
};
using Headers = std::vector<Header>;

// As they stand in a record that was read; views into it.
struct HeaderView {
  std::string_view name;
  std::string_view value;
};

// On `schedule-sms`; the signature also on `sms-timer`.
inline constexpr std::string_view kIdempotencyKey = "idempotency-key";
inline constexpr std::string_view kSignature = "smsflow-signature";  // NAME:SECONDS:MAC, see signature.h
// On `send-sms`.
inline constexpr std::string_view kOp = "smsflow-op";              // send | probe; on `sms-status` also announce
inline constexpr std::string_view kGateway = "smsflow-gateway";    // the id of the gateway it is for, or from
inline constexpr std::string_view kStore = "smsflow-store";        // the uuid of its store
inline constexpr std::string_view kEpoch = "smsflow-epoch";        // of the engine's data, decimal
inline constexpr std::string_view kMark = "smsflow-mark";          // SHARD.SEQUENCE[.SEAL], the seal in base64url
inline constexpr std::string_view kClientKey = "smsflow-key";      // the client's key, which the envelope is sealed for
inline constexpr std::string_view kKeyId = "smsflow-key-id";       // which key opens the envelope
inline constexpr std::string_view kEncoding = "smsflow-encoding";  // base64: the payload was no text
// On `sms-status`.
inline constexpr std::string_view kFailure = "smsflow-failure";  // permanent|transient[;message|recipient|sender|route]

// The value of the last header of this name.
std::optional<std::string_view> FindHeader(std::span<const HeaderView> headers, std::string_view name);
std::vector<HeaderView> ViewsOf(const Headers& headers);

}  // namespace smsflow::kafka
