// The sockets of the simulator: one thread, all connections, and the clock of its Smsc.
//
// Bounded: connections (the script's), what waits to be sent to one (kUnsentMax; a client that does not read is
// closed), what is read at once. Listens where it is told and nowhere else.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "tools/smsc/smsc.h"

namespace smsflow::smsc {

inline constexpr std::size_t kUnsentMax = 4 * 1024 * 1024;

struct ServerOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 2775;  // 0: any that is free
  // TLS 1.2 or 1.3 when both are there, in PEM. A handshake counts as a part of binding in time.
  std::string cert_pem = {}, key_pem = {};
};

class Server {
 public:
  virtual ~Server() = default;
  virtual std::uint16_t port() const = 0;
  // Serves on the calling thread until Stop(), or for so many milliseconds; 0: no end.
  virtual void Run(std::int64_t for_ms) = 0;
  // From any thread, or before Run(): everything is closed at once.
  virtual void Stop() = 0;
  // Stops on SIGTERM and SIGINT too. Call before Run().
  virtual void StopOnSignals() = 0;
};

// `truth` outlives the server. InvalidArgument when the address is none or cannot be listened on,
// or a PEM is none.
[[nodiscard]] absl::StatusOr<std::unique_ptr<Server>> Listen(const ServerOptions& options, Script script, Truth& truth);

}  // namespace smsflow::smsc
