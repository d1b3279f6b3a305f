#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "kafka/handles.h"

namespace smsflow::kafka {
namespace {

using MetadataHandle = std::unique_ptr<const rd_kafka_metadata_t, Destroys<rd_kafka_metadata_destroy>>;
using OptionsHandle = std::unique_ptr<rd_kafka_AdminOptions_t, Destroys<rd_kafka_AdminOptions_destroy>>;
using NewTopicHandle = std::unique_ptr<rd_kafka_NewTopic_t, Destroys<rd_kafka_NewTopic_destroy>>;
using NewPartitionsHandle = std::unique_ptr<rd_kafka_NewPartitions_t, Destroys<rd_kafka_NewPartitions_destroy>>;
using DeleteTopicHandle = std::unique_ptr<rd_kafka_DeleteTopic_t, Destroys<rd_kafka_DeleteTopic_destroy>>;
using ResourceHandle = std::unique_ptr<rd_kafka_ConfigResource_t, Destroys<rd_kafka_ConfigResource_destroy>>;

constexpr std::size_t kWhyBytes = 512;

TopicInfo InfoOf(const rd_kafka_metadata_topic_t& topic) {
  TopicInfo info{topic.topic, StatusOf(topic.err, absl::StrCat("look at ", topic.topic)), {}};
  for (int at = 0; at < topic.partition_cnt; ++at) {
    const rd_kafka_metadata_partition_t& one = topic.partitions[at];
    info.partitions.push_back({one.id, one.leader, static_cast<std::size_t>(one.replica_cnt),
                               static_cast<std::size_t>(one.isr_cnt),
                               StatusOf(one.err, absl::StrCat("look at ", topic.topic, "[", one.id, "]"))});
  }
  return info;
}

absl::Status StatusOf(const rd_kafka_topic_result_t* result, std::string_view doing) {
  return kafka::StatusOf(rd_kafka_topic_result_error(result),
                         absl::StrCat(std::string(doing), " ", rd_kafka_topic_result_name(result)));
}

class RealAdmin : public Admin {
 public:
  explicit RealAdmin(ClientHandle client) : client_(std::move(client)) {}

  absl::StatusOr<std::vector<TopicInfo>> Topics(const std::vector<std::string>& topics,
                                                std::chrono::milliseconds timeout) override {
    std::vector<TopicInfo> infos;
    for (const std::string& topic : topics) {
      const TopicHandle handle(rd_kafka_topic_new(client_.get(), topic.c_str(), nullptr));
      const auto metadata = Look(handle.get(), timeout);
      if (!metadata.ok()) return metadata.status();
      const bool there = (*metadata)->topic_cnt == 1;
      infos.push_back(there ? InfoOf((*metadata)->topics[0])
                            : TopicInfo{topic, absl::NotFoundError(absl::StrCat("there is no topic ", topic)), {}});
    }
    return infos;
  }

  absl::StatusOr<std::size_t> Brokers(std::chrono::milliseconds timeout) override {
    const auto metadata = Look(nullptr, timeout);
    if (!metadata.ok()) return metadata.status();
    return static_cast<std::size_t>((*metadata)->broker_cnt);
  }

  absl::StatusOr<std::vector<absl::Status>> Create(const std::vector<NewTopic>& topics,
                                                   std::chrono::milliseconds timeout) override {
    std::array<char, kWhyBytes> why{};
    std::vector<NewTopicHandle> handles;
    std::vector<rd_kafka_NewTopic_t*> list;
    for (const NewTopic& topic : topics) {
      handles.emplace_back(
          rd_kafka_NewTopic_new(topic.topic.c_str(), topic.partitions, topic.replicas, why.data(), why.size()));
      if (handles.back() == nullptr) {
        return absl::InvalidArgumentError(absl::StrCat("make ", topic.topic, ": its name or a number cannot be"));
      }
      for (const auto& [name, value] : topic.configs) {
        rd_kafka_NewTopic_set_config(handles.back().get(), name.c_str(), value.c_str());
      }
      list.push_back(handles.back().get());
    }
    const QueueHandle queue(rd_kafka_queue_new(client_.get()));
    const auto options = OptionsFor(RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout);
    rd_kafka_CreateTopics(client_.get(), list.data(), list.size(), options.get(), queue.get());
    const auto event = Wait(queue.get(), timeout, "make topics");
    if (!event.ok()) return event.status();
    return Each(rd_kafka_CreateTopics_result_topics, rd_kafka_event_CreateTopics_result(event->get()), "make");
  }

  absl::Status Delete(const std::string& topic, std::chrono::milliseconds timeout) override {
    const DeleteTopicHandle handle(rd_kafka_DeleteTopic_new(topic.c_str()));
    rd_kafka_DeleteTopic_t* list[] = {handle.get()};
    const QueueHandle queue(rd_kafka_queue_new(client_.get()));
    const auto options = OptionsFor(RD_KAFKA_ADMIN_OP_DELETETOPICS, timeout);
    rd_kafka_DeleteTopics(client_.get(), list, 1, options.get(), queue.get());
    const auto event = Wait(queue.get(), timeout, "delete a topic");
    if (!event.ok()) return event.status();
    return Each(rd_kafka_DeleteTopics_result_topics, rd_kafka_event_DeleteTopics_result(event->get()), "delete")
        .front();
  }

