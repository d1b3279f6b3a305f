// Transitions as they come, over every interruption of the link: when the server goes away, the stream goes on from its
// last token once it is back, so that nothing is missed.
//
// A thread of its own reads; Next() hands over to one other thread. Destroying it ends the call and joins the thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "smsflow/v1/scheduler.pb.h"

namespace grpc {
class ClientContext;
}

namespace smsflow::cli {

class Connection;

class WatchStream {
 public:
  // Begins right away. `request` holds filter and token; the connection must outlive the stream.
  WatchStream(Connection& connection, smsflow::v1::WatchRequest request);
  ~WatchStream();
  WatchStream(const WatchStream&) = delete;
  WatchStream& operator=(const WatchStream&) = delete;

  // The next one, waiting up to `wait_ms` for it; nullopt when none came, or when it is over.
  std::optional<smsflow::v1::WatchResponse> Next(std::int64_t wait_ms);

  // Set once the stream ended for good: refused, or a first connection that failed.
  std::optional<absl::Status> over();
  // The link is down, and it is being tried again.
  bool reconnecting();
  // How often it was down and is back.
  int times_mended();

 private:
  void Read();
  // One call, to its end; its status.
  absl::Status ReadOneCall();
  // Sleeps between two tries; false when it is time to stop.
  bool Pause(int failures);

  Connection& connection_;
  smsflow::v1::WatchRequest request_;  // of the reading thread: its token is the last one read
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<smsflow::v1::WatchResponse> queue_;
  std::optional<absl::Status> over_;
  std::shared_ptr<grpc::ClientContext> context_;  // of the call that runs
  bool answered_ = false;                         // the server took the call at least once
  bool reconnecting_ = false;
  int times_mended_ = 0;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace smsflow::cli
