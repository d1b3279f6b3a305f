#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "kafka/handles.h"

namespace smsflow::kafka {
namespace {

rd_kafka_message_t* MessageOf(void* message) { return static_cast<rd_kafka_message_t*>(message); }

std::string_view View(const void* data, std::size_t size) {
  return data == nullptr ? std::string_view() : std::string_view(static_cast<const char*>(data), size);
}

}  // namespace

Record::Record(void* message) : message_(message) {
  rd_kafka_headers_t* list = nullptr;
  if (rd_kafka_message_headers(MessageOf(message_), &list) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t index = 0; rd_kafka_header_get_all(list, index, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
       ++index) {
    headers_.push_back({name, View(value, size)});
  }
}

Record::Record(std::shared_ptr<const Made> made) : made_(std::move(made)), headers_(ViewsOf(made_->headers)) {}

Record::~Record() {
  if (message_ != nullptr) rd_kafka_message_destroy(MessageOf(message_));
}

Record::Record(Record&& other) noexcept
    : message_(std::exchange(other.message_, nullptr)),
      made_(std::move(other.made_)),
      headers_(std::move(other.headers_)) {}

Record& Record::operator=(Record&& other) noexcept {
  std::swap(message_, other.message_);
  std::swap(made_, other.made_);
  std::swap(headers_, other.headers_);
  return *this;
}

std::string_view Record::topic() const {
  if (made_) return made_->place.topic;
  return rd_kafka_topic_name(MessageOf(message_)->rkt);
}
std::int32_t Record::partition() const { return made_ ? made_->place.partition : MessageOf(message_)->partition; }
std::int64_t Record::offset() const { return made_ ? made_->offset : MessageOf(message_)->offset; }
std::string_view Record::key() const {
  if (made_) return made_->key;
  return View(MessageOf(message_)->key, MessageOf(message_)->key_len);
}
std::string_view Record::value() const {
  if (made_) return made_->value;
  return View(MessageOf(message_)->payload, MessageOf(message_)->len);
}
std::int64_t Record::timestamp_ms() const {
  if (made_) return made_->timestamp_ms;
  rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  const std::int64_t ms = rd_kafka_message_timestamp(MessageOf(message_), &type);
  return type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? 0 : ms;
}

namespace {

using MessageHandle = std::unique_ptr<rd_kafka_message_t, Destroys<rd_kafka_message_destroy>>;

class RealConsumer : public Consumer {
 public:
  RealConsumer(std::unique_ptr<ConsumerNews> news, ClientHandle client)
      : news_(std::move(news)), client_(std::move(client)), queue_(rd_kafka_queue_get_consumer(client_.get())) {}

  // Never the whole assignment at once (rd_kafka_assign): librdkafka stops what is read with a message to itself. A
  // second assignment that comes before the answer to it stops the same partition twice, and the second answer aborts
  // the process ("Assertion rktp->rktp_started"). Of changes that name their partitions none meets the stop of another:
  // each waits for librdkafka's thread, and the answer to a stop is in its queue before whatever we send after the
  // next. A pause that crosses the start of its partition makes it a partition that is never fetched: whoever adds a
  // partition pauses it only after its first record, and it is resumed before it is removed.
  absl::Status Add(const std::vector<Start>& starts) override {
    return Changed(rd_kafka_incremental_assign(client_.get(), PlacesOf(starts).get()), "read partitions");
  }

  absl::Status Remove(const std::vector<TopicPartition>& places) override {
    std::vector<TopicPartition> paused;
    for (const TopicPartition& place : places)
      if (paused_.contains(place)) paused.push_back(place);
    if (absl::Status status = paused.empty() ? absl::OkStatus() : Resume(paused); !status.ok()) return status;
    return Changed(rd_kafka_incremental_unassign(client_.get(), PlacesOf(places).get()), "read partitions no more");
  }

  absl::Status Pause(const std::vector<TopicPartition>& places) override {
    absl::Status status =
        StatusOf(rd_kafka_pause_partitions(client_.get(), PlacesOf(places).get()), "pause partitions");
    if (status.ok()) paused_.insert(places.begin(), places.end());
    return status;
  }
  absl::Status Resume(const std::vector<TopicPartition>& places) override {
    absl::Status status =
        StatusOf(rd_kafka_resume_partitions(client_.get(), PlacesOf(places).get()), "resume partitions");
    if (status.ok())
      for (const TopicPartition& place : places) paused_.erase(place);
    return status;
  }

  Polled Poll(std::chrono::milliseconds timeout, std::size_t most) override {
    Polled polled;
    for (int wait_ms = Ms(timeout); polled.records.size() < most; wait_ms = 0) {
      MessageHandle message(rd_kafka_consumer_poll(client_.get(), wait_ms));
      if (message == nullptr) break;
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        polled.records.emplace_back(message.release());
      } else {
        NoteError(*message, polled);
      }
    }
    polled.errors.insert(polled.errors.end(), news_->errors.begin(), news_->errors.end());
    news_->errors.clear();
    SendCommits();
    return polled;
  }

  void Wake() override { rd_kafka_queue_yield(queue_.get()); }

  void Commit(const std::vector<Start>& next) override {
    news_->commits.Want(next);
    SendCommits();
  }

  absl::StatusOr<std::map<TopicPartition, std::optional<std::int64_t>>> Committed(
      const std::vector<TopicPartition>& places, std::chrono::milliseconds timeout) override {
    const auto list = PlacesOf(places);
    const auto error = rd_kafka_committed(client_.get(), list.get(), Ms(timeout));
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return StatusOf(error, "read committed offsets");
    std::map<TopicPartition, std::optional<std::int64_t>> committed;
    for (int at = 0; at < list->cnt; ++at) {
      const rd_kafka_topic_partition_t& one = list->elems[at];
      const TopicPartition place{one.topic, one.partition};
      if (one.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return StatusOf(one.err, absl::StrCat("read the committed offset of ", NameOf(place)));
      }
      committed[place] = one.offset >= 0 ? std::optional<std::int64_t>(one.offset) : std::nullopt;
    }
    return committed;
  }

 private:
  void SendCommits() {
    const auto now = std::chrono::steady_clock::now();
    const auto due = news_->commits.TakeDue(now);
    if (due.empty()) return;
    const auto error = rd_kafka_commit(client_.get(), PlacesOf(due).get(), /*async=*/1);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) news_->commits.Answered({}, now);
  }

  static absl::Status Changed(rd_kafka_error_t* what, std::string_view doing) {
    const ErrorHandle error(what);
    return error == nullptr ? absl::OkStatus() : StatusOf(rd_kafka_error_code(error.get()), doing);
  }

  static void NoteError(const rd_kafka_message_t& message, Polled& polled) {
    TopicPartition place;
    if (message.rkt != nullptr) place = {rd_kafka_topic_name(message.rkt), message.partition};
    auto status = StatusOf(message.err, place.topic.empty() ? "read" : absl::StrCat("read ", NameOf(place)));
    polled.errors.emplace_back(std::move(place), std::move(status));
  }

  const std::unique_ptr<ConsumerNews> news_;
  const ClientHandle client_;
  const QueueHandle queue_;
  std::set<TopicPartition> paused_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Consumer>> Consumer::Open(const ClientOptions& options, const std::string& group) {
  auto conf = MakeConf(options, {{"queued.max.messages.kbytes", "16384"}, {"check.crcs", "true"}},
                       {{"group.id", group.c_str()},
                        {"enable.auto.commit", "false"},
                        {"enable.auto.offset.store", "false"},
                        {"auto.offset.reset", "error"},
                        {"allow.auto.create.topics", "false"},
                        {"enable.partition.eof", "false"}});
  if (!conf.ok()) return conf.status();
  auto news = std::make_unique<ConsumerNews>();
  GatherNews(conf->get(), news.get());
  auto client = MakeClient(RD_KAFKA_CONSUMER, std::move(*conf));
  if (!client.ok()) return client.status();
  rd_kafka_poll_set_consumer(client->get());
  return std::make_unique<RealConsumer>(std::move(news), std::move(*client));
}

}  // namespace smsflow::kafka
