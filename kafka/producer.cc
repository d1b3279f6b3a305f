#include <spdlog/spdlog.h>

#include <array>
#include <atomic>
#include <utility>

#include "absl/strings/str_cat.h"
#include "kafka/handles.h"

namespace smsflow::kafka {
namespace {

class RealProducer : public Producer {
 public:
  explicit RealProducer(ClientHandle client)
      : client_(std::move(client)), events_(rd_kafka_queue_get_main(client_.get())) {}
  ~RealProducer() override {
    // Else the end of the client waits for what nobody will take.
    rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
  }

  absl::Status Produce(std::string_view topic, std::int32_t partition, std::string_view key, std::string_view value,
                       const Headers& headers, std::uint64_t tag) override {
    const std::string name(topic);
    HeadersHandle list(rd_kafka_headers_new(headers.size()));
    for (const Header& header : headers) {
      const auto error = rd_kafka_header_add(list.get(), header.name.data(), static_cast<ssize_t>(header.name.size()),
                                             header.value.data(), static_cast<ssize_t>(header.value.size()));
      if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return StatusOf(error, absl::StrCat("produce to ", name));
    }
    pending_.fetch_add(1, std::memory_order_relaxed);
    // The views are copied at once; only C's signatures ask for what may be changed.
    const auto error = rd_kafka_producev(
        client_.get(), RD_KAFKA_V_TOPIC(name.c_str()), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key.empty() ? nullptr : key.data(), key.size()),
        RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()), RD_KAFKA_V_HEADERS(list.get()),
        RD_KAFKA_V_OPAQUE(reinterpret_cast<void*>(tag)), RD_KAFKA_V_END);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
      static_cast<void>(list.release());  // the record's now
      return absl::OkStatus();
    }
    pending_.fetch_sub(1, std::memory_order_relaxed);
    return StatusOf(error, absl::StrCat("produce to ", name));
  }

  void Poll(std::chrono::milliseconds timeout, std::size_t most, std::vector<Delivery>& deliveries) override {
    const std::size_t before = deliveries.size();
    for (int wait_ms = Ms(timeout); deliveries.size() - before < most; wait_ms = 0) {
      const EventHandle event(rd_kafka_queue_poll(events_.get(), wait_ms));
      if (event == nullptr) return;
      if (rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_DR) {
        Take(event.get(), deliveries);
      } else {  // one that mends itself, or Fatal()
        spdlog::warn("kafka: {}: {}", rd_kafka_name(client_.get()), rd_kafka_event_error_string(event.get()));
      }
    }
  }

  void Wake() override { rd_kafka_queue_yield(events_.get()); }

  absl::Status Fatal() const override {
    std::array<char, 512> why{};
    const auto error = rd_kafka_fatal_error(client_.get(), why.data(), why.size());
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return absl::OkStatus();
    return absl::AbortedError(absl::StrCat("the producer is no good any more: ", rd_kafka_err2name(error)));
  }

  std::size_t pending() const override { return pending_.load(std::memory_order_relaxed); }

  absl::Status Flush(std::chrono::milliseconds timeout) override {
    const auto until = std::chrono::steady_clock::now() + timeout;
    while (pending() > 0) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
      if (left.count() <= 0)
        return absl::DeadlineExceededError(absl::StrCat(pending(), " records are not acknowledged"));
      // With DRs as events it returns once they stand in the queue.
      if (rd_kafka_flush(client_.get(), Ms(left)) == RD_KAFKA_RESP_ERR_NO_ERROR) return absl::OkStatus();
    }
    return absl::OkStatus();
  }

 private:
  void Take(rd_kafka_event_t* event, std::vector<Delivery>& deliveries) {
    while (const rd_kafka_message_t* message = rd_kafka_event_message_next(event)) {
      Delivery delivery;
      delivery.tag = reinterpret_cast<std::uint64_t>(message->_private);
      delivery.status = StatusOf(message->err, absl::StrCat("produce to ", rd_kafka_topic_name(message->rkt)));
      delivery.partition = message->partition;
      delivery.offset = message->offset;
      delivery.maybe_there =
          !delivery.status.ok() && rd_kafka_message_status(message) != RD_KAFKA_MSG_STATUS_NOT_PERSISTED;
      deliveries.push_back(std::move(delivery));
      pending_.fetch_sub(1, std::memory_order_relaxed);
    }
  }

  const ClientHandle client_;
  const QueueHandle events_;
  std::atomic<std::size_t> pending_{0};
};

}  // namespace

absl::StatusOr<std::unique_ptr<Producer>> Producer::Open(const ClientOptions& options) {
  auto conf = MakeConf(options, {{"queue.buffering.max.kbytes", "131072"}, {"queue.buffering.max.messages", "200000"}},
                       {{"enable.idempotence", "true"}, {"acks", "all"}, {"message.timeout.ms", "0"}});
  if (!conf.ok()) return conf.status();
  rd_kafka_conf_set_events(conf->get(), RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
  auto client = MakeClient(RD_KAFKA_PRODUCER, std::move(*conf));
  if (!client.ok()) return client.status();
  return std::make_unique<RealProducer>(std::move(*client));
}

}  // namespace smsflow::kafka
