#include "logging/bound_at_start.h"

#include <limits.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace smsflow {
namespace {

constexpr char kVariable[] = "LD_BIND_NOW";

std::string Why(int error) {
  return "functions are bound at their first call, which may leave parts of texts on a stack: the program could not be "
         "started anew: " +
         std::generic_category().message(error);
}

}  // namespace

std::string BindAtStart(char** argv) {
  // Of a program with more rights than its caller the loader may pass over the variable, or take it away each time
  // anew.
  if (::getauxval(AT_SECURE) != 0) return Why(EPERM);
  const char* value = std::getenv(kVariable);  // NOLINT(concurrency-mt-unsafe): there is no other thread
  if (value != nullptr && *value != '\0') return {};
  // The loader itself was started, with this program as its argument, and is what /proc/self/exe names.
  if (::getauxval(AT_BASE) == 0) return Why(ENOEXEC);
  // By its own name and not by the link's, which would be the name of the process.
  std::array<char, PATH_MAX> program{};
  if (::readlink("/proc/self/exe", program.data(), program.size() - 1) < 0) return Why(errno);
  if (::setenv(kVariable, "1", 1) != 0) return Why(errno);  // NOLINT(concurrency-mt-unsafe): likewise
  ::execv(program.data(), argv);
  return Why(errno);
}

}  // namespace smsflow
