#include "gateway/wire.h"

#include <utility>

namespace smsflow::gateway {

v1::Hello HelloOf(const engine::PeerHello& hello) {
  v1::Hello out;
  out.set_gateway(hello.peer.gateway);
  out.set_store_uuid(hello.peer.store_uuid);
  for (const auto& tenant : hello.tenants) out.add_tenants(tenant);
  for (const auto& key_id : hello.lanes) out.add_key_ids(key_id);
  for (const engine::Mark& mark : hello.marks) {
    v1::ShardMark& row = *out.add_marks();
    row.set_shard(mark.shard.value);
    row.set_epoch(mark.epoch);
    row.set_sequence(mark.sequence);
    row.set_seal(mark.seal);
  }
  out.set_repeat_window(true);
  return out;
}

v1::Reports ReportsOf(std::span<const Report> reports) {
  v1::Reports out;
  for (const Report& report : reports) {
    v1::Report& row = *out.add_reports();
    row.set_attempt_id(report.attempt.ToString());
    row.set_result(static_cast<v1::AttemptResult>(report.result));
    row.set_about(static_cast<v1::FailureAbout>(report.about));
    row.set_cause(report.cause);
    row.set_at_ms(report.at_ms);
    row.set_tag(static_cast<std::uint64_t>(report.result));
  }
  return out;
}

std::vector<Lease> LeasesOf(const v1::Leases& leases) {
  std::vector<Lease> out;
  for (const v1::Lease& row : leases.leases()) {
    const auto attempt = AttemptId::Parse(row.attempt_id());
    if (!attempt.has_value()) continue;
    const v1::ShardMark& mark = row.mark();
    out.push_back(
        engine::Lease{*attempt,
                      row.tenant(),
                      row.key(),
                      row.key_id(),
                      row.deadline_ms(),
                      row.payload(),
                      {ShardId{static_cast<std::uint16_t>(mark.shard())}, mark.epoch(), mark.sequence(), mark.seal()},
                      row.again()});
  }
  return out;
}

std::vector<engine::Probe> ProbesOf(const v1::Probes& probes) {
  std::vector<engine::Probe> out;
  for (const v1::Probe& row : probes.probes()) {
    if (const auto attempt = AttemptId::Parse(row.attempt_id())) out.push_back({*attempt, row.deadline_ms()});
  }
  return out;
}

std::vector<Answer> AnswersOf(const v1::ReportAnswers& answers) {
  std::vector<Answer> out;
  for (const v1::ReportAnswer& row : answers.answers()) {
    // Neither taken nor refused, as by an engine that is stopping: to be repeated.
    if (row.outcome() == v1::ReportAnswer::OUTCOME_UNSPECIFIED) continue;
    // Not what was said with the report, so it is not known which one is answered: to be repeated too.
    if (row.tag() < static_cast<std::uint64_t>(Reported::kNeverSeen) ||
        row.tag() > static_cast<std::uint64_t>(Reported::kExpired)) {
      continue;
    }
    if (const auto attempt = AttemptId::Parse(row.attempt_id())) {
      out.push_back({*attempt, static_cast<Reported>(row.tag()), row.outcome() != v1::ReportAnswer::NOT_YOURS});
    }
  }
  return out;
}

}  // namespace smsflow::gateway
