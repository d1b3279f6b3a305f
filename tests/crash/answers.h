// What the checks ask the engine, as a seam: a running one answers through Api, in tests one that lies.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "smsflow/v1/admin.pb.h"
#include "smsflow/v1/scheduler.pb.h"

namespace smsflow::crash {

class Answers {
 public:
  virtual ~Answers() = default;
  virtual absl::StatusOr<v1::SmsStatus> Get(const std::string& tenant, const std::string& id) = 0;
  virtual absl::StatusOr<v1::ListResponse> List(const std::string& tenant, const std::string& page_token) = 0;
  virtual absl::StatusOr<v1::GetJournalResponse> GetJournal(const std::string& id) = 0;
};

// Nobody can know whether it was done.
bool IsIndefinite(const absl::Status& status);

}  // namespace smsflow::crash
