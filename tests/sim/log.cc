// Records of a log outside, which is read again from where the engine stands after every start; and what is to be
// looked at now, of one or of many.
#include <algorithm>
#include <utility>
#include <variant>

#include "smsflow/stored/v1/records.pb.h"
#include "storage/records.h"
#include "tests/sim/names.h"
#include "tests/sim/run.h"

namespace smsflow::sim {
namespace {

constexpr std::size_t kOpenMax = 4;  // records that are given and not answered
const engine::FeedRef kLog = std::make_shared<const engine::FeedId>(engine::FeedId{"orders", 0});

storage::Hash16 DigestAt(std::uint64_t position) {
  storage::Hash16 digest{};
  digest[0] = 1;
  digest[15] = static_cast<std::uint8_t>(position);
  return digest;
}

}  // namespace

// Those that wait though a slot of theirs is open, and for some seconds more.
std::vector<LookedAt> Run::WaitInAnOpenSlot(const std::function<bool(const Sms&)>& wanted) {
  std::vector<LookedAt> found;
  for (const auto& [name, sms] : asked_) {
    if (!sms.acknowledged || StateSeen(*sms.id) != delivery::State::kPending || !wanted(sms)) continue;
    const auto view = ViewOf(*sms.id);
    if (view && MayLeaveNow(*view)) found.push_back({*sms.id, ledger_->instances().at(*sms.id).sequence, view->due_ms});
  }
  return found;
}

bool Run::MayLeaveNow(const delivery::SmsView& view) const {
  constexpr std::int64_t kGuardMaxMs = 5'000;
  const std::int64_t now_ms = world_.clock.wall_ms;
  const auto end_s = delivery::DeadlineOf(view.slots, now_ms / 1000);
  return view.state == delivery::State::kPending && view.due_ms > now_ms && end_s &&
         *end_s * 1000 - kGuardMaxMs > now_ms;
}

// A record of it tells; else something became of it meanwhile, so that it does not wait as it did.
void Run::CheckLookedAt() {
  for (const LookedAt& one : std::exchange(looked_at_, {})) {
    Hit("check I13 a look now passes over nobody");
    const auto known = ledger_->instances().find(one.id);
    if (known == ledger_->instances().end()) continue;
    const auto heard = [&](const auto& record) {
      ::smsflow::stored::v1::JournalBody body;
      return record.first > one.sequence && body.ParseFromString(record.second) &&
             body.event() == delivery::kLookNowEvent;
    };
    const auto& records = known->second.bodies;
    if (std::any_of(records.rbegin(), records.rend(), heard)) continue;
    const auto view = ViewOf(one.id);
    if (view && view->due_ms == one.due_ms && MayLeaveNow(*view))
      return Violated("I13: a look now passed over " + one.id.ToString());
  }
}

void Run::LookedAtAll(const std::vector<LookedAt>& looked_at) {
  if (IsWrong()) return;  // it is decided by another time then
  looked_at_.insert(looked_at_.end(), looked_at.begin(), looked_at.end());
}

bool Run::LookNowAtMany() {
  std::vector<LookedAt> waiting;
  engine::SweepRequest sweep = LookAtMany(waiting);
  world_.engine->Sweep(std::move(sweep), [this, waiting = std::move(waiting)](const engine::SweepAnswer& answer) {
    if (answer.status.ok()) LookedAtAll(waiting);
  });
  return true;
}

engine::SweepRequest Run::LookAtMany(std::vector<LookedAt>& waiting) {
  engine::SweepRequest sweep;
  sweep.workflow = delivery::kWorkflowNumber;
  sweep.tenant = Tenant(Pick(3));
  sweep.actor = "sim";
  sweep.event = delivery::EncodeLookNow();
  const bool of_batch = Pick(2) == 0;
  Hit(of_batch ? "command look now at a batch" : "command look now at all of a tenant");
  if (of_batch) {
    sweep.index = delivery::kBatchIndex;
    sweep.value = Batch(Pick(3));
  }
  asked_for_.Many(sweep);
  waiting = WaitInAnOpenSlot(
      [&](const Sms& sms) { return sms.request.tenant == sweep.tenant && (!of_batch || sms.batch == sweep.value); });
  return sweep;
}

// Whoever writes to the log waits for nothing.
bool Run::WriteRecords() {
  if (log_.empty()) {
    world_.engine->FeedProgress(kLog, std::vector<std::uint64_t>(world_.options.shards, 0), {}, false, {});
    log_begun_ = true;
  }
  for (int left = 1 + Pick(3); left > 0; --left) {
    LogRecord record;
    if (Write(record)) log_.push_back(std::move(record));
  }
  GiveRecords();
  return true;
}

bool Run::Write(LogRecord& record) {
  switch (Pick(8)) {
    case 0:
      Hit("command a record that cannot be read");
      record.work = engine::DeadLetter{"no record"};
      return true;
    case 1:
      Hit("command a record that looks at many");
      record.work = LookAtMany(record.looks_at);
      return true;
    case 2:
      return RecordOfOne(record);
    case 3:
      return RecordOfReport(record);
    default:
      Hit("command a record that schedules");
      record.name = NewSms(Tenant(Pick(3)), ClientKey("of record " + std::to_string(log_.size())));
      record.work = asked_[record.name].request;
      return true;
  }
}

bool Run::RecordOfOne(LogRecord& record) {
  const auto* entry = AnySms();
  if (entry == nullptr || !entry->second.acknowledged) return false;
  Hit("command a record that looks at one");
  const InstanceId id = *entry->second.id;
  record.looks_at = WaitInAnOpenSlot([&](const Sms& sms) { return *sms.id == id; });
  engine::EventRequest look{id, entry->second.request.tenant, "sim", delivery::EncodeLookNow(), std::nullopt};
  asked_for_.One(look);
  record.work = std::move(look);
  return true;
}

// What a gateway has recorded of an attempt comes by the log as well.
bool Run::RecordOfReport(LogRecord& record) {
  const auto any = OneOf(&ModelGateway::Known);
  if (!any) return false;
  const auto& [gateway, attempt] = *any;
  const auto result = gateway->ResultOf(attempt);
  const engine::PeerHello hello = gateway->Hello();
  if (!result || bound_[attempt] != std::pair{hello.peer.gateway, hello.peer.store_uuid}) return false;
  Hit("command a record that reports");
  record.reports = {attempt, *result};
  delivery::Report report;
  report.attempt = attempt.number;
  report.reported = *result;
  record.work =
      engine::FedReport{std::make_shared<const engine::PeerHello>(hello), attempt, delivery::EncodeReport(report)};
  return true;
}

// In their order, and not too many that are not answered.
void Run::GiveRecords() {
  if (world_.engine == nullptr || log_.empty()) return;
  Hit("check I20 a log is not read on while new work is refused");
  if (world_.engine->TakesCreations() == (disk_guard_ || draining_))
    Violated("I20: a log is read on though new work is refused, or held for nothing");
  if (!log_begun_) return ReadLogAgain();
  if (!world_.engine->TakesCreations()) return;
  for (; log_next_ < log_.size() && log_open_ < kOpenMax; ++log_next_, ++log_open_) {
    const std::uint64_t position = log_next_;
    const LogRecord& record = log_[position];
    if (record.reports) Reporting(record.reports->first, record.reports->second);
    if (!record.looks_at.empty() && !record.answered) log_[position].looks_at = StillIn(record.looks_at);
    engine::FedWork work = record.work;
    world_.engine->Feed({kLog, position, DigestAt(position), 10}, std::move(work),
                        [this, position](const engine::FedAnswer& answer) { Fed(position, answer); });
  }
}

// Of those to be looked at, as they are when the record is read.
std::vector<LookedAt> Run::StillIn(const std::vector<LookedAt>& looked_at) {
  return WaitInAnOpenSlot([&](const Sms& sms) {
    return std::any_of(looked_at.begin(), looked_at.end(), [&](const LookedAt& one) { return one.id == *sms.id; });
  });
}

void Run::Fed(std::uint64_t position, const engine::FedAnswer& answer) {
  if (answer.what == engine::Taking::kStopped) return;
  --log_open_;
  LogRecord& record = log_[position];
  const std::string where = "record " + std::to_string(position) + " of the log";
  const bool applied = answer.what != engine::Taking::kAppliedBefore;
  Hit("check I13 a record of a log takes effect once");
  if (!applied) {
    Hit("event a record of a log is read again");
  } else if (record.answered) {
    return Violated("I13: " + where + " took effect twice");
  }
  record.answered = true;
  if (answer.what == engine::Taking::kRefused) record.refused = true;
  if (!applied) return;
  if (answer.what == engine::Taking::kApplied && !record.looks_at.empty()) LookedAtAll(record.looks_at);
  if (record.reports) Answered(record.reports->first, record.reports->second, engine::ReportOutcome::kApplied);
  if (!record.name.empty() && answer.answer.status.ok())
    TakenAs(record.name, answer.answer, /*again=*/true, /*existed=*/false);
}

// After a start, and whenever the engine has nothing left to do: how far the shards have come only rises, and what was
// answered is below.
void Run::CheckLog() {
  if (log_.empty()) return;
  log_at_.resize(world_.options.shards);
  std::uint64_t highest = 0;
  for (std::uint16_t shard = 0; shard < world_.options.shards; ++shard) {
    const auto row = storage::GetFeed(world_.memory, ShardId{shard}, kLog->log, kLog->partition);
    if (!row.ok()) return Violated("I13: how far a log was read cannot be read");
    const std::uint64_t next = row->has_value() ? (*row)->next() : 0;
    Hit("check I13 what was applied of a log only rises");
    if (next < log_at_[shard]) Violated("I13: shard " + std::to_string(shard) + " takes again what it had of the log");
    log_at_[shard] = next;
    highest = std::max(highest, next);
  }
  for (std::uint64_t position = highest; position < log_.size(); ++position)
    if (log_[position].answered)
      return Violated("I13: record " + std::to_string(position) + " of the log was answered and is not stored");
}

// A start reads from the lowest shard on.
void Run::ReadLogAgain() {
  if (log_.empty()) return;
  CheckLog();
  log_open_ = 0;
  const int errors = disk_.errors;
  const auto at = world_.engine->FeedAt(*kLog);
  disk_.errors = errors;  // whoever reads the log asks again
  log_begun_ = at.ok();
  if (!at.ok()) return;
  if (!at->known) world_.engine->FeedProgress(kLog, at->next, {}, false, {});
  log_next_ = at->known ? at->lowest : 0;
  // What every shard is beyond is not read again, though a kill may have kept it from being answered: a record for many
  // is begun in all of them, and with it what came before. Of any other they know only once it was answered.
  std::size_t begun = 0;
  for (std::size_t position = 0; position < log_next_; ++position)
    if (std::holds_alternative<engine::SweepRequest>(log_[position].work)) begun = position + 1;
  for (std::size_t position = 0; position < log_next_; ++position) {
    if (!log_[position].answered && position >= begun && world_.options.shards > 1)
      Violated("I13: every shard is beyond record " + std::to_string(position) +
               " of the log, which was never answered");
    log_[position].answered = true;
  }
  GiveRecords();
}

void Run::ReadLogToItsEnd() {
  const auto left = [this] { return !log_.empty() && (!log_begun_ || log_next_ < log_.size() || log_open_ != 0); };
  for (std::size_t rounds = 0; left() && rounds < 4 * log_.size() + 4; ++rounds) {
    GiveRecords();
    Rounds();
  }
}

// All below the first that is not answered are, and shards that had none of them may know.
bool Run::TellProgress() {
  std::uint64_t next = 0;
  while (next < log_.size() && log_[next].answered) ++next;
  if (next == 0 || next > log_next_) return false;
  world_.engine->FeedProgress(kLog, std::vector<std::uint64_t>(world_.options.shards, next), DigestAt(next - 1), false,
                              {});
  return true;
}

// What cannot be applied is laid aside, and nothing else.
void Run::TakePosts() {
  for (const engine::Post& post : std::exchange(world_.posts.received, {})) {
    ::smsflow::stored::v1::DeadLetterBody body;
    if (post.topic != engine::kDeadLetters || !body.ParseFromString(post.body) || body.position() >= log_.size())
      return Violated("I13: what was laid aside is no record of the log");
    log_[body.position()].laid_aside = true;
    world_.engine->Taken(post.shard, post.sequence);
  }
}

// The log was read to its end.
void Run::CheckLogEnds() {
  std::map<std::string, int> times;
  for (const auto& [id, known] : ledger_->instances()) {
    ::smsflow::stored::v1::JournalBody body;
    if (known.bodies.empty() || !body.ParseFromString(known.bodies.front().second)) continue;
    const auto view =
        delivery::ViewOf(static_cast<std::uint16_t>(body.result().state()), "", body.fixed(), body.result().data());
    if (view) ++times[view->key];
  }
  for (std::uint64_t position = 0; position < log_.size(); ++position) {
    const LogRecord& record = log_[position];
    const std::string where = "record " + std::to_string(position) + " of the log";
    Hit("check I13 a log is read to its end");
    if (!record.answered) Violated("I19: " + where + " was never answered");
    if (record.refused && !record.laid_aside) Violated("I13: " + where + " was refused, and is nowhere");
    if (record.laid_aside && !record.name.empty() && asked_[record.name].acknowledged)
      Violated("I13: " + where + " was taken, and laid aside as well");
    if (!record.name.empty() && !record.laid_aside && times[asked_[record.name].key] != 1 && !erases_)
      Violated("I13: " + where + " is there " + std::to_string(times[asked_[record.name].key]) + " times");
  }
}

}  // namespace smsflow::sim
