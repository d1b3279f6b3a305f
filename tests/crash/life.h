// One SMS that is over: what its client asked and was told, against what the engine says and what left for it. Pure.
#pragma once

#include <vector>

#include "smsflow/v1/scheduler.pb.h"
#include "tests/crash/book.h"
#include "tests/crash/findings.h"
#include "tests/crash/truth.h"

namespace smsflow::crash {

// Over for its user: it waits for nothing.
bool IsOver(v1::SmsState state);

void CheckLife(const Sms& sms, const v1::SmsStatus& status, const std::vector<Submit>& submits, const Book& book,
               Findings& findings);

}  // namespace smsflow::crash
