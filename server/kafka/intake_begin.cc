// Which partitions there are, and where each begins.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "logging/logging.h"
#include "server/kafka/intake.h"

namespace smsflow::server {

void Intake::LookAtTopics() {
  looking_ = true;
  std::vector<std::string> names;
  for (const auto& [topic, kind] : options_.topics) names.push_back(topic);
  std::vector<kafka::TopicPartition> read;
  for (const auto& [place, source] : sources_)
    if (source->state == State::kReading) read.push_back(place);
  Ask([this, names = std::move(names), read = std::move(read)] {
    Look look{parts_.admin->Topics(names, options_.ask_ms), {}};
    for (const kafka::TopicPartition& place : read) {
      if (stopping_ || !look.topics.ok()) break;
      if (const auto ends = parts_.admin->Ends(place, options_.ask_ms); ends.ok()) look.ends[place] = *ends;
    }
    return [this, look = std::move(look)] { Take(look); };
  });
}

void Intake::Take(const Look& look) {
  looking_ = false;
  if (!look.topics.ok()) return;  // away: what is read goes on, what is not waits
  for (const kafka::TopicInfo& topic : *look.topics) {
    if (!topic.status.ok()) {
      if (missing_.insert(topic.topic).second) {
        Log(LogLevel::kWarn, "kafka: a topic cannot be read",
            {{"topic", topic.topic}, {"why", std::string(topic.status.message())}});
      }
      continue;
    }
    if (missing_.erase(topic.topic) != 0) Log(LogLevel::kInfo, "kafka: the topic is there", {{"topic", topic.topic}});
    TakePartitions(topic);
  }
  if (!looked_) looked_ = !options_.from_end || DecideOnEnds();
  for (const auto& [place, ends] : look.ends) {
    const auto found = sources_.find(place);
    if (found == sources_.end() || found->second->state != State::kReading) continue;
    Source& source = *found->second;
    const auto end = static_cast<std::uint64_t>(ends.high);
    // A log that ends before what was read of it was cut off, or is another one.
    if (end < std::min(source.fetched, source.end)) {
      Fail(source, absl::OutOfRangeError("the log became shorter"));
    } else {
      source.end = std::max(source.end, end);
    }
  }
}

void Intake::TakePartitions(const kafka::TopicInfo& topic) {
  std::set<std::int32_t> there;
  for (const kafka::PartitionInfo& partition : topic.partitions) {
    there.insert(partition.partition);
    const kafka::TopicPartition place{topic.topic, partition.partition};
    auto& source = sources_[place];
    if (source == nullptr) {
      source = std::make_unique<Source>();
      source->place = place;
      source->kind = options_.topics.at(topic.topic);
      source->generation = ++generations_;
      source->feed = std::make_shared<const engine::FeedId>(
          engine::FeedId{topic.topic, static_cast<std::uint32_t>(partition.partition)});
    }
    if (partition.leader < 0) continue;
    const bool another = source->leader >= 0 && source->leader != partition.leader;
    source->leader = partition.leader;
    if (another && source->state == State::kReading) {
      BeginAnew(*source);
      continue;
    }
    // The last one stays: in an idle partition it is all that tells another log from ours, once that is read on.
    while (source->recent.size() > 1 && source->recent[1].first < source->looked_at) source->recent.pop_front();
    source->looked_at = source->recent.empty() ? source->fetched : source->recent.back().first + 1;
  }
  // Made anew with fewer partitions.
  const auto gone = [&](const auto& one) {
    return one.first.topic == topic.topic && !there.contains(one.first.partition);
  };
  if (std::erase_if(sources_, gone) != 0) assign_ = true;
}

// Topics that are there at the first look and of which nothing was ever read: what comes from now on. A partition that
// is added to a topic later, or a topic made later, is read from its first record.
bool Intake::DecideOnEnds() {
  std::set<std::string> known;
  for (const auto& [place, source] : sources_) {
    const auto at = parts_.engine->FeedAt(*source->feed);
    if (!at.ok()) return false;
    if (at->known || at->highest != 0) known.insert(place.topic);
  }
  for (const auto& [place, source] : sources_)
    if (!known.contains(place.topic)) from_end_.insert(place);
  return true;
}

bool Intake::BeginSome() {
  if (!looked_) return false;  // where they begin is not known yet
  const std::int64_t now = now_ms();
  for (auto& [place, source] : sources_) {
    if (source->state != State::kNew || now < source->again_ms) continue;
    BeginOne(*source);
    return true;  // one at a time: others are read meanwhile
  }
  return false;
}

void Intake::BeginOne(Source& source) {
  if (source.another) return Fail(source, *source.another);
  source.state = State::kAsking;
  const Question question{source.place, source.kind, source.feed, from_end_.contains(source.place), source.recent};
  Ask([this, question, generation = source.generation] {
    const Beginning how = HowToBegin(question);
    return [this, place = question.place, generation, how] {
      const auto found = sources_.find(place);
      if (found == sources_.end() || found->second->generation != generation) return;
      Source& source_now = *found->second;
      if (how.another) source_now.another = how.status;
      if (!how.status.ok()) return Fail(source_now, how.status);
      if (!how.note.empty())
        Log(LogLevel::kWarn, "kafka: the partition begins anew, as kafka.accept says",
            {{"topic", kafka::NameOf(place)}, {"why", how.note}});
      source_now.end = how.end;
      if (how.applied) {
        ReadFrom(source_now, how.offset);
        if (how.last) source_now.recent.push_back(*how.last);
        return;
      }
      BeginAt(source_now, how);
    };
  });
}

Intake::Beginning Intake::HowToBegin(const Question& question) {
  const kafka::TopicPartition& place = question.place;
  const auto fails = [](absl::Status why) {
    Beginning none;
    none.status = std::move(why);
    return none;
  };
  const auto at = parts_.engine->FeedAt(*question.feed);
  if (!at.ok()) return fails(at.status());
  const auto ends = parts_.admin->Ends(place, options_.ask_ms);
  if (!ends.ok()) return fails(ends.status());
  const auto low = static_cast<std::uint64_t>(ends->low), high = static_cast<std::uint64_t>(ends->high);
  Beginning how;
  how.end = high;
  const bool accepted = options_.accept.contains(place);
  // Reports that are read again do nothing; work that is read again is done again.
  if (question.kind == TopicKind::kSchedule) {
    const auto committed = Committed(place);
    if (!committed.ok()) return fails(committed.status());
    if (*committed > at->highest) {
      how.note = absl::StrCat(
          "its group has come to offset ", *committed, ", this data folder to ", at->highest,
          ": it is new, was restored, or another engine reads this topic; what was applied would be applied again");
      if (!accepted) return fails(absl::FailedPreconditionError(how.note));
      // What comes from now on, or what is still there.
      if (options_.from_end && *committed <= high) {
        how.offset = *committed;
        return how;
      }
    }
  }
  if (!at->known && at->highest == 0) {
    how.offset = question.from_end ? high : low;
    return how;
  }
  // The process ended while it was begun: nothing was read yet, the rest of the shards begins where some did.
  if (!at->known && at->digest == storage::Hash16{}) {
    how.offset = std::max(at->highest, low);
    return how;
  }
  absl::Status status = CompareRecent(place, question.recent, *ends);
  if (status.ok()) status = Check(place, *at, *ends);
  if (status.ok()) {
    how.offset = at->lowest;
    how.applied = true;
    if (at->lowest == at->highest && at->digest != storage::Hash16{}) how.last = {at->highest - 1, at->digest};
    return how;
  }
  if (!accepted || kafka::IsRetriable(status)) {
    Beginning none = fails(status);
    none.another = absl::IsDataLoss(status);
    return none;
  }
  how.note = std::string(status.message());
  // The same log whose beginning is gone: who has come further stays there. Another log: all begin in it.
  how.offset = low;
  how.again = !absl::IsOutOfRange(status);
  return how;
}

absl::StatusOr<std::uint64_t> Intake::Committed(const kafka::TopicPartition& place) {
  auto reader = parts_.open();
  if (!reader.ok()) return reader.status();
  const auto committed = (*reader)->Committed({place}, options_.ask_ms);
  if (!committed.ok()) return committed.status();
  const auto found = committed->find(place);
  const std::int64_t offset = found == committed->end() ? 0 : found->second.value_or(0);
  return offset < 0 ? 0 : static_cast<std::uint64_t>(offset);
}

// OK: what was applied is what stands there. OUT_OF_RANGE: so it is, but what follows was deleted unread. DATA_LOSS: it
// is another log. FAILED_PRECONDITION: it ends too early, as also the log of a new leader may, for a moment.
// UNAVAILABLE: cannot be told just now.
absl::Status Intake::Check(const kafka::TopicPartition& place, const engine::FeedPosition& at,
                           const kafka::Watermarks& ends) {
  const auto low = static_cast<std::uint64_t>(ends.low), high = static_cast<std::uint64_t>(ends.high);
  if (at.highest > high) {
    return absl::FailedPreconditionError(absl::StrCat("the log ends at offset ", high, ", but ", at.highest,
                                                      " were applied: it was cut off, or the topic made anew"));
  }
  if (at.highest > low && at.digest != storage::Hash16{}) {  // else there is nothing to compare with
    const auto digest = DigestAt(place, at.highest - 1);
    if (!digest.ok()) return digest.status();
    if (*digest != at.digest) {
      return absl::DataLossError(absl::StrCat("another record stands at offset ", at.highest - 1,
                                              " than the one that was applied: the topic was cut off or made anew"));
    }
  }
  if (at.lowest < low) {
    return absl::OutOfRangeError(absl::StrCat("the log begins at offset ", low, ", but what follows ", at.lowest,
                                              " was not read yet: records were deleted unread"));
  }
  return absl::OkStatus();
}

absl::StatusOr<storage::Hash16> Intake::DigestAt(const kafka::TopicPartition& place, std::uint64_t offset) {
  auto reader = parts_.open();
  if (!reader.ok()) return reader.status();
  if (absl::Status status = (*reader)->Add({{place, static_cast<std::int64_t>(offset)}}); !status.ok()) return status;
  for (const std::int64_t until = now_ms() + options_.ask_ms.count(); now_ms() < until && !stopping_;) {
    kafka::Polled polled = (*reader)->Poll(std::chrono::milliseconds(100), 1);
    for (const auto& [where, status] : polled.errors) {
      if (!kafka::IsRetriable(status)) return status;
    }
    if (polled.records.empty() && !asker_.joinable()) break;  // nobody waits
    if (polled.records.empty()) continue;
    const kafka::Record& record = polled.records.front();
    if (static_cast<std::uint64_t>(record.offset()) != offset) break;  // it is gone: the log begins later now
    return DigestOf({record.topic(), record.key(), record.value(), record.headers(), record.timestamp_ms()});
  }
  return absl::UnavailableError("kafka: the record to compare with was not read in time");
}

// A log that was cut off and written on since may have what was applied last; it has not all that was read before.
absl::Status Intake::CompareRecent(const kafka::TopicPartition& place, const Digests& recent,
                                   const kafka::Watermarks& ends) {
  const auto low = static_cast<std::uint64_t>(ends.low), high = static_cast<std::uint64_t>(ends.high);
  auto next = std::find_if(recent.begin(), recent.end(), [low](const auto& one) { return one.first >= low; });
  if (next == recent.end()) return absl::OkStatus();
  if (recent.back().first >= high)
    return absl::FailedPreconditionError(absl::StrCat("the log ends at offset ", high, ", but was read to ",
                                                      recent.back().first, ": it was cut off, or the topic made anew"));
  auto reader = parts_.open();
  if (!reader.ok()) return reader.status();
  if (absl::Status status = (*reader)->Add({{place, static_cast<std::int64_t>(next->first)}}); !status.ok())
    return status;
  const std::int64_t until = now_ms() + options_.ask_ms.count() * 10;
  while (next != recent.end() && now_ms() < until && !stopping_) {
    kafka::Polled polled = (*reader)->Poll(std::chrono::milliseconds(100), 2'000);
    for (const auto& [where, status] : polled.errors) {
      if (!kafka::IsRetriable(status)) return status;
    }
    if (polled.records.empty() && !asker_.joinable()) break;  // nobody waits
    for (const kafka::Record& record : polled.records) {
      const auto offset = static_cast<std::uint64_t>(record.offset());
      if (next == recent.end() || offset < next->first) continue;
      const Raw raw{record.topic(), record.key(), record.value(), record.headers(), record.timestamp_ms()};
      if (offset != next->first) return absl::UnavailableError("kafka: a record to compare with was deleted");
      if (DigestOf(raw) != next->second)
        return absl::DataLossError(absl::StrCat("another record stands at offset ", next->first,
                                                " than the one that was read: the topic was cut off or made anew"));
      ++next;
    }
  }
  if (next != recent.end()) return absl::UnavailableError("kafka: the records to compare with were not read in time");
  return absl::OkStatus();
}

void Intake::BeginAt(Source& source, const Beginning& how) {
  source.state = State::kBeginning;
  Event event;
  event.place = source.place;
  event.generation = source.generation;
  event.kind = Event::kBegun;
  event.offset = how.offset;
  parts_.engine->FeedProgress(source.feed, std::vector<std::uint64_t>(parts_.shards, how.offset), {}, how.again,
                              [inbox = inbox_, event](const absl::Status& status) mutable {
                                event.status = status;
                                inbox->Add(std::move(event));
                              });
}

void Intake::ReadFrom(Source& source, std::uint64_t offset) {
  BeginAnew(source);
  source.state = State::kReading;
  source.fetched = offset;
  source.marked = offset;
  source.progress.Begin(offset);
  source.current = source.end;
  source.recent.clear();
  source.looked_at = offset;
  assign_ = true;
}

// Nothing of what was read and not answered counts any more.
void Intake::BeginAnew(Source& source) {
  if (source.state == State::kReading) assign_ = true;  // without it
  source.generation = ++generations_;
  source.state = State::kNew;
  source.progress.Begin(0);
  source.waiting.clear();
  source.waiting_bytes = 0;
  source.next.reset();
  source.alone.reset();
  source.dead.clear();
  source.past.clear();
  source.paused = false;
}

void Intake::Fail(Source& source, const absl::Status& why) {
  // The same but for its numbers is told once.
  const auto words = [](std::string text) {
    std::erase_if(text, [](char c) { return c >= '0' && c <= '9'; });
    return text;
  };
  BeginAnew(source);
  source.again_ms = now_ms() + options_.again_ms;
  std::string text(why.message());
  if (words(source.why) != words(text)) {
    Log(LogLevel::kError, "kafka: the partition is not read", {{"topic", kafka::NameOf(source.place)}, {"why", text}});
  }
  source.why = std::move(text);
}

// The others are read on meanwhile: nothing of theirs is fetched again.
void Intake::AssignSome() {
  assign_ = false;
  std::vector<kafka::TopicPartition> remove;
  for (const auto& [place, generation] : assigned_) {
    const auto found = sources_.find(place);
    if (found == sources_.end() || !Reads(*found->second)) remove.push_back(place);
  }
  if (const absl::Status status = remove.empty() ? absl::OkStatus() : consumer_->Remove(remove); !status.ok()) {
    Log(LogLevel::kError, "kafka: partitions cannot be left", {{"why", std::string(status.message())}});
    assign_ = true;
    return;
  }
  for (const kafka::TopicPartition& place : remove) assigned_.erase(place);
  for (const auto& [place, source] : sources_) {
    if (source->state != State::kReading || assigned_.contains(place)) continue;
    if (const absl::Status status = consumer_->Add({{place, static_cast<std::int64_t>(source->fetched)}});
        !status.ok()) {
      Fail(*source, status);
    } else {
      assigned_.emplace(place, source->generation);
      if (!std::exchange(source->why, {}).empty())
        Log(LogLevel::kInfo, "kafka: the partition is read again", {{"topic", kafka::NameOf(place)}});
    }
  }
}

bool Intake::Reads(const Source& source) const {
  const auto found = assigned_.find(source.place);
  return source.state == State::kReading && found != assigned_.end() && found->second == source.generation;
}

}  // namespace smsflow::server
