// The one thread that follows the journals for every watcher: it waits for commits and hands each watch its turn.
//
// Thread-safe. Watches are bounded; all work on a watch happens on the hub's thread, so a watch needs no lock for it.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/engine.h"

namespace smsflow::server {

class WatchHub {
 public:
  static constexpr std::size_t kWatchesMax = 256;

  class Watch {
   public:
    virtual ~Watch() = default;
    // Sends what there is, if nothing is being sent. True when there is more to be done at once.
    virtual bool Step() = 0;
    // Begins to end the stream, once.
    virtual void End(const absl::Status& why) = 0;
    // gRPC is through with it: it can be destroyed.
    virtual bool gone() const = 0;
  };

  explicit WatchHub(engine::Engine& engine);
  ~WatchHub();

  // False: too many, or closed; the watch is then destroyed by nobody but the caller.
  [[nodiscard]] bool Add(std::shared_ptr<Watch> watch);
  // A watch has something to do though nothing was committed.
  void Wake();
  // Ends all watches; later ones are refused. The thread goes on until they are gone.
  void Close();

 private:
  void Loop();
  bool StepAll(const std::vector<std::shared_ptr<Watch>>& watches, bool closing);

  engine::Engine& engine_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::shared_ptr<Watch>> watches_;
  bool closing_ = false;
  bool stopping_ = false;
  bool woken_ = false;
  std::thread thread_;
};

}  // namespace smsflow::server
