#include "logging/starved.h"

#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>
#include <exception>
#include <new>
#include <string_view>
#include <system_error>

namespace smsflow {
namespace {

constexpr std::string_view kLine = ": out of memory or threads: the system refused more; ending at once\n";

std::string_view program_name;
int exit_code;
std::terminate_handler others;

// An allocation, or a thread that has no room for its stack.
bool IsStarved() {
  if (std::current_exception() == nullptr) return false;
  try {
    throw;
  } catch (const std::bad_array_new_length&) {
    return false;  // a size that cannot be is a mistake of whoever asked
  } catch (const std::bad_alloc&) {
    return true;
  } catch (const std::system_error& error) {
    return error.code() == std::errc::resource_unavailable_try_again || error.code() == std::errc::not_enough_memory;
  } catch (...) {
    return false;
  }
}

[[noreturn]] void Terminate() {
  if (IsStarved()) {
    // Several threads may starve at once; one of them says so.
    static std::atomic_flag said;
    while (said.test_and_set()) ::pause();
    const std::array<iovec, 2> parts{{{const_cast<char*>(program_name.data()), program_name.size()},
                                      {const_cast<char*>(kLine.data()), kLine.size()}}};
    [[maybe_unused]] const auto written = ::writev(STDERR_FILENO, parts.data(), static_cast<int>(parts.size()));
    ::_exit(exit_code);
  }
  others();
  __builtin_trap();  // a handler does not return
}

}  // namespace

void EndWhenStarved(const char* program, int code) {
  program_name = program;
  exit_code = code;
  others = std::set_terminate(Terminate);
}

}  // namespace smsflow
