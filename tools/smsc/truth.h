// The ground truth: what the simulator was given and what it did, one JSON object a line, whatever it answered. A test
// compares it with what the client believes.
//
// Every line has `at_ms` (since the start) and `event`; docs/smsc.md lists the others. A line is with the kernel before
// the answer leaves, so it outlives a kill of the process, though not a loss of power. Used by one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace smsflow::smsc {

// One line in the making.
class TruthLine {
 public:
  TruthLine(std::string_view event, std::int64_t at_ms);
  TruthLine& Number(std::string_view name, std::uint64_t value);
  // Any octets: what is not UTF-8 is shown as Latin-1, so that a line is always JSON.
  TruthLine& Text(std::string_view name, std::string_view value);
  TruthLine& Hex(std::string_view name, std::string_view octets);
  // Takes the line out; nothing is added afterwards.
  std::string Finish();

 private:
  std::string line_;
};

class Truth {
 public:
  virtual ~Truth() = default;
  // `line` ends with a newline. A truth that cannot be told ends the process: nobody could trust what comes after.
  virtual void Tell(const std::string& line) = 0;
};

// Appends to a file. InvalidArgument when it cannot be opened.
[[nodiscard]] absl::StatusOr<std::unique_ptr<Truth>> OpenTruth(const std::string& path);
// To standard output.
std::unique_ptr<Truth> PrintedTruth();

}  // namespace smsflow::smsc
