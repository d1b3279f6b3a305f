// SMSes from phones on their way to a topic of Kafka.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "gateway/inbound.h"
#include "kafka/client.h"
#include "kafka/records.h"

namespace smsflow::gateway {

struct KafkaInboundOptions {
  kafka::ClientOptions client;
  std::string topic{kafka::kInboundTopic};
};

// Produces until the broker acknowledged; while it is away what was put waits in memory, which whoever puts bounds.
// INVALID_ARGUMENT: a property, as kafka/client.h has it. Connects to nobody yet.
absl::StatusOr<std::unique_ptr<InboundSink>> MakeKafkaInbound(KafkaInboundOptions options);

}  // namespace smsflow::gateway
