// The listening sockets of a door, and who comes in through them. gRPC's own listener never accepts again once
// the process ran out of file descriptors; this one waits until there are some, and keeps the door from using them up:
// RocksDB needs its own, and a write that fails ends the process.
//
// One thread of its own. It takes connections up to a bound, closes what is beyond it at once, so that a client hears
// it, and calls on itself now and then: sockets on which nobody hears that (the file of a unix socket was removed, say)
// are made anew. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace smsflow::server {

struct ListenerOptions {
  std::string address;              // "host:port", port 0 for any, or "unix:/path"
  std::size_t connections_max = 0;  // open at once
  std::int64_t probe_every_ms = 10'000;
  const char* door = "gRPC";  // whose it is, for the log
  // Of one client address (of IPv6: one /64, for nobody has less), so that nobody takes them all; 0: as many as there
  // may be. Who comes over a unix socket has no address.
  std::size_t per_address_max = 0;
};

struct ListenerFigures {
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;   // closed at once: too many were open, in all or of its address
  std::uint64_t starved = 0;   // times that the process had no file descriptor left for one
  std::uint64_t reopened = 0;  // times that the sockets were made anew
  std::size_t open = 0;        // as of the last look
  std::int64_t silent_ms = 0;  // since it last heard itself
};

class Listener {
 public:
  // A connection that came in, non-blocking; whoever takes it closes it. On the listener's thread.
  using Take = std::function<void(int listener, int connection)>;

  // Listens when it returns: who comes waits for Start(). UNAVAILABLE: the address is taken, or not of this machine. A
  // unix socket that nobody answers on any more is replaced; others may use it whom the folder's rights let through and
  // who are of its group.
  static absl::StatusOr<std::unique_ptr<Listener>> Open(ListenerOptions options);
  virtual ~Listener() = default;

  // As clients name it, with the port that was chosen.
  virtual const std::string& address() const = 0;
  virtual void Start(Take take) = 0;
  // Nobody comes in afterwards; connections that were taken stay. Removes the file of a unix socket.
  virtual void Stop() = 0;
  virtual ListenerFigures figures() const = 0;
};

struct ConnectionsOfDoors {
  std::size_t grpc = 0, rest = 0;
};

// How many connections each may have so that the rest of the process never lacks a file descriptor, also when both are
// full: half of what there is, and what the other does not want. 0 wanted for REST: there is no such door.
ConnectionsOfDoors ShareConnections(std::size_t grpc_wanted, std::size_t rest_wanted, std::uint64_t file_limit);

// How many of them one client address may have; 0 wanted: half, so that no single one shuts out the others.
std::size_t PerAddressMax(std::size_t wanted, std::size_t connections_max);

}  // namespace smsflow::server