  absl::Status AddPartitions(const std::string& topic, std::int32_t partitions,
                             std::chrono::milliseconds timeout) override {
    std::array<char, kWhyBytes> why{};
    const NewPartitionsHandle handle(
        rd_kafka_NewPartitions_new(topic.c_str(), static_cast<std::size_t>(partitions), why.data(), why.size()));
    if (handle == nullptr) return absl::InvalidArgumentError(absl::StrCat("add partitions to ", topic));
    rd_kafka_NewPartitions_t* list[] = {handle.get()};
    const QueueHandle queue(rd_kafka_queue_new(client_.get()));
    const auto options = OptionsFor(RD_KAFKA_ADMIN_OP_CREATEPARTITIONS, timeout);
    rd_kafka_CreatePartitions(client_.get(), list, 1, options.get(), queue.get());
    const auto event = Wait(queue.get(), timeout, "add partitions");
    if (!event.ok()) return event.status();
    return Each(rd_kafka_CreatePartitions_result_topics, rd_kafka_event_CreatePartitions_result(event->get()),
                "add partitions to")
        .front();
  }

  absl::StatusOr<Watermarks> Ends(const TopicPartition& place, std::chrono::milliseconds timeout) override {
    Watermarks ends;
    const auto error = rd_kafka_query_watermark_offsets(client_.get(), place.topic.c_str(), place.partition, &ends.low,
                                                        &ends.high, Ms(timeout));
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return kafka::StatusOf(error, absl::StrCat("look at the ends of ", NameOf(place)));
    }
    return ends;
  }

  absl::StatusOr<std::map<std::string, std::string>> Configs(const std::string& topic,
                                                             std::chrono::milliseconds timeout) override {
    const ResourceHandle resource(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
    rd_kafka_ConfigResource_t* list[] = {resource.get()};
    const QueueHandle queue(rd_kafka_queue_new(client_.get()));
    const auto options = OptionsFor(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, timeout);
    rd_kafka_DescribeConfigs(client_.get(), list, 1, options.get(), queue.get());
    const std::string doing = absl::StrCat("read the settings of ", topic);
    const auto event = Wait(queue.get(), timeout, doing);
    if (!event.ok()) return event.status();
    std::size_t count = 0;
    const auto* const* resources =
        rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event->get()), &count);
    if (count != 1) return absl::InternalError(doing);
    const auto error = rd_kafka_ConfigResource_error(resources[0]);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return kafka::StatusOf(error, doing);
    std::map<std::string, std::string> configs;
    const auto* const* entries = rd_kafka_ConfigResource_configs(resources[0], &count);
    for (std::size_t at = 0; at < count; ++at) {
      const char* value = rd_kafka_ConfigEntry_value(entries[at]);
      if (value == nullptr || rd_kafka_ConfigEntry_is_sensitive(entries[at]) != 0) continue;
      configs[rd_kafka_ConfigEntry_name(entries[at])] = value;
    }
    return configs;
  }

 private:
  // Of one topic, or of none but the cluster itself.
  absl::StatusOr<MetadataHandle> Look(rd_kafka_topic_t* topic, std::chrono::milliseconds timeout) {
    const rd_kafka_metadata_t* metadata = nullptr;
    const auto error = rd_kafka_metadata(client_.get(), 0, topic, &metadata, Ms(timeout));
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return kafka::StatusOf(error, "ask the cluster");
    return MetadataHandle(metadata);
  }

  OptionsHandle OptionsFor(rd_kafka_admin_op_t op, std::chrono::milliseconds timeout) {
    OptionsHandle options(rd_kafka_AdminOptions_new(client_.get(), op));
    std::array<char, kWhyBytes> why{};
    rd_kafka_AdminOptions_set_request_timeout(options.get(), Ms(timeout), why.data(), why.size());
    if (op != RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS) {  // until all brokers know of it
      rd_kafka_AdminOptions_set_operation_timeout(options.get(), Ms(timeout), why.data(), why.size());
    }
    return options;
  }

  static absl::StatusOr<EventHandle> Wait(rd_kafka_queue_t* queue, std::chrono::milliseconds timeout,
                                          std::string_view doing) {
    constexpr std::chrono::milliseconds kGrace(1000);  // the request's own end comes first
    EventHandle event(rd_kafka_queue_poll(queue, Ms(timeout + kGrace)));
    if (event == nullptr) return absl::DeadlineExceededError(std::string(doing));
    const auto error = rd_kafka_event_error(event.get());
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return kafka::StatusOf(error, doing);
    return event;
  }

  template <class Result>
  static std::vector<absl::Status> Each(const rd_kafka_topic_result_t** (*read)(const Result*, std::size_t*),
                                        const Result* result, std::string_view doing) {
    std::size_t count = 0;
    const auto* const* topics = read(result, &count);
    std::vector<absl::Status> statuses;
    for (std::size_t at = 0; at < count; ++at) statuses.push_back(StatusOf(topics[at], doing));
    if (statuses.empty()) statuses.push_back(absl::InternalError(std::string(doing)));
    return statuses;
  }

  const ClientHandle client_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Admin>> Admin::Open(const ClientOptions& options) {
  auto conf = MakeConf(options, {}, {{"allow.auto.create.topics", "false"}});
  if (!conf.ok()) return conf.status();
  // A consumer, for a producer that asks about a topic makes it.
  auto client = MakeClient(RD_KAFKA_CONSUMER, std::move(*conf));
  if (!client.ok()) return client.status();
  return std::make_unique<RealAdmin>(std::move(*client));
}

}  // namespace smsflow::kafka
