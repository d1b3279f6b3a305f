// smsflow-gateway: attaches to an engine, directly or through Kafka, opens envelopes, submits, reports. Exit codes: 0
// stopped on request, 64 a flag is wrong, 75 the store or the truth log failed, or there was no memory (start again),
// 78 the configuration is wrong, the store is damaged, or another process has it: a person has to look.
#include <pthread.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/seams.h"
#include "gateway/attach_client.h"
#include "gateway/config_file.h"
#include "gateway/gateway.h"
#include "gateway/kafka_inbound.h"
#include "gateway/kafka_link.h"
#include "gateway/kafka_words.h"
#include "gateway/key_files.h"
#include "gateway/metrics.h"
#include "gateway/routes_config.h"
#include "gateway/smpp_carrier.h"
#include "gateway/smsc_config.h"
#include "logging/bound_at_start.h"
#include "logging/exit_codes.h"
#include "logging/logging.h"
#include "logging/starved.h"

namespace smsflow::gateway {
namespace {

constexpr std::int64_t kDelayMax = 3'600'000;
constexpr std::int64_t kBallastMaxMb = 65'536;

struct Flags {
  GatewayOptions gateway;
  AttachOptions attach{.address = "127.0.0.1:7070", .token = "", .ca_pem = ""};
  KafkaLinkOptions kafka;
  KafkaInboundOptions inbound;
  std::vector<std::string> kafka_properties;  // NAME=VALUE
  std::string kafka_properties_file, kafka_partitions;
  bool loopback = false;
  std::string smsc_file, routes_file, metrics;
  std::int64_t audit_mb = 64;
  std::shared_ptr<const SmppCarrier*> smpp = std::make_shared<const SmppCarrier*>(nullptr);  // the gateway's
  std::vector<std::string> smsc_names;
  std::int64_t ballast_mb = 64;
  std::vector<std::string> key_files;
  std::string key_password_file;
  std::string token_file, ca_file;
  LogConfig log;
  std::string log_format = "text";
};

void DeclareKafka(CLI::App& app, Flags& flags) {
  KafkaLinkOptions& kafka = flags.kafka;
  app.add_option("--kafka", kafka.client.servers, "take work from Kafka instead of --engine: host:port,host:port")
      ->envname("SMSFLOW_KAFKA");
  app.add_option("--kafka-partitions", flags.kafka_partitions,
                 "of the send topic, that this gateway alone reads, as 0-3,7; all when left out");
  app.add_option("--kafka-property", flags.kafka_properties, "NAME=VALUE of librdkafka; may be given several times");
  app.add_option("--kafka-properties", flags.kafka_properties_file,
                 "file with a NAME=VALUE on each line, for what nobody else may see")
      ->check(CLI::ExistingFile);
  app.add_flag("--old-engine", kafka.old_engine,
               "serve an engine that has no attempts of its own, as the one that smsflow replaces: announce nothing, "
               "answer in its form");
  app.add_option("--old-group", kafka.old_group,
                 "with --old-engine: the consumer group whose offsets a new store begins at; without, at the end");
  app.add_option("--send-topic", kafka.send_topic, "topic that attempts come on")->capture_default_str();
  app.add_option("--status-topic", kafka.status_topic, "topic that reports go to")->capture_default_str();
  app.add_option("--inbound-kafka", flags.inbound.client.servers,
                 "where SMSes from phones go, if not to the brokers of --kafka: host:port,host:port")
      ->envname("SMSFLOW_INBOUND_KAFKA");
  app.add_option("--inbound-topic", flags.inbound.topic, "topic that SMSes from phones go to")->capture_default_str();
  app.add_option("--dead-letter-topic", kafka.dead_letter_topic, "topic for what cannot be read")
      ->capture_default_str();
}

void Declare(CLI::App& app, Flags& flags) {
  GatewayOptions& gateway = flags.gateway;
  app.set_config("--config", "", "read options from a TOML file; flags win over it");
  app.config_formatter(TomlConfigOf(app));
  app.add_flag("--loopback", flags.loopback, "submit to nobody and answer by test codes");
  app.add_option("--smsc", flags.smsc_file, "submit over SMPP to the SMSCs of this TOML file; see docs/gateway.md")
      ->check(CLI::ExistingFile);
  app.add_option("--routes", flags.routes_file, "TOML file of number plans, routes and rates; see docs/routes.md")
      ->check(CLI::ExistingFile);
  app.add_option("--audit", gateway.audit.folder, "folder of the audit log, a file for each tenant; made when missing");
  app.add_option("--audit-mb", flags.audit_mb, "a file of the audit log is no larger")
      ->check(CLI::Range(std::int64_t{1}, kBallastMaxMb))
      ->capture_default_str();
  app.add_option("--audit-files", gateway.audit.files, "that are kept of each tenant")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--metrics", flags.metrics,
                 "host:port of this machine where Prometheus finds docs/gateway-metrics.md");
  app.add_option("--engine", flags.attach.address, "address of the engine, host:port or unix:PATH")
      ->envname("SMSFLOW_ADDRESS")
      ->capture_default_str();
  app.add_option("--token", flags.attach.token, "token of a credential with the role gateway")
      ->envname("SMSFLOW_TOKEN");
  app.add_option("--token-file", flags.token_file, "file that holds the token")->check(CLI::ExistingFile);
  app.add_option("--ca", flags.ca_file, "PEM file of trusted authorities: attach with TLS")->check(CLI::ExistingFile);
  DeclareKafka(app, flags);
  app.add_option("--gateway", gateway.gateway, "id of this gateway")->capture_default_str();
  app.add_option("--tenants", gateway.tenants, "tenants that it serves, separated by commas")->delimiter(',');
  app.add_option("--store", gateway.store, "folder of its store; made when missing");
  app.add_option("--ballast-mb", flags.ballast_mb, "size of a file in the store that is given up when the disk fills")
      ->check(CLI::Range(std::int64_t{0}, kBallastMaxMb))
      ->capture_default_str();
  app.add_option("--key", flags.key_files,
                 "file of private keys, PEM or PKCS#12, or a folder of .key.pem and .p12 files; may be given several "
                 "times; read again on SIGHUP")
      ->check(CLI::ExistingPath);
  app.add_option("--key-password-file", flags.key_password_file,
                 "file with the password of those that have one, in its first line")
      ->check(CLI::ExistingFile);
  app.add_flag("--old-envelopes", gateway.old_envelopes,
               "open the old gateway's format too, with the keys whose alias is the tenant: anybody can change such an "
               "envelope unnoticed");
  app.add_option("--credit", flags.attach.credit, "how many leases may be open at once")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--normal-delay-ms", gateway.loopback.normal_delay_ms, "before the first report")
      ->check(CLI::Range(std::int64_t{0}, kDelayMax))
      ->capture_default_str();
  app.add_option("--long-delay-ms", gateway.loopback.long_delay_ms, "from there to the second")
      ->check(CLI::Range(std::int64_t{0}, kDelayMax))
      ->capture_default_str();
  app.add_option("--truth", gateway.truth, "append each submit to this file, synced: attempt, time, deadline");
  app.add_flag("--open-nothing", gateway.open_nothing, "for benchmarks: keep nothing, say SENT and DELIVERED at once");
  app.add_option("--log-level", flags.log.level, "trace, debug, info, warn, error or off")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error", "off"}))
      ->capture_default_str();
  app.add_option("--log-format", flags.log_format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
}

absl::StatusOr<std::string> ReadFile(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in.good()) return absl::InvalidArgumentError(absl::StrCat("cannot read ", file));
  return text.str();
}

absl::StatusOr<std::unique_ptr<Carrier>> AsCarrier(absl::StatusOr<std::unique_ptr<SmppCarrier>> carrier,
                                                   const SmppCarrier*& made) {
  if (!carrier.ok()) return carrier.status();
  made = carrier->get();
  return std::unique_ptr<Carrier>(std::move(*carrier));
}

absl::Status CompleteKafka(Flags& flags) {
  auto& properties = flags.kafka.client.properties;
  if (!flags.kafka_properties_file.empty()) {
    const auto text = ReadFile(flags.kafka_properties_file);
    if (!text.ok()) return text.status();
    if (const auto status = kafka::AddProperties(*text, properties); !status.ok()) return status;
  }
  for (const std::string& property : flags.kafka_properties) {
    if (const auto status = kafka::AddProperties(property, properties); !status.ok()) return status;
  }
  flags.kafka.credit = flags.attach.credit;
  if (flags.kafka_partitions.empty()) return absl::OkStatus();
  auto partitions = ParsePartitions(flags.kafka_partitions);
  if (!partitions.ok()) return partitions.status();
  flags.kafka.partitions = std::move(*partitions);
  return absl::OkStatus();
}

absl::Status CompleteSmsc(Flags& flags) {
  if (flags.smsc_file.empty()) return absl::OkStatus();
  const auto text = ReadFile(flags.smsc_file);
  if (!text.ok()) return text.status();
  const auto read = [](const std::string& file, bool secret) -> absl::StatusOr<std::string> {
    if (!secret) return ReadFile(file);
    const auto bytes = ReadPrivateFile(file);
    if (!bytes.ok()) return bytes.status();
    return std::string(bytes->Reveal());
  };
  auto smscs = ReadSmscConfig(*text, flags.smsc_file, read);
  if (!smscs.ok()) return smscs.status();
  for (const SmscOptions& smsc : *smscs) {
    auto& forms = flags.gateway.receipts.forms;
    forms.insert(forms.end(), smsc.forms.begin(), smsc.forms.end());
    flags.smsc_names.push_back(smsc.name);
    auto& routes = flags.gateway.inbound.routes;
    routes.insert(routes.end(), smsc.inbound.begin(), smsc.inbound.end());
  }
  flags.gateway.carrier = [smscs = std::move(*smscs), made = flags.smpp](
                              std::unique_ptr<Opener> opener, engine::Clock& clock, const NoticeHandler& notice,
                              InboundTaker* inbound) {
    return AsCarrier(SmppCarrier::Make(smscs, std::move(opener), clock, notice, SmscLink::Make, inbound), *made);
  };
  return absl::OkStatus();
}

absl::Status CompleteRoutes(Flags& flags) {
  if (flags.routes_file.empty()) return absl::OkStatus();
  if (flags.gateway.open_nothing) return absl::InvalidArgumentError("routes: --open-nothing opens nothing to route by");
  const auto text = ReadFile(flags.routes_file);
  if (!text.ok()) return text.status();
  auto pace = ReadRoutesConfig(*text, flags.routes_file, flags.smsc_names);
  if (!pace.ok()) return pace.status();
  flags.attach.credit = CreditFor(*pace, flags.gateway.tenants, flags.attach.credit);
  flags.gateway.pace = std::make_shared<const PaceOptions>(*std::move(pace));
  return absl::OkStatus();
}

// Where SMSes from phones go, if any are taken.
absl::Status CompleteInbound(Flags& flags) {
  const auto& routes = flags.gateway.inbound.routes;
  if (routes.empty()) return absl::OkStatus();
  for (const InboundRoute& route : routes) {
    const auto& tenants = flags.gateway.tenants;
    if (std::find(tenants.begin(), tenants.end(), route.tenant) == tenants.end()) {
      return absl::InvalidArgumentError("inbound: tenant must be one of --tenants");
    }
  }
  kafka::ClientOptions& client = flags.inbound.client;
  client.name = absl::StrCat("smsflow-gateway-", flags.gateway.gateway, "-inbound");
  client.properties = flags.kafka.client.properties;
  if (client.servers.empty()) client.servers = flags.kafka.client.servers;
  if (client.servers.empty()) {
    return absl::InvalidArgumentError("inbound: SMSes from phones go to Kafka: say --kafka or --inbound-kafka");
  }
  auto sink = MakeKafkaInbound(flags.inbound);
  if (!sink.ok()) return sink.status();
  flags.gateway.inbound_sink = std::move(*sink);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Link>> MakeLink(const Flags& flags) {
  if (flags.kafka.client.servers.empty() && !flags.kafka.old_engine) return MakeAttachClient(flags.attach);
  return MakeKafkaLink(flags.kafka, engine::SystemClock());
}

absl::Status Complete(Flags& flags) {
  if (flags.loopback + !flags.smsc_file.empty() + flags.gateway.open_nothing != 1) {
    return absl::InvalidArgumentError("carrier: say --smsc FILE, or --loopback to submit to nobody");
  }
  if (const auto status = CompleteSmsc(flags); !status.ok()) return status;
  if (const auto status = CompleteRoutes(flags); !status.ok()) return status;
  if (const auto status = CompleteKafka(flags); !status.ok()) return status;
  if (const auto status = CompleteInbound(flags); !status.ok()) return status;
  flags.gateway.audit.file_bytes = flags.audit_mb << 20;
  flags.gateway.ballast_bytes = static_cast<std::uint64_t>(flags.ballast_mb) << 20;
  if (!flags.token_file.empty()) {
    auto token = ReadFile(flags.token_file);
    if (!token.ok()) return token.status();
    while (!token->empty() && (token->back() == '\n' || token->back() == '\r')) token->pop_back();
    flags.attach.token = std::move(*token);
  }
  if (!flags.ca_file.empty()) {
    auto pem = ReadFile(flags.ca_file);
    if (!pem.ok()) return pem.status();
    flags.attach.ca_pem = std::move(*pem);
  }
  if (flags.gateway.open_nothing) return absl::OkStatus();
  auto keys = LoadKeys(flags.key_files, flags.key_password_file);
  if (!keys.ok()) return keys.status();
  flags.gateway.keys = std::move(*keys);
  return absl::OkStatus();
}

[[noreturn]] void Fatal(const absl::Status& status, const std::string& store) {
  spdlog::critical("{}; stopping", WithAdvice(status, store).ToString());
  _exit(ExitCodeOfFatal(status));  // nobody can know what was written: no destructor may go on as if
}

int Refuse(const absl::Status& status, int code) {
  std::cerr << "smsflow-gateway: " << status.message() << "\n";
  return code;
}
int Refuse(const absl::Status& status) { return Refuse(status, ExitCodeOf(status)); }

// All or nothing: with a file that is wrong, what was there before goes on.
void ReadKeysAgain(const Flags& flags, Gateway& gateway) {
  auto keys = LoadKeys(flags.key_files, flags.key_password_file);
  if (!keys.ok()) return spdlog::error("the keys stay as they were: {}", keys.status().ToString());
  const std::size_t count = keys->size();
  if (const auto status = gateway.ReplaceKeys(std::move(*keys)); !status.ok())
    return spdlog::error("the keys stay as they were: {}", status.ToString());
  spdlog::info("read again: {} private keys", count);
}

GatewayFigures FiguresOf(const Gateway& gateway, const SmppCarrier* smpp) {
  return {.core = gateway.figures(),
          .sorter = gateway.sorter_figures(),
          .audit = gateway.audit_figures(),
          .inbound = gateway.inbound_figures(),
          .smscs = smpp != nullptr ? smpp->figures() : std::vector<SmscFigures>()};
}

// Before any thread is made, so that they are heard in Run() alone, and by the program that BindAtStart() starts too.
sigset_t HoldSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

int Run(Flags flags, const sigset_t& signals) {
  if (const auto status = Complete(flags); !status.ok()) return Refuse(status);
  auto link = MakeLink(flags);
  if (!link.ok()) return Refuse(link.status());
  flags.gateway.notice = [](LogLevel level, std::string_view line) { Log(level, line); };
  const std::string store = flags.gateway.store;
  auto gateway = Gateway::Open(std::move(flags.gateway), std::move(*link), engine::SystemClock(),
                               [store](const absl::Status& status) { Fatal(status, store); });
  if (!gateway.ok()) return Refuse(WithAdvice(gateway.status(), store));
  std::unique_ptr<metrics::Endpoint> metrics;
  if (!flags.metrics.empty()) {
    auto started = ServeFigures(flags.metrics, [&] { return FiguresOf(**gateway, *flags.smpp); });
    if (!started.ok()) return Refuse(started.status(), kExitConfig);
    metrics = std::move(*started);
    spdlog::info("metrics on port {}", metrics->port());
  }
  (*gateway)->Start();
  int signal = 0;
  while (sigwait(&signals, &signal) == 0 && signal == SIGHUP) ReadKeysAgain(flags, **gateway);
  spdlog::info("stopping");
  (*gateway)->Stop();
  return 0;
}

}  // namespace
}  // namespace smsflow::gateway

int main(int argc, char** argv) {
  smsflow::EndWhenStarved("smsflow-gateway", smsflow::kExitFatal);
  const sigset_t signals = smsflow::gateway::HoldSignals();
  const std::string not_bound = smsflow::BindAtStart(argv);
  smsflow::gateway::Flags flags;
  CLI::App app("The gateway of smsflow: takes sealed SMSes from an engine and reports what became of them.",
               "smsflow-gateway");
  app.set_version_flag("--version", std::string("smsflow-gateway ") + SMSFLOW_VERSION);
  smsflow::gateway::Declare(app, flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ConfigError& error) {
    std::cerr << "smsflow-gateway: " << error.what() << "\n";
    return smsflow::kExitConfig;
  } catch (const CLI::FileError&) {
    std::cerr << "smsflow-gateway: --config: the file cannot be read\n";
    return smsflow::kExitConfig;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : smsflow::kExitUsage;
  }
  flags.log.format = flags.log_format == "json" ? smsflow::LogFormat::kJson : smsflow::LogFormat::kText;
  smsflow::SetUpLogging(flags.log);
  if (!not_bound.empty()) smsflow::Log(smsflow::LogLevel::kWarn, not_bound);
  return smsflow::gateway::Run(std::move(flags), signals);
}
