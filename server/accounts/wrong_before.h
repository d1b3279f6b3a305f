// Passwords that were wrong some seconds ago, so that a client with an old one costs next to nothing. What is right is
// not remembered here: the doors do, for a minute at most.
//
// Thread-safe; nothing blocks. Holds no password: only hashes of them under a key that dies with the process.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>

#include "absl/synchronization/mutex.h"
#include "crypto/hmac.h"
#include "engine/seams.h"

namespace smsflow::server {

class WrongBefore {
 public:
  static constexpr std::int64_t kRememberMs = 10'000;
  static constexpr std::size_t kMax = 4'096;

  explicit WrongBefore(engine::Clock& clock);

  // `state` changes with every change of an account: what was wrong before one is asked about anew.
  bool Was(std::string_view id, std::string_view password, std::uint64_t state);
  void Note(std::string_view id, std::string_view password, std::uint64_t state);

 private:
  crypto::Digest DigestOf(std::string_view id, std::string_view password, std::uint64_t state) const;

  engine::Clock& clock_;
  const crypto::HmacKey key_;
  absl::Mutex mutex_;
  std::map<crypto::Digest, std::int64_t> till_ms_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace smsflow::server
