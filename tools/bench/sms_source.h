// The SMSes of a benchmark: distinct targets, 400 random bytes of payload; profile `full` adds batch, key and
// idempotency key. Not thread-safe: each client thread has its own, told apart by `lane`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/engine.h"

namespace smsflow::bench {

inline constexpr std::size_t kPayloadBytes = 400;
inline constexpr std::string_view kTenant = "bench";

enum class Profile : std::uint8_t { kBare, kFull };

// What a client would send, whichever door it takes.
struct Sms {
  std::string batch, key, target, idempotency_key;
  std::string_view payload;  // good until the next one is made
  std::int64_t from_s = 0;   // of its one slot
  std::int64_t till_s = 0;
};

class SmsSource {
 public:
  SmsSource(Profile profile, std::uint32_t lane);

  // One slot of an hour, from `from_s`.
  Sms Next(std::int64_t from_s);

 private:
  const Profile profile_;
  const std::uint32_t lane_;
  const std::string pool_;  // random bytes, of which each payload is a window
  std::uint64_t number_ = 0;
};

// As a door hands it to the engine.
engine::CreateRequest ToRequest(const Sms& sms);

}  // namespace smsflow::bench
