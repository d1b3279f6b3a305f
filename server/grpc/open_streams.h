// The streams of a service that are open, so that a graceful stop can end them.
//
// Thread-safe. A stream adds itself when it begins and takes itself away before it is destroyed.
#pragma once

#include <mutex>
#include <set>

#include "absl/status/status.h"

namespace smsflow::server {

class OpenStreams {
 public:
  // What a stream can be told.
  class Stream {
   public:
    virtual ~Stream() = default;
    // Ends as soon as what it has begun is answered. Must not block, nor call back here.
    virtual void End(const absl::Status& why) = 0;
  };

  // False: the server is stopping, and the stream was not added.
  [[nodiscard]] bool Add(Stream* stream) {
    const std::lock_guard lock(mutex_);
    if (!closed_) streams_.insert(stream);
    return !closed_;
  }
  void Remove(Stream* stream) {
    const std::lock_guard lock(mutex_);
    streams_.erase(stream);
  }
  void Close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    for (Stream* stream : streams_) stream->End(Stopping());
  }
  static absl::Status Stopping() { return absl::UnavailableError("the server is stopping"); }

 private:
  std::mutex mutex_;
  std::set<Stream*> streams_;
  bool closed_ = false;
};

}  // namespace smsflow::server
