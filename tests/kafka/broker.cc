#include "tests/kafka/broker.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "absl/strings/str_cat.h"

namespace smsflow::kafka {
namespace {

constexpr std::chrono::seconds kPatience(90);

std::string Line(const std::string& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

void Dev(const std::string& arguments) {
  const std::string command = absl::StrCat("tools/dev kafka ", arguments, " >&2");
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
}

}  // namespace

std::string SharedBroker() {
  const char* folder = std::getenv("SMSFLOW_TEST_KAFKA");
  return folder == nullptr ? "" : Line(absl::StrCat(folder, "/address"));
}

OwnBroker::OwnBroker() {
  static std::atomic<int> count{0};
  folder_ = (std::filesystem::temp_directory_path() / absl::StrCat("smsflow-broker-", getpid(), "-", count++)).string();
  Start();
}

OwnBroker::~OwnBroker() {
  Dev(absl::StrCat("down --wipe --dir ", folder_));
  std::filesystem::remove_all(folder_);
}

void OwnBroker::Start() {
  Dev(absl::StrCat("up --installed --for 600 --dir ", folder_, address_.empty() ? " --port 0" : ""));
  address_ = Line(absl::StrCat(folder_, "/address"));
  ASSERT_FALSE(address_.empty());
}

void OwnBroker::Kill() {
  const std::string line = Line(absl::StrCat(folder_, "/pid"));
  char* end = nullptr;
  const long pid = std::strtol(line.c_str(), &end, 10);
  ASSERT_GT(pid, 1);
  ASSERT_EQ(kill(static_cast<pid_t>(pid), SIGKILL), 0);
  ASSERT_TRUE(Within(10, [pid] { return kill(static_cast<pid_t>(pid), 0) != 0; }));
}

bool Within(int seconds, const std::function<bool()>& done) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (!done()) {
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::yield();
  }
  return true;
}

std::string FreshTopic(const std::string& address, std::int32_t partitions,
                       std::map<std::string, std::string> configs) {
  static std::atomic<int> count{0};
  std::string name = absl::StrCat("test-", getpid(), "-", count++);
  const auto admin = Admin::Open({.name = "test", .servers = address, .properties = {}});
  EXPECT_TRUE(admin.ok()) << admin.status();
  const auto made = (*admin)->Create({{name, partitions, 1, std::move(configs)}}, kPatience);
  EXPECT_TRUE(made.ok()) << made.status();
  EXPECT_TRUE(made->front().ok()) << made->front();
  return name;
}

}  // namespace smsflow::kafka
