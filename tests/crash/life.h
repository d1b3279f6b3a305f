// One SMS that is over: what its client asked and was told, against what the engine says of it and what left. Pure.
#pragma once

#include <vector>

#include "smsflow/v1/admin.pb.h"
#include "smsflow/v1/scheduler.pb.h"
#include "tests/crash/book.h"
#include "tests/crash/findings.h"
#include "tests/crash/truth.h"

namespace smsflow::crash {

// Over for its user: it waits for nothing.
bool IsOver(v1::SmsState state);

// A submit of every standing text would have had an answer: UNKNOWN is then no fault of the imaginary SMSC.
bool WouldBeAnswered(const Sms& sms);

// All that is known of one SMS. Borrowed.
struct Life {
  const Sms& sms;
  const v1::SmsStatus& status;
  const v1::GetJournalResponse& journal;
  const std::vector<Submit>& submits;
  const std::vector<Stroke>& strokes;  // of its tenant and all others
};
void CheckLife(const Life& life, Findings& findings);

}  // namespace smsflow::crash
