#include "tools/bench/smsc_process.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <fstream>

namespace smsflow::bench {
namespace {

constexpr std::size_t kReadBytes = 1 << 16;

// The value of a number or a text in a line of the truth, which is JSON without blanks.
std::string_view ValueOf(std::string_view line, std::string_view name) {
  const std::size_t at = line.find("\"" + std::string(name) + "\":");
  if (at == std::string_view::npos) return {};
  std::string_view value = line.substr(at + name.size() + 3);
  if (value.starts_with('"')) return value.substr(1, value.find('"', 1) - 1);
  return value.substr(0, value.find_first_of(",}"));
}

std::uint64_t NumberOf(std::string_view line, std::string_view name) {
  const std::string_view value = ValueOf(line, name);
  std::uint64_t number = 0;
  std::from_chars(value.data(), value.data() + value.size(), number);
  return number;
}

}  // namespace

absl::StatusOr<std::unique_ptr<SmscProcess>> SmscProcess::Start(const std::string& folder) {
  const std::string program = BesideThis("smsflow-smsc");
  if (program.empty()) return absl::NotFoundError("smsflow-smsc is not beside this program; build it first");
  const std::string script = folder + "/smsc.toml", truth = folder + "/truth";
  std::ofstream(script) << "[receipt]\ndelay_ms = 0\n[limits]\nwindow = " << kSmppWindow
                        << "\nidle_ms = 86400000\nwaiting = 10000000\n";
  std::unique_ptr<SmscProcess> process(new SmscProcess());
  auto child = Child::Start({program, "--listen", "127.0.0.1:0", "--script", script, "--truth", truth}, "port ");
  if (!child.ok()) return child.status();
  process->child_ = std::move(*child);
  const std::string& line = process->child_->ready_line();
  const std::size_t at = line.find("port ") + 5;
  std::from_chars(line.data() + at, line.data() + line.size(), process->port_);
  process->truth_ = ::open(truth.c_str(), O_RDONLY | O_CLOEXEC);
  if (process->truth_ < 0 || process->port_ == 0) return absl::InternalError("the SMSC does not say where it is");
  return process;
}

SmscProcess::~SmscProcess() {
  if (truth_ >= 0) ::close(truth_);
}

SmscSaw& SmscProcess::Read(const std::string& system_id) {
  std::array<char, kReadBytes> bytes{};
  for (ssize_t count = 0; (count = ::read(truth_, bytes.data(), bytes.size())) > 0;) {
    rest_.append(bytes.data(), static_cast<std::size_t>(count));
    std::size_t at = 0;
    for (std::size_t end = 0; (end = rest_.find('\n', at)) != std::string::npos; at = end + 1) {
      Take(std::string_view(rest_).substr(at, end - at));
    }
    rest_.erase(0, at);
  }
  return saw_[system_id];
}

void SmscProcess::Take(std::string_view line) {
  const std::string_view event = ValueOf(line, "event");
  const std::uint64_t connection = NumberOf(line, "connection");
  const auto at_ms = static_cast<std::int64_t>(NumberOf(line, "at_ms"));
  if (event == "bind") {
    clients_[connection] = std::string(ValueOf(line, "system_id"));
  } else if (event == "submit") {
    SmscSaw& saw = saw_[clients_[connection]];
    if (saw.submits++ == 0) saw.first_submit_ms = at_ms;
  } else if (event == "delivered") {
    SmscSaw& saw = saw_[clients_[connection]];
    ++saw.receipts;
    saw.last_receipt_ms = at_ms;
  }
}

}  // namespace smsflow::bench
