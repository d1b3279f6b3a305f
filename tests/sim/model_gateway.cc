#include "tests/sim/model_gateway.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

namespace smsflow::sim {

namespace {
constexpr std::int64_t kMinuteMs = 60'000;

bool Has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}
}  // namespace

bool ModelGateway::Site::Serves(const std::string& tenant, const std::string& lane) const {
  return Has(tenants, tenant) && (lanes.empty() || lane.empty() || Has(lanes, lane));
}

struct ModelGateway::Link : engine::PeerLink {
  Link(ModelGateway& to, std::shared_ptr<Wire> over) : gateway(to), store(to.StoreName()), wire(std::move(over)) {}
  void Send(std::vector<engine::Lease> leases) override {
    for (auto& lease : leases) {
      if (wire->closed) gateway.truth_.violations.push_back("a lease was sent over a closed link");
      gateway.events_.leased(gateway.site_.name, store, lease);
      wire->messages.push_back({std::move(lease), std::nullopt});
    }
    if (Full()) gateway.coverage_.Hit("event a link is full");
  }
  void Send(std::vector<engine::Probe> probes) override {
    for (auto& probe : probes) wire->messages.push_back({std::nullopt, probe});
  }
  void Close(const absl::Status&) override { wire->closed = true; }
  bool Full() const override { return gateway.room != 0 && wire->messages.size() >= gateway.room; }
  ModelGateway& gateway;
  const std::string store;
  std::shared_ptr<Wire> wire;
};

engine::PeerHello ModelGateway::Hello() const {
  engine::PeerHello hello{{site_.name, StoreName()}, site_.tenants, site_.lanes, {}};
  for (const auto& [shard, mark] : store_.marks) hello.marks.push_back(mark);
  return hello;
}

std::unique_ptr<engine::PeerSession> ModelGateway::Open(engine::Engine& engine) {
  ++attachments_;
  wire_ = std::make_shared<Wire>();
  auto session = engine.Attach(Hello(), std::make_shared<Link>(*this, wire_));
  if (!session.ok()) {
    truth_.violations.push_back(site_.name + " could not attach: " + session.status().ToString());
    return nullptr;
  }
  (*session)->AddCredit(site_.credit / 2);
  (*session)->AddCredit(site_.credit - site_.credit / 2);
  return *std::move(session);
}

void ModelGateway::Attach(engine::Engine& engine) {
  inbox_.clear();
  session_ = Open(engine);
  // What was recorded and perhaps never heard is said again.
  for (const auto& [attempt, record] : store_.records)
    if (record.result) outbox_.push_back({attempt, *record.result, 0});
}

void ModelGateway::AttachAgain(engine::Engine& engine) {
  const std::shared_ptr<Wire> before = wire_;
  older_ = std::move(session_);
  session_ = Open(engine);
  if (before && !before->closed) truth_.violations.push_back("the older stream of a store was not closed");
  // What the older stream still brought is read to its end.
  while (before && !before->messages.empty()) {
    inbox_.push_back(std::move(before->messages.front()));
    before->messages.pop_front();
  }
}

void ModelGateway::CutLink() {
  older_.reset();
  session_.reset();
  wire_.reset();
  inbox_.clear();
  again_.clear();
  outbox_.clear();
}

void ModelGateway::Die() {
  CutLink();
  carrier_.clear();
  for (auto& [attempt, record] : store_.records)
    if (record.intent && !record.result) record.result = Reported::kUnknown;
}

void ModelGateway::LoseStore() {
  Die();
  lost_ = std::exchange(store_, Store{});
  store_.number = ++stores_;
}

void ModelGateway::BringStoreBack() {
  if (!lost_) return;
  Die();
  store_ = *std::exchange(lost_, std::nullopt);
}

void ModelGateway::Lie(const AttemptId& attempt, Reported lie) {
  truth_.lies[attempt].insert(lie);
  if (lie == Reported::kNeverSeen)
    store_.denied.insert(attempt);
  else
    store_.denied.erase(attempt);
  Report(attempt, lie);
}

std::vector<AttemptId> ModelGateway::Known() const {
  std::vector<AttemptId> attempts;
  for (const auto& [attempt, record] : store_.records) attempts.push_back(attempt);
  return attempts;
}

std::optional<workflows::delivery::Reported> ModelGateway::ResultOf(const AttemptId& attempt) const {
  const auto record = store_.records.find(attempt);
  return record == store_.records.end() ? std::nullopt : record->second.result;
}

std::vector<AttemptId> ModelGateway::Undecided() const {
  std::vector<AttemptId> attempts;
  for (const auto& [attempt, record] : store_.records)
    if (record.result == Reported::kUnknown || record.result == Reported::kSent || Hangs(attempt, record))
      if (record.intent) attempts.push_back(attempt);
  return attempts;
}

