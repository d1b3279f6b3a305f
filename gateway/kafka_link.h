// The link over Kafka: takes work from partitions of `send-sms` that this gateway alone reads, and says what became of
// it on `sms-status`. It announces itself there at its start and every few seconds, for before that an engine hands it
// nothing, and an engine that hears nothing more of it hands its work to nobody else.
//
// An answer to a report is the broker's: once it is durable there, every engine will read it. An attempt is taken up
// once, whatever was read again, for the store decides; so the offsets, which the broker keeps for the group
// `smsflow-gateway-ID`, follow what is durable in the store and save work, no more.
//
// What cannot be read goes to the topic of dead letters, and the partition's offset waits until it stands there.
//
// For an engine without attempts of its own it announces nothing, and answers in the form that such an engine knows.
// Nobody repeats there what was skipped, and what is read anew is submitted anew; so the group is the store's own, and
// a new store begins where another group stands, or with what comes from then on.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/seams.h"
#include "gateway/link.h"
#include "kafka/client.h"
#include "kafka/records.h"

namespace smsflow::gateway {

struct KafkaLinkOptions {
  kafka::ClientOptions client;  // its name is made of the gateway's id
  std::string send_topic{kafka::kSendTopic};
  std::string status_topic{kafka::kStatusTopic};
  std::string dead_letter_topic{kafka::kDeadLetterTopic};
  std::vector<std::int32_t> partitions;  // of the send topic; empty: all there are, also those that are added
  std::uint32_t credit = 1000;           // attempts open at once, at most 1,000,000
  std::int64_t announce_every_ms = 3000;
  bool old_engine = false;  // serve one without attempts of its own
  std::string old_group;    // whose offsets a new store takes over from; empty: it begins at the end
};

// INVALID_ARGUMENT: no brokers, an old group without an old engine, a property as kafka/client.h has it. Connects to
// nobody yet. `clock` outlives the link.
absl::StatusOr<std::unique_ptr<Link>> MakeKafkaLink(KafkaLinkOptions options, engine::Clock& clock);

}  // namespace smsflow::gateway
