#include "tests/kafka/lasting_producer.h"

#include <gtest/gtest.h>

#include <utility>

namespace smsflow::kafka {

LastingProducer::LastingProducer(ClientOptions options) : options_(std::move(options)) { OpenProducer(); }

void LastingProducer::OpenProducer() {
  auto producer = Producer::Open(options_);
  ASSERT_TRUE(producer.ok()) << producer.status();
  producer_ = *std::move(producer);
}

void LastingProducer::Produce(const std::string& topic, std::int32_t partition, const std::string& key,
                              const std::string& value, const Headers& headers) {
  const std::uint64_t tag = ++tags_;
  Write(tag, pending_.emplace(tag, Written{topic, partition, key, value, headers}).first->second);
}

void LastingProducer::Write(std::uint64_t tag, const Written& written) {
  const absl::Status status =
      producer_->Produce(written.topic, written.partition, written.key, written.value, written.headers, tag);
  if (status.ok()) return;
  refusal_ = status;
  again_.push_back(tag);
}

void LastingProducer::Poll(std::chrono::milliseconds timeout) {
  std::vector<Delivery> deliveries;
  producer_->Poll(timeout, 1'000, deliveries);
  for (const Delivery& delivery : deliveries) {
    if (delivery.status.ok()) {
      pending_.erase(delivery.tag);
    } else {
      refusal_ = delivery.status;
      again_.push_back(delivery.tag);
    }
  }
  if (!producer_->Fatal().ok()) {
    if (producer_->pending() != 0) return;  // it gives all of them back first
    OpenProducer();
  }
  for (const std::uint64_t tag : std::exchange(again_, {})) Write(tag, pending_.at(tag));
}

}  // namespace smsflow::kafka
