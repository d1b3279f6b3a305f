#include "gateway/core.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

namespace smsflow::gateway {
namespace {

constexpr std::size_t kPrunedAtOnce = 1000;
constexpr std::size_t kHeldAtOnce = 128;
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

}  // namespace

Core::Core(CoreOptions options, Store& store, Link& link, Carrier& carrier, const AgreedClock& clock,
           FatalHandler fatal, Room* room)
    : options_(std::move(options)),
      store_(store),
      link_(link),
      carrier_(carrier),
      clock_(clock),
      fatal_(std::move(fatal)),
      room_(room),
      prune_at_ms_(clock.SteadyMs() + options_.prune_every_ms),
      teller_(store, link),
      correlator_(options_.receipts, store),
      tenants_(options_.tenants) {}

Core::~Core() { Stop(); }

void Core::Start() {
  started_ = true;
  carrier_.Start(*this);
  thread_ = std::thread([this] { Loop(); });
  link_.Start(*this);
}

void Core::Stop() {
  if (!started_) return;
  started_ = false;
  link_.Stop();
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
      // `held_back_` is of this thread.
      wake_.wait_for(lock, held_back_.empty() ? kIdleLook : kRoomLook, [this] { return stopping_ || !inbox_.empty(); });
      if (stopping_ && inbox_.empty()) return;
    }
    RunOnce();
  }
}

bool Core::RunOnce() {
  PruneIfTime();
  Inbox inbox;
  {
    const std::lock_guard lock(mutex_);
    std::swap(inbox, inbox_);
  }
  LookForRoom(inbox);
  if (inbox.empty()) return false;
  Decide(std::move(inbox));
  return true;
}

void Core::LookForRoom(Inbox& inbox) {
  low_ = room_ != nullptr && room_->Low();
  if (!low_) return LookAtHeldBack(inbox);
  // Too late for it. The engine asks at its deadline, and hears that it was never seen.
  std::vector<AttemptId> over;
  for (const auto& [attempt, lease] : held_back_) {
    if (lease.deadline_ms <= clock_.WallMs()) over.push_back(attempt);
  }
  for (const AttemptId& attempt : over) held_back_.erase(attempt);
  if (!over.empty()) link_.Kept(over);
}

void Core::LookAtHeldBack(Inbox& inbox) {
  const std::int64_t now_ms = clock_.WallMs();
  const bool room = carrier_.HasRoom();
  std::size_t looks = std::min(held_back_.size(), kHeldAtOnce);
  for (auto it = held_back_.upper_bound(held_after_); looks > 0; --looks) {
    if (it == held_back_.end()) it = held_back_.begin();
    held_after_ = it->first;
    if (room || it->second.deadline_ms <= now_ms) {
      inbox.leases.push_back(std::move(it->second));
      it = held_back_.erase(it);
    } else {
      ++it;
    }
  }
}

void Core::Decide(Inbox inbox) {
  std::vector<gateway::Report> reports;
  std::vector<engine::Lease> submit;
  std::vector<AttemptId> kept;
  Require(DecideLeases(inbox.leases, reports, submit, kept));
  Require(DecideParts(inbox, reports));
  Require(DecideReceipts(inbox, reports));
  Require(DecideOthers(inbox, reports));
  Require(store_.Commit());
  if (!inbox.receipts.empty()) {
    std::vector<Handle> durable;
    for (const auto& [receipt, handle] : inbox.receipts) durable.push_back(handle);
    carrier_.Acknowledge(durable);
  }
  for (const engine::Probe& probe : inbox.probes) kept.push_back(probe.attempt);
  if (!kept.empty()) link_.Kept(kept);
  {
    const std::lock_guard lock(mutex_);
    figures_.submitted += submit.size();
    figures_.reports += reports.size();
    figures_.receipts = correlator_.figures();
  }
  if (!submit.empty()) carrier_.Submit(std::move(submit));
  Require(TellOn(inbox, std::move(reports)));
}

absl::Status Core::DecideLeases(std::vector<engine::Lease>& leases, std::vector<gateway::Report>& reports,
                                std::vector<engine::Lease>& submit, std::vector<AttemptId>& kept) {
  std::uint64_t repeated = 0;
  for (engine::Lease& lease : leases) {
    const auto known = store_.Find(lease.attempt);
    if (!known.ok()) return known.status();
    if (low_ && !known->has_value()) {
      held_back_.insert_or_assign(lease.attempt, std::move(lease));
      continue;
    }
    const auto verdict = OnLease(lease.attempt, lease.deadline_ms, *known, {store_.pruned_ms(), clock_.WallMs()});
    if (verdict.submit && !carrier_.Take(lease)) {
      held_back_.insert_or_assign(lease.attempt, std::move(lease));
      continue;
    }
    kept.push_back(lease.attempt);
    store_.Note(lease.mark);
    repeated += known->has_value() ? 1 : 0;
    Keep(lease.attempt, verdict, !known->has_value(), reports);
    if (verdict.submit) submit.push_back(std::move(lease));
  }
  const std::lock_guard lock(mutex_);
  figures_.leases += kept.size();  // what is held back is counted when its turn has come
  figures_.repeated_leases += repeated;
  return absl::OkStatus();
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
    Keep(probe.attempt, verdict, !known->has_value(), reports);
  }
  std::uint64_t not_ours = 0;
  for (const Answer& answer : inbox.answers) {
    not_ours += answer.ours ? 0 : 1;
    if (const auto status = store_.Answered(answer.attempt, answer.result); !status.ok()) return status;
  }
  const std::lock_guard lock(mutex_);
  figures_.probes += inbox.probes.size();
  figures_.not_ours += not_ours;
  return absl::OkStatus();
}

void Core::Keep(const AttemptId& attempt, const Verdict& verdict, bool is_new, std::vector<gateway::Report>& reports) {
  if (verdict.store.has_value()) store_.Put(attempt, *verdict.store, is_new, verdict.report.has_value());
  if (verdict.report.has_value()) reports.push_back(*verdict.report);
}

absl::Status Core::TellOn(const Inbox& inbox, std::vector<gateway::Report> reports) {
  teller_.OnGone(inbox.gone);
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

void Core::OnLeases(std::vector<engine::Lease> leases) {
  {
    const std::lock_guard lock(mutex_);
    Append(inbox_.leases, std::move(leases));
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
