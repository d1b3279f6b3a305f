#include "tests/crash/own_kafka.h"

#include <signal.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "kafka/client.h"
#include "kafka/records.h"
#include "tests/crash/patience.h"

namespace smsflow::crash {
namespace {

using std::chrono::milliseconds;

std::string Line(const std::string& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

}  // namespace

OwnKafka::OwnKafka(std::string folder, int life_s) : folder_(std::move(folder)), life_s_(life_s) {}

OwnKafka::~OwnKafka() {
  Kill();
  starter_.Kill();
}

// The number may be another program's by now, so what it runs is looked at.
int OwnKafka::pid() const {
  const int pid = std::atoi(Line(folder_ + "/pid").c_str());
  if (pid <= 1) return 0;
  std::ifstream in("/proc/" + std::to_string(pid) + "/cmdline");
  const std::string command{std::istreambuf_iterator<char>(in), {}};
  return command.find(folder_ + "/server.properties") == std::string::npos ? 0 : pid;
}

void OwnKafka::Start() {
  std::filesystem::create_directories(folder_);
  std::vector<std::string> command = {
      "/bin/bash", "tools/dev", "kafka", "up", "--installed", "--for", std::to_string(life_s_), "--dir", folder_};
  if (address_.empty()) command.insert(command.end(), {"--port", "0"});
  starter_.Start(command, Log());
}

bool OwnKafka::AwaitUp(milliseconds patience) {
  const auto code = starter_.Await(milliseconds(Patient(patience.count())));
  if (code != 0) return false;
  if (address_.empty()) address_ = Line(folder_ + "/address");
  return !address_.empty() && running();
}

bool OwnKafka::Open() {
  Start();
  return AwaitUp(std::chrono::seconds(120)) && MakeTopics();
}

bool OwnKafka::MakeTopics() const {
  const auto admin = kafka::Admin::Open({.name = "crash", .servers = address_, .properties = {}});
  if (!admin.ok()) return false;
  std::vector<kafka::NewTopic> topics;
  for (const auto& [topic, partitions] :
       {std::pair(kafka::kScheduleTopic, kSchedulePartitions), std::pair(kafka::kSendTopic, kSendPartitions),
        std::pair(kafka::kStatusTopic, kStatusPartitions), std::pair(kafka::kTimerTopic, 1),
        std::pair(kafka::kEventsTopic, 2), std::pair(kafka::kDeadLetterTopic, 1)}) {
    topics.push_back({std::string(topic), partitions, 1, {}});
  }
  const auto made = (*admin)->Create(topics, std::chrono::seconds(60));
  if (!made.ok()) return false;
  for (const absl::Status& status : *made) {
    if (!status.ok() && !absl::IsAlreadyExists(status)) return false;
  }
  return true;
}

bool OwnKafka::running() const { return pid() != 0; }

void OwnKafka::Signal(int signal) const {
  if (const int broker = pid(); broker != 0) kill(broker, signal);
}

void OwnKafka::Kill() {
  const auto start = std::chrono::steady_clock::now();
  // One that starts has no number yet.
  while (pid() == 0 && starter_.running() && SinceMs(start) < Patient(5'000)) {
    std::this_thread::sleep_for(milliseconds(20));
  }
  const int broker = pid();
  if (broker == 0) return;
  kill(broker, SIGKILL);
  while (kill(broker, 0) == 0 && SinceMs(start) < Patient(20'000)) std::this_thread::sleep_for(milliseconds(5));
  // What started it learns that it ended, and then ends itself.
  starter_.Await(milliseconds(Patient(10'000)));
}

}  // namespace smsflow::crash
