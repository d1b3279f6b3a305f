// Decides a recorded life anew with today's code and compares what comes out with what was recorded.
//
// A difference counts as a defect only where the record was written by the workflow version that runs now; an older
// version may have had its reasons. Records whose body, or whose predecessor's, went at retention cannot be decided.
//
// Reads the store; not thread-safe, one per caller.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/reader.h"
#include "workflows/workflow.h"

namespace smsflow::engine {

struct ReplayCounts {
  std::uint64_t records = 0;
  std::uint64_t differences = 0;    // of the same workflow version
  std::uint64_t other_version = 0;  // decided otherwise, but by another version
  std::uint64_t erased = 0;         // could not be decided
};

class Replay {
 public:
  Replay(const Reader& reader, std::vector<const workflows::Workflow*> workflows)
      : reader_(reader), workflows_(std::move(workflows)) {}

  // Adds to counts() and findings(). Not OK only when something cannot be read.
  absl::Status Run(const StoredInstance& instance);

  const ReplayCounts& counts() const { return counts_; }
  // One line each: which record of which instance, and what differs; never a value. Taken away from here.
  std::vector<std::string> TakeFindings() { return std::exchange(findings_, {}); }

 private:
  struct Before;

  absl::StatusOr<bool> Decide(const StoredInstance& instance, const Before& before,
                              const ::smsflow::stored::v1::JournalBody& body, std::uint64_t sequence);
  absl::StatusOr<const std::string*> Policy(const std::string& digest);

  const Reader& reader_;
  std::vector<const workflows::Workflow*> workflows_;
  std::map<std::string, std::string> policies_;  // by digest
  ReplayCounts counts_;
  std::vector<std::string> findings_;
};

}  // namespace smsflow::engine
