#include "tools/cli/bulk.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace smsflow::cli {
namespace {

namespace v1 = smsflow::v1;

constexpr std::size_t kItemsAtOnce = 250;
constexpr std::size_t kFlightsMax = 4;
constexpr std::size_t kTenantsAtOnce = 16;  // whose items are gathered side by side
// Three quarters of a minute in all: as long as a server may take to start again.
constexpr int kTries = 10;
constexpr std::int64_t kFirstPauseMs = 500, kLongestPauseMs = 8'000;

std::string ErrorText(const v1::ItemError& error) {
  std::string text;
  for (const v1::FieldViolation& violation : error.violations())
    absl::StrAppend(&text, text.empty() ? "" : "; ", violation.field(), ": ", violation.description());
  return Visible(text.empty() ? error.message() : text);
}

}  // namespace

bool IsBusy(absl::StatusCode code) {
  return code == absl::StatusCode::kUnavailable || code == absl::StatusCode::kResourceExhausted ||
         code == absl::StatusCode::kDeadlineExceeded;
}

std::optional<std::int64_t> PauseAfter(int attempt) {
  if (attempt >= kTries) return std::nullopt;
  return std::min(kLongestPauseMs, kFirstPauseMs << std::min(attempt - 1, 10));
}

absl::Status BulkSchedule::Add(Connection& connection, BulkItem item) {
  std::vector<BulkItem>& items = gathered_[&connection];
  items.push_back(std::move(item));
  if (items.size() == kItemsAtOnce) {
    while (flights_.size() >= kFlightsMax)
      if (absl::Status status = Land(); !status.ok()) return status;
    Launch({&connection, std::exchange(items, {}), 1, {}});
  } else if (gathered_.size() > kTenantsAtOnce) {
    return Flush();
  }
  return absl::OkStatus();
}

absl::Status BulkSchedule::Flush() {
  for (auto& [connection, items] : std::exchange(gathered_, {})) {
    if (items.empty()) continue;
    while (flights_.size() >= kFlightsMax)
      if (absl::Status status = Land(); !status.ok()) return status;
    Launch({connection, std::move(items), 1, {}});
  }
  while (!flights_.empty())
    if (absl::Status status = Land(); !status.ok()) return status;
  return absl::OkStatus();
}

void BulkSchedule::Launch(Flight flight) {
  v1::ScheduleBatchRequest request;
  for (const BulkItem& item : flight.items) *request.add_items() = item.request;
  flight.answer = std::async(std::launch::async, [&connection = *flight.connection, request = std::move(request)] {
    return connection.Ask("import", &SchedulerStub::ScheduleBatch, request);
  });
  flights_.push_back(std::move(flight));
}

absl::Status BulkSchedule::Land() {
  Flight flight = std::move(flights_.front());
  flights_.pop_front();
  const auto response = flight.answer.get();
  if (!response.ok()) {
    if (!IsBusy(response.status().code()) || !PauseAfter(flight.attempt)) return response.status();
    return Again(std::move(flight), 0);
  }
  if (static_cast<std::size_t>(response->results_size()) != flight.items.size())
    return absl::InternalError("import: the server's answer has not as many results as were asked for");
  std::int64_t pause_ms = 0;
  flight.items = Settle(flight, *response, pause_ms);
  return flight.items.empty() ? absl::OkStatus() : Again(std::move(flight), pause_ms);
}

// The others that are under way wait as well: the server has no room.
absl::Status BulkSchedule::Again(Flight flight, std::int64_t pause_ms) {
  terminal_.wait_ms(std::clamp(pause_ms, PauseAfter(flight.attempt).value_or(0), kLongestPauseMs));
  if (terminal_.interrupted()) return absl::AbortedError("import: interrupted");
  ++flight.attempt;
  Launch(std::move(flight));
  return absl::OkStatus();
}

// Those for which the server had no room come back.
std::vector<BulkItem> BulkSchedule::Settle(Flight& flight, const v1::ScheduleBatchResponse& response,
                                           std::int64_t& pause_ms) {
  std::vector<BulkItem> again;
  for (std::size_t i = 0; i < flight.items.size(); ++i) {
    BulkItem& item = flight.items[i];
    const v1::ScheduleResult& result = response.results(static_cast<int>(i));
    const auto code = static_cast<absl::StatusCode>(result.error().code());
    if (result.has_scheduled()) {
      const bool known = result.scheduled().duplicate();
      settled_(item, known ? BulkOutcome::kAlready : BulkOutcome::kScheduled, result.scheduled(), "");
    } else if (code == absl::StatusCode::kAlreadyExists && item.key_is_identity) {
      settled_(item, BulkOutcome::kAlready, {}, "");
    } else if (IsBusy(code) && PauseAfter(flight.attempt)) {
      pause_ms = std::max(pause_ms, result.error().retry_after_ms());
      again.push_back(std::move(item));
    } else {
      settled_(item, BulkOutcome::kRefused, {}, ErrorText(result.error()));
    }
  }
  return again;
}

}  // namespace smsflow::cli
