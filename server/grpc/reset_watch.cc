#include "server/grpc/reset_watch.h"

#include <grpc/grpc.h>
#include <grpc/support/alloc.h>
#include <pthread.h>
#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <memory>
#include <utility>

#include "crypto/json_object.h"
#include "logging/logging.h"

namespace smsflow::server {

namespace {

using crypto::JsonMember;
using crypto::JsonObject;

constexpr std::int64_t kLookEveryMs = 10;
constexpr std::int64_t kBusyUs = 2'000;     // of its time since the last look: it does not wait, it works
constexpr std::int64_t kLookAnywayMs = 50;  // gRPC may also read on another thread, where several hold a connection
constexpr std::int64_t kRestFor = 100;      // times what such a look took: it may cost a hundredth of a core
constexpr std::int64_t kTellEveryMs = 60'000;
constexpr std::intptr_t kPage = 500;

using GrpcText = std::unique_ptr<char, decltype(&gpr_free)>;

std::string_view ViewOf(const GrpcText& text) { return text == nullptr ? std::string_view() : text.get(); }

std::int64_t NowUs() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// Of this thread on a core: where it must wait for one, a look took no more.
std::int64_t WorkedUs() {
  rusage used{};
  ::getrusage(RUSAGE_THREAD, &used);
  return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1'000'000 + used.ru_utime.tv_usec + used.ru_stime.tv_usec;
}

const JsonObject* ObjectIn(const JsonObject* object, std::string_view name) {
  const JsonMember* const member = object == nullptr ? nullptr : object->Find(name);
  return member == nullptr ? nullptr : &member->object;
}

// Numbers are texts there; one that is 0 is left out.
std::int64_t NumberIn(const JsonObject* object, std::string_view name) {
  std::int64_t number = 0;
  if (object == nullptr) return number;
  const std::string_view text = object->String(name).value_or(std::string_view());
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::vector<std::int64_t> ServersIn(std::string_view json) {
  std::vector<std::int64_t> ids;
  const auto whole = crypto::ParseJsonObject(json);
  const JsonObject* const list = whole ? ObjectIn(&*whole, "server") : nullptr;
  if (list == nullptr) return ids;
  for (const JsonMember& server : list->members) {
    ids.push_back(NumberIn(ObjectIn(&server.object, "ref"), "serverId"));
  }
  return ids;
}

}  // namespace

std::vector<WatchedSocket> SocketsIn(std::string_view json) {
  std::vector<WatchedSocket> sockets;
  const auto whole = crypto::ParseJsonObject(json);
  const JsonObject* const list = whole ? ObjectIn(&*whole, "socketRef") : nullptr;
  if (list == nullptr) return sockets;
  for (const JsonMember& socket : list->members) {
    const std::string_view name = socket.object.String("name").value_or(std::string_view());
    // "chttp2 ipv4:127.0.0.1:51426"
    sockets.push_back({NumberIn(&socket.object, "socketId"), std::string(name.substr(name.rfind(' ') + 1))});
  }
  return sockets;
}

std::int64_t StreamsIn(std::string_view json) {
  const auto whole = crypto::ParseJsonObject(json);
  const JsonObject* const data = ObjectIn(whole ? ObjectIn(&*whole, "socket") : nullptr, "data");
  return NumberIn(data, "streamsStarted") - NumberIn(data, "streamsSucceeded") - NumberIn(data, "streamsFailed");
}

ResetWatch::ResetWatch(CallQueue& queue, std::int64_t streams_max) : queue_(queue), streams_max_(streams_max) {
  thread_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), "resets");  // as ps and perf show it
    Loop();
  });
}

void ResetWatch::Stop() {
  if (!thread_.joinable()) return;
  stopping_.Notify();
  thread_.join();
}

void ResetWatch::Loop() {
  CallQueue::Pace before = queue_.pace();
  std::int64_t anyway_at_us = 0;
  while (!stopping_.WaitForNotificationWithTimeout(absl::Milliseconds(kLookEveryMs))) {
    const CallQueue::Pace was = std::exchange(before, queue_.pace());
    const std::int64_t worked_us = before.worked_us - was.worked_us;
    const bool reads_on = before.turns == was.turns && worked_us >= kBusyUs;
    const std::int64_t begun_us = NowUs();
    if (!reads_on && (worked_us == 0 || begun_us < anyway_at_us)) continue;
    const std::int64_t had_worked_us = WorkedUs();
    Look();
    anyway_at_us = begun_us + std::max(kLookAnywayMs * 1'000, kRestFor * (WorkedUs() - had_worked_us));
  }
}

void ResetWatch::Look() {
  const GrpcText servers(grpc_channelz_get_servers(0), gpr_free);
  for (const std::int64_t server : ServersIn(ViewOf(servers))) {
    std::int64_t from = 0;
    while (!stopping_.HasBeenNotified()) {
      const GrpcText page(grpc_channelz_get_server_sockets(server, from, kPage), gpr_free);
      const std::vector<WatchedSocket> sockets = SocketsIn(ViewOf(page));
      for (const WatchedSocket& socket : sockets) LookAt(socket);
      if (sockets.empty()) break;
      from = sockets.back().id + 1;
    }
  }
}

void ResetWatch::LookAt(const WatchedSocket& socket) {
  if (!queue_.IsSpeaking(socket.peer)) return;
  const GrpcText told(grpc_channelz_get_socket(socket.id), gpr_free);
  const std::int64_t streams = StreamsIn(ViewOf(told));
  // What came to the calls' thread waits for the engine, as on a slow disk, and is bounded there.
  if (streams <= streams_max_ + static_cast<std::int64_t>(queue_.seats()) || !queue_.EndConnection(socket.peer)) return;
  ++ended_;
  if (NowUs() / 1'000 < tell_at_ms_) return;
  tell_at_ms_ = NowUs() / 1'000 + kTellEveryMs;
  Log(LogLevel::kError, "a client resets calls faster than they can be ended: its connection is ended",
      {{"peer", socket.peer}, {"calls", std::to_string(streams)}});
}

}  // namespace smsflow::server
