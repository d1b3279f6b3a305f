#include "tests/crash/site.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/escaping.h"
#include "crypto/hash.h"
#include "tests/crash/own_kafka.h"

namespace smsflow::crash {
namespace {

std::string KeyEntry(const std::string& who, const std::string& role, const std::string& tenants) {
  const auto digest = crypto::Sha256(TokenOf(who));
  return "[[key]]\nname = \"" + who + "\"\nrole = \"" + role + "\"\ntenants = [" + tenants + "]\nsha256 = \"" +
         absl::BytesToHexString(std::string(crypto::AsView(digest))) + "\"\n\n";
}

}  // namespace

// Good for this folder and this run alone.
std::string TokenOf(const std::string& who) { return "crash-test-token-of-" + who; }

Site::Site(SiteOptions options)
    : options_(std::move(options)), key_(crypto::PrivateKey::Generate(crypto::KeyKind::kP256)) {
  WriteConfig();
  std::ofstream(File("gateway.pem")) << key_.ToPem().Reveal();
  chmod(File("gateway.pem").c_str(), 0600);
}

// Everything quick, so that a life ends within the run; small memtables, so that kills meet flushes and compactions.
void Site::WriteConfig() const {
  std::ofstream out(File("smsflowd.toml"));
  out << "data = \"" << File("data") << "\"\nshards = 8\n\n"
      << "[listen]\ngrpc = \"" << address() << "\"\nmetrics = \"\"\nplaintext = true\n\n"
      << "[engine]\nballast = \"1MB\"\nmemtable = \"1MB\"\npartitions = 2\n\n"
      << "[delivery]\nwait_after_fail = \"300ms\"\nmax_attempts = 3\nack_send_timeout = \"4s\"\n"
      << "ack_receipt_timeout = \"2s\"\nmax_jitter = \"0ms\"\nprobe = \"1s\"\n\n";
  if (!options_.brokers.empty()) {
    out << "[kafka]\nservers = \"" << options_.brokers << "\"\ngroup = \"" << kKafkaGroup
        << "\"\nunsigned = true\ngateways = [\"g1\"]\nrepeat = \"1s\"\nsilence = \"10s\"\nevents = true\n\n"
        << "[kafka.properties]\n\"reconnect.backoff.max.ms\" = \"500\"\n\n";
  }
  std::string served;
  for (const std::string& tenant : kTenants) {
    out << KeyEntry(tenant, "client", "\"" + tenant + "\"");
    if (IsServed(tenant)) served += (served.empty() ? "\"" : ", \"") + tenant + "\"";
  }
  out << KeyEntry("gateway", "gateway", served) << KeyEntry("admin", "admin", "");
}

void Site::StartEngine(const EngineStart& how) {
  const std::string log = File("engine.log");
  std::error_code none;
  engine_log_from_ = std::filesystem::file_size(log, none);
  if (none) engine_log_from_ = 0;
  std::vector<std::string> command;
  if (how.address_space_bytes != 0)
    command = {"/usr/bin/prlimit", "--as=" + std::to_string(how.address_space_bytes), "--core=0"};
  command.insert(command.end(), {"/usr/bin/env", "CRASHFS_FREE=" + File("free")});
  command.insert(command.end(), how.environment.begin(), how.environment.end());
  command.insert(command.end(), {options_.engine, "--config", File("smsflowd.toml")});
  if (options_.no_sync) command.push_back("--no-sync");
  engine.Start(command, log);
}

EngineStart Site::WithCallFault(const std::string& order) const {
  return {{"LD_PRELOAD=" + options_.tests + "/libcall_faults.so", "CALL_FAULT=" + order,
           "CALL_FAULT_UNDER=" + File("data/")},
          0};
}
EngineStart Site::WithTurnedClock() const {
  return {{"LD_PRELOAD=" + options_.tests + "/libcall_faults.so", "CALL_FAULT_CLOCK=" + File("clock")}, 0};
}

bool Site::EngineSaid(const std::string& words) const {
  std::ifstream in(File("engine.log"));
  in.seekg(static_cast<std::streamoff>(engine_log_from_));
  const std::string said{std::istreambuf_iterator<char>(in), {}};
  return said.find(words) != std::string::npos;
}

void Site::StartGateway() {
  std::string served;
  for (const std::string& tenant : kTenants) {
    if (IsServed(tenant)) served += (served.empty() ? "" : ",") + tenant;
  }
  std::vector<std::string> command = {options_.bin + "/smsflow-gateway",
                                      "--loopback",
                                      "--gateway",
                                      "g1",
                                      "--tenants",
                                      served,
                                      "--store",
                                      File("gateway"),
                                      "--key",
                                      File("gateway.pem"),
                                      "--truth",
                                      File("truth"),
                                      "--credit",
                                      std::to_string(options_.credit),
                                      "--normal-delay-ms",
                                      "30",
                                      "--long-delay-ms",
                                      "100"};
  if (options_.brokers.empty()) {
    command.insert(command.end(), {"--engine", address(), "--token", TokenOf("gateway")});
  } else {
    command.insert(command.end(), {"--kafka", options_.brokers, "--kafka-property", "reconnect.backoff.max.ms=500"});
  }
  gateway.Start(command, File("gateway.log"));
}

Finished Site::Verify() const {
  return Run({options_.bin + "/smsflow", "db", "verify", "--data", File("data")}, File("verify.log"),
             std::chrono::seconds(120));
}

}  // namespace smsflow::crash
