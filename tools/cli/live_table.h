// The table that `watch --live` redraws: counts by state, and the SMSes themselves.
//
// Fed with a list and then with transitions; pure but for the local zone; used from one thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "smsflow/v1/scheduler.pb.h"
#include "tools/cli/terminal.h"

namespace smsflow::cli {

class LiveTable {
 public:
  void Take(const smsflow::v1::SmsStatus& sms);
  void Take(const smsflow::v1::Transition& transition);

  std::uint64_t count() const { return rows_.size(); }
  std::uint64_t ended() const { return ended_; }
  bool AllEnded() const { return !rows_.empty() && ended_ == rows_.size(); }

  // At most terminal.height - 1 lines. Where there are more SMSes than lines: those that changed last, by id.
  std::string Draw(const Terminal& terminal) const;

 private:
  struct Row {
    smsflow::v1::SmsState state = smsflow::v1::SMS_STATE_UNSPECIFIED;
    std::uint32_t attempt = 0;
    std::string cause, name;  // key, else target, else batch
    std::int64_t due_ms = 0, changed_ms = 0;
  };
  void Put(const std::string& id, Row row);

  std::map<std::string, Row> rows_;  // by the id's bytes: in order of creation
  std::map<smsflow::v1::SmsState, std::uint64_t> counts_;
  std::uint64_t ended_ = 0;
};

}  // namespace smsflow::cli
