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
  std::string engine;  // path of the engine's program
  std::string folder;  // of everything; empty and new
  bool no_sync = false;
  std::uint32_t credit = 300;
};

// Tenants: "clinic" and "lab" are served by the gateway, "adrift" by none.
inline const std::vector<std::string> kTenants = {"clinic", "lab", "adrift"};
inline bool IsServed(const std::string& tenant) { return tenant != "adrift"; }
std::string TokenOf(const std::string& who);

class Site {
 public:
  explicit Site(SiteOptions options);

  // `fault`: what is to go wrong below it, as crash_faults.h says; for smsflowd-crashfs alone.
  void StartEngine(const std::string& fault = "");
  // Whether the engine printed that since it was last started.
  bool EngineSaid(const std::string& words) const;
  void StartGateway();
  std::string address() const { return "unix:" + options_.folder + "/s"; }
  std::string File(const std::string& name) const { return options_.folder + "/" + name; }
  const crypto::PublicKey& key() const { return key_.public_key(); }
  std::uint32_t credit() const { return options_.credit; }

  // `smsflow db verify` over the data folder; no process may have it open.
  Finished Verify() const;

  Process engine, gateway;

 private:
  void WriteConfig() const;

  const SiteOptions options_;
  std::uintmax_t engine_log_from_ = 0;
  const crypto::PrivateKey key_;
};

}  // namespace smsflow::crash
