// What a store holds of SMSes, by the client's key: for tests that compare it with what was asked for.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "engine/reader.h"
#include "workflows/delivery/codec/codec.h"

namespace smsflow::server {

struct StoredSms {
  InstanceId id;
  workflows::delivery::State state;
};

inline absl::StatusOr<std::multimap<std::string, StoredSms>> StoredSmses(const engine::Reader& reader) {
  std::multimap<std::string, StoredSms> stored;
  absl::Status status = reader.ForEach([&](const engine::StoredInstance& instance) {
    const auto view = workflows::delivery::ViewOf(static_cast<std::uint16_t>(instance.state.state()),
                                                  instance.head.target(), instance.head.fixed(), instance.state.data());
    if (view) stored.emplace(view->key, StoredSms{instance.id, view->state});
    return true;
  });
  if (!status.ok()) return status;
  return stored;
}

}  // namespace smsflow::server
