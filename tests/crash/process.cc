#include "tests/crash/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <thread>

namespace smsflow::crash {

Process::~Process() { Kill(); }

void Process::Start(const std::vector<std::string>& command, const std::string& log) {
  std::vector<char*> arguments;
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  status_.reset();
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ < 0) {
    std::perror("fork");
    std::exit(2);
  }
  if (pid_ > 0) return;
  // From here to exec only what a forked child of many threads may call.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  const int file = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  const int null = open("/dev/null", O_RDONLY);
  dup2(null, 0);
  dup2(file, 1);
  dup2(file, 2);
  execv(arguments[0], arguments.data());
  _exit(127);
}

bool Process::running() { return pid_ > 0 && !Await(std::chrono::milliseconds(0)).has_value(); }

void Process::Signal(int signal) const {
  if (pid_ > 0 && !status_.has_value()) kill(pid_, signal);
}

void Process::Kill() {
  if (pid_ <= 0 || status_.has_value()) return;
  kill(pid_, SIGKILL);
  Await(std::chrono::seconds(60));
}

std::optional<int> Process::Await(std::chrono::milliseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (pid_ > 0 && !status_.has_value()) {
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == pid_) {
      status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      break;
    }
    if (std::chrono::steady_clock::now() >= until) return std::nullopt;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return status_;
}

Finished Run(const std::vector<std::string>& command, const std::string& log, std::chrono::milliseconds patience) {
  std::ofstream(log, std::ios::trunc).close();
  Process process;
  process.Start(command, log);
  const auto code = process.Await(patience);
  process.Kill();
  return {code.value_or(124), Tail(log, 20)};
}

std::string Tail(const std::string& file, std::size_t lines) {
  std::ifstream in(file);
  std::deque<std::string> last;
  for (std::string line; std::getline(in, line);) {
    last.push_back(line);
    if (last.size() > lines) last.pop_front();
  }
  std::string all;
  for (const std::string& line : last) all += "  " + line + "\n";
  return all;
}

}  // namespace smsflow::crash
