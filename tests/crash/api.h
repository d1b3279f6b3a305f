// The client's way to the engine: the calls of `smsflow.v1`, one at a time, each with a short deadline. Thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/crash/answers.h"

namespace smsflow::crash {

class Api final : public Answers {
 public:
  explicit Api(const std::string& address);
  ~Api() override;

  absl::StatusOr<v1::ScheduleResponse> Schedule(const std::string& tenant, const v1::ScheduleRequest& request);
  absl::StatusOr<v1::ScheduleBatchResponse> ScheduleBatch(const std::string& tenant,
                                                          const v1::ScheduleBatchRequest& request);
  absl::StatusOr<v1::CancelResponse> Cancel(const std::string& tenant, const v1::CancelRequest& request);
  absl::StatusOr<v1::BlockResponse> Block(const std::string& tenant, const std::string& target);
  absl::StatusOr<v1::UnblockResponse> Unblock(const std::string& tenant, const std::string& target);
  absl::StatusOr<v1::SmsStatus> Get(const std::string& tenant, const std::string& id) override;
  absl::StatusOr<v1::ListResponse> List(const std::string& tenant, const std::string& page_token) override;
  absl::StatusOr<v1::GetJournalResponse> GetJournal(const std::string& id) override;

 private:
  struct Stubs;
  std::unique_ptr<Stubs> stubs_;
};

}  // namespace smsflow::crash
