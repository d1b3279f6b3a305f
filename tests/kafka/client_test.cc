#include "kafka/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/kafka/broker.h"

namespace smsflow::kafka {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;

constexpr milliseconds kLook(100);
constexpr milliseconds kPatience(90'000);  // a busy machine stands still for long
constexpr int kSeconds = 90;

ClientOptions Options() { return {.name = "test", .servers = SharedBroker(), .properties = {}}; }

std::unique_ptr<Producer> MakeProducer() {
  auto producer = Producer::Open(Options());
  EXPECT_TRUE(producer.ok()) << producer.status();
  return std::move(*producer);
}
std::unique_ptr<Consumer> MakeConsumer(const std::string& group = "test") {
  auto consumer = Consumer::Open(Options(), group);
  EXPECT_TRUE(consumer.ok()) << consumer.status();
  return std::move(*consumer);
}
std::unique_ptr<Admin> MakeAdmin() {
  auto admin = Admin::Open(Options());
  EXPECT_TRUE(admin.ok()) << admin.status();
  return std::move(*admin);
}

// Produces "0", "1" … and waits until all are acknowledged.
void Fill(const std::string& topic, std::int32_t partition, int count) {
  const auto producer = MakeProducer();
  for (int n = 0; n < count; ++n) ASSERT_TRUE(producer->Produce(topic, partition, "", absl::StrCat(n), {}, 0).ok());
  std::vector<Delivery> deliveries;
  ASSERT_TRUE(Within(kSeconds, [&] {
    producer->Poll(kLook, 1000, deliveries);
    return producer->pending() == 0;
  }));
  for (const Delivery& delivery : deliveries) ASSERT_TRUE(delivery.status.ok()) << delivery.status;
}

std::vector<std::string> Read(Consumer& consumer, std::size_t count) {
  std::vector<std::string> values;
  Within(kSeconds, [&] {
    for (const Record& record : consumer.Poll(kLook, count - values.size()).records)
      values.emplace_back(record.value());
    return values.size() >= count;
  });
  return values;
}

absl::Status NextError(Consumer& consumer, TopicPartition& where) {
  absl::Status status;
  Within(kSeconds, [&] {
    auto polled = consumer.Poll(kLook, 100);
    if (polled.errors.empty()) return false;
    where = polled.errors.front().first;
    status = polled.errors.front().second;
    return true;
  });
  return status;
}

TEST(Client, WhatIsProducedIsReadWithKeyAndHeaders) {
  const std::string topic = FreshTopic(SharedBroker(), 2);
  const auto producer = MakeProducer();
  const Headers headers = {{"smsflow-op", "send"}, {"empty", ""}, {"bytes", std::string("\0\xFF", 2)}};
  ASSERT_TRUE(producer->Produce(topic, 1, "the key", "the value", headers, 42).ok());
  std::vector<Delivery> deliveries;
  ASSERT_TRUE(Within(kSeconds, [&] {
    producer->Poll(kLook, 10, deliveries);
    return !deliveries.empty();
  }));
  EXPECT_TRUE(deliveries[0].status.ok()) << deliveries[0].status;
  EXPECT_EQ(deliveries[0].tag, 42U);
  EXPECT_EQ(deliveries[0].partition, 1);
  EXPECT_EQ(deliveries[0].offset, 0);
  const auto consumer = MakeConsumer();
  ASSERT_TRUE(consumer->Add({{{topic, 1}, 0}}).ok());
  std::vector<Record> records;
  ASSERT_TRUE(Within(kSeconds, [&] {
    for (Record& record : consumer->Poll(kLook, 10).records) records.push_back(std::move(record));
    return !records.empty();
  }));
  const Record& record = records.front();
  EXPECT_EQ(record.topic(), topic);
  EXPECT_EQ(record.partition(), 1);
  EXPECT_EQ(record.key(), "the key");
  EXPECT_EQ(record.value(), "the value");
  EXPECT_GT(record.timestamp_ms(), 1'700'000'000'000);
  EXPECT_EQ(FindHeader(record.headers(), "smsflow-op"), "send");
  EXPECT_EQ(FindHeader(record.headers(), "empty"), "");
  EXPECT_EQ(FindHeader(record.headers(), "bytes"), std::string_view("\0\xFF", 2));
}

TEST(Client, APartitionIsReadFromWhereItIsTold) {
  const std::string topic = FreshTopic(SharedBroker(), 1);
  Fill(topic, 0, 10);
  const auto consumer = MakeConsumer();
  ASSERT_TRUE(consumer->Add({{{topic, 0}, 7}}).ok());
  EXPECT_THAT(Read(*consumer, 3), ElementsAre("7", "8", "9"));
  ASSERT_TRUE(consumer->Remove({{topic, 0}}).ok());
  ASSERT_TRUE(consumer->Add({{{topic, 0}, 8}}).ok());
  EXPECT_THAT(Read(*consumer, 2), ElementsAre("8", "9"));
  ASSERT_TRUE(consumer->Remove({{topic, 0}}).ok());
  ASSERT_TRUE(consumer->Add({{{topic, 0}, kFromBeginning}}).ok());
  EXPECT_THAT(Read(*consumer, 2), ElementsAre("0", "1"));
  // What is paused and resumed loses nothing and repeats nothing.
  ASSERT_TRUE(consumer->Pause({{topic, 0}}).ok());
  EXPECT_TRUE(consumer->Poll(kLook, 100).records.empty());
  ASSERT_TRUE(consumer->Resume({{topic, 0}}).ok());
  EXPECT_THAT(Read(*consumer, 8), ElementsAre("2", "3", "4", "5", "6", "7", "8", "9"));
}

// librdkafka stops a partition with a message to itself, and one that was stopped twice ends the process; a pause that
// crosses a start leaves a partition that is never fetched.
TEST(Client, PartitionsComeAndGoHoweverFast) {
  const std::string topic = FreshTopic(SharedBroker(), 8);
  std::vector<Start> starts;
  std::vector<TopicPartition> places;
  for (int partition = 0; partition < 8; ++partition) {
    Fill(topic, partition, 1);
    places.push_back({topic, partition});
    starts.push_back({places.back(), 0});
  }
  const auto consumer = MakeConsumer();
  for (int time = 0; time < 500; ++time) {
    ASSERT_TRUE(consumer->Add(starts).ok());
    if (time % 3 == 0) consumer->Poll(std::chrono::milliseconds(0), 100);
    if (time % 50 == 0) {
      EXPECT_EQ(Read(*consumer, 8).size(), 8U);
      ASSERT_TRUE(consumer->Pause(places).ok());
    }
    ASSERT_TRUE(consumer->Remove(places).ok());
  }
  EXPECT_TRUE(consumer->Poll(kLook, 100).records.empty()) << "none of them is read";
  ASSERT_TRUE(consumer->Add(starts).ok());
  EXPECT_EQ(Read(*consumer, 8).size(), 8U) << "also those that were paused when they were left";
  EXPECT_FALSE(consumer->Add({{places[0], 0}}).ok());
}

TEST(Client, AnOffsetThatIsNotThereIsAnErrorAndNoLeap) {
  const std::string topic = FreshTopic(SharedBroker(), 2);
  Fill(topic, 0, 3);
  Fill(topic, 1, 3);
  const auto consumer = MakeConsumer();
  ASSERT_TRUE(consumer->Add({{{topic, 0}, 100}, {{topic, 1}, 0}}).ok());
  TopicPartition where;
  const absl::Status status = NextError(*consumer, where);
  EXPECT_TRUE(absl::IsOutOfRange(status)) << status;
  EXPECT_EQ(where, (TopicPartition{topic, 0}));
  EXPECT_TRUE(IsGone(status));
  // It goes on from where its owner says, and the other partition has not noticed.
  ASSERT_TRUE(consumer->Remove({where}).ok());
  ASSERT_TRUE(consumer->Add({{where, 2}}).ok());
  Fill(topic, 1, 1);
  std::set<std::pair<std::int32_t, std::int64_t>> read;
  EXPECT_TRUE(Within(kSeconds, [&] {
    for (const Record& record : consumer->Poll(kLook, 100).records) read.emplace(record.partition(), record.offset());
    return read.contains({0, 2}) && read.contains({1, 3});
  }));
}

TEST(Client, ATopicOrPartitionThatIsNotThereIsToldToTheReader) {
  const auto consumer = MakeConsumer();
  ASSERT_TRUE(consumer->Add({{{"no-such-topic", 0}, 0}}).ok());
  TopicPartition where;
  EXPECT_TRUE(absl::IsNotFound(NextError(*consumer, where)));
  EXPECT_EQ(where.topic, "no-such-topic");
  const auto info = MakeAdmin()->Topics({"no-such-topic"}, kPatience);
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_TRUE(absl::IsNotFound(info->front().status)) << "reading must not make it";
}

TEST(Client, ATopicOrPartitionThatIsNotThereIsToldToTheWriter) {
  const std::string topic = FreshTopic(SharedBroker(), 1);
  Fill(topic, 0, 1);
  const auto producer = MakeProducer();
  std::vector<Delivery> deliveries;
  const Headers headers = {{"smsflow-op", "send"}};
  // Once the topic is known, a partition that it lacks is refused at once; before, by the delivery. Many times, for
  // headers that were freed twice would be noticed.
  for (int n = 0; n < 50; ++n) {
    for (const auto& [name, partition] : {std::pair<std::string, int>(topic, 9), {"no-such-topic", 0}}) {
      const auto status = producer->Produce(name, partition, "k", "v", headers, 1);
      EXPECT_TRUE(status.ok() || absl::IsNotFound(status)) << status;
    }
    if (n == 0) {
      ASSERT_TRUE(Within(kSeconds, [&] {
        producer->Poll(kLook, 100, deliveries);
        return producer->pending() == 0;
      }));
    }
  }
  Within(kSeconds, [&] {
    producer->Poll(kLook, 1000, deliveries);
    return producer->pending() == 0;
  });
  EXPECT_FALSE(deliveries.empty());
  for (const Delivery& delivery : deliveries) EXPECT_TRUE(absl::IsNotFound(delivery.status)) << delivery.status;
  EXPECT_TRUE(producer->Fatal().ok());
}

TEST(Client, ARecordThatIsTooLargeIsRefusedAndTheNextOneIsTaken) {
  const std::string topic = FreshTopic(SharedBroker(), 1);
  const auto producer = MakeProducer();
  EXPECT_TRUE(absl::IsInvalidArgument(producer->Produce(topic, 0, "", std::string(2 << 20, 'x'), {}, 1)));
  EXPECT_TRUE(producer->Produce(topic, 0, "", "x", {}, 2).ok());
  std::vector<Delivery> deliveries;
  ASSERT_TRUE(Within(kSeconds, [&] {
    producer->Poll(kLook, 10, deliveries);
    return !deliveries.empty();
  }));
  EXPECT_TRUE(deliveries[0].status.ok()) << deliveries[0].status;
}

TEST(Client, AFullQueueIsToldAndIsNoError) {
  ClientOptions options = Options();
  options.servers = "127.0.0.1:1";
  options.properties = {{"queue.buffering.max.messages", "3"}, {"log_level", "0"}};
  auto producer = Producer::Open(options);
  ASSERT_TRUE(producer.ok()) << producer.status();
  for (int n = 0; n < 3; ++n) EXPECT_TRUE((*producer)->Produce("t", 0, "", "v", {}, 0).ok());
  const auto status = (*producer)->Produce("t", 0, "", "v", {{"a", "b"}}, 0);
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_EQ((*producer)->pending(), 3U);
  EXPECT_TRUE(absl::IsDeadlineExceeded((*producer)->Flush(milliseconds(50))));
}

TEST(Client, CommittedOffsetsAreKeptByTheBroker) {
  const std::string topic = FreshTopic(SharedBroker(), 2);
  const std::string group = absl::StrCat("group-", topic);
  {
    const auto consumer = MakeConsumer(group);
    consumer->Commit({{{topic, 0}, 5}});
    ASSERT_TRUE(Within(kSeconds, [&] {
      consumer->Poll(milliseconds(10), 1);
      const auto committed = consumer->Committed({{topic, 0}, {topic, 1}}, kPatience);
      EXPECT_TRUE(committed.ok()) << committed.status();
      return committed.ok() && committed->at({topic, 0}).has_value();
    }));
  }
  const auto committed = MakeConsumer(group)->Committed({{topic, 0}, {topic, 1}}, kPatience);
  ASSERT_TRUE(committed.ok()) << committed.status();
  EXPECT_EQ(committed->at({topic, 0}), 5);
  EXPECT_EQ(committed->at({topic, 1}), std::nullopt);
}

// When its topic falls silent, no later commit makes it good.
TEST(Client, ACommitThatTheBrokerDoesNotTakeIsSentAgain) {
  const std::string topic = FreshTopic(SharedBroker(), 1) + "-later";
  const auto consumer = MakeConsumer(absl::StrCat("group-", topic));
  consumer->Commit({{{topic, 0}, 7}});
  EXPECT_FALSE(Within(2, [&] {
    consumer->Poll(milliseconds(10), 1);
    const auto committed = consumer->Committed({{topic, 0}}, kPatience);
    return committed.ok() && committed->at({topic, 0}).has_value();
  })) << "there is no such topic";
  const auto made = MakeAdmin()->Create({{topic, 1, 1, {}}}, kPatience);
  ASSERT_TRUE(made.ok() && made->at(0).ok());
  EXPECT_TRUE(Within(kSeconds, [&] {
    consumer->Poll(milliseconds(10), 1);
    const auto committed = consumer->Committed({{topic, 0}}, kPatience);
    return committed.ok() && committed->at({topic, 0}) == 7;
  }));
}

TEST(Admin, MakesLooksAtAndDeletesTopics) {
  const std::string topic = FreshTopic(SharedBroker(), 3, {{"retention.ms", "12345678"}});
  const auto admin = MakeAdmin();
  const auto again = admin->Create({{topic, 1, 1, {}}, {topic + "-b", 1, 1, {}}}, kPatience);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(absl::IsAlreadyExists(again->at(0))) << again->at(0);
  EXPECT_TRUE(again->at(1).ok()) << again->at(1);
  Fill(topic, 2, 4);
  const auto info = admin->Topics({topic, "no-such-topic"}, kPatience);
  ASSERT_TRUE(info.ok()) << info.status();
  ASSERT_EQ(info->at(0).partitions.size(), 3U);
  EXPECT_EQ(info->at(0).partitions[0].in_sync, 1U);
  EXPECT_TRUE(absl::IsNotFound(info->at(1).status));
  const auto configs = admin->Configs(topic, kPatience);
  ASSERT_TRUE(configs.ok()) << configs.status();
  EXPECT_EQ(configs->at("retention.ms"), "12345678");
  EXPECT_EQ(configs->count("min.insync.replicas"), 1U);
  EXPECT_TRUE(absl::IsNotFound(admin->Configs("no-such-topic", kPatience).status()));
  const auto ends = admin->Ends({topic, 2}, kPatience);
  ASSERT_TRUE(ends.ok()) << ends.status();
  EXPECT_EQ(ends->low, 0);
  EXPECT_EQ(ends->high, 4);
  EXPECT_TRUE(admin->AddPartitions(topic, 5, kPatience).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(admin->AddPartitions(topic, 2, kPatience)));
  ASSERT_TRUE(Within(kSeconds, [&] { return admin->Topics({topic}, kPatience)->front().partitions.size() == 5U; }));
  EXPECT_TRUE(admin->Delete(topic, kPatience).ok());
  EXPECT_TRUE(absl::IsNotFound(admin->Delete("no-such-topic", kPatience)));
  EXPECT_EQ(admin->Brokers(kPatience).value_or(0), 1U);
}

}  // namespace
}  // namespace smsflow::kafka
