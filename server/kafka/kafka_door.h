// Kafka as a door: records come in and take effect once, attempts and dead letters leave.
//
// Made before the engine, for what the engine finds on its way out from before goes to posts() at once; started after
// it, and stopped before it.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/engine.h"
#include "engine/reader.h"
#include "server/config.h"
#include "server/figures.h"
#include "storage/index_keys.h"

namespace smsflow::server {

class KafkaDoor {
 public:
  struct Parts {
    engine::Engine* engine = nullptr;
    const engine::Reader* reader = nullptr;
    const workflows::Workflow* delivery = nullptr;
    const storage::IndexKeys* index_keys = nullptr;
    const engine::Clock* clock = nullptr;
    std::uint16_t shards = 0;
  };

  // Null where no broker is configured. INVALID_ARGUMENT: a property that librdkafka does not take.
  static absl::StatusOr<std::unique_ptr<KafkaDoor>> Make(const Config& config);
  virtual ~KafkaDoor() = default;

  virtual engine::PostSink* posts() = 0;
  // Connects to nobody yet: a broker that is away is waited for. REQUIRES that no other door is open: whatever is
  // acknowledged from then on is on sms-events. UNAVAILABLE: the engine has too much to do to begin with that.
  // RESOURCE_EXHAUSTED: the system has no threads for a client, or no memory.
  virtual absl::Status Start(const Parts& parts) = 0;
  virtual void Stop() = 0;
  virtual std::vector<NamedFigure> figures() const = 0;
};

}  // namespace smsflow::server
