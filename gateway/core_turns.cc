// How a new attempt waits, and what its turn comes to.
#include <utility>

#include "gateway/core.h"

namespace smsflow::gateway {

absl::Status Core::DecideLeases(Inbox& inbox, Round& round) {
  if (auto status = TakeIn(std::move(inbox.leases), round); !status.ok()) return status;
  if (auto status = TakeSorted(std::move(inbox.sorted)); !status.ok()) return status;
  GiveUpLate(round);
  if (!low_) {
    if (auto status = Refuse(round); !status.ok()) return status;
    TakeTurns(round);
  }
  const std::lock_guard lock(mutex_);
  figures_.leases += round.kept.size();  // what waits is counted when its turn has come
  figures_.repeated_leases += round.repeated;
  return absl::OkStatus();
}

absl::Status Core::TakeIn(std::vector<Lease> leases, Round& round) {
  std::vector<engine::Lease> to_sort;
  for (Lease& lease : leases) {
    if (Waits(lease.attempt)) continue;  // it came again
    const auto known = store_.Find(lease.attempt);
    if (!known.ok()) return known.status();
    Verdict verdict = OnLease(lease.attempt, lease.deadline_ms, *known, round.now, lease.old);
    if (known->has_value() || !(verdict.submit || low_)) {
      Settle(lease, std::move(verdict), !known->has_value(), round);
      continue;
    }
    if (!lease.old.empty()) old_names_.emplace(lease.attempt, std::move(lease.old));
    if (sorter_ != nullptr && verdict.submit) {
      sorting_.insert(lease.attempt);
      to_sort.push_back(std::move(lease));
    } else {
      outlet_.Add({.lease = std::move(lease)});
    }
  }
  if (!to_sort.empty()) sorter_->Add(std::move(to_sort));
  return absl::OkStatus();
}

absl::Status Core::TakeSorted(std::vector<Sorted> sorted) {
  for (Sorted& one : sorted) {
    const AttemptId attempt = one.sms.lease.attempt;
    if (sorting_.erase(attempt) == 0) continue;  // it was given up meanwhile
    if (one.refusal.has_value())
      refused_.emplace(attempt, std::move(one));
    else
      outlet_.Add(std::move(one.sms));
  }
  return absl::OkStatus();
}

// What has no way is told with its reason, as if the carrier had found it.
absl::Status Core::Refuse(Round& round) {
  for (const auto& [attempt, one] : std::exchange(refused_, {})) {
    if (!SettleNew(one.sms.lease, round)) continue;
    const auto intent = store_.Find(attempt);
    if (!intent.ok()) return intent.status();
    const gateway::Report word{attempt, one.for_now ? Reported::kFailedTransient : Reported::kInvalid,
                               one.refusal->about, std::string(one.refusal->cause), round.now.now_ms};
    Keep(attempt, OnOutcome(word, *intent), /*is_new=*/false, round.reports);
  }
  return absl::OkStatus();
}

// On a full disk nothing is written of them: the engine asks at the deadline, and hears that they were never seen.
void Core::GiveUpLate(Round& round) {
  for (const Waiting& sms : outlet_.Expire(round.now.now_ms)) {
    if (!low_) {
      SettleNew(sms.lease, round);
      continue;
    }
    round.kept.push_back(sms.lease.attempt);
    old_names_.erase(sms.lease.attempt);
  }
  if (!low_) return;
  std::erase_if(refused_, [this, &round](const auto& one) {
    if (one.second.sms.lease.deadline_ms > round.now.now_ms) return false;
    round.kept.push_back(one.first);
    old_names_.erase(one.first);
    return true;
  });
}

void Core::TakeTurns(Round& round) {
  outlet_.LookAgain();
  const auto take = [this](const Waiting& sms) { return carrier_.Take(sms.lease, RouteOf(sms)); };
  while (auto sms = outlet_.Next(clock_.SteadyMs(), take)) {
    if (SettleNew(sms->lease, round)) round.submit.push_back(std::move(sms->lease));
  }
  GiveBackOfThoseAway(round);
}

const Route* Core::RouteOf(const Waiting& sms) const {
  return options_.pace ? &options_.pace->routes.all()[sms.route] : nullptr;
}

// Else what is for an SMSC that is away would come to hold all credit, until its slots end, and nothing would leave for
// those that stand. It is refused like what was probed before it came: nothing of it left. It comes back as another
// attempt, and where there is a max_attempts, that counts it.
void Core::GiveBackOfThoseAway(Round& round) {
  // An engine that has no attempts of its own knows no such word.
  const auto is_old = [this](const Waiting& sms) { return old_names_.contains(sms.lease.attempt); };
  const auto away = [&](const Waiting& sms) { return !is_old(sms) && carrier_.IsAway(sms.lease, RouteOf(sms)); };
  for (Waiting& sms : outlet_.TakeBack(away)) {
    if (is_old(sms))
      outlet_.Add(std::move(sms));
    else
      Settle(sms.lease, OnGivenBack(sms.lease.attempt, sms.lease.deadline_ms, round.now), /*is_new=*/true, round);
  }
}

bool Core::Waits(const AttemptId& attempt) const {
  return outlet_.Has(attempt) || sorting_.contains(attempt) || refused_.contains(attempt);
}

void Core::StopWaiting(const AttemptId& attempt) {
  if (!outlet_.Remove(attempt) && sorting_.erase(attempt) == 0) refused_.erase(attempt);
}

// Whatever waited is not recorded: a probe of it ended its waiting.
bool Core::SettleNew(const engine::Lease& lease, Round& round) {
  const auto name = old_names_.extract(lease.attempt);
  Verdict verdict =
      OnLease(lease.attempt, lease.deadline_ms, std::nullopt, round.now, name.empty() ? OldName{} : name.mapped());
  const bool submit = verdict.submit;
  Settle(lease, std::move(verdict), /*is_new=*/true, round);
  return submit;
}

void Core::Settle(const engine::Lease& lease, Verdict verdict, bool is_new, Round& round) {
  if (is_new && verdict.store.has_value()) verdict.store->tenant = lease.tenant;
  if (is_new && verdict.report.has_value()) verdict.report->tenant = lease.tenant;
  round.kept.push_back(lease.attempt);
  if (lease.mark.sequence != 0) store_.Note(lease.mark);
  round.repeated += is_new ? 0 : 1;
  Keep(lease.attempt, verdict, is_new, round.reports);
}

}  // namespace smsflow::gateway
