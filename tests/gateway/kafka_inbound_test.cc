// SMSes from phones to a topic of a real broker, also of one that was away.
#include "gateway/kafka_inbound.h"

#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <set>

#include "tests/kafka/broker.h"

namespace smsflow::gateway {
namespace {

constexpr int kSeconds = 90;

TEST(KafkaInboundTest, WhatWasPutIsOnTheTopicAndThenTaken) {
  kafka::OwnBroker broker;
  const std::string topic = kafka::FreshTopic(broker.address(), 2);
  const kafka::ClientOptions client{.name = "test-inbound", .servers = broker.address(), .properties = {}};
  auto sink = MakeKafkaInbound({client, topic});
  ASSERT_TRUE(sink.ok()) << sink.status();
  std::mutex mutex;
  std::set<std::string> taken;
  (*sink)->Start([&](std::vector<std::string> ids) {
    const std::lock_guard lock(mutex);
    taken.insert(ids.begin(), ids.end());
  });
  const auto all_taken = [&](std::size_t count) {
    return kafka::Within(kSeconds, [&] {
      const std::lock_guard lock(mutex);
      return taken.size() == count;
    });
  };
  (*sink)->Put({{"id-1", "clinic", "sealed 1", 1'767'225'600'000}, {"id-2", "lab", "sealed 2", 1'767'225'600'000}});
  EXPECT_TRUE(all_taken(2));
  broker.Kill();
  (*sink)->Put({{"id-3", "clinic", "sealed 3", 1'767'225'600'000}});
  broker.Start();
  EXPECT_TRUE(all_taken(3));
  (*sink)->Stop();

  auto consumer = kafka::Consumer::Open(client, "test-reader");
  ASSERT_TRUE(consumer.ok()) << consumer.status();
  ASSERT_TRUE((*consumer)->Add({{{topic, 0}, 0}, {{topic, 1}, 0}}).ok());
  std::map<std::string, kafka::InboundRecord> read;
  EXPECT_TRUE(kafka::Within(kSeconds, [&] {
    for (const kafka::Record& record : (*consumer)->Poll(std::chrono::milliseconds(50), 100).records) {
      const auto inbound = kafka::DecodeInbound(record.value());
      EXPECT_TRUE(inbound.ok()) << inbound.status();
      EXPECT_EQ(record.key(), inbound->id);
      read[inbound->id] = *inbound;
    }
    return read.size() == 3;
  }));
  EXPECT_EQ(read["id-2"], (kafka::InboundRecord{"id-2", "lab", "sealed 2", 1'767'225'600'000}));
}

TEST(KafkaInboundTest, APropertyThatThereIsNotIsRefused) {
  kafka::ClientOptions client{.name = "test", .servers = "127.0.0.1:1", .properties = {{"no.such", "x"}}};
  EXPECT_TRUE(absl::IsInvalidArgument(MakeKafkaInbound({client}).status()));
}

}  // namespace
}  // namespace smsflow::gateway
