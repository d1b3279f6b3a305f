// The file of SMSCs: what is wrong is told in lines that name the file, and what was taken can be spoken to.
#include <string>

#include "gateway/smsc_config.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/lines.h"

using smsflow::fuzz::Require;
namespace gateway = smsflow::gateway;

namespace {

// Files are as long as their names say, or cannot be read.
absl::StatusOr<std::string> ReadNamed(const std::string& file, bool secret) {
  if (file.starts_with("no")) return absl::FailedPreconditionError("cannot be read");
  return secret ? file + "\n" : "PEM of " + file;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto read = gateway::ReadSmscConfig(smsflow::fuzz::View(data, size), "f", ReadNamed);
  if (!read.ok()) {
    smsflow::fuzz::RequireLines(read.status().message(), "f:");
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
