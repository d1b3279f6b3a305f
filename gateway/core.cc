#include "gateway/core.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <iterator>
#include <utility>

namespace smsflow::gateway {
namespace {

constexpr std::size_t kPrunedAtOnce = 1000;
constexpr std::chrono::milliseconds kIdleLook(10'000);
constexpr std::chrono::milliseconds kRoomLook(200);

template <class T>
void Append(std::vector<T>& to, std::vector<T> more) {
  if (to.empty()) {
    to = std::move(more);
    return;
  }
  to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

std::vector<std::string> RouteNames(const PaceOptions* pace) {
  if (pace == nullptr) return {""};
  std::vector<std::string> names;
  for (const Route& route : pace->routes.all()) names.push_back(route.name);
  return names;
}

}  // namespace

Core::Core(CoreOptions options, Store& store, Link& link, Carrier& carrier, const AgreedClock& clock,
           FatalHandler fatal, Room* room, Sorter* sorter, AuditLog* audit)
    : options_(std::move(options)),
      store_(store),
      link_(link),
      carrier_(carrier),
      clock_(clock),
      fatal_(std::move(fatal)),
      room_(room),
      sorter_(sorter),
      audit_(audit),
      outlet_(options_.pace ? options_.pace->limits : RateLimits{}, RouteNames(options_.pace.get())),
      prune_at_ms_(clock.SteadyMs() + options_.prune_every_ms),
      teller_(store, link),
      correlator_(options_.receipts, store),
      tenants_(options_.tenants) {
  for (std::string& name : RouteNames(options_.pace.get())) figures_.routes.push_back({.name = std::move(name)});
  figures_.sync.bounds = {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1};
  figures_.sync.counts.resize(figures_.sync.bounds.size() + 1);
}

Core::~Core() { Stop(); }

void Core::Start() {
  started_ = true;
  carrier_.Start(*this);
  if (sorter_ != nullptr) sorter_->Start([this](std::vector<Sorted> sorted) { OnSorted(std::move(sorted)); });
  thread_ = std::thread([this] { Loop(); });
  link_.Start(*this);
}

void Core::Stop() {
  if (!started_) return;
  started_ = false;
  link_.Stop();
  if (sorter_ != nullptr) sorter_->Stop();
  carrier_.Stop();
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Core::Loop() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, Pause(), [this] { return stopping_ || !inbox_.empty(); });
      if (stopping_ && inbox_.empty()) return;
    }
    RunOnce();
  }
}

// Until something that waits may leave, or is over.
std::chrono::milliseconds Core::Pause() const {
  if (outlet_.size() == 0 && refused_.empty()) return kIdleLook;
  if (low_) return kRoomLook;
  const auto wake_ms = outlet_.WakeInMs(clock_.SteadyMs(), clock_.WallMs());
  const std::chrono::milliseconds wake(wake_ms.value_or(kIdleLook.count()));
  return std::clamp(wake, std::chrono::milliseconds(1), outlet_.WaitsForPlace() ? kRoomLook : kIdleLook);
}

bool Core::RunOnce() {
  PruneIfTime();
  Inbox inbox;
  {
    const std::lock_guard lock(mutex_);
    std::swap(inbox, inbox_);
  }
  low_ = room_ != nullptr && room_->Low();
  return Decide(std::move(inbox));
}

bool Core::Decide(Inbox inbox) {
  Round round{.now = {store_.pruned_ms(), clock_.WallMs()}};
  const bool nothing_came = inbox.empty();
  teller_.OnGone(inbox.gone);
  Require(DecideLeases(inbox, round));
  if (nothing_came && round.kept.empty()) return false;
  Require(DecideParts(inbox, round.reports));
  Require(DecideReceipts(inbox, round.reports));
  Require(DecideOthers(inbox, round.reports));
  Require(CommitTimed());
  if (audit_ != nullptr) audit_->Append(round.reports);
  if (!inbox.receipts.empty()) {
    std::vector<Handle> durable;
    for (const auto& [receipt, handle] : inbox.receipts) durable.push_back(handle);
    carrier_.Acknowledge(durable);
  }
  for (const engine::Probe& probe : inbox.probes) round.kept.push_back(probe.attempt);
  if (!round.kept.empty()) link_.Kept(round.kept);
  {
    const std::lock_guard lock(mutex_);
    figures_.submitted += round.submit.size();
    figures_.reports += round.reports.size();
    for (const auto& [receipt, handle] : inbox.receipts) {
      const auto bit = static_cast<unsigned>(std::countr_zero(static_cast<std::uint8_t>(receipt.heard)));
      if (bit < figures_.heard.size()) ++figures_.heard[bit];
    }
    NoteFigures();
  }
  if (!round.submit.empty()) carrier_.Submit(std::move(round.submit));
  Require(TellOn(inbox, std::move(round.reports)));
  return true;
}

