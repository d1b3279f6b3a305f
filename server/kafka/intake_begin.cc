// Which partitions there are, and where each begins.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/kafka/intake.h"
#include "server/logging.h"

namespace smsflow::server {

void Intake::LookAtTopics() {
  std::vector<std::string> names;
  for (const auto& [topic, kind] : options_.topics) names.push_back(topic);
  const auto topics = parts_.admin->Topics(names, options_.ask_ms);
  if (!topics.ok()) return;  // away: what is read goes on, what is not waits
  for (const kafka::TopicInfo& topic : *topics) {
    if (!topic.status.ok()) {
      if (missing_.insert(topic.topic).second) {
        Log(LogLevel::kWarn, "kafka: a topic cannot be read",
            {{"topic", topic.topic}, {"why", std::string(topic.status.message())}});
      }
      continue;
    }
    if (missing_.erase(topic.topic) != 0) Log(LogLevel::kInfo, "kafka: the topic is there", {{"topic", topic.topic}});
    for (const kafka::PartitionInfo& partition : topic.partitions) {
      const kafka::TopicPartition place{topic.topic, partition.partition};
      auto& source = sources_[place];
      if (source != nullptr) continue;
      source = std::make_unique<Source>();
      source->place = place;
      source->kind = options_.topics.at(topic.topic);
      source->feed = std::make_shared<const engine::FeedId>(
          engine::FeedId{topic.topic, static_cast<std::uint32_t>(partition.partition)});
    }
  }
  if (!std::exchange(looked_, true) && options_.from_end) DecideOnEnds();
  for (auto& [place, source] : sources_) {
    if (source->state != State::kReading) continue;
    const auto ends = parts_.admin->Ends(place, options_.ask_ms);
    if (!ends.ok()) continue;
    source->end = static_cast<std::uint64_t>(ends->high);
    // A log that ends before what was read of it was cut off, or is another one.
    if (source->end < source->fetched) Fail(*source, absl::OutOfRangeError("the log became shorter"));
  }
}

// Topics that are there at the first look and of which nothing was ever read: what comes from now on. A partition that
// is added to a topic later, or a topic made later, is read from its first record.
void Intake::DecideOnEnds() {
  std::set<std::string> known;
  for (const auto& [place, source] : sources_) {
    const auto at = parts_.engine->FeedAt(*source->feed);
    if (!at.ok() || at->known || at->highest != 0) known.insert(place.topic);
  }
  for (const auto& [place, source] : sources_)
    if (!known.contains(place.topic)) from_end_.insert(place);
}

bool Intake::BeginSome() {
  const std::int64_t now = now_ms();
  for (auto& [place, source] : sources_) {
    if (source->state != State::kNew || now < source->again_ms) continue;
    BeginOne(*source);
    return true;  // one at a time: others are read meanwhile
  }
  return false;
}

void Intake::BeginOne(Source& source) {
  source.again_ms = now_ms() + options_.again_ms;
  const auto at = parts_.engine->FeedAt(*source.feed);
  if (!at.ok()) return Fail(source, at.status());
  const auto ends = parts_.admin->Ends(source.place, options_.ask_ms);
  if (!ends.ok()) return kafka::IsRetriable(ends.status()) ? void() : Fail(source, ends.status());
  source.end = static_cast<std::uint64_t>(ends->high);
  const auto low = static_cast<std::uint64_t>(ends->low);
  if (!at->known && at->highest == 0)
    return BeginAt(source, from_end_.contains(source.place) ? source.end : low, false);
  // The process ended while it was begun: nothing was read yet, the rest of the shards begins where some did.
  if (!at->known && at->digest == storage::Hash16{}) return BeginAt(source, std::max(at->highest, low), false);

  const absl::Status status = Check(source, *at, *ends);
  if (status.ok()) return ReadFrom(source, at->lowest);
  if (kafka::IsRetriable(status)) return;
  if (!options_.accept.contains(source.place)) return Fail(source, status);
  Log(LogLevel::kWarn, "kafka: the partition begins anew, as kafka.accept says",
      {{"topic", kafka::NameOf(source.place)}, {"why", std::string(status.message())}});
  // The same log whose beginning is gone: who has come further stays there. Another log: all begin in it.
  BeginAt(source, low, /*again=*/!absl::IsOutOfRange(status));
}

// OK: what was applied is what stands there. OUT_OF_RANGE: so it is, but what follows was deleted unread. DATA_LOSS: it
// is another log. UNAVAILABLE: cannot be told just now.
absl::Status Intake::Check(const Source& source, const engine::FeedPosition& at, const kafka::Watermarks& ends) {
  const auto low = static_cast<std::uint64_t>(ends.low), high = static_cast<std::uint64_t>(ends.high);
  if (at.highest > high) {
    return absl::DataLossError(absl::StrCat("the log ends at offset ", high, ", but ", at.highest,
                                            " were applied: it was cut off, or the topic made anew"));
  }
  if (at.highest > low && at.digest != storage::Hash16{}) {  // else there is nothing to compare with
    const auto digest = DigestAt(source.place, at.highest - 1);
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
  if (absl::Status status = (*reader)->Assign({{place, static_cast<std::int64_t>(offset)}}); !status.ok())
    return status;
  for (const std::int64_t until = now_ms() + options_.ask_ms.count(); now_ms() < until && !stopping_;) {
    kafka::Polled polled = (*reader)->Poll(std::chrono::milliseconds(100), 1);
    for (const auto& [where, status] : polled.errors) {
      if (!kafka::IsRetriable(status)) return status;
    }
    if (polled.records.empty()) continue;
    const kafka::Record& record = polled.records.front();
    if (static_cast<std::uint64_t>(record.offset()) != offset) return storage::Hash16{};  // it is gone
    return DigestOf({record.topic(), record.key(), record.value(), record.headers(), record.timestamp_ms()});
  }
  return absl::UnavailableError("kafka: the record to compare with was not read in time");
}

void Intake::BeginAt(Source& source, std::uint64_t offset, bool again) {
  source.state = State::kBeginning;
  Event event;
  event.place = source.place;
  event.generation = source.generation;
  event.kind = Event::kBegun;
  event.offset = offset;
  parts_.engine->FeedProgress(source.feed, std::vector<std::uint64_t>(parts_.shards, offset), {}, again,
                              [inbox = inbox_, event](const absl::Status& status) mutable {
                                event.status = status;
                                inbox->Add(std::move(event));
                              });
}

void Intake::ReadFrom(Source& source, std::uint64_t offset) {
  ++source.generation;
  source.state = State::kReading;
  source.fetched = offset;
  source.marked = offset;
  source.progress.Begin(offset);
  source.waiting.clear();
  source.waiting_bytes = 0;
  source.next.reset();
  source.alone.reset();
  source.give_again_ms = 0;
  source.dead.clear();
  source.paused = false;
  if (!std::exchange(source.why, {}).empty())
    Log(LogLevel::kInfo, "kafka: the partition is read again", {{"topic", kafka::NameOf(source.place)}});
  assign_ = true;
}

void Intake::Fail(Source& source, const absl::Status& why) {
  if (source.state == State::kReading) assign_ = true;  // without it
  ++source.generation;
  source.state = State::kNew;
  source.again_ms = now_ms() + options_.again_ms;
  source.waiting.clear();
  source.waiting_bytes = 0;
  source.next.reset();
  source.alone.reset();
  source.paused = false;
  std::string text(why.message());
  if (source.why != text) {
    Log(LogLevel::kError, "kafka: the partition is not read", {{"topic", kafka::NameOf(source.place)}, {"why", text}});
  }
  source.why = std::move(text);
}

void Intake::AssignAll() {
  assign_ = false;
  std::vector<kafka::Start> starts;
  std::vector<kafka::TopicPartition> paused;
  for (const auto& [place, source] : sources_) {
    if (source->state != State::kReading) continue;
    starts.push_back({place, static_cast<std::int64_t>(source->fetched)});
    if (source->paused) paused.push_back(place);
  }
  absl::Status status = consumer_->Assign(starts);
  if (status.ok() && !paused.empty()) status = consumer_->Pause(paused);
  if (status.ok()) return;
  Log(LogLevel::kError, "kafka: partitions cannot be read", {{"why", std::string(status.message())}});
  assign_ = true;
}

}  // namespace smsflow::server
