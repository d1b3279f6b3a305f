#include "server/grpc/attach_wire.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "workflows/delivery/codec/codec.h"

namespace smsflow::server {

namespace delivery = workflows::delivery;

namespace {

constexpr int kTenantsMax = 1'000;
constexpr int kKeyIdsMax = 1'000;
constexpr std::size_t kKeyIdBytesMax = 1'024;  // the most that limits.name_bytes may be

bool IsGatewayName(const std::string& text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
  });
}

// 8-4-4-4-12 lower-case hexadecimal digits.
bool IsUuid(const std::string& text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const auto c = static_cast<unsigned char>(text[i]);
    if (dash ? c != '-' : !absl::ascii_isxdigit(c) || absl::ascii_isupper(c)) return false;
  }
  return true;
}

std::string SealOf(const storage::IndexKeys& keys, const v1::ShardMark& mark) {
  const storage::Hash16 seal =
      keys.MarkSeal(ShardId{static_cast<std::uint16_t>(mark.shard())}, mark.epoch(), mark.sequence());
  return {seal.begin(), seal.end()};
}

bool IsKeyId(const std::string& text) { return text.size() <= kKeyIdBytesMax; }

}  // namespace

absl::StatusOr<engine::PeerHello> HelloOf(const v1::Hello& hello, const Caller& caller, const storage::IndexKeys& keys,
                                          Violations& violations) {
  if (!IsGatewayName(hello.gateway())) {
    violations.push_back({"hello.gateway", "must be 1 to 64 characters of A-Z a-z 0-9 . _ -"});
  }
  if (!IsUuid(hello.store_uuid())) violations.push_back({"hello.store_uuid", "must be a UUID in canonical text"});
  if (hello.tenants().empty()) violations.push_back({"hello.tenants", "must name at least one tenant"});
  if (hello.tenants_size() > kTenantsMax) violations.push_back({"hello.tenants", "must be at most 1000"});
  if (hello.key_ids_size() > kKeyIdsMax || !std::all_of(hello.key_ids().begin(), hello.key_ids().end(), IsKeyId)) {
    violations.push_back({"hello.key_ids", "must be at most 1000, each of at most 1024 bytes"});
  }
  if (!hello.repeat_window()) {
    violations.push_back({"hello.repeat_window", "must be set: only a gateway that deduplicates may attach"});
  }
  if (hello.marks_size() > kShardsMax || std::any_of(hello.marks().begin(), hello.marks().end(),
                                                     [](const auto& mark) { return mark.shard() >= kShardsMax; })) {
    violations.push_back({"hello.marks", "must name shards of the engine, each at most once"});
  }
  if (!violations.empty()) return ToStatus(violations);
  for (const std::string& tenant : hello.tenants()) {
    if (!caller.May(tenant))
      return absl::PermissionDeniedError("hello.tenants: the credential does not allow them all");
  }
  if (!caller.MayBe(hello.gateway())) {
    return absl::PermissionDeniedError("hello.gateway: the credential is not this gateway's");
  }
  engine::PeerHello peer;
  for (const v1::ShardMark& mark : hello.marks()) {
    if (mark.seal() != SealOf(keys, mark)) continue;
    peer.marks.push_back({ShardId{static_cast<std::uint16_t>(mark.shard())}, mark.epoch(), mark.sequence()});
  }
  peer.peer = {hello.gateway(), hello.store_uuid()};
  peer.tenants.assign(hello.tenants().begin(), hello.tenants().end());
  peer.tells_of = caller.tenants;
  peer.lanes.assign(hello.key_ids().begin(), hello.key_ids().end());
  return peer;
}

absl::StatusOr<AttemptReport> ReportOf(const v1::Report& report) {
  if (report.result() == v1::ATTEMPT_RESULT_UNSPECIFIED || !v1::AttemptResult_IsValid(report.result())) {
    return absl::InvalidArgumentError("reports.result: must be one of AttemptResult");
  }
  if (!v1::FailureAbout_IsValid(report.about())) {
    return absl::InvalidArgumentError("reports.about: must be one of FailureAbout");
  }
  const auto attempt = AttemptId::Parse(report.attempt_id());
  if (!attempt) return absl::InvalidArgumentError("reports.attempt_id: must be an SMS's id, a dot and a number");
  delivery::Report event;
  event.reported = static_cast<delivery::Reported>(report.result());
  event.about = static_cast<delivery::About>(report.about());
  event.cause = report.cause();
  event.at_ms = std::max<std::int64_t>(0, report.at_ms());
  event.attempt = attempt->number;
  AttemptReport reported{*attempt, delivery::EncodeReport(event)};
  reported.event.effect = attempt->number;
  return reported;
}

void FillLease(engine::Lease&& lease, v1::Lease* out) {
  out->set_attempt_id(lease.attempt.ToString());
  out->set_tenant(std::move(lease.tenant));
  out->set_key(std::move(lease.client_key));
  out->set_key_id(std::move(lease.lane));
  out->set_deadline_ms(lease.deadline_ms);
  out->set_payload(std::move(lease.payload));
  v1::ShardMark* mark = out->mutable_mark();
  mark->set_shard(lease.mark.shard.value);
  mark->set_epoch(lease.mark.epoch);
  mark->set_sequence(lease.mark.sequence);
  out->set_again(lease.again);
}

void SealMarks(const storage::IndexKeys& keys, v1::Leases& leases) {
  struct Highest {
    std::pair<std::uint64_t, std::uint64_t> at;
    std::string seal;
  };
  const auto at = [](const v1::ShardMark& mark) { return std::pair(mark.epoch(), mark.sequence()); };
  std::map<std::uint32_t, Highest> highest;
  for (const v1::Lease& lease : leases.leases()) {
    Highest& known = highest[lease.mark().shard()];
    known.at = std::max(known.at, at(lease.mark()));
  }
  for (v1::Lease& lease : *leases.mutable_leases()) {
    Highest& known = highest[lease.mark().shard()];
    if (at(lease.mark()) != known.at) continue;
    if (known.seal.empty()) known.seal = SealOf(keys, lease.mark());
    lease.mutable_mark()->set_seal(known.seal);
  }
}

v1::ReportAnswer::Outcome OutcomeOf(engine::ReportOutcome outcome) {
  switch (outcome) {
    case engine::ReportOutcome::kApplied:
      return v1::ReportAnswer::APPLIED;
    case engine::ReportOutcome::kNoted:
      return v1::ReportAnswer::NOTED;
    case engine::ReportOutcome::kNotYours:
      return v1::ReportAnswer::NOT_YOURS;
    case engine::ReportOutcome::kFailed:
      return v1::ReportAnswer::OUTCOME_UNSPECIFIED;
  }
  return v1::ReportAnswer::OUTCOME_UNSPECIFIED;
}

}  // namespace smsflow::server
