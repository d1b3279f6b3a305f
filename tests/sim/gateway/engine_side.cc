#include "tests/sim/gateway/engine_side.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace smsflow::sim {

using workflows::delivery::NameOf;
using workflows::delivery::Reported;

namespace {

constexpr std::int64_t kSilenceMs = 60'000;
constexpr std::int64_t kKeptMs = 8LL * 24 * 3'600'000;  // after the deadline a gateway remembers

}  // namespace

bool IsOpen(const Asked& asked) { return !asked.best || RankOf(*asked.best) <= RankOf(Reported::kAccepted); }

int RankOf(Reported reported) {
  switch (reported) {
    case Reported::kNeverSeen:
      return 1;
    case Reported::kAccepted:
      return 2;
    case Reported::kUnknown:
      return 3;
    case Reported::kSent:
      return 4;
    case Reported::kExpired:
    case Reported::kFailedTransient:
      return 5;
    case Reported::kFailedPermanent:
    case Reported::kInvalid:
      return 6;
    case Reported::kDelivered:
      return 7;
  }
  return 0;
}

void EngineSide::Lease(Asked asked) {
  const AttemptId attempt = asked.lease.attempt;
  Asked& kept = asked_.emplace(attempt, std::move(asked)).first->second;
  if (attached_) Send(attempt, kept);
}

void EngineSide::Note(const AttemptId& attempt, const std::string& what) {
  if (const auto it = asked_.find(attempt); it != asked_.end())
    it->second.life.push_back(absl::StrCat("second ", clock_.SteadyMs() / 1'000 - 1'000, ": ", what));
}

void EngineSide::Send(const AttemptId& attempt, Asked& asked) {
  asked.asked_ms = clock_.SteadyMs();
  if (asked.store.empty()) asked.store = uuid_;
  Down down;
  if (!asked.accepted && clock_.WallMs() < asked.lease.deadline_ms) {
    Note(attempt, asked.lease.again ? "handed over again" : "handed over");
    down.lease = asked.lease;
    asked.lease.again = true;
  } else {
    Note(attempt, "the engine asks what became of it");
    down.probe = engine::Probe{attempt, asked.lease.deadline_ms};
  }
  down_.push_back(std::move(down));
}

void EngineSide::Ask(bool all) {
  if (!attached_) return;
  for (auto& [attempt, asked] : asked_) {
    const bool mine = asked.store.empty() || asked.store == uuid_;
    if (!mine || !IsOpen(asked) || (!all && (clock_.SteadyMs() - asked.asked_ms < kSilenceMs || random_() % 2 == 0)))
      continue;
    if (!all || random_() % 4 != 0) Send(attempt, asked);
    if (random_() % 8 == 0) Send(attempt, asked);  // twice, by mistake
  }
}

void EngineSide::Attach() {
  attached_ = true;
  engine::PeerHello hello = events_->Hello();
  if (hello_) hello_(hello);
  uuid_ = hello.peer.store_uuid;
  for (auto& [attempt, asked] : asked_) {
    if (asked.store.empty() || asked.store == uuid_ || !IsOpen(asked)) continue;
    Note(attempt, "its store is lost, so it is UNKNOWN");
    asked.best = Reported::kUnknown;
  }
  events_->OnAttached();
  Ask(true);
}

void EngineSide::Cut() {
  if (!attached_) return;
  attached_ = false;
  down_.clear();
  up_.clear();
  events_->OnDetached(absl::UnavailableError("cut"));
}

void EngineSide::Gone() {
  attached_ = false;
  down_.clear();
  // What it had sent may still arrive.
  while (!up_.empty() && random_() % 3 != 0) {
    Hear(up_.front());
    up_.pop_front();
  }
  up_.clear();
  down_.clear();
  events_ = nullptr;
}

void EngineSide::Report(std::vector<gateway::Report> reports) {
  if (!attached_) return;
  for (gateway::Report& report : reports) {
    if (lose_ && !lose_(report)) {
      Down answered;
      answered.answer = gateway::Answer{report.attempt, report.result, true};
      down_.push_back(std::move(answered));
      continue;
    }
    up_.push_back(std::move(report));
  }
}

void EngineSide::Hear(const gateway::Report& report) {
  ++told_;
  const auto it = asked_.find(report.attempt);
  const std::string what = report.attempt.ToString() + " " + std::string(NameOf(report.result));
  if (it == asked_.end()) {
    violations_.push_back(what + ": nobody asked for it");
    return;
  }
  Asked& asked = it->second;
  if (asked.store != uuid_) violations_.push_back(what + ", from a store that was never handed it");
  Note(report.attempt,
       absl::StrCat("told ", std::string(NameOf(report.result)), report.cause.empty() ? "" : ", ", report.cause));
  const bool forgotten = clock_.WallMs() > asked.lease.deadline_ms + kKeptMs;
  if (report.result == Reported::kNeverSeen) {
    if (asked.best && RankOf(*asked.best) > RankOf(Reported::kNeverSeen))
      violations_.push_back(what + ", after " + std::string(NameOf(*asked.best)));
    asked.never_seen = true;
  } else if (asked.never_seen && !(forgotten && report.result == Reported::kUnknown)) {
    violations_.push_back(what + ", after NEVER_SEEN");
  }
  if (!asked.best || RankOf(report.result) > RankOf(*asked.best)) asked.best = report.result;
  asked.accepted = true;
  Down down;
  down.answer = gateway::Answer{report.attempt, report.result, true};
  down_.push_back(std::move(down));
}

bool EngineSide::Step() {
  if (!attached_) return false;
  bool moved = false;
  std::size_t left = 0;
  for (std::size_t some = 1 + random_() % 8; some > 0 && !up_.empty(); --some) {
    Hear(up_.front());
    up_.pop_front();
    ++left;
    moved = true;
  }
  if (left != 0) events_->OnGone(left);
  for (std::size_t some = 1 + random_() % 8; some > 0 && !down_.empty(); --some) {
    Down down = std::move(down_.front());
    down_.pop_front();
    moved = true;
    if (down.lease) events_->OnLeases({*std::move(down.lease)});
    if (down.probe) events_->OnProbes({*down.probe});
    if (down.answer) events_->OnAnswers({*down.answer});
  }
  return moved;
}

}  // namespace smsflow::sim
