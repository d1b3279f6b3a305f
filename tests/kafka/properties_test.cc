#include <gtest/gtest.h>

#include "kafka/client.h"

namespace smsflow::kafka {
namespace {

std::string Why(const std::map<std::string, std::string>& properties) {
  return std::string(CheckProperties(properties).message());
}

TEST(Properties, AnyOfLibrdkafkaPassesThrough) {
  EXPECT_EQ(Why({{"security.protocol", "SASL_SSL"},
                 {"sasl.mechanism", "SCRAM-SHA-256"},
                 {"sasl.password", "x"},
                 {"linger.ms", "7"}}),
            "");
}

TEST(Properties, AllThatIsWrongIsNamedAndNoValueIsRepeated) {
  EXPECT_EQ(Why({{"linger", "1"}, {"linger.ms", "tomorrow"}, {"security.protocol", "hunter2"}}),
            "linger: is no property of librdkafka; linger.ms: librdkafka does not take this value; security.protocol: "
            "librdkafka does not take this value");
}

TEST(Properties, WhatPromisesRestOnIsOurs) {
  for (const char* name :
       {"acks", "request.required.acks", "enable.idempotence", "message.timeout.ms", "delivery.timeout.ms",
        "enable.auto.commit", "auto.offset.reset", "transactional.id", "bootstrap.servers", "group.id"}) {
    EXPECT_EQ(Why({{name, "1"}}), std::string(name) + ": is set by smsflow itself");
  }
}

TEST(Properties, WhatDoesNotGoTogetherIsRefusedByEach) {
  const ClientOptions options{.name = "test", .servers = "127.0.0.1:1", .properties = {{"linger.ms", "x"}}};
  EXPECT_TRUE(absl::IsInvalidArgument(Producer::Open(options).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Consumer::Open(options, "g").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Admin::Open(options).status()));
  EXPECT_EQ(Producer::Open({}).status().message(), "servers: must be host:port, or several with commas");
}

TEST(Properties, NobodyThereIsToldInTime) {
  const auto admin = Admin::Open({.name = "test", .servers = "127.0.0.1:1", .properties = {{"log_level", "0"}}});
  ASSERT_TRUE(admin.ok()) << admin.status();
  EXPECT_TRUE(IsRetriable((*admin)->Brokers(std::chrono::milliseconds(200)).status()));
}

TEST(Properties, AreReadFromLines) {
  std::map<std::string, std::string> properties = {{"linger.ms", "1"}};
  ASSERT_TRUE(AddProperties("# for the brokers\n\nlinger.ms=5\nsasl.password=a=b\n", properties).ok());
  EXPECT_EQ(properties, (std::map<std::string, std::string>{{"linger.ms", "5"}, {"sasl.password", "a=b"}}));
  for (const char* text : {"linger.ms", "=5", "linger.ms=1\nhunter2"}) {
    EXPECT_EQ(AddProperties(text, properties).message(), "a property of librdkafka must be NAME=VALUE");
  }
}

}  // namespace
}  // namespace smsflow::kafka
