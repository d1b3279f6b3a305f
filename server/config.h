// What an operator may choose, from one TOML file, the environment (`SMSFLOW_…`) and flags, in that order of rank.
//
// Every key stands once, in the table of config_keys.cc, with its rule, default and how it is shown; docs/operations.md
// lists them. A key that is not in the table is an error, as is a value that breaks its rule: each gets one line that
// names where it stands, the key and the rule, and never the value.
//
// Durations are text with a unit: ms, s, m, h, d; sizes too: B, KB, MB, GB (of 1,024). Values only; no thread is safe
// while loading, all are afterwards.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "logging/logging.h"
#include "server/setting.h"
#include "workflows/delivery/policy.h"

namespace smsflow::server {

enum Role : std::uint8_t { kClient = 1, kGateway = 2, kAdmin = 4 };  // bits: a key may have several

struct KeyConfig {
  std::string name;                       // stands in journals as the actor
  std::array<std::uint8_t, 32> sha256{};  // of the token
  std::uint8_t roles = 0;
  std::vector<std::string> tenants;        // for an administrator's alone: may be empty
  std::vector<std::string> gateways = {};  // as which it may attach; empty: any, for a gateway that is alone
};

struct ListenConfig {
  std::string grpc = "127.0.0.1:7070";     // "host:port" or "unix:/path"
  std::string metrics = "127.0.0.1:7071";  // the same; empty: none
  bool plaintext = false;                  // only on loopback and unix sockets
  std::string rest;                        // the same; empty: no REST
  bool rest_plaintext = false;             // of REST alone; the same
};

// The door of the old contract.
struct RestConfig {
  std::int32_t offset_minutes = 0;       // from UTC, in which times are shown
  std::uint32_t threads = 1;             // that serve connections
  std::uint32_t connections = 1'000;     // fewer where the process may not have so many files open
  std::uint32_t per_address = 0;         // of them, from one client address; 0: half
  std::uint64_t body_bytes = 256 << 10;  // of a request
  std::int64_t idle_ms = 60'000;         // until the next request of a connection
  std::int64_t patience_ms = 20'000;     // for a head, a body, and each piece of an answer to be taken
};

struct TlsConfig {
  std::string cert;  // PEM files; read again when they change
  std::string key;
  std::string client_ca;            // empty: clients show no certificate
  std::int64_t reload_ms = 60'000;  // how often the files are looked at
  bool on() const { return !cert.empty(); }
};

struct LimitsConfig {
  std::uint64_t payload_bytes = 16 << 10;
  std::uint32_t slots = 64;
  std::int64_t horizon_ms = 400LL * 24 * 3600'000;
  std::uint32_t batch_items = 1'000;
  std::uint32_t name_bytes = 128;
  std::uint64_t message_bytes = 20 << 20;
  std::uint32_t streams_per_connection = 1'000;
  std::uint64_t unsent_bytes = 64 << 20;  // of leases that wait until one gateway reads them
  std::uint32_t connections = 10'000;     // fewer where the process may not have so many files open
  std::uint32_t per_address = 0;          // of them, from one client address; 0: half
  std::int64_t idle_ms = 300'000;         // until a connection without a call is ended
};

struct EngineConfig {
  std::uint32_t partitions = 2;
  std::uint32_t batch_max = 256;
  std::uint32_t queue_max = 50'000;
  std::uint32_t fire_budget_per_s = 1'000;
  std::uint64_t cache_bytes = 64 << 20;        // instances, per partition
  std::uint64_t block_cache_bytes = 64 << 20;  // RocksDB's
  std::uint64_t memtable_bytes = 16 << 20;
  std::uint64_t ballast_bytes = 256 << 20;
};

// The gateway that runs inside smsflowd and sends nothing: for demonstrations and tests.
struct LoopbackConfig {
  bool enabled = false;
  std::string gateway = "loopback";    // its id
  std::vector<std::string> keys;       // private key files; empty: it opens nothing and answers SENT, DELIVERED
  std::vector<std::string> tenants;    // empty: every tenant that a key names
  std::string store;                   // its folder; empty: <data>/loopback
  std::string truth;                   // file with a line per submit; empty: none
  bool open_nothing = false;           // for benchmarks: no keys, no store, SENT and DELIVERED at once
  std::int64_t delay_ms = 100;         // before each report
  std::int64_t long_delay_ms = 1'000;  // before a receipt that comes late
  std::uint32_t credit = 1'000;
};

// The broker that records come from and leave for. Without servers there is none.
struct KafkaConfig {
  enum class From : std::uint8_t { kStart, kEnd };
  std::string servers;  // host:port,host:port
  std::string group = "smsflow";
  From from = From::kStart;           // of a topic that was never read
  bool unsigned_records = false;      // whoever may write to the topic acts for every tenant
  std::vector<std::string> tenants;   // that records may name, beside those that a key names
  std::vector<std::string> gateways;  // that may announce themselves
  std::vector<std::string> accept;    // TOPIC/PARTITION that may begin anew with another log
  std::int64_t repeat_ms = 30'000;    // of a gateway's silence about an attempt until it is produced again
  std::int64_t silence_ms = 60'000;   // of a gateway until it counts as away
  std::string schedule_topic = "schedule-sms";
  std::string status_topic = "sms-status";
  std::string timer_topic = "sms-timer";
  std::string send_topic = "send-sms";
  bool events = false;
  std::string events_topic = "sms-events";
  std::string dead_letter_topic = "smsflow-dead-letter";
  std::map<std::string, std::vector<std::string>> clients;  // by topic: the tenants whose records it holds
  std::map<std::string, std::vector<std::string>> signers;  // by name: the tenants that its signature acts for
  std::string signing_keys;                                 // file: NAME HEX on each line
  std::int64_t signed_for_ms = 7 * 86'400'000LL;            // a record is taken after it was signed
  std::map<std::string, std::string> properties;            // of librdkafka
};

// What gateways on Kafka are like.
struct GatewayConfig {
  bool dedupe = true;            // false: one that knows no attempts; each is handed over once and never again
  std::uint32_t window = 1'000;  // attempts that such a one may hold
};

struct Config {
  std::string data = "/var/lib/smsflow/data";
  std::string index_key;      // empty: <data>.key
  std::uint32_t shards = 64;  // of a new folder
  bool reflection = false;
  bool sync = true;                   // false only by --no-sync
  std::int64_t shutdown_ms = 10'000;  // how long a graceful stop may take
  ListenConfig listen;
  RestConfig rest;
  TlsConfig tls;
  LimitsConfig limits;
  EngineConfig engine;
  LoopbackConfig loopback;
  KafkaConfig kafka;
  GatewayConfig gateway;
  LogConfig log;
  std::vector<KeyConfig> keys;
  workflows::delivery::Policy delivery;                        // of tenants that choose nothing
  std::map<std::string, workflows::delivery::Policy> tenants;  // of those that do

  // Every tenant that a key or an override names, sorted, each once.
  std::vector<std::string> TenantNames() const;
};

struct ConfigSources {
  std::string file;                                              // empty: none
  std::vector<std::pair<std::string, std::string>> environment;  // all of it; only SMSFLOW_… is looked at
  std::vector<Setting> flags;
};

struct LoadedConfig {
  Config config;                               // good only without errors
  std::vector<std::string> errors;             // one line each
  std::map<std::string, std::string> origins;  // by key; a key that is not here has its default
  bool ok() const { return errors.empty(); }
};

LoadedConfig LoadConfig(const ConfigSources& sources);

// As TOML, each value with its origin as a comment, secrets as ***.
std::string PrintConfig(const LoadedConfig& loaded);

// "127.0.0.1:7070", "[::1]:0", "localhost:1" and "unix:…" are; "0.0.0.0:1" and names are not.
bool IsLocalAddress(std::string_view address);

}  // namespace smsflow::server
