// The event that a journal record tells of, as its workflow was given it.
#pragma once

#include "smsflow/stored/v1/records.pb.h"
#include "workflows/workflow.h"

namespace smsflow::engine {

inline workflows::Event RecordedEvent(const ::smsflow::stored::v1::JournalBody& record) {
  workflows::Event event;
  event.kind = static_cast<std::uint16_t>(record.event());
  event.body = record.event_body();
  event.timer = static_cast<std::uint16_t>(record.timer());
  event.effect = record.event_effect();
  return event;
}

}  // namespace smsflow::engine
