// Many SMSes to the server: batches of them, some under way at a time, and each again while the server has no room for
// it or is away. What is in memory is what is under way.
//
// Used from the main thread, on which it also tells what became of each; Add() and Flush() block while the server does.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "smsflow/v1/scheduler.pb.h"
#include "tools/cli/connection.h"
#include "tools/cli/terminal.h"

namespace smsflow::cli {

struct BulkItem {
  smsflow::v1::ScheduleRequest request;
  std::uint64_t number = 0;         // the caller's
  std::vector<std::string> origin;  // the caller's
  // The idempotency key names the thing itself, whatever is to be done with it: one that is known is that thing.
  bool key_is_identity = false;
};

// Whether it may be otherwise in a moment: no room, no server, no answer in time.
bool IsBusy(absl::StatusCode code);
// How long to wait after that attempt, counted from 1; nullopt: it was the last.
std::optional<std::int64_t> PauseAfter(int attempt);

// One call that may be made twice, again and again while the server is busy or away.
template <typename Stub, typename Request, typename Response>
[[nodiscard]] absl::StatusOr<Response> AskPatiently(const Terminal& terminal, Connection& connection,
                                                    UnaryCall<Stub, Request, Response> call, const Request& request) {
  for (int attempt = 1;; ++attempt) {
    auto answer = connection.Ask("import", call, request);
    const auto pause_ms = PauseAfter(attempt);
    if (answer.ok() || !IsBusy(answer.status().code()) || !pause_ms) return answer;
    terminal.wait_ms(*pause_ms);
    if (terminal.interrupted()) return absl::AbortedError("import: interrupted");
  }
}

enum class BulkOutcome { kScheduled, kAlready, kRefused };

class BulkSchedule {
 public:
  // `why` is empty but for kRefused; `answer` is empty for some that are there already.
  using Settled = std::function<void(const BulkItem& item, BulkOutcome outcome,
                                     const smsflow::v1::ScheduleResponse& answer, const std::string& why)>;

  BulkSchedule(const Terminal& terminal, Settled settled) : terminal_(terminal), settled_(std::move(settled)) {}
  BulkSchedule(const BulkSchedule&) = delete;
  BulkSchedule& operator=(const BulkSchedule&) = delete;

  // `connection` says for which tenant, and must outlive this. An error is about no one item: going on makes no sense.
  [[nodiscard]] absl::Status Add(Connection& connection, BulkItem item);
  // Everything that was added is settled when it comes back with OK; otherwise some is not.
  [[nodiscard]] absl::Status Flush();

 private:
  struct Flight {
    Connection* connection;
    std::vector<BulkItem> items;
    int attempt = 1;
    std::future<absl::StatusOr<smsflow::v1::ScheduleBatchResponse>> answer;
  };

  void Launch(Flight flight);
  absl::Status Land();  // the oldest
  absl::Status Again(Flight flight, std::int64_t pause_ms);
  std::vector<BulkItem> Settle(Flight& flight, const smsflow::v1::ScheduleBatchResponse& response,
                               std::int64_t& pause_ms);

  const Terminal& terminal_;
  const Settled settled_;
  std::map<Connection*, std::vector<BulkItem>> gathered_;
  std::deque<Flight> flights_;
};

}  // namespace smsflow::cli
