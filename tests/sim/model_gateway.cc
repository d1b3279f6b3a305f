#include "tests/sim/model_gateway.h"

#include <utility>

namespace smsflow::sim {

struct ModelGateway::Link : engine::PeerLink {
  explicit Link(std::shared_ptr<std::deque<Message>> to) : wire(std::move(to)) {}
  void Send(std::vector<engine::Lease> leases) override {
    for (auto& lease : leases) wire->push_back({std::move(lease), std::nullopt});
  }
  void Send(std::vector<engine::Probe> probes) override {
    for (auto& probe : probes) wire->push_back({std::nullopt, probe});
  }
  void Close(const absl::Status&) override {}
  std::shared_ptr<std::deque<Message>> wire;
};

void ModelGateway::Attach(engine::Engine& engine) {
  wire_ = std::make_shared<std::deque<Message>>();
  auto session = engine.Attach({{name_, "store-" + std::to_string(store_number_)}, tenants_, {}, {}},
                               std::make_shared<Link>(wire_));
  if (!session.ok()) {
    truth_.violations.push_back(name_ + " could not attach: " + session.status().ToString());
    return;
  }
  session_ = *std::move(session);
  session_->AddCredit(4);
  // What was recorded and perhaps never heard is said again.
  for (const auto& [attempt, record] : store_)
    if (record.result) outbox_.push_back({attempt, *record.result});
}

void ModelGateway::CutLink() {
  session_.reset();
  wire_.reset();
  inbox_.clear();
  outbox_.clear();
}

void ModelGateway::Die() {
  CutLink();
  carrier_.clear();
  for (auto& [attempt, record] : store_)
    if (record.intent && !record.result) record.result = Reported::kUnknown;
}

void ModelGateway::LoseStore() {
  Die();
  store_.clear();
  receipts_.clear();  // nobody is left who would know them
  ++store_number_;
}

bool ModelGateway::Step(std::int64_t now_ms) {
  if (wire_ && !wire_->empty()) {
    inbox_.push_back(std::move(wire_->front()));
    wire_->pop_front();
  }
  if (!inbox_.empty()) {
    const Message message = std::move(inbox_.front());
    inbox_.pop_front();
    if (message.lease) Take(*message.lease, now_ms);
    if (message.probe) Answer(*message.probe);
    return true;
  }
  if (!carrier_.empty()) {
    const AttemptId attempt = carrier_.front();
    carrier_.pop_front();
    Submit(attempt, now_ms);
    return true;
  }
  if (!receipts_.empty() && (faithful || Chance(50))) {
    const Later receipt = receipts_.front();
    receipts_.pop_front();
    if (const auto it = store_.find(receipt.attempt); it != store_.end()) it->second.result = receipt.reported;
    outbox_.push_back(receipt);
    return true;
  }
  if (!outbox_.empty() && session_) {
    const Later report = outbox_.front();
    outbox_.pop_front();
    if (Chance(10)) outbox_.push_back(report);  // doubled, and later than others
    Report(report.attempt, report.reported);
    return true;
  }
  return false;
}

void ModelGateway::Take(const engine::Lease& lease, std::int64_t now_ms) {
  const auto [it, fresh] = store_.try_emplace(lease.attempt);
  Record& record = it->second;
  record.deadline_ms = lease.deadline_ms;
  if (!fresh) {
    if (record.result) outbox_.push_back({lease.attempt, *record.result});
    return;
  }
  if (now_ms >= lease.deadline_ms) {
    record.result = Reported::kExpired;
    outbox_.push_back({lease.attempt, Reported::kExpired});
    return;
  }
  record.intent = true;
  outbox_.push_back({lease.attempt, Reported::kAccepted});
  if (faithful || Chance(90)) carrier_.push_back(lease.attempt);  // else it hangs until the gateway dies
}

void ModelGateway::Answer(const engine::Probe& probe) {
  const auto [it, fresh] = store_.try_emplace(probe.attempt);
  if (fresh) it->second.result = Reported::kNeverSeen;
  outbox_.push_back({probe.attempt, it->second.result.value_or(Reported::kAccepted)});
}

void ModelGateway::Submit(const AttemptId& attempt, std::int64_t now_ms) {
  Record& record = store_[attempt];
  if (now_ms >= record.deadline_ms) {
    record.result = Reported::kExpired;
    outbox_.push_back({attempt, Reported::kExpired});
    return;
  }
  if (++truth_.submits[attempt] > 1) truth_.violations.push_back("I7: submitted twice: " + attempt.ToString());
  const int fate = faithful ? 0 : static_cast<int>(random_() % 100);
  if (fate < 55) {
    ++truth_.copies[attempt.instance];
    record.result = Reported::kSent;
    outbox_.push_back({attempt, Reported::kSent});
    receipts_.push_back({attempt, Reported::kDelivered});
  } else if (fate < 65) {
    ++truth_.copies[attempt.instance];  // delivered, and no receipt ever comes
    record.result = Reported::kSent;
    outbox_.push_back({attempt, Reported::kSent});
  } else if (fate < 80) {
    record.result = Reported::kFailedTransient;
    outbox_.push_back({attempt, Reported::kFailedTransient});
  } else if (fate < 90) {
    record.result = Reported::kSent;
    outbox_.push_back({attempt, Reported::kSent});
    receipts_.push_back({attempt, Reported::kFailedTransient});
  } else if (fate < 95) {
    record.result = Reported::kInvalid;
    outbox_.push_back({attempt, Reported::kInvalid});
  } else {
    if (Chance(50)) ++truth_.copies[attempt.instance];
    record.result = Reported::kUnknown;
    outbox_.push_back({attempt, Reported::kUnknown});
  }
}

void ModelGateway::Report(const AttemptId& attempt, Reported reported) {
  workflows::delivery::Report report;
  report.attempt = attempt.number;
  report.reported = reported;
  session_->Report(attempt, workflows::delivery::EncodeReport(report), [](engine::ReportAnswer) {});
}

}  // namespace smsflow::sim