absl::Status Core::CommitTimed() {
  const std::int64_t begun_ms = clock_.SteadyMs();
  auto status = store_.Commit();
  const double took_s = static_cast<double>(clock_.SteadyMs() - begun_ms) / 1000;
  const std::lock_guard lock(mutex_);
  engine::Histogram& sync = figures_.sync;
  const auto bound = std::lower_bound(sync.bounds.begin(), sync.bounds.end(), took_s);
  ++sync.counts[static_cast<std::size_t>(bound - sync.bounds.begin())];
  sync.sum += took_s;
  return status;
}

// Under the mutex.
void Core::NoteFigures() {
  figures_.receipts = correlator_.figures();
  figures_.sorting = sorting_.size();
  figures_.telling = teller_.under_way();
  figures_.low = low_;
  for (std::size_t i = 0; i < figures_.routes.size(); ++i) {
    RouteFigures& route = figures_.routes[i];
    for (std::size_t k = 0; k < kPriorities; ++k) route.waiting[k] = outlet_.size(i, static_cast<Priority>(k));
    route.tokens = outlet_.Tokens(i, clock_.SteadyMs());
  }
}

absl::Status Core::Load() {
  if (auto status = correlator_.Load(); !status.ok()) return status;
  if (audit_ == nullptr) return absl::OkStatus();
  // What a process that was killed may not have written.
  std::optional<AttemptId> after;
  for (;;) {
    const auto reports = store_.Unanswered(after, Teller::kPage);
    if (!reports.ok()) return reports.status();
    if (reports->empty()) return absl::OkStatus();
    audit_->Append(*reports);
    after = reports->back().attempt;
  }
}

