// Who comes in: reads Basic credentials and has them checked, each at most once a minute.
//
// A password's hash takes long on purpose. So it is computed on threads of its own, only once for all requests that
// wait for the same credential, and what was found is remembered for a minute under a keyed hash of name and password:
// neither stands in memory, and a change of the account counts at once. What is refused is not remembered.
//
// Thread-safe; nothing blocks but Stop().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "crypto/hmac.h"
#include "server/grpc/workers.h"
#include "server/rest/identity.h"

namespace smsflow::server::rest {

struct GateOptions {
  int threads = 1;
  std::size_t waiting_max = 64;       // different credentials that wait for a thread
  std::int64_t remember_ms = 60'000;  // at most a minute
  std::size_t remembered_max = 10'000;
};

struct GateFigures {
  std::uint64_t remembered = 0;  // let in by memory
  std::uint64_t verified = 0;
  std::uint64_t refused = 0;
  std::uint64_t busy = 0;  // sent away: too many waited
};

class Gate {
 public:
  using Entered = absl::AnyInvocable<void(absl::StatusOr<Principal>)>;

  // `identity` must outlive it. `now_ms` is of a clock that only goes forward.
  Gate(Identity& identity, std::function<std::int64_t()> now_ms, GateOptions options = {});
  ~Gate() { Stop(); }

  // UNAUTHENTICATED: no credential, none that can be read, a wrong one: always the same text. RESOURCE_EXHAUSTED: too
  // many wait. `entered` is called once, from any thread, also before this returns.
  void Enter(std::string_view authorization, Entered entered);
  // Whether Enter() could find somebody: for a look before a body is waited for.
  static bool IsReadable(std::string_view authorization);
  // What waits is refused.
  void Stop();
  GateFigures figures() const;

  static absl::Status Unknown();

 private:
  struct Remembered {
    Principal principal;
    std::int64_t until_ms = 0;
  };

  void Check(const std::string& digest, const std::string& user, const std::string& password);
  void MakeRoom(std::int64_t now_ms);

  Identity& identity_;
  const std::function<std::int64_t()> now_ms_;
  const GateOptions options_;
  const crypto::HmacKey key_;  // of this process alone
  Workers workers_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Remembered> remembered_;
  std::unordered_map<std::string, std::vector<Entered>> waiting_;
  GateFigures figures_;
};

}  // namespace smsflow::server::rest
