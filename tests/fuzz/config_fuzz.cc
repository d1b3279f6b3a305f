// The configuration, from a file, the environment and flags: errors are lines, and what was taken means the same when
// it is printed and read again.
#include <algorithm>
#include <string>

#include "server/config.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/memory_file.h"

namespace server = smsflow::server;
using smsflow::fuzz::Require;

namespace {

// Without the origins, which stand behind each value.
std::string Values(const server::LoadedConfig& loaded) {
  std::string values;
  const std::string printed = server::PrintConfig(loaded);
  for (std::size_t at = 0; at < printed.size();) {
    const std::size_t end = printed.find('\n', at);
    Require(end != std::string::npos, "it ends with a line");
    const std::string line = printed.substr(at, end - at);
    values += line.substr(0, line.rfind("  # ")) + '\n';
    at = end + 1;
  }
  return values;
}

// What is printed is a configuration, but for what is secret: digests of tokens, which must differ.
void ReadAgain(const server::LoadedConfig& loaded) {
  constexpr std::string_view kHidden = "sha256 = \"***\"";
  const std::string values = Values(loaded);
  std::string text;
  std::size_t at = 0, token = 0x1000;
  for (std::size_t found; (found = values.find(kHidden, at)) != std::string::npos; at = found + kHidden.size()) {
    text += values.substr(at, found - at) + "sha256 = \"";
    for (int i = 0; i < 16; ++i) text += std::to_string(token);
    text += '"';
    ++token;
  }
  text += values.substr(at);
  static const smsflow::fuzz::MemoryFile file("printed.toml");
  file.Hold(text);
  server::ConfigSources sources;
  sources.file = file.path();
  const server::LoadedConfig again = server::LoadConfig(sources);
  if (!again.ok()) std::fprintf(stderr, "%s\n%s\n", again.errors.front().c_str(), text.c_str());
  Require(again.ok(), "what is printed can be read");
  if (Values(again) != values) std::fprintf(stderr, "%s---\n%s\n", values.c_str(), Values(again).c_str());
  Require(Values(again) == values, "and means the same");
}

std::size_t LongestNumber(std::string_view text) {
  std::size_t longest = 0, digits = 0;
  for (const char c : text) {
    digits = c >= '0' && c <= '9' ? digits + 1 : 0;
    longest = std::max(longest, digits);
  }
  return longest;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const smsflow::fuzz::MemoryFile file("smsflowd.toml");
  const std::string_view text = smsflow::fuzz::View(data, size);
  file.Hold(text);
  server::ConfigSources sources;
  sources.file = file.path();
  const auto line = text.substr(0, text.find('\n'));
  if (const auto equals = line.find('='); equals != std::string_view::npos)
    sources.environment.emplace_back("SMSFLOW_" + std::string(line.substr(0, equals)),
                                     std::string(line.substr(equals + 1)));
  // Else nearly all would be refused for want of a way to listen.
  if (text.find("tls") == std::string_view::npos)
    sources.flags.push_back({{"listen", "plaintext"}, true, false, "flag --plaintext"});
  const server::LoadedConfig loaded = server::LoadConfig(sources);
  for (const std::string& error : loaded.errors) {
    Require(!error.empty() && error.find('\n') == std::string::npos, "an error is one line");
    const std::size_t broken = error.find(": not TOML: ");
    if (broken == std::string::npos) continue;
    const bool repeats = LongestNumber(error.substr(broken)) >= 6;
    if (repeats) std::fprintf(stderr, "%s\n", error.c_str());
    Require(!repeats, "and repeats no value of a file that cannot be read");
  }
  if (loaded.ok()) ReadAgain(loaded);
  return 0;
}
