// What the producer says of a record that failed for good: whether the broker may have it nevertheless. The errors are
// those of librdkafka's own stand-in for a cluster, which answers as it is told.
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <chrono>
#include <memory>
#include <vector>

#include "kafka/client.h"

namespace smsflow::kafka {
namespace {

constexpr std::int16_t kProduce = 0;  // the request's number in Kafka's protocol

class PersistedTest : public testing::Test {
 protected:
  PersistedTest() {
    rd_kafka_mock_topic_create(cluster_.get(), "send", 1, 1);
    auto producer =
        Producer::Open({.name = "test", .servers = rd_kafka_mock_cluster_bootstraps(cluster_.get()), .properties = {}});
    EXPECT_TRUE(producer.ok()) << producer.status();
    producer_ = *std::move(producer);
  }

  Delivery DeliveryOf(const std::vector<rd_kafka_resp_err_t>& answers) {
    rd_kafka_mock_push_request_errors_array(cluster_.get(), kProduce, answers.size(), answers.data());
    EXPECT_TRUE(producer_->Produce("send", 0, "", "x", {}, 7).ok());
    std::vector<Delivery> deliveries;
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (deliveries.empty() && std::chrono::steady_clock::now() < until)
      producer_->Poll(std::chrono::milliseconds(100), 1, deliveries);
    return deliveries.empty() ? Delivery{} : deliveries.front();
  }

  struct Destroy {
    void operator()(rd_kafka_t* client) const { rd_kafka_destroy(client); }
    void operator()(rd_kafka_mock_cluster_t* cluster) const { rd_kafka_mock_cluster_destroy(cluster); }
  };
  const std::unique_ptr<rd_kafka_t, Destroy> client_{rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), nullptr, 0)};
  const std::unique_ptr<rd_kafka_mock_cluster_t, Destroy> cluster_{rd_kafka_mock_cluster_new(client_.get(), 1)};
  std::unique_ptr<Producer> producer_;
};

TEST_F(PersistedTest, WhatTheBrokerTookIsThere) {
  const Delivery delivery = DeliveryOf({});
  EXPECT_TRUE(delivery.status.ok()) << delivery.status;
  EXPECT_FALSE(delivery.maybe_there);
}

TEST_F(PersistedTest, WhatWasRefusedAtTheFirstTryIsNotThere) {
  const Delivery delivery = DeliveryOf({RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED});
  EXPECT_EQ(delivery.status.code(), absl::StatusCode::kPermissionDenied) << delivery.status;
  EXPECT_FALSE(delivery.maybe_there);
}

// The first try was appended, and its answer says only that not all replicas had it in time.
TEST_F(PersistedTest, WhatWasRefusedAtTheSecondTryMayBeThere) {
  const Delivery delivery =
      DeliveryOf({RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED});
  EXPECT_FALSE(delivery.status.ok());
  EXPECT_TRUE(delivery.maybe_there) << delivery.status;
}

}  // namespace
}  // namespace smsflow::kafka
