#include "server/figures.h"

#include <unistd.h>

#include <cctype>
#include <fstream>
#include <utility>

#include "workflows/delivery/causes.h"

namespace smsflow::server {

namespace {

double ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  double pages = 0;
  statm >> pages >> pages;
  return pages * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double Seconds(std::int64_t ms) { return static_cast<double>(ms) / 1'000; }

void AddEngine(metrics::Figures& list, const engine::Figures& f) {
  list.Count("smsflow_created_total", "SMSes accepted", f.created);
  list.Count("smsflow_duplicates_total", "requests answered from their idempotency key", f.duplicates);
  list.Count("smsflow_transitions_total", "journal records written", f.transitions);
  list.Count("smsflow_leases_total", "attempts handed over", f.leases);
  list.Count("smsflow_leases_again_total", "attempts handed over again to the same gateway store", f.leases_again);
  list.Count("smsflow_probes_total", "questions to gateways about an attempt", f.probes);
  list.Count("smsflow_reports_total", "reports of gateways", f.reports);
  list.Count("smsflow_reports_not_yours_total", "reports about attempts that the gateway does not hold",
             f.reports_not_yours);
  list.Count("smsflow_timers_fired_total", "timers fired", f.timers_fired);
  list.Count("smsflow_timers_garbage_total", "timers that nobody claimed any more", f.timers_garbage);
  list.Count("smsflow_tells_total", "events from shard to shard", f.tells);
  list.Count("smsflow_erased_total", "SMSes erased by retention", f.erased);
  list.Count("smsflow_batches_total", "synced writes", f.batches);
  list.Count("smsflow_operations_total", "single operations of RocksDB in them", f.operations);
  list.Count("smsflow_batch_bytes_total", "bytes in them", f.batch_bytes);
  list.Count("smsflow_cache_hits_total", "instances found in memory", f.cache_hits);
  list.Count("smsflow_cache_misses_total", "instances read from the store", f.cache_misses);
  list.Gauge("smsflow_queue_depth", "commands waiting to be decided", static_cast<double>(f.queue_depth));
  list.Gauge("smsflow_open_leases", "attempts in flight", static_cast<double>(f.open_leases));
  list.Gauge("smsflow_credit", "attempts that gateways would still take", static_cast<double>(f.credit));
  list.Gauge("smsflow_peers", "gateways attached", static_cast<double>(f.peers));
  list.Gauge("smsflow_outbox_age_seconds", "age of the oldest attempt in flight", Seconds(f.oldest_open_lease_ms));
  list.Gauge("smsflow_overdue_seconds", "how late the oldest is that is due and has not left",
             Seconds(f.oldest_overdue_ms));
  list.Gauge("smsflow_clock_guard", "1: the clock jumped, nothing fires", f.clock_guard ? 1 : 0);
  list.Gauge("smsflow_disk_guard", "1: the disk is nearly full, nothing is accepted", f.disk_guard ? 1 : 0);
  list.Gauge("smsflow_draining", "1: draining, nothing is accepted and nothing leaves", f.draining ? 1 : 0);
  const std::pair<const char*, std::uint64_t> refusals[] = {
      {"queue_full", f.refused_queue_full}, {"disk", f.refused_disk}, {"draining", f.refused_draining}};
  for (const auto& [why, count] : refusals) {
    list.Count("smsflow_refused_total", "requests refused, by reason", count, {{"reason", why}});
  }
  const auto of_tenants = [&](const auto& counts, const char* name, const char* help, const char* what) {
    for (const auto& [key, count] : counts) {
      list.Count(name, help, count, {{"workflow", key[0]}, {"tenant", key[1]}, {what, key[2]}});
    }
  };
  of_tenants(f.results, "smsflow_results_total", "how lives went on: ends, and failures before them", "state");
  std::uint64_t contradictions = 0;
  for (const auto& [key, count] : f.causes) {
    if (key[2] == workflows::delivery::cause::kContradiction) contradictions += count;
  }
  list.Count("smsflow_contradictions_total", "attempts that a gateway accepted and says it never saw", contradictions);
  of_tenants(f.causes, "smsflow_causes_total", "journal records that name a cause, by it", "cause");
}

// RocksDB's names have dots and dashes, Prometheus' do not.
std::string PlainName(const std::string& name) {
  std::string plain = "smsflow_store_";
  const std::string prefix = "rocksdb.";
  for (const char c : name.rfind(prefix, 0) == 0 ? name.substr(prefix.size()) : name) {
    plain.push_back(std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_');
  }
  return plain;
}

void AddFolder(metrics::Figures& list, const storage::DataFolder& folder) {
  if (const auto free = folder.FreeBytes(); free.ok()) {
    list.Gauge("smsflow_disk_free_bytes", "free on the data folder's disk", static_cast<double>(*free));
  }
  list.Gauge("smsflow_disk_reserve_bytes", "below so much free nothing is accepted",
             static_cast<double>(folder.ReserveBytes()));
  list.Gauge("smsflow_disk_used_bytes", "used by the data folder", static_cast<double>(folder.UsedBytes()));
  for (const auto& [name, value] : folder.Figures()) {
    list.Gauge(PlainName(name), "RocksDB: " + name, static_cast<double>(value));
  }
}

}  // namespace

std::vector<NamedFigure> ListFigures(const engine::Figures& figures, const storage::DataFolder* folder) {
  metrics::Figures list;
  AddEngine(list, figures);
  if (folder != nullptr) AddFolder(list, *folder);
  list.Gauge("smsflow_resident_bytes", "memory of this process", ResidentBytes());
  return std::move(list.figures);
}

std::vector<NamedHistogram> ListHistograms(const engine::Figures& figures) {
  return {{"smsflow_batch_size", "commands and timers in a write", figures.batch_size},
          {"smsflow_write_milliseconds", "time of a synced write", figures.write_ms},
          {"smsflow_lateness_milliseconds", "how late attempts left against when they were due", figures.lateness_ms}};
}

}  // namespace smsflow::server
