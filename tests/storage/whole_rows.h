// Instance rows as whole messages, written in the one form that the engine writes: the state encoded once, after all
// other fields of the head.
#pragma once

#include <string>

#include "storage/records.h"

namespace smsflow::storage {

inline void PutHead(Batch& batch, const InstanceId& id, const stored::InstanceHead& whole) {
  stored::InstanceHead head = whole;
  head.clear_state();
  PutHead(batch, id, head, whole.state().SerializeAsString());
}
inline void PutState(Batch& batch, const InstanceId& id, const stored::InstanceState& state) {
  PutState(batch, id, state.SerializeAsString());
}

// As the engine encodes it: the result after all other fields.
inline std::string EncodedBody(const stored::JournalBody& whole) {
  stored::JournalBody body = whole;
  body.clear_result();
  std::string encoded = body.SerializeAsString();
  AppendResult(encoded, whole.result().SerializeAsString());
  return encoded;
}

}  // namespace smsflow::storage