std::vector<AttemptId> ModelGateway::Open() const {
  std::vector<AttemptId> attempts;
  for (const auto& [attempt, record] : store_.records)
    if (!record.result && !record.submitted && !record.accepted && store_.denied.count(attempt) == 0)
      attempts.push_back(attempt);
  return attempts;
}

std::vector<AttemptId> ModelGateway::Denied() const {
  std::vector<AttemptId> attempts;
  for (const auto& [attempt, record] : store_.records)
    if (record.result.value_or(Reported::kNeverSeen) == Reported::kNeverSeen)
      if (record.result || store_.denied.count(attempt) != 0) attempts.push_back(attempt);
  return attempts;
}

bool ModelGateway::Hangs(const AttemptId& attempt, const Record& record) const {
  return record.intent && !record.submitted && !record.result &&
         std::find(carrier_.begin(), carrier_.end(), attempt) == carrier_.end();
}

void ModelGateway::LearnLate(const AttemptId& attempt) {
  const Record& record = store_.records[attempt];
  if (Hangs(attempt, record)) return carrier_.push_back(attempt);
  const bool sent = record.result == Reported::kSent;
  if (!sent && Chance(50)) return Settle(attempt, Reported::kSent);
  if (truth_.copied.count(attempt) != 0) return Settle(attempt, Reported::kDelivered);
  const Reported negatives[] = {Reported::kFailedTransient, Reported::kFailedTransient, Reported::kFailedPermanent,
                                Reported::kInvalid};
  Settle(attempt, negatives[random_() % 4]);
}

void ModelGateway::PutOnHandset(const AttemptId& attempt) {
  ++truth_.copies[attempt.instance];
  truth_.copied.insert(attempt);
}

// One message from the engine; by a bad link also none, a later one first, or one that comes once more.
void ModelGateway::Receive() {
  auto& messages = wire_->messages;
  const bool bad = bad_link && !faithful;
  const bool was_full = room != 0 && messages.size() >= room;
  std::size_t which = 0;
  if (bad && messages.size() > 1 && Chance(10)) which = random_() % messages.size();
  if (which != 0) events_.astray("a lease or a probe is overtaken", messages.front().attempt());
  Message message = std::move(messages[which]);
  messages.erase(messages.begin() + static_cast<std::ptrdiff_t>(which));
  if (was_full && messages.size() < room && session_) session_->AddCredit(0);
  if (bad && Chance(5)) {
    events_.astray("a lease or a probe comes twice", message.attempt());
    again_.push_back(message);
  }
  if (bad && Chance(2))
    events_.astray("a lease or a probe is lost on its way", message.attempt());
  else
    inbox_.push_back(std::move(message));
}

