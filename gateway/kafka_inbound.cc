#include "gateway/kafka_inbound.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace smsflow::gateway {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLook(200);     // how long a stop, or a new SMS, may go unnoticed
constexpr milliseconds kPause(1'000);  // before what failed is tried again
constexpr milliseconds kFarewell(700);
constexpr std::size_t kAtOnce = 1'000;

class KafkaInbound : public InboundSink {
 public:
  explicit KafkaInbound(KafkaInboundOptions options) : options_(std::move(options)) {}
  ~KafkaInbound() override { Stop(); }

  void Start(Taken taken) override {
    taken_ = std::move(taken);
    thread_ = std::thread([this] { Loop(); });
  }

  void Put(std::vector<InboundSms> sms) override {
    const std::lock_guard lock(mutex_);
    for (InboundSms& one : sms) waiting_.push_back(std::move(one));
    if (producer_ != nullptr) producer_->Wake();
  }

  void Stop() override {
    if (!thread_.joinable()) return;
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      if (producer_ != nullptr) producer_->Wake();
    }
    wake_.notify_all();
    thread_.join();
  }

 private:
  void Loop() {
    for (;;) {
      const absl::Status why = Attend();
      std::unique_lock lock(mutex_);
      producer_.reset();
      // In their order, before what came since.
      for (auto it = under_way_.rbegin(); it != under_way_.rend(); ++it) waiting_.push_front(std::move(it->second));
      under_way_.clear();
      if (stopping_) return;
      spdlog::warn("SMSes from phones do not get to {}: {}; next try in {} ms", options_.topic, why.ToString(),
                   kPause.count());
      if (wake_.wait_for(lock, kPause, [this] { return stopping_; })) return;
    }
  }

  // The life of one producer.
  absl::Status Attend() {
    auto opened = kafka::Producer::Open(options_.client);
    if (!opened.ok()) return opened.status();
    const std::shared_ptr<kafka::Producer> producer = std::move(*opened);
    {
      const std::lock_guard lock(mutex_);
      producer_ = producer;
    }
    std::vector<kafka::Delivery> deliveries;
    for (;;) {
      absl::Status why = ProduceWaiting(*producer);
      deliveries.clear();
      producer->Poll(kLook, kAtOnce, deliveries);
      why.Update(TakeDeliveries(deliveries));
      why.Update(producer->Fatal());
      if (!why.ok()) return why;
      const std::lock_guard lock(mutex_);
      if (stopping_) return producer->Flush(kFarewell);
    }
  }

  absl::Status ProduceWaiting(kafka::Producer& producer) {
    const std::lock_guard lock(mutex_);
    while (!waiting_.empty()) {
      const InboundSms& sms = waiting_.front();
      const kafka::Outgoing record = kafka::EncodeInbound({sms.id, sms.tenant, sms.payload, sms.at_ms});
      const auto status =
          producer.Produce(options_.topic, kafka::kAnyPartition, record.key, record.value, record.headers, ++last_tag_);
      if (absl::IsResourceExhausted(status)) return absl::OkStatus();  // there is room again soon
      if (!status.ok()) return status;
      under_way_.emplace(last_tag_, std::move(waiting_.front()));
      waiting_.pop_front();
    }
    return absl::OkStatus();
  }

  absl::Status TakeDeliveries(const std::vector<kafka::Delivery>& deliveries) {
    absl::Status why;
    std::vector<std::string> ids;
    {
      const std::lock_guard lock(mutex_);
      for (const kafka::Delivery& delivery : deliveries) {
        why.Update(delivery.status);
        if (!delivery.status.ok()) continue;  // it stays under way, and is tried again with what else is
        const auto found = under_way_.find(delivery.tag);
        if (found == under_way_.end()) continue;
        ids.push_back(std::move(found->second.id));
        under_way_.erase(found);
      }
    }
    if (!ids.empty()) taken_(std::move(ids));
    return why;
  }

  const KafkaInboundOptions options_;
  Taken taken_;
  std::thread thread_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  bool stopping_ = false;
  std::shared_ptr<kafka::Producer> producer_;
  std::deque<InboundSms> waiting_;
  std::map<std::uint64_t, InboundSms> under_way_;  // by tag, so in order
  std::uint64_t last_tag_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<InboundSink>> MakeKafkaInbound(KafkaInboundOptions options) {
  if (const auto status = kafka::CheckProperties(options.client.properties); !status.ok()) return status;
  return std::make_unique<KafkaInbound>(std::move(options));
}

}  // namespace smsflow::gateway
