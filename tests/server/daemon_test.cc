// smsflowd as its operator meets it: exit codes, one-line errors, the ready line, a graceful stop, metrics.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "crypto/hash.h"
#include "logging/exit_codes.h"
#include "smsflow/v1/scheduler.grpc.pb.h"
#include "storage/data_folder.h"
#include "storage/records.h"
#include "tests/crash/patience.h"
#include "tests/server/http2_client.h"

namespace smsflow::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
namespace v1 = ::smsflow::v1;

// One smsflowd, killed at the end if it still runs.
class Daemon {
 public:
  // `files_max`: how many files it may have open; 0: as many as this process.
  explicit Daemon(std::vector<std::string> arguments, int files_max = 0) {
    arguments.insert(arguments.begin(), SMSFLOWD);
    if (files_max != 0) {
      const std::string script = "ulimit -n " + std::to_string(files_max) + "; exec \"$0\" \"$@\"";
      arguments.insert(arguments.begin(), {"/bin/sh", "-c", script});
    }
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    int out[2];
    EXPECT_EQ(::pipe2(out, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, out[1], 2);
    EXPECT_EQ(::posix_spawn(&pid_, argv.front(), &actions, nullptr, argv.data(), ::environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    ::close(out[1]);
    out_ = out[0];
  }
  ~Daemon() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    ::close(out_);
  }

  // Reads on until the output holds `text` or ends; false after a minute or at the end.
  bool Says(const std::string& text) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (output.find(text) == std::string::npos && std::chrono::steady_clock::now() < end) {
      pollfd poll{out_, POLLIN, 0};
      if (::poll(&poll, 1, 100) <= 0) continue;
      char buffer[4096];
      const ssize_t got = ::read(out_, buffer, sizeof buffer);
      if (got <= 0) break;
      output.append(buffer, static_cast<std::size_t>(got));
    }
    return output.find(text) != std::string::npos;
  }
  // What stands after `name=` in the ready line.
  std::string Ready(const std::string& name) {
    if (!Says(" data=")) return {};
    const std::size_t at = output.find(name + "=") + name.size() + 1;
    return output.substr(at, output.find_first_of(" \n", at) - at);
  }
  void Signal(int signal) { ::kill(pid_, signal); }
  // What /proc says of its memory under this name.
  std::size_t MemoryMb(const std::string& name) const {
    std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
    std::size_t kb = 0;
    for (std::string word; status >> word;) {
      if (word == name + ":") status >> kb;
    }
    return kb / 1'024;
  }
  // From now on it may have so many files open; those that it has stay. What it was before.
  rlim_t LimitFiles(rlim_t most) {
    rlimit limit{};
    EXPECT_EQ(::prlimit(pid_, RLIMIT_NOFILE, nullptr, &limit), 0);
    const rlim_t before = std::exchange(limit.rlim_cur, most);
    EXPECT_EQ(::prlimit(pid_, RLIMIT_NOFILE, &limit, nullptr), 0);
    return before;
  }
  // Its exit code; all it had to say is read.
  int End() {
    Says("\x01 never said");
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  std::string output;

 private:
  pid_t pid_ = -1;
  int out_ = -1;
};

class DaemonTest : public ::testing::Test {
 protected:
  DaemonTest() : folder_(testing::TempDir() + "smsflow-daemon-" + std::to_string(getpid())) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    const auto digest = crypto::Sha256("token");
    std::string hex;
    for (const std::uint8_t byte : digest) {
      hex.push_back("0123456789abcdef"[byte >> 4]);
      hex.push_back("0123456789abcdef"[byte & 15]);
    }
    std::ofstream(folder_ + "/c.toml") << "data = \"" << folder_
                                       << "/data\"\nshards = 4\n[listen]\ngrpc = \"127.0.0.1:0\"\n"
                                       << "metrics = \"127.0.0.1:0\"\nplaintext = true\n[engine]\nballast = \"1MB\"\n"
                                       << "[[key]]\nname = \"app\"\nsha256 = \"" << hex
                                       << "\"\nrole = \"client\"\ntenants = [\"acme\"]\n";
  }
  ~DaemonTest() override { std::filesystem::remove_all(folder_); }

  std::vector<std::string> Arguments(std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments{"--config", folder_ + "/c.toml"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  static grpc::Status Schedule(const std::string& address, v1::ScheduleResponse& response,
                               const std::string& key = "once") {
    return Schedule(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()), response, key, "sealed");
  }
  static grpc::Status Schedule(const std::shared_ptr<grpc::Channel>& channel, v1::ScheduleResponse& response,
                               const std::string& key, const std::string& payload) {
    const auto stub = v1::Scheduler::NewStub(channel);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    context.AddMetadata("authorization", "Bearer token");
    // Of one moment: what is said again with its key says the same.
    static const std::int64_t now_s = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    v1::ScheduleRequest request;
    request.set_payload(payload);
    request.set_idempotency_key(key);
    request.set_schedule("4-5;" + std::to_string((now_s / 1'000 + 10) * 1'000) + "-" +
                         std::to_string((now_s / 1'000 + 11) * 1'000));
    return stub->Schedule(&context, request, &response);
  }

  // One byte in the midst of the table of what is known of each SMS: of its shard a start reads no more than the ends.
  void DamageInstances() const {
    storage::DataFolderOptions options;
    options.path = folder_ + "/data";
    auto folder = storage::DataFolder::Open(options);
    ASSERT_TRUE(folder.ok()) << folder.status();
    ASSERT_TRUE((*folder)->Compact().ok());
    folder->reset();
    int damaged = 0;
    for (const auto& file : std::filesystem::directory_iterator(folder_ + "/data/db")) {
      if (file.path().extension() != ".sst") continue;
      std::ifstream in(file.path(), std::ios::binary);
      std::string bytes(std::istreambuf_iterator<char>(in), {});
      if (bytes.find("instances") == std::string::npos) continue;  // the name of its family
      bytes[bytes.size() / 2] ^= 1;
      std::ofstream(file.path(), std::ios::binary) << bytes;
      ++damaged;
    }
    EXPECT_EQ(damaged, 1);
  }

  // It still serves and knows what it answered before; and it stops as it should.
  static void ServesAsBefore(Daemon& daemon, const std::string& address, const std::string& id) {
    v1::ScheduleResponse again;
    const grpc::Status status = Schedule(address, again);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_TRUE(again.duplicate());
    EXPECT_EQ(again.id(), id);
    daemon.Signal(SIGTERM);
    EXPECT_EQ(daemon.End(), kExitOk) << daemon.output;
  }

  // With a connection of its own.
  static std::shared_ptr<grpc::Channel> Channel(const std::string& address) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 500);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 500);
    return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  }
  // Whether one more connection is greeted in time.
  static bool Connects(const std::string& address, std::int64_t within_ms) {
    return Channel(address)->WaitForConnected(std::chrono::system_clock::now() + std::chrono::milliseconds(within_ms));
  }
  // Now that there are descriptors: within five seconds, and more only where the machine has too much to do.
  static void AcceptsAgain(const std::string& address) {
    const auto since = std::chrono::steady_clock::now();
    EXPECT_TRUE(Connects(address, 60'000));
    const std::int64_t took_ms = crash::SinceMs(since);
    EXPECT_LT(took_ms, crash::Patient(5'000));
    RecordProperty("accepts_again_ms", static_cast<int>(took_ms));
  }
  static std::int64_t NowMs() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
  }

  // A connection, on which nothing is said yet.
  static int Dial(const std::string& address) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0) return socket;
    ::close(socket);
    return -1;
  }
  static std::string Scrape(const std::string& address) {
    const int socket = Dial(address);
    EXPECT_GE(socket, 0);
    const std::string request = "GET /metrics HTTP/1.0\r\n\r\n";
    EXPECT_EQ(::write(socket, request.data(), request.size()), static_cast<ssize_t>(request.size()));
    std::string answer;
    char buffer[4096];
    for (ssize_t got; (got = ::read(socket, buffer, sizeof buffer)) > 0;)
      answer.append(buffer, static_cast<std::size_t>(got));
    ::close(socket);
    return answer;
  }

  // A stranger begins calls and resets them at once, until the server ends the connection; how many in this time.
  static int Flood(const std::string& address, int calls) {
    Http2Client client(address);
    EXPECT_TRUE(client.Greet());
    const std::string head = Http2CallHead("/smsflow.v1.Scheduler/Schedule");
    std::string burst;
    for (int said = 0; said < calls; ++said) {
      const std::uint32_t stream = 2 * static_cast<std::uint32_t>(said) + 1;
      burst += Http2Frame{Http2Frame::kHeaders, Http2Frame::kEndHeaders, stream, head}.ToBytes();
      burst += Http2Frame{Http2Frame::kReset, 0, stream, std::string("\0\0\0\x08", 4)}.ToBytes();
      if (said % 100 != 99) continue;
      if (!client.Say(burst)) return said;
      burst.clear();
      client.Forget();
    }
    return calls;
  }

  std::string folder_;
};

TEST_F(DaemonTest, ServesStopsGracefullyAndRemembers) {
  v1::ScheduleResponse first;
  {
    Daemon daemon(Arguments());
    const std::string address = daemon.Ready("grpc");
    ASSERT_FALSE(address.empty()) << daemon.output;
    const grpc::Status status = Schedule(address, first);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_FALSE(first.duplicate());
    const std::string metrics = Scrape(daemon.Ready("metrics"));
    EXPECT_THAT(metrics, HasSubstr("# TYPE smsflow_created_total counter"));
    EXPECT_THAT(metrics, HasSubstr("smsflow_write_milliseconds_bucket"));
    EXPECT_THAT(metrics, HasSubstr("smsflow_disk_free_bytes"));
    daemon.Signal(SIGTERM);
    EXPECT_EQ(daemon.End(), kExitOk) << daemon.output;
  }
  Daemon daemon(Arguments());
  v1::ScheduleResponse again;
  const grpc::Status status = Schedule(daemon.Ready("grpc"), again);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_TRUE(again.duplicate());
  EXPECT_EQ(again.id(), first.id());
  daemon.Signal(SIGINT);
  EXPECT_EQ(daemon.End(), kExitOk) << daemon.output;
}

// By then it was started anew, and has read nothing yet.
TEST_F(DaemonTest, AStopThatComesBeforeItsConfigurationIsHeard) {
  const std::string pipe = folder_ + "/pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  Daemon daemon({"--config", pipe});
  {
    std::ofstream into(pipe);  // waits for whoever reads
    daemon.Signal(SIGTERM);
    into << std::ifstream(folder_ + "/c.toml").rdbuf();
  }
  EXPECT_EQ(daemon.End(), 0);
  EXPECT_THAT(daemon.output, HasSubstr("smsflowd ready"));
}

TEST_F(DaemonTest, WhatWasAcknowledgedSurvivesKill) {
  v1::ScheduleResponse first;
  {
    Daemon daemon(Arguments());
    ASSERT_TRUE(Schedule(daemon.Ready("grpc"), first).ok());
    daemon.Signal(SIGKILL);
    EXPECT_EQ(daemon.End(), -SIGKILL);
  }
  Daemon daemon(Arguments());
  v1::ScheduleResponse again;
  ASSERT_TRUE(Schedule(daemon.Ready("grpc"), again).ok()) << daemon.output;
  EXPECT_EQ(again.id(), first.id());
}

TEST_F(DaemonTest, DamageThatIsMetWhileItRunsEndsItForAPerson) {
  std::vector<std::string> ids;
  {
    Daemon daemon(Arguments({"--set", "shards=1"}));
    const std::string address = daemon.Ready("grpc");
    for (int i = 0; i < 200; ++i) {
      v1::ScheduleResponse response;
      ASSERT_TRUE(Schedule(address, response, "key " + std::to_string(i)).ok());
      ids.push_back(response.id());
    }
    daemon.Signal(SIGTERM);
    ASSERT_EQ(daemon.End(), kExitOk) << daemon.output;
  }
  DamageInstances();
  Daemon daemon(Arguments({"--set", "shards=1"}));
  const auto stub = v1::Scheduler::NewStub(Channel(daemon.Ready("grpc")));
  for (const std::string& id : ids) {
    grpc::ClientContext context;
    context.AddMetadata("authorization", "Bearer token");
    v1::CancelRequest request;
    v1::CancelResponse response;
    request.set_id(id);
    if (!stub->Cancel(&context, request, &response).ok()) break;
  }
  EXPECT_EQ(daemon.End(), kExitConfig) << daemon.output;
  EXPECT_THAT(daemon.output, HasSubstr("smsflowd ready"));
  EXPECT_THAT(daemon.output, HasSubstr("checksum mismatch"));
  EXPECT_THAT(daemon.output, HasSubstr("'smsflow db repair' makes a copy"));
}

TEST_F(DaemonTest, ANewFolderKnowsWhenItWasMade) {
  const std::int64_t before_ms = NowMs();
  {
    Daemon daemon(Arguments());
    ASSERT_FALSE(daemon.Ready("grpc").empty()) << daemon.output;
    daemon.Signal(SIGTERM);
    ASSERT_EQ(daemon.End(), kExitOk) << daemon.output;
  }
  storage::DataFolderOptions options;
  options.path = folder_ + "/data";
  options.create = false;
  options.read_only = true;
  const auto folder = storage::DataFolder::Open(options);
  ASSERT_TRUE(folder.ok()) << folder.status();
  const auto meta = storage::GetMeta((*folder)->store());
  ASSERT_TRUE(meta.ok() && meta->has_value());
  EXPECT_GE((*meta)->created_ms(), before_ms);
  EXPECT_LE((*meta)->created_ms(), NowMs());
}

TEST_F(DaemonTest, AcceptsAgainOnceThereAreFileDescriptors) {
  Daemon daemon(Arguments());
  const std::string address = daemon.Ready("grpc");
  ASSERT_FALSE(address.empty()) << daemon.output;
  v1::ScheduleResponse first;
  ASSERT_TRUE(Schedule(address, first).ok());
  const rlim_t before = daemon.LimitFiles(3);
  EXPECT_FALSE(Connects(address, 2'000));
  daemon.LimitFiles(before);
  AcceptsAgain(address);
  ServesAsBefore(daemon, address, first.id());
}

TEST_F(DaemonTest, ManyIdleConnectionsDoNotTakeTheDescriptorsOfTheRest) {
  Daemon daemon(Arguments(), 64);
  const std::string address = daemon.Ready("grpc");
  ASSERT_FALSE(address.empty()) << daemon.output;
  v1::ScheduleResponse first;
  ASSERT_TRUE(Schedule(address, first).ok());
  std::vector<int> idle;
  for (int i = 0; i < 300; ++i) {
    idle.push_back(Dial(address));
    ASSERT_GE(idle.back(), 0) << i;
  }
  // The last of them is told that there is no room: all were taken or refused by then.
  pollfd last{idle.back(), POLLIN, 0};
  EXPECT_EQ(::poll(&last, 1, 60'000), 1);
  for (const int socket : idle) ::close(socket);
  AcceptsAgain(address);
  ServesAsBefore(daemon, address, first.id());
}

// Tables are written and sorted meanwhile: for want of a descriptor it would end itself.
TEST_F(DaemonTest, BothDoorsFullLeaveDescriptorsForStorage) {
  Daemon daemon(Arguments({"--set", "listen.rest=127.0.0.1:0", "--set", "limits.connections_per_address=1000", "--set",
                           "rest.connections_per_address=1000", "--set", "engine.memtable=1MB"}),
                64);
  const std::string address = daemon.Ready("grpc");
  ASSERT_FALSE(address.empty()) << daemon.output;
  const auto channel = Channel(address);
  v1::ScheduleResponse first, response;
  ASSERT_TRUE(Schedule(channel, first, "once", "sealed").ok());
  std::vector<int> idle;
  for (const std::string& door : {address, daemon.Ready("rest")}) {
    for (int i = 0; i < 100; ++i) {
      idle.push_back(Dial(door));
      ASSERT_GE(idle.back(), 0) << i;
    }
    pollfd last{idle.back(), POLLIN, 0};
    EXPECT_EQ(::poll(&last, 1, 60'000), 1) << "told that there is no room";
  }
  for (int i = 0; i < 400; ++i) {
    const grpc::Status status = Schedule(channel, response, "key " + std::to_string(i), std::string(16'000, 'x'));
    ASSERT_TRUE(status.ok()) << i << ": " << status.error_message();
  }
  for (const int socket : idle) ::close(socket);
  ServesAsBefore(daemon, address, first.id());
}

TEST_F(DaemonTest, RefusesConnectionsBeforeItLacksFileDescriptors) {
  Daemon daemon(Arguments({"--set", "limits.connections=2", "--set", "limits.connections_per_address=2"}));
  const std::string address = daemon.Ready("grpc");
  ASSERT_FALSE(address.empty()) << daemon.output;
  std::vector<std::shared_ptr<grpc::Channel>> open;
  for (int i = 0; i < 2; ++i) {
    open.push_back(Channel(address));
    ASSERT_TRUE(open.back()->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(60)));
  }
  EXPECT_FALSE(Connects(address, 1'000));
  EXPECT_THAT(Scrape(daemon.Ready("metrics")), HasSubstr("smsflow_connections 2"));
  open.pop_back();
  EXPECT_TRUE(Connects(address, 60'000));
}

// Each connection is as complete as one of HTTP/2 can be: only that nobody ever calls.
TEST_F(DaemonTest, OneAddressWithoutACredentialShutsNobodyOut) {
  Daemon daemon(Arguments({"--set", "limits.connections=20"}));
  const std::string address = daemon.Ready("grpc");
  ASSERT_FALSE(address.empty()) << daemon.output;
  std::vector<Http2Client> idle;
  for (int i = 0; i < 10; ++i) {
    idle.emplace_back(address, INADDR_LOOPBACK + 1);
    ASSERT_TRUE(idle.back().Greet()) << i;
  }
  for (int i = 0; i < 30; ++i) EXPECT_TRUE(Http2Client(address, INADDR_LOOPBACK + 1).IsClosed()) << i;
  v1::ScheduleResponse first;
  ASSERT_TRUE(Schedule(address, first).ok());
  EXPECT_THAT(Scrape(daemon.Ready("metrics")), HasSubstr("smsflow_connections_refused_total 30"));
  EXPECT_TRUE(idle.back().IsHeard()) << "the others stay";
  ServesAsBefore(daemon, address, first.id());
}

TEST_F(DaemonTest, WhatOneAddressMayHaveIsSaidByTheConfiguration) {
  Daemon daemon(Arguments({"--set", "limits.connections=20", "--set", "limits.connections_per_address=2"}));
  const std::string address = daemon.Ready("grpc");
  ASSERT_FALSE(address.empty()) << daemon.output;
  std::vector<Http2Client> idle;
  for (int i = 0; i < 2; ++i) {
    idle.emplace_back(address, INADDR_LOOPBACK + 1);
    ASSERT_TRUE(idle.back().Greet()) << i;
  }
  EXPECT_TRUE(Http2Client(address, INADDR_LOOPBACK + 1).IsClosed());
  EXPECT_TRUE(Http2Client(address).Greet());
}

TEST_F(DaemonTest, OneAddressDoesNotTakeAllOfRest) {
  Daemon daemon(Arguments({"--set", "listen.rest=127.0.0.1:0", "--set", "rest.connections_per_address=2"}));
  const std::string address = daemon.Ready("rest");
  ASSERT_FALSE(address.empty()) << daemon.output;
  std::vector<Http2Client> idle;  // that say nothing at all
  for (int i = 0; i < 2; ++i) idle.emplace_back(address, INADDR_LOOPBACK + 1);
  EXPECT_TRUE(Http2Client(address, INADDR_LOOPBACK + 1).IsClosed());
  Http2Client other(address);
  EXPECT_TRUE(other.Say("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_TRUE(other.IsClosed());
  EXPECT_FALSE(idle.back().IsClosed(0));
  EXPECT_THAT(Scrape(daemon.Ready("metrics")), HasSubstr("smsflow_rest_connections_refused_total 1\n"));
}

// "Rapid reset": what was reset is no open stream, and yet lasts until the server has seen it.
TEST_F(DaemonTest, ResettingCallsWithoutEndTakesNeitherTheMemoryNorTheTimeOfOthers) {
  Daemon daemon(Arguments());
  const std::string address = daemon.Ready("grpc");
  ASSERT_FALSE(address.empty()) << daemon.output;
  v1::ScheduleResponse first;
  ASSERT_TRUE(Schedule(address, first).ok());
  [[maybe_unused]] const std::size_t before_mb = daemon.MemoryMb("VmRSS");
  std::atomic<bool> over{false};
  std::thread other([&] {
    while (!over) {
      v1::ScheduleResponse again;
      const auto since = std::chrono::steady_clock::now();
      EXPECT_TRUE(Schedule(address, again).ok());
      EXPECT_LT(crash::SinceMs(since), crash::Patient(5'000));
    }
  });
  constexpr int kCalls = 100'000;
  EXPECT_LT(Flood(address, kCalls), kCalls) << "the connection goes on";
  for (int said = 0; said < kCalls;) said += Flood(address, kCalls - said);
  over = true;
  other.join();
  EXPECT_THAT(Scrape(daemon.Ready("metrics")), Not(HasSubstr("smsflow_connections_flooding_total 0\n")));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // which keep what is freed
  EXPECT_LT(daemon.MemoryMb("VmHWM"), before_mb + 128);
#endif
  ServesAsBefore(daemon, address, first.id());
  const std::string told = "a client resets calls faster than they can be ended";
  const std::size_t at = daemon.output.find(told);
  ASSERT_NE(at, std::string::npos) << daemon.output;
  EXPECT_EQ(daemon.output.find(told, at + 1), std::string::npos) << daemon.output;
}

// Protobuf would write lines of its own beside ours, of what strangers send.
TEST_F(DaemonTest, WhatCannotBeReadIsNotSaidBesideTheLog) {
  Daemon daemon(Arguments({"--set", "log.format=json"}));
  const std::string address = daemon.Ready("grpc");
  ASSERT_FALSE(address.empty()) << daemon.output;
  const auto stub = v1::Scheduler::NewStub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
  context.AddMetadata("authorization", "Bearer token");
  v1::ScheduleRequest request;
  request.set_target("\xc3\x28");
  v1::ScheduleResponse response;
  const grpc::Status status = stub->Schedule(&context, request, &response);
  EXPECT_EQ(status.error_message(), "target: must be UTF-8");
  daemon.Signal(SIGTERM);
  EXPECT_EQ(daemon.End(), kExitOk);
  EXPECT_THAT(daemon.output, Not(HasSubstr("libprotobuf")));
  EXPECT_THAT(daemon.output, Not(HasSubstr("invalid UTF-8")));
}

TEST_F(DaemonTest, TheSecondOnAFolderEndsWithOneLine) {
  Daemon daemon(Arguments());
  ASSERT_FALSE(daemon.Ready("grpc").empty()) << daemon.output;
  Daemon second(Arguments());
  EXPECT_EQ(second.End(), kExitConfig);
  EXPECT_THAT(second.output, HasSubstr(folder_ + "/data"));
  EXPECT_EQ(std::count(second.output.begin(), second.output.end(), '\n'), 1) << second.output;
}

TEST_F(DaemonTest, MistakesInTheConfigurationEndItWithALineEach) {
  Daemon daemon(Arguments({"--set", "shards=0", "--set", "no.such=1"}));
  EXPECT_EQ(daemon.End(), kExitConfig);
  EXPECT_EQ(daemon.output,
            "smsflowd: flag --set: shards must be a whole number from 1 to 4096\n"
            "smsflowd: flag --set: unknown key no.such\n");
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/data"));
  Daemon flag({"--frobnicate"});
  EXPECT_EQ(flag.End(), kExitUsage);
}

TEST_F(DaemonTest, PrintsTheConfigurationInEffect) {
  Daemon daemon(Arguments({"--print-config", "--log-level", "warn"}));
  EXPECT_EQ(daemon.End(), kExitOk);
  EXPECT_THAT(daemon.output, HasSubstr("level = \"warn\"  # flag --log-level"));
  EXPECT_THAT(daemon.output, HasSubstr("sha256 = \"***\""));
}

TEST_F(DaemonTest, NotSyncingIsSaidLoudly) {
  Daemon daemon(Arguments({"--no-sync"}));
  ASSERT_FALSE(daemon.Ready("grpc").empty());
  EXPECT_THAT(daemon.output, HasSubstr("DANGER: --no-sync"));
}

TEST_F(DaemonTest, LogsAsJson) {
  Daemon daemon(Arguments({"--log-format", "json"}));
  ASSERT_FALSE(daemon.Ready("grpc").empty());
  daemon.Signal(SIGTERM);
  EXPECT_EQ(daemon.End(), kExitOk);
  EXPECT_THAT(daemon.output, HasSubstr("\",\"level\":\"info\",\"message\":\"stopping\",\"by\":\"SIGTERM\"}\n"));
}

}  // namespace
}  // namespace smsflow::server