bool ModelGateway::Step(std::int64_t now_ms) {
  if (wire_ && !wire_->messages.empty()) Receive();
  if (!again_.empty() && (faithful || Chance(20))) {
    inbox_.push_back(std::move(again_.front()));
    again_.pop_front();
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
  auto& receipts = store_.receipts;
  const auto due = std::find_if(receipts.begin(), receipts.end(),
                                [&](const Later& receipt) { return faithful || receipt.due_ms <= now_ms; });
  if (due != receipts.end()) {
    const Later receipt = *due;
    receipts.erase(due);
    if (const auto it = store_.records.find(receipt.attempt); it != store_.records.end())
      it->second.result = receipt.reported;
    outbox_.push_back(receipt);
    return true;
  }
  if (!outbox_.empty() && session_) {
    if (session_->Congested()) {
      coverage_.Hit("event a gateway keeps its reports back for full queues");
      return false;
    }
    std::size_t which = 0;
    if (!faithful && outbox_.size() > 1 && Chance(15)) which = random_() % outbox_.size();
    if (which != 0) events_.astray("a report is overtaken", outbox_.front().attempt);
    const Later report = outbox_[which];
    outbox_.erase(outbox_.begin() + static_cast<std::ptrdiff_t>(which));
    if (!faithful && Chance(10)) {
      events_.astray("a report comes twice", report.attempt);
      outbox_.push_back(report);  // later than others
    }
    if (!faithful && Chance(5)) {
      events_.astray("a report is lost on its way", report.attempt);
      return true;
    }
    Report(report.attempt, report.reported);
    return true;
  }
  return false;
}

void ModelGateway::Take(const engine::Lease& lease, std::int64_t now_ms) {
  engine::Mark& mark = store_.marks[lease.mark.shard.value];
  if (lease.mark.sequence > mark.sequence) mark = lease.mark;
  const auto [it, fresh] = store_.records.try_emplace(lease.attempt);
  Record& record = it->second;
  if (!fresh) {
    if (record.result) outbox_.push_back({lease.attempt, *record.result, 0});
    return;
  }
  record.deadline_ms = lease.deadline_ms;
  if (now_ms >= lease.deadline_ms) return Settle(lease.attempt, Reported::kExpired);
  record.intent = true;
  record.accepted = faithful || Chance(accepts);
  if (record.accepted) outbox_.push_back({lease.attempt, Reported::kAccepted, 0});
  if (faithful || !Chance(hangs)) carrier_.push_back(lease.attempt);  // else it hangs
}

void ModelGateway::Answer(const engine::Probe& probe) {
  coverage_.Hit("event a probe reaches a gateway");
  const auto [it, fresh] = store_.records.try_emplace(probe.attempt);
  if (fresh) it->second.result = Reported::kNeverSeen;
  it->second.accepted |= !it->second.result;
  outbox_.push_back({probe.attempt, it->second.result.value_or(Reported::kAccepted), 0});
}

void ModelGateway::Settle(const AttemptId& attempt, Reported result) {
  store_.records[attempt].result = result;
  outbox_.push_back({attempt, result, 0});
}

void ModelGateway::Receipt(const AttemptId& attempt, Reported reported, std::int64_t now_ms) {
  const std::int64_t in_ms = Chance(slow_receipts) ? static_cast<std::int64_t>(random_() % 90) * kMinuteMs
                                                   : static_cast<std::int64_t>(random_() % 90'000);
  store_.receipts.push_back({attempt, reported, now_ms + in_ms});
}

void ModelGateway::Submit(const AttemptId& attempt, std::int64_t now_ms) {
  Record& record = store_.records[attempt];
  if (record.result) return;
  if (now_ms >= record.deadline_ms) return Settle(attempt, Reported::kExpired);
  record.submitted = true;
  coverage_.Hit("check I7 no attempt is submitted twice");
  if (++truth_.submits[attempt] > 1) truth_.violations.push_back("I7: submitted twice: " + attempt.ToString());
  switch (faithful ? 0 : PickFate()) {
    case 0:
      PutOnHandset(attempt);
      if (Chance(90)) Settle(attempt, Reported::kSent);  // else its receipt overtakes its response
      return Receipt(attempt, Reported::kDelivered, now_ms);
    case 1:
      PutOnHandset(attempt);
      return Settle(attempt, Reported::kSent);
    case 2:
      return Settle(attempt, Reported::kFailedTransient);
    case 3:
      Settle(attempt, Reported::kSent);
      return Receipt(attempt, Reported::kFailedTransient, now_ms);
    case 4:
      Settle(attempt, Reported::kSent);
      return Receipt(attempt, Chance(50) ? Reported::kInvalid : Reported::kFailedPermanent, now_ms);
    case 5:
      return Settle(attempt, Chance(50) ? Reported::kInvalid : Reported::kFailedPermanent);
    case 6:
      return LoseCarrier(attempt, now_ms);
    default:
      return Settle(attempt, Reported::kSent);
  }
}

int ModelGateway::PickFate() {
  int what = static_cast<int>(random_() % static_cast<std::uint64_t>(std::accumulate(fates.begin(), fates.end(), 0)));
  for (std::size_t fate = 0; fate < fates.size(); ++fate)
    if ((what -= fates[fate]) < 0) return static_cast<int>(fate);
  return 0;
}

// The link to the SMSC died in the middle: nobody can tell, but a receipt may still.
void ModelGateway::LoseCarrier(const AttemptId& attempt, std::int64_t now_ms) {
  const bool copied = Chance(50);
  if (copied) PutOnHandset(attempt);
  Settle(attempt, Reported::kUnknown);
  if (!Chance(70)) return;
  const Reported told[] = {Reported::kFailedTransient, Reported::kFailedPermanent, Reported::kSent};
  Receipt(attempt, copied ? (Chance(70) ? Reported::kDelivered : Reported::kSent) : told[random_() % 3], now_ms);
}

void ModelGateway::Report(const AttemptId& attempt, Reported reported) {
  workflows::delivery::Report report;
  report.attempt = attempt.number;
  report.reported = reported;
  events_.reporting(attempt, reported);
  engine::PeerSession& way = older_ && Chance(30) ? *older_ : *session_;
  way.Report(attempt, workflows::delivery::EncodeReport(report),
             [told = events_.answered, attempt, reported](engine::ReportAnswer answer) {
               told(attempt, reported, answer.outcome);
             });
}

}  // namespace smsflow::sim
