// smsflowd: the only place that knows all parts. Reads the configuration, opens the data folder, starts the engine and
// its doors, and takes them down again in reverse. Exit codes: logging/exit_codes.h.
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "engine/engine.h"
#include "engine/reader.h"
#include "gateway/gateway.h"
#include "gateway/in_process.h"
#include "gateway/key_files.h"
#include "logging/bound_at_start.h"
#include "logging/exit_codes.h"
#include "logging/logging.h"
#include "logging/starved.h"
#include "metrics/endpoint.h"
#include "server/accounts/accounts.h"
#include "server/accounts/first_password.h"
#include "server/advice.h"
#include "server/auth.h"
#include "server/config.h"
#include "server/disk_guard.h"
#include "server/flags.h"
#include "server/grpc/grpc_server.h"
#include "server/grpc/listener.h"
#include "server/kafka/kafka_door.h"
#include "server/policies.h"
#include "server/process.h"
#include "server/rest/over_accounts.h"
#include "server/rest/rest_door.h"
#include "storage/data_folder.h"
#include "storage/file_system.h"
#include "workflows/delivery/codec/codec.h"

namespace smsflow::server {
namespace {

int Refuse(const absl::Status& status, int code) {
  std::cerr << "smsflowd: " << status.message() << "\n";
  return code;
}
// What the data folder met, or what stands on it.
int Refuse(const absl::Status& status) { return Refuse(WithAdvice(status), ExitCodeOf(status)); }

absl::StatusOr<std::unique_ptr<storage::DataFolder>> OpenFolder(const Config& config, bool new_folder) {
  storage::DataFolderOptions options;
  options.path = config.data;
  options.index_key_path = config.index_key;
  options.shards = static_cast<std::uint16_t>(config.shards);
  options.ballast_bytes = config.engine.ballast_bytes;
  options.block_cache_bytes = config.engine.block_cache_bytes;
  options.memtable_bytes = config.engine.memtable_bytes;
  options.new_folder = new_folder;
  options.now_ms = engine::SystemClock().WallMs();
  options.file_system = storage::DataFileSystem();
  return storage::DataFolder::Open(options);
}

absl::StatusOr<std::unique_ptr<engine::Engine>> OpenEngine(const Config& config, storage::DataFolder& folder,
                                                           const workflows::Workflow& delivery, KafkaDoor* kafka) {
  engine::EngineOptions options;
  options.shards = folder.shards();
  options.partitions = static_cast<std::uint16_t>(config.engine.partitions);
  options.batch_max = config.engine.batch_max;
  options.queue_max = config.engine.queue_max;
  options.cache_bytes = config.engine.cache_bytes;
  options.fire_budget_per_s = config.engine.fire_budget_per_s;
  options.sync = config.sync;
  engine::EngineParts parts;
  parts.store = &folder.store();
  parts.index_keys = &folder.index_keys();
  parts.high_water = &folder.high_water();
  parts.clock = &engine::SystemClock();
  parts.random = &engine::SystemRandom();
  parts.policies = MakePolicies(config);
  parts.fatal = EndFatally;
  parts.workflows = {&delivery};
  if (kafka != nullptr) parts.posts = kafka->posts();
  return engine::Engine::Open(options, std::move(parts));
}

// Of keys, and of accounts as they are now.
std::vector<std::string> AllTenants(const Config& config, const Accounts& accounts) {
  std::vector<std::string> names = config.TenantNames();
  for (const Group& client : accounts.Clients("", SIZE_MAX)) names.push_back(client.id);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::string StoreOf(const Config& config) {
  return config.loopback.store.empty() ? config.data + "/loopback" : config.loopback.store;
}

// Of the loopback gateway's own store, which no repair mends; docs/operations.md, Copies of the data folder.
absl::Status OfLoopback(const Config& config, const absl::Status& failed) {
  if (!absl::IsDataLoss(failed)) return failed;
  return absl::DataLossError("loopback: " + std::string(gateway::WithAdvice(failed, StoreOf(config)).message()));
}

// The gateway that runs in this process; null when it is not asked for.
absl::StatusOr<std::unique_ptr<gateway::Gateway>> OpenLoopback(const Config& config, const Accounts& accounts,
                                                               engine::Engine& engine) {
  const LoopbackConfig& chosen = config.loopback;
  if (!chosen.enabled) return nullptr;
  gateway::GatewayOptions options;
  options.gateway = chosen.gateway;
  options.tenants = chosen.tenants.empty() ? AllTenants(config, accounts) : chosen.tenants;
  options.store = StoreOf(config);
  options.ballast_bytes = 0;  // where its store is, the engine's own gives both their room
  options.truth = chosen.truth;
  options.loopback = {chosen.delay_ms, chosen.long_delay_ms};
  options.open_nothing = chosen.open_nothing;
  options.notice = [](LogLevel level, std::string_view line) { Log(level, "loopback: " + std::string(line)); };
  if (!chosen.open_nothing) {
    auto keys = gateway::LoadKeys(chosen.keys);
    if (!keys.ok()) return absl::InvalidArgumentError("loopback.keys: " + std::string(keys.status().message()));
    options.keys = *std::move(keys);
  }
  return gateway::Gateway::Open(std::move(options), gateway::MakeInProcessLink(engine, chosen.credit),
                                engine::SystemClock(),
                                [&config](const absl::Status& failed) { EndFatally(OfLoopback(config, failed)); });
}

absl::StatusOr<std::unique_ptr<metrics::Endpoint>> StartMetrics(const Config& config, const engine::Engine& engine,
                                                                const storage::DataFolder& folder,
                                                                const GrpcServer& grpc, const rest::RestDoor* rest,
                                                                const KafkaDoor* kafka) {
  if (config.listen.metrics.empty()) return nullptr;
  return metrics::Endpoint::Start("listen.metrics", config.listen.metrics, [&engine, &folder, &grpc, rest, kafka] {
    const engine::Figures figures = engine.TakeFigures();
    metrics::Figures all{ListFigures(figures, &folder), ListHistograms(figures)};
    for (NamedFigure& figure : grpc.figures()) all.figures.push_back(std::move(figure));
    if (rest != nullptr)
      for (NamedFigure& figure : rest->figures()) all.figures.push_back(std::move(figure));
    if (kafka != nullptr)
      for (NamedFigure& figure : kafka->figures()) all.figures.push_back(std::move(figure));
    return all;
  });
}

void SayReady(const Config& config, const GrpcServer& grpc, const rest::RestDoor* rest,
              const metrics::Endpoint* metrics, const storage::DataFolder& folder) {
  std::string line = "smsflowd ready grpc=" + grpc.address();
  if (rest != nullptr) line += " rest=" + rest->address();
  if (metrics != nullptr) {
    const std::string& wanted = config.listen.metrics;
    line += " metrics=" + wanted.substr(0, wanted.rfind(':') + 1) + std::to_string(metrics->port());
  }
  std::cout << line << " data=" << config.data << std::endl;
  Log(LogLevel::kInfo, "ready", {{"grpc", grpc.address()}, {"folder", folder.uuid()}});
}

// It speaks to the engine, so it must be quiet before that goes, whichever way this ends.
struct StopsKafka {
  KafkaDoor* kafka;
  ~StopsKafka() {
    if (kafka != nullptr) kafka->Stop();
  }
};

// Once there is a door that asks for a password, there is one who has one.
absl::Status MakeFirstAccount(const Config& config, Accounts& accounts) {
  if (config.listen.rest.empty() || !accounts.IsUntouched()) return absl::OkStatus();
  return accounts.MakeFirst([&](const crypto::Secret& password) {
    const absl::Status shown = ShowFirstPassword(config.data, password);
    if (!shown.ok()) EndFatally(shown);  // nothing is stored yet, and one that nobody saw must not be
  });
}

// Side by side, within one time.
void StopDoors(GrpcServer& grpc, rest::RestDoor* rest, std::int64_t within_ms) {
  const engine::Clock& clock = engine::SystemClock();
  const std::int64_t end_ms = clock.SteadyMs() + within_ms;
  if (rest != nullptr) rest->BeginStop();
  grpc.Stop(within_ms);
  if (rest != nullptr) rest->Stop(std::max<std::int64_t>(end_ms - clock.SteadyMs(), 100));
}

int Serve(const Config& config, bool new_folder) {
  const std::uint64_t files = RaiseFileLimit();
  if (files < 1'024) Log(LogLevel::kWarn, "few files may be open at once", {{"limit", std::to_string(files)}});
  if (!config.sync) {
    Log(LogLevel::kError, "DANGER: --no-sync: what is acknowledged is not on disk, a crash loses it");
    std::cerr << "smsflowd: DANGER: --no-sync: what is acknowledged is not on disk, a crash loses it\n";
  }
  auto folder = OpenFolder(config, new_folder);
  if (!folder.ok()) return Refuse(folder.status());
  if ((*folder)->created())
    Log(LogLevel::kWarn, "made a new data folder: this engine knows of nothing that was before",
        {{"path", config.data}});
  if (!(*folder)->torn_end().empty()) Log(LogLevel::kWarn, (*folder)->torn_end());
  const auto delivery = workflows::delivery::MakeDeliveryWorkflow();
  auto kafka = KafkaDoor::Make(config);
  if (!kafka.ok()) return Refuse(kafka.status());
  auto engine = OpenEngine(config, **folder, *delivery, kafka->get());
  if (!engine.ok()) return Refuse(engine.status());
  const DiskGuard disk_guard(**folder, **engine, config.engine.ballast_bytes);
  (*engine)->Start();

  const engine::Reader reader({&(*folder)->store(), &(*folder)->index_keys(), (*folder)->shards(),
                               [&engine](ShardId shard) { return (*engine)->Committed(shard); }});
  const auto authenticator = MakeKeyAuthenticator(config.keys);
  AccountsOptions accounts_options;
  accounts_options.sync = config.sync;
  std::function<void()> serve_new_clients;  // of the loopback gateway, once there is one
  auto accounts = Accounts::Open({&(*folder)->store(), &engine::SystemClock(), EndFatally,
                                  [&] {
                                    if (serve_new_clients) serve_new_clients();
                                  }},
                                 accounts_options);
  if (!accounts.ok()) return Refuse(accounts.status());
  if (absl::Status status = MakeFirstAccount(config, **accounts); !status.ok()) return Refuse(status, kExitFatal);
  auto loopback = OpenLoopback(config, **accounts, **engine);
  if (!loopback.ok()) return Refuse(OfLoopback(config, loopback.status()), ExitCodeOf(loopback.status()));
  if (*loopback != nullptr && config.loopback.tenants.empty() && !config.loopback.open_nothing) {
    serve_new_clients = [&] {
      const absl::Status status = (*loopback)->ReplaceTenants(AllTenants(config, **accounts));
      if (!status.ok()) Log(LogLevel::kWarn, "loopback: " + std::string(status.message()));
    };
  }
  // Before the doors at which somebody may ask for what its followers must be told of.
  const StopsKafka stops_kafka{kafka->get()};
  if (*kafka != nullptr) {
    const absl::Status status = (*kafka)->Start({engine->get(), &reader, delivery.get(), &(*folder)->index_keys(),
                                                 &engine::SystemClock(), (*folder)->shards()});
    if (!status.ok()) return Refuse(status);
  }
  const ConnectionsOfDoors share =
      ShareConnections(config.limits.connections, config.listen.rest.empty() ? 0 : config.rest.connections, files);
  auto grpc = GrpcServer::Start(
      config, {engine->get(), &reader, authenticator.get(), &engine::SystemClock(), delivery.get(), accounts->get(),
               (*folder)->uuid(), (*folder)->shards(),
               [&engine, &folder] { return ListFigures((*engine)->TakeFigures(), folder->get()); }, share.grpc});
  if (!grpc.ok()) return Refuse(grpc.status(), kExitConfig);
  rest::OverAccounts over_accounts(config, **accounts, (*grpc)->calls(), *authenticator);
  rest::RestParts rest_parts;
  rest_parts.engine = engine->get();
  rest_parts.reader = &reader;
  rest_parts.clock = &engine::SystemClock();
  rest_parts.connections_max = share.rest;
  over_accounts.AddTo(rest_parts);
  auto rest = rest::RestDoor::Start(config, std::move(rest_parts));
  if (!rest.ok()) return Refuse(rest.status(), kExitConfig);
  auto metrics = StartMetrics(config, **engine, **folder, **grpc, rest->get(), kafka->get());
  if (!metrics.ok()) return Refuse(metrics.status(), kExitConfig);
  if (*loopback != nullptr) (*loopback)->Start();
  SayReady(config, **grpc, rest->get(), metrics->get(), **folder);

  const std::string signal = AwaitStop();
  Log(LogLevel::kInfo, "stopping", {{"by", signal}});
  StopDoors(**grpc, rest->get(), config.shutdown_ms);
  if (*loopback != nullptr) (*loopback)->Stop();
  if (*kafka != nullptr) (*kafka)->Stop();
  (*engine)->Stop();
  Log(LogLevel::kInfo, "stopped");
  return kExitOk;
}

int Run(int argc, char** argv) {
  HoldSignals();  // first, so that the program which is started anew hears what came meanwhile
  const std::string not_bound = BindAtStart(argv);
  const char* file = std::getenv("SMSFLOW_CONFIG");  // NOLINT(concurrency-mt-unsafe): there is no other thread
  const ParsedFlags parsed = ParseFlags(argc, argv, file == nullptr ? "" : file);
  if (parsed.exit_code) return *parsed.exit_code;
  LoadedConfig loaded = LoadConfig({parsed.flags.file, Environment(), parsed.flags.settings});
  for (const std::string& error : loaded.errors) std::cerr << "smsflowd: " << error << "\n";
  if (!loaded.ok()) return kExitConfig;
  if (parsed.flags.print_config) {
    std::cout << PrintConfig(loaded);
    return kExitOk;
  }
  loaded.config.sync = !parsed.flags.no_sync;
  PrepareGrpc();
  SetUpLogging(loaded.config.log);
  if (!not_bound.empty()) Log(LogLevel::kWarn, not_bound);
  return Serve(loaded.config, parsed.flags.new_folder);
}

}  // namespace
}  // namespace smsflow::server

int main(int argc, char** argv) {
  smsflow::EndWhenStarved("smsflowd", smsflow::kExitFatal);
  return smsflow::server::Run(argc, argv);
}
