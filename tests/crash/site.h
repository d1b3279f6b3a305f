// The site under test: a folder with the engine's configuration, keys and tokens, the engine and the gateway as
// processes of their own, and what they leave behind. Used from the main thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "crypto/keys.h"
#include "tests/crash/process.h"

namespace smsflow::crash {

struct SiteOptions {
  std::string bin;     // folder of the programs
  std::string tests;   // folder of what is preloaded
  std::string engine;  // path of the engine's program
  std::string folder;  // of everything; empty and new
  bool no_sync = false;
  std::string brokers;  // of Kafka, over which engine and gateway meet; empty: the gateway attaches
  std::uint32_t credit = 300;
  bool old_engine = false;  // the gateway serves one without attempts of its own; `smsflowd` is not started
};

// How the engine's process is to begin, when it is not as always.
struct EngineStart {
  std::vector<std::string> environment;   // NAME=VALUE, as crash_faults.h (for smsflowd-crashfs) and call_faults.cc say
  std::uint64_t address_space_bytes = 0;  // 0: as much as it likes
};

// Tenants: "clinic" and "lab" are served by the gateway, "adrift" by none.
inline const std::vector<std::string> kTenants = {"clinic", "lab", "adrift"};
inline bool IsServed(const std::string& tenant) { return tenant != "adrift"; }
std::string TokenOf(const std::string& who);

class Site {
 public:
  explicit Site(SiteOptions options);

  void StartEngine(const EngineStart& how = {});
  // Whether the engine printed that since it was last started.
  bool EngineSaid(const std::string& words) const;
  // With more environment, as call_faults.cc says.
  void StartGateway(const std::vector<std::string>& environment = {});
  bool GatewaySaid(const std::string& words) const;
  std::string address() const { return "unix:" + options_.folder + "/s"; }
  std::string File(const std::string& name) const { return options_.folder + "/" + name; }
  const crypto::PublicKey& key() const { return key_.public_key(); }
  // What a start needs to have a call to the system fail (CALL:ERROR:N), or a clock that follows File("clock").
  EngineStart WithCallFault(const std::string& order) const;
  std::vector<std::string> GatewayWithCallFault(const std::string& order) const;
  EngineStart WithTurnedClock() const;
  // A start with so much address space, which says where memory was used that was not given.
  EngineStart WithLittleMemory(std::uint64_t bytes) const;
  std::uint32_t credit() const { return options_.credit; }

  // `smsflow db verify` over the data folder; no process may have it open.
  Finished Verify() const;

  Process engine, gateway;

 private:
  void WriteConfig() const;

  const SiteOptions options_;
  std::vector<std::string> CallFault(const std::string& order, const std::string& folder) const;

  std::uintmax_t engine_log_from_ = 0, gateway_log_from_ = 0;
  const crypto::PrivateKey key_;
};

}  // namespace smsflow::crash
