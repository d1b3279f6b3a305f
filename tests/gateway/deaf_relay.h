// A way between two unix sockets that at times drops whatever comes over it, and tells neither end.
#pragma once

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace smsflow::gateway {

class DeafRelay {
 public:
  // Listens at `from`; each connection there becomes one to `to`.
  DeafRelay(const std::string& from, std::string to);
  ~DeafRelay();
  DeafRelay(const DeafRelay&) = delete;
  DeafRelay& operator=(const DeafRelay&) = delete;

  // For the connections that there are; later ones are carried.
  void GoDeaf() { goes_deaf_ = true; }

 private:
  struct Way {
    int ends[2];
    bool deaf = false;
  };
  void Loop();
  void Accept();
  static bool Carry(int from, int to);  // false: one of them has ended

  const std::string to_;
  const int listener_;
  std::vector<Way> ways_;  // of the thread
  std::atomic<bool> goes_deaf_{false};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace smsflow::gateway
