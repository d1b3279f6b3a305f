// The client's way to the engine: the calls of `smsflow.v1`, one at a time, each with a short deadline. Thread-safe.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/crash/answers.h"

namespace smsflow::crash {

// What a stream answered, item by item; nullopt: not answered.
struct StreamAnswers {
  std::vector<std::optional<v1::ScheduleResult>> results;
  int strange = 0;  // answers to nothing that was asked, and second ones
  absl::Status end;
};

// The first argument says whose key is shown: a tenant's, or any other's.
class Api final : public Answers {
 public:
  explicit Api(const std::string& address);
  ~Api() override;

  absl::StatusOr<v1::ScheduleResponse> Schedule(const std::string& tenant, const v1::ScheduleRequest& request);
  absl::StatusOr<v1::ScheduleBatchResponse> ScheduleBatch(const std::string& tenant,
                                                          const v1::ScheduleBatchRequest& request);
  StreamAnswers ScheduleStream(const std::string& tenant, const std::vector<v1::ScheduleRequest>& items);
  absl::StatusOr<v1::SmsStatus> Reschedule(const std::string& tenant, const v1::RescheduleRequest& request);
  absl::StatusOr<v1::CancelResponse> Cancel(const std::string& tenant, const v1::CancelRequest& request);
  absl::StatusOr<v1::BlockResponse> Block(const std::string& tenant, const std::string& target);
  absl::StatusOr<v1::UnblockResponse> Unblock(const std::string& tenant, const std::string& target);
  absl::StatusOr<v1::SmsStatus> Get(const std::string& tenant, const std::string& id) override;
  absl::StatusOr<v1::ListResponse> List(const std::string& tenant, const std::string& page_token) override;
  // The first page of a batch; of everything when `batch` is empty.
  absl::StatusOr<v1::ListResponse> ListBatch(const std::string& tenant, const std::string& batch);
  absl::StatusOr<v1::GetJournalResponse> GetJournal(const std::string& id) override {
    return GetJournalAs("admin", id);
  }
  absl::StatusOr<v1::GetJournalResponse> GetJournalAs(const std::string& who, const std::string& id);
  // The engine's figures by name.
  absl::StatusOr<std::map<std::string, double>> Stats();
  // Follows until the stream ends or `stop` is set, which is looked at a few times a second, and says how it ended.
  // `take` gets every response.
  absl::Status Watch(const std::string& tenant, const v1::WatchRequest& request, const std::atomic<bool>& stop,
                     const std::function<void(const v1::WatchResponse&)>& take);

 private:
  struct Stubs;
  std::unique_ptr<Stubs> stubs_;
};

}  // namespace smsflow::crash
