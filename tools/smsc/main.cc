// smsflow-smsc: an SMSC simulator. Exit codes: 0 stopped, 64 the arguments are wrong, 75 the truth cannot be written,
// 78 the script is wrong or the address cannot be listened on.
#include <CLI/CLI.hpp>
#include <charconv>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include "tools/smsc/server.h"

namespace smsflow::smsc {
namespace {

constexpr int kExitUsage = 64;
constexpr int kExitConfig = 78;
constexpr std::size_t kFileBytesMax = 1 << 20;

struct Flags {
  std::string script, truth, tls_cert, tls_key, listen = "127.0.0.1:2775";
  std::int64_t seconds = 0;
  bool check = false, anywhere = false;
};

int Refuse(const absl::Status& why) {
  std::cerr << "smsflow-smsc: " << why.message() << '\n';
  return kExitConfig;
}

// At most 1 MiB; nothing of no file.
absl::StatusOr<std::string> ReadFile(const std::string& file) {
  if (file.empty()) return std::string();
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in.good()) return absl::InvalidArgumentError(file + ": cannot be read");
  if (text.str().size() > kFileBytesMax) return absl::InvalidArgumentError(file + ": must be at most 1 MiB");
  return text.str();
}

absl::StatusOr<Script> LoadScript(const std::string& file) {
  const auto text = ReadFile(file);
  if (!text.ok()) return text.status();
  return ReadScript(*text, file);
}

// HOST:PORT, [HOST]:PORT.
bool ReadAddress(std::string_view text, ServerOptions& options) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  std::string_view host = text.substr(0, colon), port = text.substr(colon + 1);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  options.host = std::string(host);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), options.port);
  return error == std::errc() && end == port.data() + port.size();
}

bool IsLoopback(std::string_view host) { return host.starts_with("127.") || host == "::1"; }

int Run(const Flags& flags) {
  auto script = LoadScript(flags.script);
  if (!script.ok()) return Refuse(script.status());
  ServerOptions options;
  if (!ReadAddress(flags.listen, options)) return Refuse(absl::InvalidArgumentError("listen: must be HOST:PORT"));
  const auto cert = ReadFile(flags.tls_cert), key = ReadFile(flags.tls_key);
  if (!cert.ok()) return Refuse(cert.status());
  if (!key.ok()) return Refuse(key.status());
  options.cert_pem = *cert;
  options.key_pem = *key;
  if (!IsLoopback(options.host) && !flags.anywhere) {
    return Refuse(absl::InvalidArgumentError("listen: is beyond this machine; say --anywhere if that is meant"));
  }
  if (flags.check) return 0;
  std::unique_ptr<Truth> truth = PrintedTruth();
  if (!flags.truth.empty()) {
    auto file = OpenTruth(flags.truth);
    if (!file.ok()) return Refuse(file.status());
    truth = std::move(*file);
  }
  auto server = Listen(options, std::move(*script), *truth);
  if (!server.ok()) return Refuse(server.status());
  (*server)->StopOnSignals();
  // In one piece: whoever starts it waits for this line.
  std::cerr << "smsflow-smsc: listening on port " + std::to_string((*server)->port()) + "\n" << std::flush;
  (*server)->Run(flags.seconds * 1000);
  return 0;
}

}  // namespace
}  // namespace smsflow::smsc

int main(int argc, char** argv) {
  smsflow::smsc::Flags flags;
  CLI::App app(
      "An SMSC for tests: speaks SMPP 3.4, takes every SMS, sends receipts, and injects the faults of its script.\n"
      "What it was given and what it did is told as JSON lines. Nothing is sent to anybody.",
      "smsflow-smsc");
  app.set_version_flag("--version", std::string("smsflow-smsc ") + SMSFLOW_VERSION);
  app.add_option("--script", flags.script, "TOML file that says what goes wrong when; without one nothing does");
  app.add_option("--truth", flags.truth, "append the ground truth to this file instead of standard output");
  app.add_option("--listen", flags.listen, "HOST:PORT; port 0 takes a free one and says which")->capture_default_str();
  app.add_option("--tls-cert", flags.tls_cert, "PEM file of a certificate: speak TLS; with --tls-key");
  app.add_option("--tls-key", flags.tls_key, "PEM file of its private key");
  app.add_flag("--anywhere", flags.anywhere, "allow a host that is not loopback");
  app.add_option("--seconds", flags.seconds, "stop after so many; 0: on SIGTERM or SIGINT")
      ->check(CLI::Range(0, 86'400))
      ->capture_default_str();
  app.add_flag("--check", flags.check, "only check the script");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : smsflow::smsc::kExitUsage;
  }
  return smsflow::smsc::Run(flags);
}
