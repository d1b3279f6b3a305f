// The configuration, from a file, the environment and flags: errors are lines, and what was taken can be printed.
#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "server/config.h"
#include "tests/fuzz/fuzz.h"

namespace server = smsflow::server;
using smsflow::fuzz::Require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const int file = ::memfd_create("smsflowd.toml", 0);
  Require(::ftruncate(file, 0) == 0 && ::pwrite(file, data, size, 0) == static_cast<ssize_t>(size),
          "memory for the file");
  server::ConfigSources sources;
  sources.file = "/proc/self/fd/" + std::to_string(file);
  const std::string_view text = smsflow::fuzz::View(data, size);
  const auto line = text.substr(0, text.find('\n'));
  if (const auto equals = line.find('='); equals != std::string_view::npos)
    sources.environment.emplace_back("SMSFLOW_" + std::string(line.substr(0, equals)),
                                     std::string(line.substr(equals + 1)));
  const server::LoadedConfig loaded = server::LoadConfig(sources);
  for (const std::string& error : loaded.errors)
    Require(!error.empty() && error.find('\n') == std::string::npos, "an error is one line");
  if (loaded.ok()) Require(!server::PrintConfig(loaded).empty(), "what was taken can be printed");
  return 0;
}
