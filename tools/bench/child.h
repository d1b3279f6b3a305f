// A program that a benchmark needs beside it: started, and ended with this. Not thread-safe.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace smsflow::bench {

class Child {
 public:
  // `arguments` begin with the program, a path or a name of PATH. What it prints is read until a line holds `ready`,
  // for at most `within_s`; what it prints later is not read, so it must not be much. Without `ready` it is not waited
  // for, and prints to nobody.
  static absl::StatusOr<std::unique_ptr<Child>> Start(const std::vector<std::string>& arguments,
                                                      const std::string& ready = {}, double within_s = 10);
  ~Child();  // SIGTERM, and SIGKILL when that does not end it
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  const std::string& ready_line() const { return line_; }
  double cpu_s() const;  // used so far

 private:
  Child() = default;
  absl::Status AwaitReady(const std::string& ready, double within_s);

  pid_t pid_ = 0;
  int output_ = -1;
  std::string program_, line_;
};

// Where a program of that name lies beside this one; empty when there is none.
std::string BesideThis(const std::string& name);
// Where PATH has it, or /usr/sbin; empty: nowhere.
std::string FindProgram(const std::string& name);

}  // namespace smsflow::bench
