#include "tools/bench/server_process.h"

#include <fcntl.h>
#include <grpcpp/grpcpp.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <thread>

#include "absl/strings/escaping.h"
#include "crypto/hash.h"
#include "smsflow/v1/admin.grpc.pb.h"
#include "tools/bench/part.h"
#include "tools/bench/sms_source.h"

namespace smsflow::bench {
namespace {

constexpr double kReadyWithinSeconds = 120;
constexpr double kStopWithinSeconds = 30;
constexpr auto kFiguresWithin = std::chrono::milliseconds(600);  // the engine copies its own that often, when idle
// Names of roles, not secrets: the process listens on loopback, for as long as the benchmark runs.
constexpr const char* kClient = "bench-client";
constexpr const char* kGateway = "bench-gateway";
constexpr const char* kAdmin = "bench-admin";

std::string KeyOf(const std::string& token, const std::string& role) {
  return "[[key]]\nname = \"" + token + "\"\nsha256 = \"" +
         absl::BytesToHexString(std::string(crypto::AsView(crypto::Sha256(token)))) + "\"\nrole = \"" + role + "\"\n" +
         (role == "admin" ? std::string() : "tenants = [\"" + std::string(kTenant) + "\"]\n");
}

void WriteConfiguration(const std::string& path, const ServerOptions& options) {
  std::ofstream file(path);
  file << "data = \"" << options.folder << "/data\"\n"
       << "[listen]\ngrpc = \"127.0.0.1:0\"\nrest = \"127.0.0.1:0\"\nplaintext = true\nmetrics = \"\"\n"
       << "[engine]\npartitions = " << options.partitions << "\nfire_budget = " << options.fire_budget_per_s
       << "\nballast = \"1MB\"\n"
       << "[delivery]\nmax_jitter = \"0s\"\n"
       << "[log]\nlevel = \"warn\"\n"
       << options.more << KeyOf(kClient, "client") << KeyOf(kGateway, "gateway") << KeyOf(kAdmin, "admin");
}

}  // namespace

const char* ServerProcess::client_token() { return kClient; }
const char* ServerProcess::gateway_token() { return kGateway; }

absl::StatusOr<std::unique_ptr<ServerProcess>> ServerProcess::Start(const ServerOptions& options) {
  std::unique_ptr<ServerProcess> process(new ServerProcess());
  if (absl::Status status = process->Launch(options); !status.ok()) return status;
  return process;
}

absl::Status ServerProcess::Launch(const ServerOptions& options) {
  const std::string program = (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "smsflowd").string();
  if (!std::filesystem::exists(program))
    return absl::NotFoundError("smsflowd is not beside this program; build it first");
  const std::string config = options.folder + "/smsflowd.toml";
  WriteConfiguration(config, options);
  std::array<int, 2> output{};
  if (::pipe2(output.data(), O_CLOEXEC) != 0) return absl::InternalError("cannot make a pipe");
  started_ = Now();
  pid_ = ::fork();
  if (pid_ == 0) {
    ::dup2(output[1], STDOUT_FILENO);
    ::execl(program.c_str(), program.c_str(), "--config", config.c_str(), static_cast<char*>(nullptr));
    ::_exit(127);
  }
  ::close(output[1]);
  if (pid_ < 0) return absl::InternalError("cannot start smsflowd");
  absl::Status status = AwaitReady(output[0]);
  ready_s_ = Now() - started_;
  ::close(output[0]);
  return status;
}

// "smsflowd ready grpc=127.0.0.1:41873 …"
absl::Status ServerProcess::AwaitReady(int output) {
  std::string line;
  const double end = Now() + kReadyWithinSeconds;
  while (line.find('\n') == std::string::npos) {
    pollfd readable{output, POLLIN, 0};
    const int left_ms = static_cast<int>((end - Now()) * 1000);
    if (left_ms <= 0 || ::poll(&readable, 1, left_ms) <= 0)
      return absl::DeadlineExceededError("smsflowd was not ready in time");
    std::array<char, 512> bytes{};
    const ssize_t count = ::read(output, bytes.data(), bytes.size());
    if (count <= 0) return absl::InternalError("smsflowd ended before it was ready");
    line.append(bytes.data(), static_cast<std::size_t>(count));
  }
  for (const auto& [word, address] : {std::pair("grpc=", &address_), std::pair("rest=", &rest_address_)}) {
    const std::size_t at = line.find(word);
    if (at == std::string::npos) return absl::InternalError("smsflowd did not say where it listens");
    *address = line.substr(at + 5, line.find_first_of(" \n", at) - at - 5);
  }
  return absl::OkStatus();
}

ServerProcess::~ServerProcess() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGTERM);
  if (Wait(kStopWithinSeconds) < 0) Kill();
}

absl::Status ServerProcess::Stop() {
  ::kill(pid_, SIGTERM);
  const int code = Wait(kStopWithinSeconds);
  if (code == 0) return absl::OkStatus();
  if (code < 0) Kill();
  return absl::InternalError("smsflowd did not stop as it should");
}

void ServerProcess::Kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  int ignored = 0;
  ::waitpid(pid_, &ignored, 0);
  pid_ = 0;
}

int ServerProcess::Wait(double seconds) {
  const double end = Now() + seconds;
  while (Now() < end) {
    int state = 0;
    if (::waitpid(pid_, &state, WNOHANG) == pid_) {
      pid_ = 0;
      return WIFEXITED(state) ? WEXITSTATUS(state) : 128;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return -1;
}

double ServerProcess::cpu_s() const {
  clockid_t clock{};
  timespec used{};
  if (::clock_getcpuclockid(pid_, &clock) != 0 || ::clock_gettime(clock, &used) != 0) return 0;
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

double ServerProcess::rss_mb() const {
  std::ifstream statm("/proc/" + std::to_string(pid_) + "/statm");
  std::uint64_t size = 0, resident = 0;
  statm >> size >> resident;
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
}

absl::StatusOr<std::map<std::string, double>> ServerProcess::Stats() const {
  std::this_thread::sleep_for(kFiguresWithin);
  const auto stub = v1::Admin::NewStub(grpc::CreateChannel(address_, grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  context.AddMetadata("authorization", std::string("Bearer ") + kAdmin);
  v1::StatsResponse response;
  const grpc::Status status = stub->Stats(&context, {}, &response);
  if (!status.ok()) return absl::InternalError("Admin.Stats: " + status.error_message());
  std::map<std::string, double> items;
  for (const auto& item : response.items()) items[item.name()] = item.value();
  return items;
}

}  // namespace smsflow::bench
