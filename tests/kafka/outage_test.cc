// The broker is killed and comes back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
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
  ASSERT_TRUE((*consumer)->Add({{{topic, 0}, 0}}).ok());
  std::vector<Delivery> deliveries;
  std::vector<std::uint64_t> values;
  const auto look = [&] {
    (*producer)->Poll(kLook, 1000, deliveries);
    for (const Record& record : (*consumer)->Poll(kLook, 1000).records) {
      values.push_back(std::stoull(std::string(record.value())));
    }
  };
  for (int n = 0; n < kRecords; ++n) {
    const auto taken = (*producer)->Produce(topic, 0, "", absl::StrCat(n), {}, static_cast<std::uint64_t>(n));
    ASSERT_TRUE(taken.ok() || IsFatal(taken)) << taken;
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
  // A broker that was killed may end a producer for good; what that one acknowledged counts all the same.
  std::vector<std::uint64_t> acknowledged;
  ASSERT_TRUE(Within(kSeconds,
                     [&] {
                       look();
                       if ((*producer)->pending() != 0) return false;
                       acknowledged.clear();
                       for (const Delivery& delivery : deliveries)
                         if (delivery.status.ok()) acknowledged.push_back(delivery.tag);
                       return !values.empty() && !acknowledged.empty() && values.back() >= acknowledged.back();
                     }))
      << (*producer)->pending() << " are not acknowledged, " << values.size() << " were read";
  for (const Delivery& delivery : deliveries)
    EXPECT_TRUE(delivery.status.ok() || IsFatal(delivery.status)) << delivery.status;
  EXPECT_EQ(std::adjacent_find(values.begin(), values.end(), std::greater_equal()), values.end())
      << "not in order, or not once";
  EXPECT_TRUE(std::includes(values.begin(), values.end(), acknowledged.begin(), acknowledged.end()));
  if ((*producer)->Fatal().ok()) {
    EXPECT_EQ(acknowledged.size(), static_cast<std::size_t>(kRecords));
  }
}

}  // namespace
}  // namespace smsflow::kafka
