// The bare echo as a process of its own, as smsflowd is one: a client that shares a process with a server shares its
// poller too, which hands events from one to the other. Started from this program, and ended with it. Not thread-safe.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace smsflow::bench {

// What this program is asked for so that it becomes the echo.
inline constexpr char kEchoFlag[] = "--serve-echo";
inline constexpr char kHandOverFlag[] = "--hand-over";
inline constexpr char kRestFlag[] = "--rest";

enum class EchoKind : std::uint8_t { kCalls, kHandOver, kRest };

class EchoProcess {
 public:
  // Blocks until it listens.
  static absl::StatusOr<std::unique_ptr<EchoProcess>> Start(EchoKind kind);
  ~EchoProcess();

  const std::string& address() const { return address_; }

 private:
  EchoProcess() = default;

  pid_t pid_ = 0;
  int input_ = -1;  // it ends when this is closed
  std::string address_;
};

// Is that process: says where it listens and serves until its standard input is closed. What to exit with.
int ServeEcho(EchoKind kind);

}  // namespace smsflow::bench
