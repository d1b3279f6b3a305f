// What a person can do about a data folder that was refused.
#pragma once

#include "absl/status/status.h"

namespace smsflow::server {

// What is damaged, with what a person can do about it: 'smsflow db repair', where that may help and the text does not
// say so itself. Anything else as it is.
absl::Status WithAdvice(const absl::Status& failed);

}  // namespace smsflow::server
