// What goes wrong in a run over the modelled Kafka.
#include <algorithm>

#include "tests/sim/kafka_life.h"

namespace smsflow::sim {

using kafka::TopicPartition;

// Without a word the log loses its end, and goes on with other records.
void KafkaRun::CutOff() {
  const TopicPartition place = Orders(Pick(kOrderPartitions));
  const std::int64_t end = broker_.End(place);
  if (end < 3 || Pick(3) != 0) return;
  const std::int64_t from = end - 1 - Pick(static_cast<int>(std::min<std::int64_t>(end - 1, 5)));
  broker_.Truncate(place, from);
  broker_.ChangeLeader(place);
  for (Written& one : written_)
    if (one.place == place && one.offset >= from) one.cut = true;
  cut_.insert(place);
  // Read on as if nothing were, until the engine looks: one that dies before it does cannot know.
  looked_ms_ = world_.clock.steady_ms + kLookMs;
}

void KafkaRun::Crash() {
  if (world_.clock.steady_ms < looked_ms_) return;
  ++report_.crashes;
  ForgetWhatWasFound();
  Close();
  world_.Crash();
  Inspect();
  Open();
  if (Pick(3) == 0) gateway_.ReadAgain();
}

// That a log was written on where records had been read may be known to the process alone. The next one compares with
// what was applied last, and what stands before that it cannot tell from what was read.
void KafkaRun::ForgetWhatWasFound() {
  for (const TopicPartition& place : cut_) {
    const auto at = world_.engine->FeedAt({place.topic, static_cast<std::uint32_t>(place.partition)});
    if (!at.ok() || Reads(place)) continue;
    for (Written& one : written_)
      if (one.place == place && one.offset < static_cast<std::int64_t>(at->highest)) one.cut = true;
  }
}

// What everybody has applied may go, as retention does it. Not of a log that was cut off: with what stands in the
// place of what was applied would go all that shows it, and retention takes longer than a look.
void KafkaRun::DeleteOld() {
  const TopicPartition place = Orders(Pick(kOrderPartitions));
  if (cut_.contains(place)) return;
  const auto at = world_.engine->FeedAt({place.topic, static_cast<std::uint32_t>(place.partition)});
  if (at.ok() && at->known) broker_.DeleteBefore(place, static_cast<std::int64_t>(at->lowest));
  if (Pick(4) == 0) broker_.DeleteBefore(place, broker_.End(place) - Pick(3));  // … and what they have not
  const auto log = broker_.Log(place);
  for (Written& one : written_) {
    if (one.place != place || log.contains(one.offset)) continue;
    deleted_.insert(place);
    if (at.ok() && !at->known && at->highest == 0) one.cut = true;  // of a topic that was never begun nobody can know
  }
}

}  // namespace smsflow::sim
