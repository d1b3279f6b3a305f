#include "tools/bench/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <sstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tools/bench/part.h"

namespace smsflow::bench {
namespace {

constexpr double kEndWithinSeconds = 5;

[[noreturn]] void Become(const std::vector<std::string>& arguments, int output) {
  std::vector<char*> words;
  for (const std::string& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::execvp(words[0], words.data());
  ::_exit(127);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Child>> Child::Start(const std::vector<std::string>& arguments, const std::string& ready,
                                                    double within_s) {
  std::unique_ptr<Child> child(new Child());
  child->program_ = std::filesystem::path(arguments.front()).filename();
  std::array<int, 2> output{};
  if (ready.empty()) {
    output = {-1, ::open("/dev/null", O_WRONLY | O_CLOEXEC)};
  } else if (::pipe2(output.data(), O_CLOEXEC) != 0) {
    return absl::InternalError("cannot make a pipe");
  }
  child->pid_ = ::fork();
  if (child->pid_ == 0) Become(arguments, output[1]);
  ::close(output[1]);
  if (child->pid_ < 0) return absl::InternalError(absl::StrCat("cannot start ", child->program_));
  if (ready.empty()) return child;
  child->output_ = output[0];
  if (const auto status = child->AwaitReady(ready, within_s); !status.ok()) return status;
  return child;
}

absl::Status Child::AwaitReady(const std::string& ready, double within_s) {
  std::string text;
  const double end = Now() + within_s;
  while (true) {
    std::istringstream lines(text);
    while (std::getline(lines, line_)) {
      if (!lines.eof() && line_.find(ready) != std::string::npos) return absl::OkStatus();
    }
    pollfd readable{output_, POLLIN, 0};
    const int left_ms = static_cast<int>((end - Now()) * 1000);
    if (left_ms <= 0 || ::poll(&readable, 1, left_ms) <= 0)
      return absl::DeadlineExceededError(absl::StrCat(program_, " was not ready in time"));
    std::array<char, 512> bytes{};
    const ssize_t count = ::read(output_, bytes.data(), bytes.size());
    if (count <= 0) return absl::InternalError(absl::StrCat(program_, " ended before it was ready: ", text));
    text.append(bytes.data(), static_cast<std::size_t>(count));
  }
}

Child::~Child() {
  if (output_ >= 0) ::close(output_);
  if (pid_ <= 0) return;
  ::kill(pid_, SIGTERM);
  const double end = Now() + kEndWithinSeconds;
  int ignored = 0;
  while (Now() < end) {
    if (::waitpid(pid_, &ignored, WNOHANG) == pid_) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, &ignored, 0);
}

double Child::cpu_s() const {
  clockid_t clock = 0;
  timespec used{};
  if (::clock_getcpuclockid(pid_, &clock) != 0 || ::clock_gettime(clock, &used) != 0) return 0;
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

std::string BesideThis(const std::string& name) {
  const auto path = std::filesystem::read_symlink("/proc/self/exe").parent_path() / name;
  return std::filesystem::exists(path) ? path.string() : std::string();
}

std::string FindProgram(const std::string& name) {
  const char* path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  std::istringstream folders(absl::StrCat(path != nullptr ? path : "", ":/usr/sbin"));
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string program = absl::StrCat(folder, "/", name);
    if (!folder.empty() && ::access(program.c_str(), X_OK) == 0) return program;
  }
  return {};
}

}  // namespace smsflow::bench
