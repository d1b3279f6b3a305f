// What the objects of client.h are made of: librdkafka's handles, each with its end, and its errors as Status. Seen in
// kafka/ alone.
#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kafka/client.h"
#include "kafka/commits.h"

namespace smsflow::kafka {

template <auto kDestroy>
struct Destroys {
  template <class T>
  void operator()(T* what) const {
    kDestroy(what);
  }
};
// Without the leave of a group: none is ever joined.
inline void DestroyClient(rd_kafka_t* client) { rd_kafka_destroy_flags(client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE); }

using ClientHandle = std::unique_ptr<rd_kafka_t, Destroys<DestroyClient>>;
using ConfHandle = std::unique_ptr<rd_kafka_conf_t, Destroys<rd_kafka_conf_destroy>>;
using QueueHandle = std::unique_ptr<rd_kafka_queue_t, Destroys<rd_kafka_queue_destroy>>;
using EventHandle = std::unique_ptr<rd_kafka_event_t, Destroys<rd_kafka_event_destroy>>;
using ErrorHandle = std::unique_ptr<rd_kafka_error_t, Destroys<rd_kafka_error_destroy>>;
using PlacesHandle = std::unique_ptr<rd_kafka_topic_partition_list_t, Destroys<rd_kafka_topic_partition_list_destroy>>;
using TopicHandle = std::unique_ptr<rd_kafka_topic_t, Destroys<rd_kafka_topic_destroy>>;
using HeadersHandle = std::unique_ptr<rd_kafka_headers_t, Destroys<rd_kafka_headers_destroy>>;

// The class of an error as client.h has it, with Kafka's own word for it; OK for none.
absl::Status StatusOf(rd_kafka_resp_err_t error, std::string_view doing);

using Settings = std::vector<std::pair<const char*, const char*>>;

// A configuration with the options' properties over `defaults`, and `fixed` over both.
absl::StatusOr<ConfHandle> MakeConf(const ClientOptions& options, const Settings& defaults, const Settings& fixed);
// One at a time; blocks while another is made. INVALID_ARGUMENT: the properties do not go together. RESOURCE_EXHAUSTED:
// the system has no threads for it, or no memory.
absl::StatusOr<ClientHandle> MakeClient(rd_kafka_type_t type, ConfHandle conf);

// What librdkafka tells a consumer through its callbacks, hence on the thread that polls.
struct ConsumerNews {
  std::vector<std::pair<TopicPartition, absl::Status>> errors;  // of partitions
  Commits commits;
};
// `news` outlives the client.
void GatherNews(rd_kafka_conf_t* conf, ConsumerNews* news);

PlacesHandle PlacesOf(const std::vector<Start>& starts);
PlacesHandle PlacesOf(const std::vector<TopicPartition>& places);

inline int Ms(std::chrono::milliseconds timeout) { return static_cast<int>(timeout.count()); }

}  // namespace smsflow::kafka
