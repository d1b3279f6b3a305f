// Between the typed values of the machine and the stored protobuf messages. For the files of this folder only.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "workflows/delivery/events.h"
#include "workflows/delivery/state.h"
#include "workflows/workflow.h"

namespace smsflow::workflows::delivery {

std::string EncodeFixed(const Fixed& fixed);
std::optional<Fixed> DecodeFixed(std::string_view bytes);
std::string EncodeData(const Data& data);
std::optional<Data> DecodeData(std::string_view bytes);
// What the kernel delivers, typed. nullopt: no event of this workflow, or its body cannot be read.
std::optional<AnyEvent> DecodeEvent(const Event& event);
std::string EncodeScheduleAnswer(State state, std::int64_t due_ms, std::int64_t deadline_ms);

}  // namespace smsflow::workflows::delivery
