#include "server/kafka/intake.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/logging.h"

namespace smsflow::server {

namespace {

constexpr std::size_t kPollMost = 2'000;
constexpr auto kPollFor = std::chrono::milliseconds(50);
constexpr std::int64_t kStopPatienceMs = 2'000;
constexpr std::int64_t kFiguresEveryMs = 1'000;
constexpr std::int64_t kTickEveryMs = 200;

bool IsCreation(const Work& work) {
  const auto* fed = std::get_if<engine::FedWork>(&work.what);
  return fed != nullptr && std::holds_alternative<engine::CreateRequest>(*fed);
}

}  // namespace

void Intake::Inbox::Add(Event event) {
  const std::lock_guard lock(mutex);
  events.push_back(std::move(event));
  if (events.size() == 1 && consumer != nullptr) consumer->Wake();
}

Intake::Intake(IntakeOptions options, IntakeParts parts)
    : options_(std::move(options)),
      parts_(std::move(parts)),
      speakers_(options_.gateways, options_.acting.tenants, options_.old_gateway) {}

Intake::~Intake() {
  Stop();
  {
    const std::lock_guard lock(inbox_->mutex);
    inbox_->consumer = nullptr;
  }
  sources_.clear();  // records first: they are the consumer's
}

absl::Status Intake::Open() {
  auto consumer = parts_.open();
  if (!consumer.ok()) return consumer.status();
  consumer_ = *std::move(consumer);
  const std::lock_guard lock(inbox_->mutex);
  inbox_->consumer = consumer_.get();
  return absl::OkStatus();
}

void Intake::Start() {
  thread_ = std::thread([this] {
    while (!stopping_) RunOnce(kPollFor);
  });
}

// What was given is answered, so that the next start reads little again.
void Intake::Stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  thread_.join();
  const std::int64_t until_ms = now_ms() + kStopPatienceMs;
  const auto open = [this] {
    return std::any_of(sources_.begin(), sources_.end(),
                       [](const auto& one) { return one.second->progress.unanswered() != 0; });
  };
  while (open() && now_ms() < until_ms) {
    if (!TakeEvents()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  TellProgress(/*all=*/true);
}

bool Intake::RunOnce(std::chrono::milliseconds wait) {
  const std::int64_t now = now_ms();
  if (now >= look_at_ms_) {
    look_at_ms_ = now + options_.look_ms;
    LookAtTopics();
  }
  bool busy = BeginSome();
  if (assign_) AssignAll();
  busy |= TakeEvents();
  for (auto& [place, source] : sources_) busy |= GiveSome(*source);
  for (auto& [place, source] : sources_) SlowDown(*source);
  if (now >= tick_at_ms_) {
    tick_at_ms_ = now + kTickEveryMs;
    parts_.dead_letters->Tick();
    if (parts_.tick) parts_.tick();
  }
  if (now >= progress_at_ms_) {
    progress_at_ms_ = now + options_.progress_ms;
    TellProgress(/*all=*/false);
  }
  if (now >= figures_at_ms_) {
    figures_at_ms_ = now + kFiguresEveryMs;
    ShowFigures();
  }
  kafka::Polled polled = consumer_->Poll(busy ? std::chrono::milliseconds(0) : wait, kPollMost);
  busy |= !polled.records.empty() || !polled.errors.empty();
  Take(std::move(polled));
  return busy;
}

void Intake::DeadLetterTaken(const engine::FeedId& feed, std::uint64_t offset) {
  Event event;
  event.place = {feed.log, static_cast<std::int32_t>(feed.partition)};
  event.kind = Event::kLetterTaken;
  event.offset = offset;
  inbox_->Add(std::move(event));
}

void Intake::Take(kafka::Polled polled) {
  for (kafka::Record& record : polled.records) {
    const auto found = sources_.find({std::string(record.topic()), record.partition()});
    if (found == sources_.end() || found->second->state != State::kReading) continue;
    Source& source = *found->second;
    const auto offset = static_cast<std::uint64_t>(record.offset());
    if (offset < source.fetched) continue;  // of before it was sought
    source.fetched = offset + 1;
    source.waiting_bytes += record.value().size() + record.key().size();
    source.waiting.push_back(std::move(record));
  }
  for (const auto& [place, status] : polled.errors) {
    const auto found = sources_.find(place);
    if (found == sources_.end()) continue;
    // Away for a while: it goes on by itself. Anything else is looked at anew.
    if (!kafka::IsRetriable(status)) Fail(*found->second, status);
  }
}

bool Intake::TakeEvents() {
  std::vector<Event> events;
  {
    const std::lock_guard lock(inbox_->mutex);
    events.swap(inbox_->events);
  }
  for (const Event& event : events) {
    const auto found = sources_.find(event.place);
    if (found != sources_.end()) Take(*found->second, event);
  }
  return !events.empty();
}

void Intake::Take(Source& source, const Event& event) {
  if (event.kind == Event::kLetterTaken) {
    source.dead.erase(event.offset);
    return;
  }
  if (event.generation != source.generation) return;
  if (event.kind == Event::kBegun) {
    if (!event.status.ok()) return Fail(source, event.status);
    return ReadFrom(source, event.offset);
  }
  switch (event.what) {
    case engine::Taking::kLater:
      source.give_again_ms = now_ms() + 20;
      return;
    case engine::Taking::kStopped:
      stopped_by_engine_ = true;  // nobody knows: it is read again by the next process
      return;
    case engine::Taking::kRefused:
      ++source.refused;
      source.dead.insert(event.offset);
      break;
    case engine::Taking::kAppliedBefore:
      ++source.again;
      source.dead.erase(event.offset);
      break;
    case engine::Taking::kApplied:
      break;
  }
  source.progress.Answer(event.offset);
  if (source.alone && source.alone->offset() == static_cast<std::int64_t>(event.offset)) source.alone.reset();
}

bool Intake::Held(const Source& source) const {
  if (stopped_by_engine_ || source.state != State::kReading || source.alone || !source.dead.empty()) return true;
  if (source.progress.unanswered() >= options_.unanswered_max) return true;
  return parts_.dead_letters->Waits(*source.feed);
}

bool Intake::GiveSome(Source& source) {
  if (source.alone && source.give_again_ms != 0 && now_ms() >= source.give_again_ms) {
    source.give_again_ms = 0;
    kafka::Record record = *std::exchange(source.alone, std::nullopt);
    Work work = WorkOf(source, record);
    engine::Origin origin = OriginOf(source, record);
    Give(source, std::move(record), std::move(origin), std::move(work));
    return true;
  }
  bool given = false;
  while (!source.waiting.empty() && !Held(source)) {
    if (!source.next) source.next = WorkOf(source, source.waiting.front());
    if (source.next->alone && source.progress.unanswered() != 0) break;
    // New work waits where it would be refused; a cancel or a block is taken, as at every door.
    if (IsCreation(*source.next) && !parts_.engine->TakesCreations()) break;
    kafka::Record record = std::move(source.waiting.front());
    source.waiting.pop_front();
    source.waiting_bytes -= record.value().size() + record.key().size();
    Work work = *std::exchange(source.next, std::nullopt);
    engine::Origin origin = OriginOf(source, record);
    source.progress.Give(origin.position, origin.digest);
    ++source.given;
    Give(source, std::move(record), std::move(origin), std::move(work));
    given = true;
  }
  return given;
}

Work Intake::WorkOf(const Source& source, const kafka::Record& record) {
  const Raw raw{record.topic(), record.key(), record.value(), record.headers(), record.timestamp_ms()};
  switch (source.kind) {
    case TopicKind::kSchedule:
      return ScheduleWork(raw, options_.acting, *parts_.validation, parts_.clock->WallMs());
    case TopicKind::kTimer:
      return TimerWork(raw, options_.acting, *parts_.validation);
    case TopicKind::kStatus:
      return StatusWork(raw, speakers_);
  }
  return {};
}

engine::Origin Intake::OriginOf(const Source& source, const kafka::Record& record) const {
  return {source.feed, static_cast<std::uint64_t>(record.offset()),
          DigestOf({record.topic(), record.key(), record.value(), record.headers(), record.timestamp_ms()})};
}

void Intake::Give(Source& source, kafka::Record record, engine::Origin origin, Work work) {
  const std::uint64_t offset = origin.position;
  if (auto* announcement = std::get_if<kafka::Announcement>(&work.what)) {
    if (parts_.announced) parts_.announced(std::move(*announcement), record.timestamp_ms());
    source.progress.Answer(offset);
    return;
  }
  if (const auto* nothing = std::get_if<NoWork>(&work.what)) {
    if (nothing->strange) ++source.strange;
    source.progress.Answer(offset);
    return;
  }
  auto& fed = std::get<engine::FedWork>(work.what);
  if (std::holds_alternative<engine::DeadLetter>(fed)) source.dead.insert(offset);
  if (const auto* report = std::get_if<engine::FedReport>(&fed); report != nullptr && parts_.reported)
    parts_.reported(report->from->peer, report->attempt);
  if (work.alone) source.alone = std::move(record);
  parts_.engine->Feed(
      std::move(origin), std::move(fed),
      [inbox = inbox_, place = source.place, generation = source.generation, offset](const engine::FedAnswer& answer) {
        Event event;
        event.place = place;
        event.generation = generation;
        event.offset = offset;
        event.what = answer.what;
        inbox->Add(std::move(event));
      });
}

// A paused partition is fetched no further; what the client had fetched already is fetched again.
void Intake::SlowDown(Source& source) {
  if (source.state != State::kReading) return;
  const bool full = source.waiting.size() >= options_.waiting_max || source.waiting_bytes >= options_.waiting_bytes_max;
  const bool empty =
      source.waiting.size() <= options_.waiting_max / 4 && source.waiting_bytes <= options_.waiting_bytes_max / 4;
  if (source.paused ? !empty : !full) return;
  const absl::Status status = source.paused ? consumer_->Resume({source.place}) : consumer_->Pause({source.place});
  if (!status.ok()) return Fail(source, status);
  source.paused = !source.paused;
}

void Intake::TellProgress(bool all) {
  std::vector<kafka::Start> commits;
  for (auto& [place, source] : sources_) {
    if (source->state != State::kReading || source->progress.next() <= source->marked) continue;
    if (!all && source->progress.digest() == storage::Hash16{}) continue;
    source->marked = source->progress.next();
    parts_.engine->FeedProgress(source->feed, std::vector<std::uint64_t>(parts_.shards, source->marked),
                                source->progress.digest(), /*again=*/false, {});
    commits.push_back({place, static_cast<std::int64_t>(source->marked)});
  }
  // For tools that show lag; nothing here rests on it.
  if (!commits.empty() && consumer_ != nullptr) (void)consumer_->Commit(commits);
}

std::vector<NamedFigure> Intake::figures() const {
  const std::lock_guard lock(figures_mutex_);
  return figures_;
}

void Intake::ShowFigures() {
  std::vector<NamedFigure> figures;
  for (const auto& [place, source] : sources_) {
    const std::vector<std::pair<std::string, std::string>> labels{{"topic", place.topic},
                                                                  {"partition", std::to_string(place.partition)}};
    const auto add = [&](const char* name, const char* help, double value, bool counter) {
      figures.push_back({name, help, value, counter, labels});
    };
    const std::uint64_t next = source->progress.next();
    add("smsflow_kafka_lag_records", "records of the partition that are not applied yet",
        source->end > next ? static_cast<double>(source->end - next) : 0, false);
    add("smsflow_kafka_reading", "1 while the partition is read, 0 while it is not",
        source->state == State::kReading ? 1 : 0, false);
    add("smsflow_kafka_records_total", "records given to the engine", static_cast<double>(source->given), true);
    add("smsflow_kafka_records_again_total", "records that were read again and had been applied",
        static_cast<double>(source->again), true);
    add("smsflow_kafka_strange_total", "reports of attempts that no engine like this one made",
        static_cast<double>(source->strange), true);
    add("smsflow_kafka_refused_total", "records that became dead letters", static_cast<double>(source->refused), true);
  }
  const std::lock_guard lock(figures_mutex_);
  figures_ = std::move(figures);
}

}  // namespace smsflow::server
