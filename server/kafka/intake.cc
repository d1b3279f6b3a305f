#include "server/kafka/intake.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "logging/logging.h"

namespace smsflow::server {

namespace {

constexpr std::size_t kPollMost = 2'000;
constexpr std::size_t kRecentMax = 65'536;
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
  asker_ = std::thread([this] { AskAll(); });
  thread_ = std::thread([this] {
    while (!stopping_) RunOnce(kPollFor);
  });
}

// What was given is answered, so that the next start reads little again.
void Intake::Stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(jobs_mutex_);
    stopping_ = true;
    jobs_wake_.notify_all();
  }
  thread_.join();
  asker_.join();
  const std::int64_t until_ms = now_ms() + kStopPatienceMs;
  const auto open = [this] {
    return std::any_of(sources_.begin(), sources_.end(),
                       [](const auto& one) { return one.second->progress.unanswered() != 0; });
  };
  const auto wait = [&](const auto& more) {
    while (more() && now_ms() < until_ms) {
      if (!TakeEvents()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  };
  wait(open);
  TellProgress(/*all=*/true);
  wait([this] { return marking_ != 0; });
}

void Intake::Ask(Job job) {
  if (!asker_.joinable()) return job()();
  const std::lock_guard lock(jobs_mutex_);
  jobs_.push_back(std::move(job));
  jobs_wake_.notify_all();
}

void Intake::AskAll() {
  std::unique_lock lock(jobs_mutex_);
  while (!stopping_) {
    if (jobs_.empty()) {
      jobs_wake_.wait(lock);
      continue;
    }
    const Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    std::function<void()> found = job();
    {
      const std::lock_guard inbox(inbox_->mutex);
      inbox_->found.push_back(std::move(found));
      if (inbox_->consumer != nullptr) inbox_->consumer->Wake();
    }
    lock.lock();
  }
}

bool Intake::RunOnce(std::chrono::milliseconds wait) {
  const std::int64_t now = now_ms();
  if (now >= look_at_ms_ && !looking_) {
    look_at_ms_ = now + options_.look_ms;
    LookAtTopics();
  }
  bool busy = TakeEvents();
  busy |= BeginSome();
  if (assign_) AssignSome();
  const auto give = [this] {
    bool given = false;
    for (auto& [place, source] : sources_) given |= GiveSome(*source);
    return given;
  };
  busy |= give();
  for (auto& [place, source] : sources_) SlowDown(*source);
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
  // After what came: who was heard while nobody listened is not silent.
  if (now >= tick_at_ms_) {
    tick_at_ms_ = now + kTickEveryMs;
    give();
    parts_.dead_letters->Tick();
    if (parts_.tick) parts_.tick();
  }
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
    if (found == sources_.end() || !Reads(*found->second)) continue;
    Source& source = *found->second;
    const auto offset = static_cast<std::uint64_t>(record.offset());
    if (offset < source.fetched) continue;
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
  std::vector<std::function<void()>> found;
  {
    const std::lock_guard lock(inbox_->mutex);
    events.swap(inbox_->events);
    found.swap(inbox_->found);
  }
  for (const auto& take : found) take();
  for (const Event& event : events) {
    if (event.kind == Event::kMarked) --marking_;
    const auto source = sources_.find(event.place);
    if (source != sources_.end()) Take(*source->second, event);
  }
  return !events.empty() || !found.empty();
}

void Intake::Take(Source& source, const Event& event) {
  if (event.kind == Event::kLetterTaken) {
    source.dead.erase(event.offset);
    return;
  }
  if (event.generation != source.generation) return;
  if (event.kind == Event::kMarked) {
    // For tools that show lag, and for a folder that knows less: only once this one knows it for sure.
    if (event.status.ok()) consumer_->Commit({{source.place, static_cast<std::int64_t>(event.offset)}});
    return;
  }
  if (event.kind == Event::kBegun) {
    if (!event.status.ok()) return Fail(source, event.status);
    return ReadFrom(source, event.offset);
  }
  switch (event.what) {
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
  if (source.alone == event.offset) source.alone.reset();
}

bool Intake::Held(const Source& source) const {
  if (stopped_by_engine_ || source.state != State::kReading || source.alone || !source.dead.empty()) return true;
  if (source.progress.unanswered() >= options_.unanswered_max) return true;
  if (source.progress.unanswered_bytes() >= options_.unanswered_bytes_max) return true;
  return parts_.dead_letters->Waits(*source.feed);
}

bool Intake::GiveSome(Source& source) {
  bool given = false;
  if (source.fetched >= source.current && source.waiting.empty()) TellPast(source);
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
    source.recent.emplace_back(origin.position, origin.digest);
    if (source.recent.size() > kRecentMax) source.recent.pop_front();
    source.progress.Give(origin.position, origin.digest, record.value().size() + record.key().size());
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
      return TimerWork(raw, options_.acting, *parts_.validation, parts_.clock->WallMs());
    case TopicKind::kStatus:
      return StatusWork(raw, speakers_);
  }
  return {};
}

engine::Origin Intake::OriginOf(const Source& source, const kafka::Record& record) const {
  return {source.feed, static_cast<std::uint64_t>(record.offset()),
          DigestOf({record.topic(), record.key(), record.value(), record.headers(), record.timestamp_ms()}),
          record.value().size()};
}

void Intake::Give(Source& source, kafka::Record record, engine::Origin origin, Work work) {
  const std::uint64_t offset = origin.position;
  if (auto* announcement = std::get_if<kafka::Announcement>(&work.what)) {
    Announce(source, std::move(*announcement), record.timestamp_ms(), offset);
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
  if (work.alone) source.alone = offset;
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

// What gateways said before we listened is of the past; each one's last word counts, once all of it is read.
void Intake::Announce(Source& source, kafka::Announcement said, std::int64_t at_ms, std::uint64_t offset) {
  if (!parts_.announced) return;
  if (offset >= source.current) TellPast(source);
  if (offset >= source.current || !options_.gateways.contains(said.peer.gateway))
    return parts_.announced(std::move(said), at_ms);
  std::string gateway = said.peer.gateway;
  source.past.insert_or_assign(std::move(gateway), std::pair(std::move(said), at_ms));
}

void Intake::TellPast(Source& source) {
  for (auto& [gateway, said] : std::exchange(source.past, {})) parts_.announced(std::move(said.first), said.second);
}

void Intake::TellProgress(bool all) {
  for (auto& [place, source] : sources_) {
    if (source->state != State::kReading || source->progress.next() <= source->marked) continue;
    if (!all && source->progress.digest() == storage::Hash16{}) continue;
    source->marked = source->progress.next();
    Event event;
    event.place = place;
    event.generation = source->generation;
    event.kind = Event::kMarked;
    event.offset = source->marked;
    ++marking_;
    parts_.engine->FeedProgress(source->feed, std::vector<std::uint64_t>(parts_.shards, source->marked),
                                source->progress.digest(), /*again=*/false,
                                [inbox = inbox_, event](const absl::Status& status) mutable {
                                  event.status = status;
                                  inbox->Add(std::move(event));
                                });
  }
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
