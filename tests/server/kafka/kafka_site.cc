#include "tests/server/kafka/kafka_site.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "storage/data_folder.h"
#include "tests/kafka/broker.h"
#include "tests/server/kafka/stored_smses.h"

namespace smsflow::server {

namespace {

constexpr std::chrono::milliseconds kPatience(30'000);
constexpr int kSeconds = 120;  // for a broker that starts on a busy machine

kafka::ClientOptions ClientOf(const std::string& broker) {
  return {"test", broker, {{"topic.metadata.refresh.interval.ms", "1000"}}};
}

// Between two looks at another process: leaves it the machine. Always false.
bool Pause() {
  ::poll(nullptr, 0, 50);
  return false;
}

std::string ReadAll(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace

KafkaSite::KafkaSite(std::string address, std::string kafka_lines, std::string sections)
    : broker(std::move(address)),
      kafka_lines_(std::move(kafka_lines)),
      sections_(std::move(sections)),
      producer_(ClientOf(broker)) {
  schedule = kafka::FreshTopic(broker, 2);
  status = kafka::FreshTopic(broker, 1);
  timer = kafka::FreshTopic(broker, 1);
  send = kafka::FreshTopic(broker, 2);
  dead = kafka::FreshTopic(broker, 1);
  events = kafka::FreshTopic(broker, 1);
  folder_ = (std::filesystem::temp_directory_path() / absl::StrCat("smsflow-", schedule)).string();
  std::filesystem::create_directories(folder_);
  WriteConfig();
}

KafkaSite::~KafkaSite() {
  if (pid_ > 0) Kill();
  if (testing::Test::HasFailure()) std::cerr << ReadAll(folder_ + "/log");
  std::filesystem::remove_all(folder_);
}

void KafkaSite::Forget() {
  std::filesystem::remove_all(folder_ + "/data");
  std::filesystem::remove(folder_ + "/data.key");
}

void KafkaSite::Configure(const std::string& kafka_lines, const std::string& sections) {
  kafka_lines_ = kafka_lines;
  sections_ = sections;
  WriteConfig();
}

void KafkaSite::WriteConfig() const {
  std::ofstream(folder_ + "/c.toml") << "data = \"" << folder_ << "/data\"\nshards = 8\n"
                                     << "[listen]\ngrpc = \"unix:" << folder_
                                     << "/g\"\nmetrics = \"\"\nplaintext = true\n[engine]\nballast = \"0B\"\n"
                                     << "[kafka]\nservers = \"" << broker << "\"\ngroup = \"" << schedule
                                     << "\"\nunsigned = true\ntenants = [\"acme\", \"other\"]\nschedule_topic = \""
                                     << schedule << "\"\nstatus_topic = \"" << status << "\"\ntimer_topic = \"" << timer
                                     << "\"\nsend_topic = \"" << send << "\"\ndead_letter_topic = \"" << dead
                                     << "\"\nevents_topic = \"" << events << "\"\n"
                                     << kafka_lines_ << "\n"
                                     << sections_ << "\n";
}

void KafkaSite::Start() {
  const std::string config = folder_ + "/c.toml", log = folder_ + "/log";
  // SMSFLOW_… would be the daemon's configuration; what tells a sanitizer what to leave out is not.
  std::vector<char*> environment;
  for (char** one = ::environ; *one != nullptr; ++one)
    if (!std::string_view(*one).starts_with("SMSFLOW_")) environment.push_back(*one);
  environment.push_back(nullptr);
  const char* argv[] = {SMSFLOWD, "--config", config.c_str(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  ASSERT_EQ(::posix_spawn(&pid_, SMSFLOWD, &actions, nullptr, const_cast<char**>(argv), environment.data()), 0);
  posix_spawn_file_actions_destroy(&actions);
}

void KafkaSite::Kill() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void KafkaSite::Stop() {
  ::kill(pid_, SIGTERM);
  int status_code = 0;
  ::waitpid(pid_, &status_code, 0);
  pid_ = -1;
  EXPECT_TRUE(WIFEXITED(status_code) && WEXITSTATUS(status_code) == 0) << status_code;
}

void KafkaSite::Produce(const std::string& topic, const kafka::Outgoing& record, std::int32_t partition) {
  producer_.Produce(topic, partition, record.key, record.value, record.headers);
  AwaitBroker();
}

void KafkaSite::ProduceAll(const std::string& topic, const std::vector<kafka::Outgoing>& records) {
  for (const kafka::Outgoing& record : records)
    producer_.Produce(topic, kafka::kAnyPartition, record.key, record.value, record.headers);
  AwaitBroker();
}

void KafkaSite::AwaitBroker() {
  ASSERT_TRUE(kafka::Within(kSeconds,
                            [&] {
                              producer_.Poll(std::chrono::milliseconds(100));
                              return producer_.pending() == 0;
                            }))
      << producer_.pending() << " records are not at the broker; " << producer_.refusal();
}

std::vector<KafkaSite::Seen> KafkaSite::All(const std::string& topic) {
  std::vector<Seen> all;
  const auto admin = kafka::Admin::Open(ClientOf(broker));
  auto consumer = kafka::Consumer::Open(ClientOf(broker), "test");
  EXPECT_TRUE(admin.ok() && consumer.ok());
  const auto topics = (*admin)->Topics({topic}, kPatience);
  EXPECT_TRUE(topics.ok() && topics->front().status.ok()) << topics.status();
  std::vector<kafka::Start> starts;
  std::size_t wanted = 0;
  for (const auto& partition : topics->front().partitions) {
    starts.push_back({{topic, partition.partition}, kafka::kFromBeginning});
    const auto ends = (*admin)->Ends(starts.back().place, kPatience);
    EXPECT_TRUE(ends.ok()) << ends.status();
    if (ends.ok()) wanted += static_cast<std::size_t>(ends->high - ends->low);
  }
  EXPECT_TRUE((*consumer)->Add(starts).ok());
  for (const auto until = std::chrono::steady_clock::now() + kPatience;
       all.size() < wanted && std::chrono::steady_clock::now() < until;) {
    const auto polled = (*consumer)->Poll(std::chrono::milliseconds(100), 1'000);
    for (const auto& record : polled.records) {
      Seen seen{record.partition(), record.offset(), std::string(record.key()), std::string(record.value()), {}};
      for (const auto& header : record.headers())
        seen.headers.push_back({std::string(header.name), std::string(header.value)});
      all.push_back(std::move(seen));
    }
  }
  return all;
}

bool KafkaSite::Applied(const std::string& topic, int seconds) {
  const auto admin = kafka::Admin::Open(ClientOf(broker));
  auto consumer = kafka::Consumer::Open(ClientOf(broker), schedule);
  if (!admin.ok() || !consumer.ok()) return false;
  return kafka::Within(seconds, [&] {
    const auto topics = (*admin)->Topics({topic}, kPatience);
    bool all = topics.ok() && topics->front().status.ok();
    for (std::size_t i = 0; all && i < topics->front().partitions.size(); ++i) {
      const kafka::TopicPartition place{topic, topics->front().partitions[i].partition};
      const auto ends = (*admin)->Ends(place, kPatience);
      const auto committed = (*consumer)->Committed({place}, kPatience);
      all = ends.ok() && committed.ok() && (ends->high == 0 || committed->at(place).value_or(-1) >= ends->high);
    }
    return all || Pause();
  });
}

bool KafkaSite::Says(const std::string& text, int seconds) const {
  return kafka::Within(seconds, [&] { return ReadAll(folder_ + "/log").find(text) != std::string::npos || Pause(); });
}

std::multimap<std::string, workflows::delivery::State> KafkaSite::Stored() {
  EXPECT_EQ(pid_, -1) << "it still runs";
  std::multimap<std::string, workflows::delivery::State> stored;
  storage::DataFolderOptions options;
  options.path = folder_ + "/data";
  options.ballast_bytes = 0;
  auto folder = storage::DataFolder::Open(options);
  EXPECT_TRUE(folder.ok()) << folder.status();
  if (!folder.ok()) return stored;
  const engine::Reader reader(
      {&(*folder)->store(), &(*folder)->index_keys(), (*folder)->shards(), [](ShardId) { return ~std::uint64_t{0}; }});
  const auto smses = StoredSmses(reader);
  EXPECT_TRUE(smses.ok()) << smses.status();
  if (!smses.ok()) return stored;
  for (const auto& [key, sms] : *smses) stored.emplace(key, sms.state);
  return stored;
}

kafka::Outgoing ScheduleRecord(const std::string& key, const std::string& target, const std::string& slots,
                               const std::string& idempotency_key) {
  kafka::ScheduleSms sms;
  sms.client = "acme";
  sms.key = key;
  sms.target = target;
  sms.schedule = slots;
  sms.message = "ENCBsealed";
  sms.idempotency_key = idempotency_key;
  return kafka::EncodeScheduleSms(sms);
}

std::string SlotNow() {
  const auto now = std::time(nullptr);
  return absl::StrCat(now - 5, "-", now + 3'600);
}
std::string SlotFarAhead() {
  const auto now = std::time(nullptr);
  return absl::StrCat(now + 36'000, "-", now + 39'600);
}

}  // namespace smsflow::server