absl::Status Core::DecideParts(const Inbox& inbox, std::vector<gateway::Report>& reports) {
  for (const PartAnswer& answer : inbox.parts) {
    const auto known = store_.Find(answer.attempt);
    if (!known.ok()) return known.status();
    const Verdict verdict = OnPart(answer, *known);
    Keep(answer.attempt, verdict, /*is_new=*/false, reports);
    if (!verdict.store.has_value() || answer.message_id.empty()) continue;
    const auto placed = correlator_.Named(answer.account, answer.message_id,
                                          {answer.attempt, answer.number, answer.at_ms, answer.recipient});
    if (!placed.ok()) return placed.status();
    if (const auto status = HearAll(*placed, reports); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// After the parts, whose ids they may be about.
absl::Status Core::DecideReceipts(const Inbox& inbox, std::vector<gateway::Report>& reports) {
  for (const auto& [receipt, handle] : inbox.receipts) {
    const auto part = correlator_.Place(receipt);
    if (!part.ok()) return part.status();
    if (!part->has_value()) continue;
    if (const auto status = HearAll({{**part, receipt}}, reports); !status.ok()) return status;
  }
  const auto placed = correlator_.Learnt();
  if (!placed.ok()) return placed.status();
  return HearAll(*placed, reports);
}

absl::Status Core::HearAll(const std::vector<PlacedReceipt>& placed, std::vector<gateway::Report>& reports) {
  for (const auto& [part, receipt] : placed) {
    const auto known = store_.Find(part.attempt);
    if (!known.ok()) return known.status();
    Keep(part.attempt, gateway::OnReceipt(receipt, part.attempt, part.number, *known), /*is_new=*/false, reports);
  }
  return absl::OkStatus();
}

absl::Status Core::DecideOthers(const Inbox& inbox, std::vector<gateway::Report>& reports) {
  for (const gateway::Report& word : inbox.outcomes) {
    const auto known = store_.Find(word.attempt);
    if (!known.ok()) return known.status();
    Keep(word.attempt, OnOutcome(word, *known), /*is_new=*/false, reports);
  }
  for (const engine::Probe& probe : inbox.probes) {
    const auto known = store_.Find(probe.attempt);
    if (!known.ok()) return known.status();
    const auto verdict = OnProbe(probe.attempt, probe.deadline_ms, *known, {store_.pruned_ms(), clock_.WallMs()});
    if (!known->has_value()) StopWaiting(probe.attempt);
    Keep(probe.attempt, verdict, !known->has_value(), reports);
  }
  std::uint64_t not_ours = 0;
  for (const Answer& answer : inbox.answers) {
    not_ours += answer.ours ? 0 : 1;
    if (!answer.ours) {
      const auto of_another = IsOfAnother(answer.attempt);
      if (!of_another.ok()) return of_another.status();
      if (*of_another) continue;
    }
    if (const auto status = store_.Answered(answer.attempt, answer.result); !status.ok()) return status;
  }
  const std::lock_guard lock(mutex_);
  figures_.probes += inbox.probes.size();
  figures_.not_ours += not_ours;
  return absl::OkStatus();
}

// Of a tenant that is not served now: its engine may take the word once it is again.
absl::StatusOr<bool> Core::IsOfAnother(const AttemptId& attempt) const {
  const auto known = store_.Find(attempt);
  if (!known.ok()) return known.status();
  if (!known->has_value() || (*known)->tenant.empty()) return false;
  const std::lock_guard lock(mutex_);
  return std::find(tenants_.begin(), tenants_.end(), (*known)->tenant) == tenants_.end();
}

void Core::Keep(const AttemptId& attempt, const Verdict& verdict, bool is_new, std::vector<gateway::Report>& reports) {
  if (verdict.store.has_value())
    store_.Put(attempt, *verdict.store, is_new, verdict.report.has_value() && verdict.awaited);
  if (verdict.report.has_value()) reports.push_back(*verdict.report);
}

absl::Status Core::TellOn(const Inbox& inbox, std::vector<gateway::Report> reports) {
  if (!reports.empty()) teller_.Tell(std::move(reports));
  if (inbox.attached) teller_.OnAttached();
  const auto status = teller_.Repeat();
  const std::lock_guard lock(mutex_);
  waits_for_room_ = teller_.WaitsForRoom();
  inbox_.room = waits_for_room_ && inbox_.gone > 0;
  return status;
}

// Only after the clocks have agreed for a whole while: what is forgotten by a wrong one stays forgotten.
void Core::PruneIfTime() {
  const bool jumped = clock_.Jumped();
  if (!jumped && clock_.SteadyMs() < prune_at_ms_) return;
  prune_at_ms_ = clock_.SteadyMs() + options_.prune_every_ms;
  if (jumped) return;
  GiveUpParked();
  for (;;) {
    const auto count = store_.Prune(clock_.WallMs(), kPrunedAtOnce);
    Require(count.status());
    if (!count.ok() || *count < kPrunedAtOnce) return;
  }
}

void Core::GiveUpParked() {
  for (std::size_t count = kPrunedAtOnce; count == kPrunedAtOnce;) {
    count = correlator_.GiveUp(clock_.WallMs(), kPrunedAtOnce);
    Require(store_.Commit());
  }
  const std::lock_guard lock(mutex_);
  figures_.receipts = correlator_.figures();
}

void Core::Require(const absl::Status& status) {
  if (!status.ok()) fatal_(status);
}

CoreFigures Core::figures() const {
  const std::lock_guard lock(mutex_);
  return figures_;
}

void Core::ReplaceTenants(std::vector<std::string> tenants) {
  const std::lock_guard lock(mutex_);
  tenants_ = std::move(tenants);
}

engine::PeerHello Core::Hello() {
  std::vector<std::string> tenants;
  {
    const std::lock_guard lock(mutex_);
    tenants = tenants_;
  }
  return {{options_.gateway, store_.uuid()},
          std::move(tenants),
          options_.key_ids ? options_.key_ids() : std::vector<std::string>{},
          store_.Marks()};
}

void Core::OnAttached() {
  {
    const std::lock_guard lock(mutex_);
    inbox_.attached = true;
    figures_.attached = true;
  }
  wake_.notify_one();
}

void Core::OnDetached(const absl::Status&) {
  const std::lock_guard lock(mutex_);
  figures_.attached = false;
}

void Core::OnLeases(std::vector<Lease> leases) {
  {
    const std::lock_guard lock(mutex_);
    Append(inbox_.leases, std::move(leases));
  }
  wake_.notify_one();
}

void Core::OnSorted(std::vector<Sorted> sorted) {
  {
    const std::lock_guard lock(mutex_);
    Append(inbox_.sorted, std::move(sorted));
  }
  wake_.notify_one();
}

void Core::OnProbes(std::vector<engine::Probe> probes) {
  {
    const std::lock_guard lock(mutex_);
    Append(inbox_.probes, std::move(probes));
  }
  wake_.notify_one();
}

void Core::OnAnswers(std::vector<Answer> answers) {
  {
    const std::lock_guard lock(mutex_);
    Append(inbox_.answers, std::move(answers));
  }
  wake_.notify_one();
}

void Core::OnGone(std::size_t reports) {
  {
    const std::lock_guard lock(mutex_);
    inbox_.gone += reports;
    if (!waits_for_room_) return;
    inbox_.room = true;
  }
  wake_.notify_one();
}

void Core::OnOutcomes(std::vector<gateway::Report> outcomes) {
  {
    const std::lock_guard lock(mutex_);
    Append(inbox_.outcomes, std::move(outcomes));
  }
  wake_.notify_one();
}

void Core::OnParts(std::vector<PartAnswer> answers) {
  {
    const std::lock_guard lock(mutex_);
    Append(inbox_.parts, std::move(answers));
  }
  wake_.notify_one();
}

void Core::OnReceipt(SmscReceipt receipt, Handle handle) {
  {
    const std::lock_guard lock(mutex_);
    inbox_.receipts.emplace_back(std::move(receipt), handle);
  }
  wake_.notify_one();
}

}  // namespace smsflow::gateway
