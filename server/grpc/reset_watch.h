// Ends connections whose clients reset streams faster than gRPC ends them ("rapid reset"). A stream that was reset is
// none of those that streams_per_connection counts, but lasts, some 13 KB of it, until the thread of the calls has
// seen it; and gRPC 1.51 does not come back to that thread before a connection has nothing more to read. So whoever
// sends on is read on, and nothing that this process could refuse is told to it meanwhile.
//
// A thread of its own looks whether that one runs on without coming back, and only then asks gRPC's statistics which
// connection has more streams than any client who keeps to the rules. Over a unix socket a connection has no name by
// which it could be found: there the rights of the file say who comes. Thread-safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "server/grpc/call_queue.h"

namespace smsflow::server {

// What gRPC tells of its connections, as JSON: the sockets of a server, and one of them.
struct WatchedSocket {
  std::int64_t id = 0;
  std::string peer;  // as gRPC names it
};
std::vector<WatchedSocket> SocketsIn(std::string_view json);
// Streams of this socket that were begun and are not ended; 0 where it does not say.
std::int64_t StreamsIn(std::string_view json);

class ResetWatch {
 public:
  // Of one connection, reset ones too, that the calls' thread has not seen: those that there may be at once, as many
  // that were given up, and some.
  static std::int64_t StreamsMax(std::uint32_t at_once) { return 2 * std::int64_t{at_once} + 1'000; }

  // `queue` is started, and must outlive Stop(), as gRPC must; its servers were made with GRPC_ARG_ENABLE_CHANNELZ.
  ResetWatch(CallQueue& queue, std::int64_t streams_max);
  ~ResetWatch() { Stop(); }
  ResetWatch(const ResetWatch&) = delete;
  ResetWatch& operator=(const ResetWatch&) = delete;

  void Stop();
  std::uint64_t ended() const { return ended_; }  // connections

 private:
  void Loop();
  void Look();
  void LookAt(const WatchedSocket& socket);

  CallQueue& queue_;
  const std::int64_t streams_max_;
  std::int64_t tell_at_ms_ = 0;  // of the thread
  std::atomic<std::uint64_t> ended_{0};
  absl::Notification stopping_;
  std::thread thread_;
};

}  // namespace smsflow::server
