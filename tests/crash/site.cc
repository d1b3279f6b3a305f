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

std::uintmax_t SizeOf(const std::string& file) {
  std::error_code none;
  const std::uintmax_t size = std::filesystem::file_size(file, none);
  return none ? 0 : size;
}

bool Says(const std::string& log, std::uintmax_t from, const std::string& words) {
  std::ifstream in(log);
  in.seekg(static_cast<std::streamoff>(from));
  const std::string said{std::istreambuf_iterator<char>(in), {}};
  return said.find(words) != std::string::npos;
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
  engine_log_from_ = SizeOf(log);
  std::vector<std::string> command;
  if (how.address_space_bytes != 0)
    command = {"/usr/bin/prlimit", "--as=" + std::to_string(how.address_space_bytes), "--core=0"};
  command.insert(command.end(), {"/usr/bin/env", "CRASHFS_FREE=" + File("free")});
  command.insert(command.end(), how.environment.begin(), how.environment.end());
  command.insert(command.end(), {options_.engine, "--config", File("smsflowd.toml")});
  if (options_.no_sync) command.push_back("--no-sync");
  engine.Start(command, log);
}

std::vector<std::string> Site::CallFault(const std::string& order, const std::string& folder) const {
  return {"LD_PRELOAD=" + options_.tests + "/libcall_faults.so", "CALL_FAULT=" + order,
          "CALL_FAULT_UNDER=" + File(folder + "/")};
}
EngineStart Site::WithCallFault(const std::string& order) const { return {CallFault(order, "data"), 0}; }
std::vector<std::string> Site::GatewayWithCallFault(const std::string& order) const {
  return CallFault(order, "gateway");
}
EngineStart Site::WithLittleMemory(std::uint64_t bytes) const {
  return {{"LD_PRELOAD=" + options_.tests + "/libcall_faults.so", "CALL_FAULT_MEMORY=1"}, bytes};
}
EngineStart Site::WithTurnedClock() const {
  return {{"LD_PRELOAD=" + options_.tests + "/libcall_faults.so", "CALL_FAULT_CLOCK=" + File("clock")}, 0};
}

bool Site::EngineSaid(const std::string& words) const { return Says(File("engine.log"), engine_log_from_, words); }
bool Site::GatewaySaid(const std::string& words) const { return Says(File("gateway.log"), gateway_log_from_, words); }

void Site::StartGateway(const std::vector<std::string>& environment) {
  gateway_log_from_ = SizeOf(File("gateway.log"));
  std::string served;
  for (const std::string& tenant : kTenants) {
    if (IsServed(tenant)) served += (served.empty() ? "" : ",") + tenant;
  }
  std::vector<std::string> command{"/usr/bin/env"};
  command.insert(command.end(), environment.begin(), environment.end());
  command.insert(command.end(),
                 {options_.bin + "/smsflow-gateway", "--loopback", "--gateway", "g1", "--tenants", served, "--store",
                  File("gateway"), "--key", File("gateway.pem"), "--truth", File("truth"), "--credit",
                  std::to_string(options_.credit), "--normal-delay-ms", "30", "--long-delay-ms", "100"});
  if (options_.brokers.empty()) {
    command.insert(command.end(), {"--engine", address(), "--token", TokenOf("gateway")});
  } else {
    command.insert(command.end(), {"--kafka", options_.brokers, "--kafka-property", "reconnect.backoff.max.ms=500"});
    if (options_.old_engine) command.push_back("--old-engine");
  }
  gateway.Start(command, File("gateway.log"));
}

Finished Site::Verify() const {
  return Run({options_.bin + "/smsflow", "db", "verify", "--data", File("data")}, File("verify.log"),
             std::chrono::seconds(120));
}

}  // namespace smsflow::crash
