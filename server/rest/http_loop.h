// A thread that serves connections, and what all of them share. For http_server.cc and its connections alone.
//
// A Loop's own members belong to its thread; Post() may be called from any, also after the thread has ended: then what
// was posted is destroyed with the loop, undone.
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_set>
#include <utility>

#include "server/rest/http_server.h"

namespace smsflow::server::rest {

// Of all loops. Counters are only ever added to.
struct HttpShared {
  HttpOptions options;
  HttpHooks hooks;
  std::atomic<std::uint64_t> total{0};
  std::atomic<std::uint64_t> handshakes_failed{0};
  std::atomic<std::uint64_t> timeouts{0};
  std::atomic<std::uint64_t> malformed{0};
  std::atomic<std::uint64_t> streams_cut{0};
  std::array<std::atomic<std::uint64_t>, 6> answers{};
  std::atomic<std::size_t> bodies_bytes{0};

  std::mutex mutex;
  std::condition_variable ended;
  std::size_t open = 0;  // under `mutex`
};

// A connection as its loop sees it; on the loop's thread alone.
class Served {
 public:
  virtual ~Served() = default;
  virtual void Look(std::int64_t now_ms) = 0;  // whether its time is over
  virtual void Drain() = 0;                    // ends when it owes nothing
  virtual void Cut() = 0;                      // ends now
};

class Loop {
 public:
  explicit Loop(std::shared_ptr<HttpShared> shared);
  ~Loop();

  void Start();
  // Cuts off what is left and joins the thread.
  void Stop();
  template <class Work>
  void Post(Work work) {
    boost::asio::post(io_, std::move(work));
  }

  // Of its thread:
  boost::asio::io_context& io() { return io_; }
  HttpShared& shared() { return *shared_; }
  void Add(Served* served);
  void Remove(Served* served);
  void Drain();
  bool draining() const { return draining_; }
  // Read afresh: after a loop that was held up, what has just come has its whole time before it.
  std::int64_t now_ms() const { return shared_->hooks.steady_ms(); }
  const std::string& date() const { return date_; }  // as HTTP writes it

 private:
  void Tick();

  const std::shared_ptr<HttpShared> shared_;
  boost::asio::io_context io_{1};
  boost::asio::steady_timer timer_{io_};
  std::unordered_set<Served*> served_;
  bool draining_ = false;
  std::int64_t date_s_ = -1;
  std::string date_;
  std::thread thread_;
};

}  // namespace smsflow::server::rest
