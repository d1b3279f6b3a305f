// Journal lines for people. For the files of this folder only.
#pragma once

#include <string_view>

#include "workflows/workflow.h"

namespace smsflow::workflows::delivery {

// `fixed` and `data` as they were stored with the event. Times are UTC to the second.
Description DescribeEvent(const Event& event, std::string_view fixed, std::string_view data);

}  // namespace smsflow::workflows::delivery
