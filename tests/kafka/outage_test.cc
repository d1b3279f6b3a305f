// The broker is killed and comes back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "kafka/client.h"
#include "tests/kafka/broker.h"

namespace smsflow::kafka {
namespace {

constexpr std::chrono::milliseconds kLook(20);
constexpr int kRecords = 3000;
constexpr int kSeconds = 90;

TEST(Outage, WhatWasTakenIsThereOnceAndInOrder) {
  OwnBroker broker;
  const std::string topic = FreshTopic(broker.address(), 1);
  const ClientOptions options{.name = "outage", .servers = broker.address(), .properties = {}};
  auto producer = Producer::Open(options);
  auto consumer = Consumer::Open(options, "outage");
  ASSERT_TRUE(producer.ok() && consumer.ok());
  ASSERT_TRUE((*consumer)->Assign({{{topic, 0}, 0}}).ok());
  std::vector<Delivery> deliveries;
  std::vector<std::string> values;
  const auto look = [&] {
    (*producer)->Poll(kLook, 1000, deliveries);
    for (const Record& record : (*consumer)->Poll(kLook, 1000).records) values.emplace_back(record.value());
  };
  for (int n = 0; n < kRecords; ++n) {
    ASSERT_TRUE((*producer)->Produce(topic, 0, "", absl::StrCat(n), {}, static_cast<std::uint64_t>(n)).ok());
    if (n == kRecords / 3) {
      ASSERT_TRUE(Within(kSeconds, [&] {
        look();
        return !deliveries.empty();
      }));
      broker.Kill();
    }
    if (n == kRecords * 2 / 3) {
      look();
      broker.Start();
    }
  }
  ASSERT_TRUE(Within(kSeconds,
                     [&] {
                       look();
                       return (*producer)->pending() == 0 && values.size() >= kRecords;
                     }))
      << (*producer)->pending() << " are not acknowledged, " << values.size() << " were read";
  for (const Delivery& delivery : deliveries) EXPECT_TRUE(delivery.status.ok()) << delivery.status;
  ASSERT_EQ(values.size(), static_cast<std::size_t>(kRecords));
  for (int n = 0; n < kRecords; ++n) ASSERT_EQ(values[static_cast<std::size_t>(n)], absl::StrCat(n));
}

}  // namespace
}  // namespace smsflow::kafka
