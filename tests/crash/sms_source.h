// The SMSes that the clients ask for: mostly what goes well, now and then everything that the loopback knows; slots
// that are past, open or soon. One client draws one at a time from its own numbers; thread-safe otherwise.
#pragma once

#include <atomic>
#include <cstdint>
#include <random>
#include <string>

#include "crypto/keys.h"
#include "tests/crash/book.h"

namespace smsflow::crash {

using Random = std::mt19937_64;
inline std::uint64_t Below(Random& random, std::uint64_t bound) { return random() % bound; }

inline constexpr int kTargets = 30, kTargetsForGood = 3, kBatches = 40;

class SmsSource {
 public:
  // `longer_s`: slots are by so much longer than what is enough where nothing but engine and gateway dies.
  explicit SmsSource(const crypto::PublicKey& key, std::int64_t longer_s = 0) : key_(key), longer_s_(longer_s) {}

  Sms Make(Random& random);
  // Text and slots of a new order.
  std::string Text(Random& random) const;
  Slots FutureSlots(Random& random, std::int64_t from_s) const;
  // The text sealed for the gateway; now and then a long one, so that memtables fill.
  std::string Seal(Random& random, const std::string& tenant, const std::string& key, const std::string& text) const;

 private:
  const crypto::PublicKey& key_;
  const std::int64_t longer_s_;
  std::atomic<std::uint64_t> count_{0};
};

}  // namespace smsflow::crash
