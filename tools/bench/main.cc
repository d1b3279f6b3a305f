// smsflow-bench: how fast, how late, how big. docs/performance.md tells the method and the figures.
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <string>
#include <vector>

#include "tools/bench/echo_process.h"
#include "tools/bench/engine_only.h"
#include "tools/bench/envelope.h"
#include "tools/bench/kafka.h"
#include "tools/bench/options.h"
#include "tools/bench/pending.h"
#include "tools/bench/report.h"
#include "tools/bench/shape.h"
#include "tools/bench/smpp.h"
#include "tools/bench/throughput.h"

namespace smsflow::bench {
namespace {

constexpr int kFailed = 1;

int Fail(const absl::Status& status) {
  std::cerr << "smsflow-bench: " << status.message() << '\n';
  return kFailed;
}

void Show(const char* name, const BatchShape& batch) {
  std::cout << name << ": " << Operations(batch) << " operations, " << Bytes(batch) << " bytes:";
  for (const RowShape& row : batch) {
    std::cout << ' ' << (row.deleted ? "-" : "") << row.kind;
    if (row.name != 0) std::cout << row.name;
    std::cout << '(' << row.key_bytes << '+' << row.value.size() << ')';
  }
  std::cout << '\n';
}

// Exact, and the same on every machine.
void ShowBudget(const SmsShape& shape) {
  Show("schedule", shape.schedule);
  Show("lease", shape.lease);
  Show("sent and delivered together", shape.reports);
  Show("sent", shape.sent);
  Show("delivered", shape.delivered);
  std::cout << "schedule_operations " << ScheduleOperations(shape) << "\nschedule_bytes_beside_payload "
            << ScheduleBytesBesidePayload(shape) << "\nlife_operations " << LifeOperations(shape) << '\n';
}

absl::StatusOr<Report> RunOne(const Options& options, const SmsShape& shape) {
  if (options.engine_only) return RunEngineOnly(options, shape);
  if (options.workload == "wave") return RunWave(options);
  if (options.workload == "restart") return RunRestart(options);
  if (options.workload == "size") return RunSize(options);
  if (options.workload == "kafka") return RunKafka(options);
  return RunThroughput(options, shape);
}

// As often as is asked, and tells the median.
template <class One>
int RunAll(const Options& options, bool json, One one) {
  std::vector<Report> runs;
  for (std::uint32_t run = 0; run < options.runs; ++run) {
    const auto report = one();
    if (!report.ok()) return Fail(report.status());
    if (options.runs > 1) std::cerr << ToText(*report) << '\n';
    runs.push_back(*report);
  }
  const Report median = MedianOf(runs);
  if (runs.size() > 1) std::cerr << SpreadOf(runs) << '\n';
  std::cout << (json ? ToJson(median) : ToText(median)) << '\n';
  return 0;
}

int Run(int argc, char** argv) {
  CLI::App app("Measures smsflow against the limit of the machine that it runs on. Read docs/performance.md first.");
  Options options;
  std::string profile = NameOf(options.profile);
  bool json = false, budget = false, echo = false, hand_over = false, rest = false;
  app.add_option("--workload", options.workload, "what is measured")
      ->check(CLI::IsMember(
          {"schedule", "stream", "batch", "rest", "wave", "life", "restart", "size", "envelope", "kafka", "smpp"}))
      ->capture_default_str();
  app.add_option("--profile", profile, "bare: a target only; full: key, batch and idempotency key too")
      ->check(CLI::IsMember({"bare", "full"}))
      ->capture_default_str();
  app.add_option("--seconds", options.seconds, "of measuring, without the limit's own")
      ->check(CLI::Range(0.1, 86'400.0))
      ->capture_default_str();
  app.add_option("--slice", options.slice_s, "seconds in which limit and subject take turns")
      ->check(CLI::Range(0.1, 3'600.0))
      ->capture_default_str();
  app.add_option("--runs", options.runs, "whole runs, of which the median is told")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("--count", options.count, "SMSes of wave, restart, size and kafka; 0: as the workload says")
      ->capture_default_str();
  app.add_option("--in-flight", options.in_flight, "0: as the workload says")->capture_default_str();
  app.add_option("--partitions", options.partitions, "the engine's threads")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--dir", options.folder, "where data folders are made; on a disk")->capture_default_str();
  app.add_option("--outage", options.outage_s,
                 "kafka: 500 SMSes/s, the broker away for so many seconds, and how long until all is as before")
      ->check(CLI::Range(0.0, 3'600.0));
  app.add_option("--kafka-down", options.kafka_down, "command that kills the broker, for --outage");
  app.add_option("--kafka-up", options.kafka_up, "command that starts it again");
  app.add_option("--kafka", options.kafka, "kafka: the brokers, HOST:PORT; topics of its own are made and deleted");
  app.add_flag("--unary", options.unary, "life: schedule one by one instead of in batches");
  app.add_flag("--engine-only", options.engine_only, "the engine in this process, without a door");
  app.add_flag("--budget", budget, "only show which rows one SMS writes, and their sums");
  app.add_flag("--json", json, "one JSON object on standard output");
  app.add_flag(kEchoFlag, echo, "be the bare echo until standard input is closed")->group("");
  app.add_flag(kHandOverFlag, hand_over)->group("");
  app.add_flag(kRestFlag, rest)->group("");
  CLI11_PARSE(app, argc, argv);
  if (echo) return ServeEcho(hand_over ? EchoKind::kHandOver : rest ? EchoKind::kRest : EchoKind::kCalls);
  spdlog::set_level(spdlog::level::warn);  // the gateway's link would tell of each attachment
  options.profile = profile == "full" ? Profile::kFull : Profile::kBare;

  if (options.workload == "envelope") return RunAll(options, json, [&] { return RunEnvelope(options); });
  if (options.workload == "smpp") return RunAll(options, json, [&] { return RunSmpp(options); });
  const auto shape = FindShape(options.profile);
  if (!shape.ok()) return Fail(shape.status());
  if (budget) {
    ShowBudget(*shape);
    return 0;
  }
  return RunAll(options, json, [&] { return RunOne(options, *shape); });
}

}  // namespace
}  // namespace smsflow::bench

int main(int argc, char** argv) { return smsflow::bench::Run(argc, argv); }
