// What smsflowd asks of the operating system: file descriptors, signals, its environment, a last word.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace smsflow::server {

// The soft limit of open files goes up to the hard one: RocksDB must not run out of them. The limit that is in force
// afterwards.
std::uint64_t RaiseFileLimit();

// SIGTERM and SIGINT wait for AwaitStop() instead of ending the process; SIGPIPE is an error of write(). Must be called
// before any thread is started.
void HoldSignals();
// Blocks until the first of them; its name.
std::string AwaitStop();

std::vector<std::pair<std::string, std::string>> Environment();

// One line, and the end of the process: nobody can know what was written, so no destructor runs. Exit code 75,
// or 78 where what is stored is damaged, as at a start that finds it.
[[noreturn]] void EndFatally(const absl::Status& status);

}  // namespace smsflow::server
