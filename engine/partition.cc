#include "engine/partition.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace smsflow::engine {
namespace {

constexpr std::int64_t kIdleMs = 500;  // so often an idle partition looks at clock and marks
constexpr std::int64_t kBudgetPollMs = 5;
constexpr std::int64_t kFiguresEveryMs = 100;
constexpr std::int64_t kWaitsEveryMs = 1000;
constexpr std::int64_t kSegmentsEveryMs = 1000;
constexpr std::int64_t kStepBackMs = 1000;  // a clock that goes back by less is waited for; by more, marks follow it

template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};
template <class... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

}  // namespace

void Observe(Histogram& histogram, double value) {
  const auto bucket = std::lower_bound(histogram.bounds.begin(), histogram.bounds.end(), value);
  ++histogram.counts[static_cast<std::size_t>(bucket - histogram.bounds.begin())];
  histogram.sum += value;
}

Partition::Partition(Shared& shared, std::uint16_t number, std::vector<ShardId> shards)
    : shared_(shared),
      number_(number),
      shard_ids_(std::move(shards)),
      instances_(*shared.parts.store, shared.options.cache_bytes) {
  const auto make = [](std::vector<double> bounds) {
    Histogram histogram;
    histogram.counts.resize(bounds.size() + 1);
    histogram.bounds = std::move(bounds);
    return histogram;
  };
  counts_.batch_size = make({1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024});
  counts_.write_ms = make({0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 1000});
  counts_.lateness_ms = make({1, 5, 10, 50, 100, 250, 500, 1000, 5000, 30'000, 60'000, 600'000, 3'600'000});
  figures_ = counts_;
}

Partition::~Partition() { Stop(); }

void Partition::Fail(const absl::Status& status) {
  shared_.parts.fatal(status);
  std::abort();  // the handler must not return
}

Partition::Offered Partition::Offer(Command& command) {
  absl::MutexLock lock(&queue_mutex_);
  if (stopping_) return Offered::kStopping;
  if (commands_.size() + commands_left_ >= shared_.options.queue_max) return Offered::kFull;
  commands_.push_back(std::move(command));
  return Offered::kTaken;
}

void Partition::Post(Internal item) {
  {
    absl::MutexLock lock(&queue_mutex_);
    if (!stopping_) {
      internals_.push_back(std::move(item));
      return;
    }
  }
  Drop(item);
}

// Nothing is lost with it: reports are repeated by their gateway, logs are read again, tells stand in rows.
void Partition::Drop(Internal& item) {
  if (auto* report = std::get_if<ReportItem>(&item)) report->done({report->attempt, ReportOutcome::kFailed});
  if (auto* fed = std::get_if<FedItem>(&item); fed != nullptr && fed->done) fed->done({Taking::kStopped, {}});
  if (auto* progress = std::get_if<ProgressItem>(&item); progress != nullptr && progress->count->done)
    if (progress->count->left.fetch_sub(1) == 1)
      progress->count->done(absl::UnavailableError("the engine is stopping"));
}

void Partition::Wake() {
  absl::MutexLock lock(&queue_mutex_);
  woken_ = true;
}

bool Partition::Congested() const {
  absl::MutexLock lock(&queue_mutex_);
  return internals_.size() + internals_left_ > shared_.options.queue_max / 2;
}

void Partition::Start() {
  stepped_ = false;
  thread_ = std::thread([this] { Run(); });
}

void Partition::Stop() {
  {
    absl::MutexLock lock(&queue_mutex_);
    stopping_ = true;
    woken_ = true;
  }
  if (thread_.joinable()) thread_.join();
  std::vector<Command> commands;
  std::vector<Internal> internals;
  {
    absl::MutexLock lock(&queue_mutex_);
    commands.swap(commands_);
    internals.swap(internals_);
    commands_left_ = internals_left_ = 0;
  }
  const absl::Status why = absl::UnavailableError("the engine is stopping");
  for (; !internals_taken_.empty(); ++internals_taken_.next) Drop(internals_taken_.items[internals_taken_.next]);
  for (; !commands_taken_.empty(); ++commands_taken_.next) Refuse(commands_taken_.items[commands_taken_.next], why);
  for (Internal& item : internals) Drop(item);
  for (Command& command : commands) Refuse(command, why);
}

void Partition::Refuse(Command& command, const absl::Status& why) {
  const auto refuse = [&](Done& done) {
    Answer answer;
    answer.status = why;
    done(std::move(answer));
  };
  std::visit(Overloaded{[&](CreateItem& item) { refuse(item.done); }, [&](EventItem& item) { refuse(item.done); },
                        [](SweepItem&) {}, [](PauseItem&) {}},  // their broadcasts are failed together
             command);
}

void Partition::Run() {
  while (true) {
    const bool busy = RunOnce();
    const std::int64_t now_ms = shared_.parts.clock->WallMs();
    const std::int64_t wait_ms = busy ? 0 : std::clamp<std::int64_t>(NextWakeMs(now_ms) - now_ms, 0, kIdleMs);
    absl::MutexLock lock(&queue_mutex_);
    if (wait_ms > 0) {
      const auto wanted = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(queue_mutex_) {
        return woken_ || !commands_.empty() || !internals_.empty();
      };
      queue_mutex_.AwaitWithTimeout(absl::Condition(&wanted), absl::Milliseconds(wait_ms));
    }
    woken_ = false;
    if (stopping_) return;
  }
}

bool Partition::RunOnce() {
  Round round;
  round.steady_ms = shared_.parts.clock->SteadyMs();
  const ClockGuard::Reading clock = shared_.clock_guard.Read(shared_.parts.clock->WallMs(), round.steady_ms);
  round.now_ms = clock.now_ms;
  round.guarded = clock.guarded;

  FollowClock(round);
  HandleQueued(round, shared_.options.batch_max);
  budget_waited_ = std::exchange(no_budget_, false);
  if (!round.guarded) {
    ServeReady(round);  // whoever waits goes before what comes due just now
    FireDue(round);
    FireBacklog(round);
  } else {
    ready_again_ = true;  // what was to be looked at in this round is when the clocks agree again
  }
  RepeatOpenLeases(round);
  LoseStores(round);
  SweepSome(round);
  if ((segment_again_ || round.steady_ms - segments_checked_ms_ >= kSegmentsEveryMs) && !shards_.empty()) {
    segments_checked_ms_ = round.steady_ms;
    segment_again_ = DropOldSegment(round, *shards_[segment_turn_ % shards_.size()]);
    if (!segment_again_) ++segment_turn_;
  }
  ++turn_;
  const bool busy = round.work != 0;
  Commit(round);
  // A copy now and then is enough for metrics; somebody who steps through it wants to see.
  if (round.steady_ms - figures_copied_ms_ >= kFiguresEveryMs || (busy && stepped_)) CopyFigures(round);
  return busy;
}

void Partition::CopyFigures(const Round& round) {
  figures_copied_ms_ = round.steady_ms;
  counts_.open_leases = 0;
  for (const auto& home : shards_) counts_.open_leases += home->leases.size();
  if (stepped_ || round.steady_ms - waits_measured_ms_ >= kWaitsEveryMs) MeasureWaits(round);
  counts_.cache_hits = instances_.hits();
  counts_.cache_misses = instances_.misses();
  absl::MutexLock lock(&figures_mutex_);
  figures_ = counts_;
}

// What waits longest: a timer that is due, whether it waits here, in its lane or under a pause; and an attempt in
// flight.
void Partition::MeasureWaits(const Round& round) {
  waits_measured_ms_ = round.steady_ms;
  std::int64_t opened_ms = round.now_ms, due_ms = round.now_ms;
  const auto look = [&](auto& rows) {
    auto first = rows.Peek(store());
    if (!first.ok()) Fail(first.status());
    if (*first != nullptr) due_ms = std::min(due_ms, (*first)->key.due_ms);
  };
  for (const auto& home : shards_) {
    for (const auto& [attempt, lease] : home->leases) opened_ms = std::min(opened_ms, lease.opened_ms);
    if (!home->backlog_done) look(home->backlog);
    look(home->live);
  }
  due_ms = std::min(due_ms, OldestReady());
  counts_.oldest_open_lease_ms = round.now_ms - opened_ms;
  counts_.oldest_overdue_ms = round.now_ms - due_ms;
}

// A mark in the future would hold every new timer until then: it comes back with the clock. What was passed by the
// clock of before is passed again, for instances count on rows that wake them later than now; most of it is garbage,
// and what waits in a ready row comes to wait there once more. The marks are stored with this very round: a timer that
// is set in it, or later, may stand below those that were.
void Partition::FollowClock(Round& round) {
  const bool first = !std::exchange(clock_followed_, true);
  const std::uint64_t trusted = shared_.clock_guard.trusted();
  const bool told = std::exchange(clock_trusted_, trusted) != trusted;
  if (!first && !told && round.now_ms >= clock_at_ms_ - kStepBackMs) {
    clock_at_ms_ = std::max(clock_at_ms_, round.now_ms);
    return;
  }
  clock_at_ms_ = round.now_ms;
  for (const auto& home : shards_) {
    if (home->live_mark_ms > round.now_ms) {
      home->live_mark_ms = round.now_ms;
      home->backlog_mark_ms = std::min(home->backlog_mark_ms, round.now_ms);
      home->live = TimerCursor(home->id, round.now_ms + 1, TimerCursor::kForever);
      if (!home->backlog_done) home->backlog = TimerCursor(home->id, home->backlog_mark_ms, round.now_ms + 1);
    }
    if (told || home->marks.backlog_from_ms() > home->TakenTo()) SaveMarksOf(round, *home);
  }
}

void Partition::HandleQueued(Round& round, std::uint32_t most) {
  {
    absl::MutexLock lock(&queue_mutex_);
    const auto take = [](auto& queue, auto& taken, std::size_t& left) {
      if (taken.empty()) {
        taken.items.clear();
        taken.next = 0;
        taken.items.swap(queue);
      }
      left = taken.items.size() - taken.next;
    };
    take(commands_, commands_taken_, commands_left_);
    take(internals_, internals_taken_, internals_left_);
  }
  const auto handle = [&](auto& taken) {
    const std::size_t end = std::min<std::size_t>(taken.items.size(), taken.next + most);
    round.work += static_cast<std::uint32_t>(end - taken.next);
    for (; taken.next < end; ++taken.next) std::visit([&](auto& one) { Handle(round, one); }, taken.items[taken.next]);
  };
  handle(internals_taken_);
  handle(commands_taken_);
}

std::int64_t Partition::NextWakeMs(std::int64_t now_ms) {
  if (!losing_.empty() || segment_again_ || !commands_taken_.empty() || !internals_taken_.empty()) return now_ms;
  std::int64_t next_ms = now_ms + kIdleMs;
  if (no_budget_) next_ms = now_ms + kBudgetPollMs;
  if (shared_.clock_guard.on()) return next_ms;
  next_ms = std::min(next_ms, ready_wake_ms_);
  for (const auto& home : shards_) {
    if (!home->sweeps.empty()) return now_ms;
    const auto look = [&](TimerCursor& cursor) {
      auto first = cursor.Peek(store());
      if (!first.ok()) Fail(first.status());
      if (*first != nullptr) next_ms = std::min(next_ms, (*first)->key.due_ms);
    };
    look(home->live);
    if (!home->backlog_done && !no_budget_) look(home->backlog);
  }
  return next_ms;
}

Figures Partition::TakeFigures() const {
  Figures figures;
  {
    absl::MutexLock lock(&figures_mutex_);
    figures = figures_;
  }
  absl::MutexLock lock(&queue_mutex_);
  figures.queue_depth = commands_.size() + commands_left_ + internals_.size() + internals_left_;
  return figures;
}

}  // namespace smsflow::engine
