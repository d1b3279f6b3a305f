#include "tools/bench/gateway_shape.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "gateway/core.h"
#include "tools/bench/watched_store.h"

namespace smsflow::bench {
namespace {

using gateway::Reported;

// Nobody is there: what is told is only noted.
class NoLink : public gateway::Link {
 public:
  void Start(gateway::LinkEvents&) override {}
  void Stop() override {}
  void Report(std::vector<gateway::Report> reports) override { last = reports.back().result; }
  Reported last = Reported::kNeverSeen;
};

class NoCarrier : public gateway::Carrier {
 public:
  void Start(gateway::CarrierEvents&) override {}
  void Submit(std::vector<engine::Lease>) override {}
  void Stop() override {}
};

// Marks are of a shard, and most leases of a batch share one.
BatchShape OwnRows(BatchShape rows) {
  std::erase_if(rows, [](const RowShape& row) { return row.family == storage::Family::kMeta; });
  return rows;
}

}  // namespace

absl::StatusOr<GatewayShape> FindGatewayShape() {
  FixedClock clock;
  WatchedStore rows(clock);
  auto store = gateway::Store::Open(rows, "bench", clock.now_ms);
  if (!store.ok()) return store.status();
  NoLink link;
  NoCarrier carrier;
  absl::Status failed;
  const gateway::AgreedClock agreed(clock, nullptr);
  gateway::Core core({.gateway = "bench", .tenants = {std::string(kTenant)}}, **store, link, carrier, agreed,
                     [&failed](const absl::Status& status) { failed = status; });
  if (const auto status = core.Load(); !status.ok()) return status;
  rows.Take();

  GatewayShape shape;
  shape.example = InstanceId::Make(clock.now_ms, ShardId{7}, 0x0123456789ABCDEF);
  const AttemptId attempt{shape.example, 1};
  const gateway::RecipientTag recipient{4711, 4711};
  engine::Lease lease;
  lease.attempt = attempt;
  lease.tenant = kTenant;
  lease.deadline_ms = clock.now_ms + 3'600'000;
  lease.mark = {shape.example.shard(), 1, 1};
  core.OnLeases({lease});
  core.RunOnce();
  shape.batches.push_back(OwnRows(rows.Take()));

  gateway::PartAnswer answer;
  answer.attempt = attempt;
  answer.answer = workflows::submission::Answer::kAccepted;
  answer.account = "bench";
  answer.message_id = "1234567";
  answer.recipient = recipient;
  answer.at_ms = clock.now_ms;
  core.OnParts({answer});
  core.RunOnce();
  shape.batches.push_back(OwnRows(rows.Take()));

  gateway::SmscReceipt receipt;
  receipt.account = "bench";
  receipt.tlv_id = receipt.text_id = "1234567";
  receipt.heard = workflows::submission::Heard::kDelivered;
  receipt.recipient = recipient;
  receipt.at_ms = clock.now_ms;
  core.OnReceipt(receipt, {});
  core.RunOnce();
  core.OnAnswers({{attempt, Reported::kDelivered, true}});
  core.RunOnce();
  shape.batches.push_back(OwnRows(rows.Take()));
  if (!failed.ok()) return failed;
  if (link.last != Reported::kDelivered) return absl::DataLossError("an SMS did not end as DELIVERED at the gateway");
  return shape;
}

}  // namespace smsflow::bench
