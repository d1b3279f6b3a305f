// A broker of the run's own, with its topics: started, killed and stopped as the run likes. Used from the main thread,
// but for address().
#pragma once

#include <chrono>
#include <string>

#include "tests/crash/process.h"

namespace smsflow::crash {

inline constexpr char kKafkaGroup[] = "crash";
inline constexpr int kSchedulePartitions = 3, kSendPartitions = 4, kStatusPartitions = 2;

class OwnKafka {
 public:
  // `folder` for all of it; made when missing.
  // `life_s`: after so long it ends by itself, whatever becomes of this process.
  OwnKafka(std::string folder, int life_s);
  ~OwnKafka();

  // False: there is no Java on this machine. Waits until it listens, and makes the topics.
  bool Open();
  void Start();  // does not wait
  // Whether its start has ended, or ends within `patience`; what went wrong with it, if anything, is in Log().
  bool AwaitUp(std::chrono::milliseconds patience);
  bool starting() { return starter_.running(); }
  bool running() const;
  void Kill();  // at once, whether it runs or starts
  void Signal(int signal) const;
  const std::string& address() const { return address_; }
  std::string Log() const { return folder_ + "/starts.log"; }

 private:
  int pid() const;  // 0: none
  bool MakeTopics() const;

  const std::string folder_;
  const int life_s_;
  std::string address_;
  Process starter_;
};

}  // namespace smsflow::crash
