// A child process that ends with this one, whatever happens: started, killed, stopped, awaited by its id alone.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace smsflow::crash {

// Not thread-safe. REQUIRES: started from the main thread, for the child dies with the thread that made it.
class Process {
 public:
  Process() = default;
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // What it prints is appended to `log`. Ends the driver when there is no such program.
  void Start(const std::vector<std::string>& command, const std::string& log);
  bool running();  // false: never started, or ended, see ended()
  void Signal(int signal) const;
  void Kill();  // SIGKILL, also when it is stopped, and waits
  // As a shell would say it: exit code, or 128 + signal. nullopt: still running after `patience`.
  std::optional<int> Await(std::chrono::milliseconds patience);

 private:
  pid_t pid_ = 0;
  std::optional<int> status_;
};

// What a command that was run to its end printed, and its exit code.
struct Finished {
  int code = 0;
  std::string output;
};
Finished Run(const std::vector<std::string>& command, const std::string& log, std::chrono::milliseconds patience);

// The last `lines` lines of a file, each behind two spaces.
std::string Tail(const std::string& file, std::size_t lines);

}  // namespace smsflow::crash
