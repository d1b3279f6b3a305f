// The file of SMSCs: what is wrong is told in lines that name the file, and what was taken can be spoken to.
#include <algorithm>
#include <string>

#include "gateway/smsc_config.h"
#include "tests/fuzz/fuzz.h"

using smsflow::fuzz::Require;
namespace gateway = smsflow::gateway;

namespace {

// Files are as long as their names say, or cannot be read.
absl::StatusOr<std::string> ReadNamed(const std::string& file, bool secret) {
  if (file.starts_with("no")) return absl::FailedPreconditionError("cannot be read");
  return secret ? file + "\n" : "PEM of " + file;
}

void RequireLines(std::string_view message) {
  for (std::size_t at = 0; at <= message.size();) {
    const std::size_t end = std::min(message.find('\n', at), message.size());
    const std::string_view line = message.substr(at, end - at);
    Require(line.starts_with("f: "), "a line names the file");
    Require(std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c <= '~'; }), "and can be shown");
    at = end + 1;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto read = gateway::ReadSmscConfig(smsflow::fuzz::View(data, size), "f", ReadNamed);
  if (!read.ok()) {
    RequireLines(std::string(read.status().message()));
    return 0;
  }
  Require(!read->empty() && read->size() <= 100, "there are connections, and not too many");
  for (const gateway::SmscOptions& smsc : *read) {
    Require(smsflow::smpp::Session::CheckOptions(smsc.link.session).ok(), "a session can be had with it");
    Require(!smsc.name.empty() && !smsc.account.empty() && !smsc.link.host.empty(), "it has a name and a place");
    Require(smsc.source.size() <= 20 && smsc.service_type.size() <= 5, "its texts fit their fields");
  }
  return 0;
}
