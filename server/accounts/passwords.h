// Passwords made into what is stored of them, and compared with it. Few at a time, however many ask: each takes a core
// for a while and tens of megabytes, so that whoever steals the rows must pay as much for each guess.
//
// Thread-safe. Make() and Fits() block: for the work itself, and before it for a turn.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string_view>

#include "absl/status/statusor.h"
#include "crypto/scrypt.h"
#include "smsflow/stored/v1/accounts.pb.h"

namespace smsflow::server {

struct PasswordOptions {
  // As dear as the 2^17, 8, 1 that is often recommended, in a quarter of the memory: 32 MB.
  crypto::ScryptCost cost = {15, 8, 3};
  int at_once = 1;
  std::size_t waiting_max = 64;
};

class Passwords {
 public:
  explicit Passwords(PasswordOptions options) : options_(options) {}

  // RESOURCE_EXHAUSTED: too many wait, or no memory is left.
  absl::StatusOr<::smsflow::stored::v1::PasswordHash> Make(std::string_view password);
  // Costs the same for a password of nobody (null), and is false then.
  absl::StatusOr<bool> Fits(std::string_view password, const ::smsflow::stored::v1::PasswordHash* kept);

 private:
  class Turn;

  const PasswordOptions options_;
  std::mutex mutex_;
  std::condition_variable wake_;
  int running_ = 0;
  std::size_t waiting_ = 0;
};

}  // namespace smsflow::server
