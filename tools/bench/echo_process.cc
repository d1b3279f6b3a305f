#include "tools/bench/echo_process.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <iostream>

#include "tools/bench/echo_server.h"
#include "tools/bench/rest_echo.h"

namespace smsflow::bench {

absl::StatusOr<std::unique_ptr<EchoProcess>> EchoProcess::Start(EchoKind kind) {
  std::array<int, 2> input{}, output{};
  if (::pipe2(input.data(), O_CLOEXEC) != 0) return absl::InternalError("cannot make a pipe");
  if (::pipe2(output.data(), O_CLOEXEC) != 0) {
    for (const int end : input) ::close(end);
    return absl::InternalError("cannot make a pipe");
  }
  std::unique_ptr<EchoProcess> process(new EchoProcess());
  process->input_ = input[1];
  const char* const flag = kind == EchoKind::kHandOver ? kHandOverFlag : kind == EchoKind::kRest ? kRestFlag : nullptr;
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  process->pid_ = ::fork();
  if (process->pid_ == 0) {
    ::dup2(input[0], STDIN_FILENO);
    ::dup2(output[1], STDOUT_FILENO);
    ::execl(self.c_str(), "smsflow-bench", kEchoFlag, flag, static_cast<char*>(nullptr));
    ::_exit(127);
  }
  ::close(input[0]);
  ::close(output[1]);
  char byte = 0;
  while (::read(output[0], &byte, 1) == 1 && byte != '\n') process->address_.push_back(byte);
  ::close(output[0]);
  if (byte != '\n') return absl::InternalError("the bare echo cannot listen on the loopback");
  return process;
}

EchoProcess::~EchoProcess() {
  if (input_ >= 0) ::close(input_);
  int ignored = 0;
  if (pid_ > 0) ::waitpid(pid_, &ignored, 0);
}

namespace {

template <class Server>
int ServeUntilClosed(const std::unique_ptr<Server>& server) {
  if (server == nullptr) return 1;
  std::cout << server->address() << std::endl;
  char byte = 0;
  while (::read(STDIN_FILENO, &byte, 1) > 0) continue;
  return 0;
}

}  // namespace

int ServeEcho(EchoKind kind) {
  if (kind == EchoKind::kRest) return ServeUntilClosed(RestEcho::Start());
  return ServeUntilClosed(EchoServer::Start(kind == EchoKind::kHandOver));
}

}  // namespace smsflow::bench
