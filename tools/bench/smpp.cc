#include "tools/bench/smpp.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tools/bench/bare_store.h"
#include "tools/bench/envelope.h"
#include "tools/bench/gateway_shape.h"
#include "tools/bench/kannel.h"
#include "tools/bench/scratch.h"
#include "tools/bench/smpp_exchange.h"
#include "tools/bench/smpp_gateway.h"
#include "tools/bench/smsc_process.h"

namespace smsflow::bench {
namespace {

constexpr std::uint32_t kInFlight = 1'000;
constexpr std::size_t kSyncedBytes = 1024;
constexpr double kSyncSeconds = 1;

// A part, and what it reached.
struct Measured {
  std::unique_ptr<Part> part;
  Slice got = {};
  void Run(double seconds) { got += part->Run(seconds); }
};

struct Parts {
  Measured store, opening, exchange, gateway, kannel;  // kannel: none where it is not installed
  std::vector<Slice> limit() const { return {store.got, opening.got, exchange.got}; }
};

absl::StatusOr<Parts> OpenAll(const Scratch& scratch, SmscProcess& smsc, std::uint32_t in_flight) {
  Parts parts;
  const auto shape = FindGatewayShape();
  if (!shape.ok()) return shape.status();
  auto store = OpenBareStore(scratch / "bare", shape->batches, shape->example);
  if (!store.ok()) return store.status();
  parts.store.part = std::move(*store);
  parts.opening.part = MakeOpening();
  auto exchange = OpenBareExchange(smsc.port());
  if (!exchange.ok()) return exchange.status();
  parts.exchange.part = std::move(*exchange);
  auto gateway = SmppGateway::Open(scratch / "gateway", smsc.port(), in_flight);
  if (!gateway.ok()) return gateway.status();
  parts.gateway.part = std::move(*gateway);
  std::filesystem::create_directory(scratch / "kannel");
  auto kannel = OpenKannel(scratch / "kannel", smsc);
  if (kannel.ok()) {
    parts.kannel.part = std::move(*kannel);
  } else if (!absl::IsNotFound(kannel.status())) {
    return kannel.status();
  } else {
    std::cerr << kannel.status().message() << ", so it is not measured\n";
  }
  return parts;
}

absl::Status CheckCounts(const Parts& parts, std::uint64_t failures, SmscSaw& saw) {
  for (const Slice& part : parts.limit()) {
    if (part.count == 0) return absl::InternalError("a bare part did nothing");
  }
  if (failures > 0) return absl::InternalError(absl::StrCat(failures, " SMSes failed at the gateway"));
  // What the gateway believes is what the SMSC says.
  if (saw.submits != parts.gateway.got.count || saw.receipts != saw.submits) {
    return absl::InternalError(absl::StrCat("the gateway reports ", parts.gateway.got.count, " SMSes, the SMSC saw ",
                                            saw.submits, " and ", saw.receipts, " receipts answered"));
  }
  if (saw.submits == 0) return absl::InternalError("nothing was submitted");
  return absl::OkStatus();
}

double LimitOf(const std::vector<Slice>& parts) {
  double sum = 0;
  for (const Slice& part : parts) sum += 1 / part.rate();
  return 1 / sum;
}

}  // namespace

absl::StatusOr<Report> RunSmpp(const Options& options) {
  auto scratch = Scratch::Make(options.folder);
  if (!scratch.ok()) return scratch.status();
  auto smsc = SmscProcess::Start(scratch->path());
  if (!smsc.ok()) return smsc.status();
  auto parts = OpenAll(*scratch, **smsc, options.in_flight != 0 ? options.in_flight : kInFlight);
  if (!parts.ok()) return parts.status();
  const auto sync_ms = MedianSyncMs(scratch->path(), kSyncedBytes, kSyncSeconds);
  if (!sync_ms.ok()) return sync_ms.status();

  // The parts of the limit get a third of each turn, the gateway all of it, and Kannel as much.
  double smsc_cpu_s = 0;
  while (parts->gateway.got.seconds < options.seconds) {
    for (Measured* part : {&parts->store, &parts->opening, &parts->exchange}) part->Run(options.slice_s / 3);
    const double cpu_s = (*smsc)->cpu_s();
    parts->gateway.Run(options.slice_s);
    smsc_cpu_s += (*smsc)->cpu_s() - cpu_s;
    if (parts->kannel.part) parts->kannel.Run(options.slice_s);
  }
  auto& gateway = static_cast<SmppGateway&>(*parts->gateway.part);
  if (const auto status = CheckCounts(*parts, gateway.failures(), (*smsc)->Read(kSmppSystemId)); !status.ok()) {
    return status;
  }
  const Slice& got = parts->gateway.got;
  Report report;
  report.workload = options.workload;
  report.profile = NameOf(options.profile);
  report.count = got.count;
  report.rate_per_s = got.rate();
  report.cpu_us_per_sms = got.cpu_s / static_cast<double>(got.count) * 1e6;
  report.limit_rate_per_s = LimitOf(parts->limit());
  report.share = got.rate() / *report.limit_rate_per_s;
  if (parts->kannel.got.count > 0) report.kannel_rate_per_s = parts->kannel.got.rate();
  auto latencies = gateway.RunOpen(std::max(options.slice_s, options.seconds / 4), got.rate() / 2);
  report.latency_ms = QuantilesOf(latencies);
  std::cerr << "bare store " << parts->store.got.rate() << "/s, bare opening " << parts->opening.got.rate()
            << "/s, bare exchange " << parts->exchange.got.rate() << "/s; a sync of " << kSyncedBytes << " bytes "
            << *sync_ms << " ms (median); the SMSC took " << smsc_cpu_s / static_cast<double>(got.count) * 1e6
            << " us of CPU per SMS\n";
  return report;
}

}  // namespace smsflow::bench
