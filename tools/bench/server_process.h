// The smsflowd that a benchmark measures: started from the folder of this program, with a configuration made for it in
// a folder of its own, and ended with it. Not thread-safe.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace smsflow::bench {

struct ServerOptions {
  std::string folder;  // for data and configuration; may hold those of an earlier process
  std::uint16_t partitions = 2;
  std::uint32_t fire_budget_per_s = 1'000'000;  // so that only credit bounds what leaves
  std::string more = {};                        // further sections of its configuration
};

class ServerProcess {
 public:
  // Blocks until it says that it is ready; `ready_s()` tells how long that took from exec.
  static absl::StatusOr<std::unique_ptr<ServerProcess>> Start(const ServerOptions& options);
  ~ServerProcess();  // SIGTERM, and SIGKILL when that does not end it

  const std::string& address() const { return address_; }
  const std::string& rest_address() const { return rest_address_; }
  double ready_s() const { return ready_s_; }
  double started() const { return started_; }  // Now() at exec
  double cpu_s() const;                        // used so far
  double rss_mb() const;                       // now
  absl::Status Stop();                         // SIGTERM; waits; an error when it did not end well
  void Kill();                                 // SIGKILL; waits until it is gone

  // Admin.Stats, by name; blocks for half a second, so that they are those of now.
  absl::StatusOr<std::map<std::string, double>> Stats() const;

  // Tokens of its credentials.
  static const char* client_token();
  static const char* gateway_token();

 private:
  ServerProcess() = default;
  absl::Status Launch(const ServerOptions& options);
  absl::Status AwaitReady(int output);
  int Wait(double seconds);  // exit code, or -1 while it runs

  pid_t pid_ = 0;
  std::string address_;
  std::string rest_address_;
  double started_ = 0;
  double ready_s_ = 0;
};

}  // namespace smsflow::bench
