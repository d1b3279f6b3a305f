// What goes wrong in a run over the modelled Kafka.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tests/sim/kafka_life.h"

namespace smsflow::sim {

using kafka::TopicPartition;

const std::vector<FaultKind<KafkaRun>>& KafkaRun::Faults() {
  static const std::vector<FaultKind<KafkaRun>> faults = {{kKill, 8, &KafkaRun::Crash},
                                                          {"records are given again", 4, &KafkaRun::GiveAgain},
                                                          {"producers are ended", 3, &KafkaRun::EndProducers},
                                                          {"a log is cut off", 2, &KafkaRun::CutOff},
                                                          {"a leader changes", 2, &KafkaRun::ChangeLeader},
                                                          {"the broker is away", 3, &KafkaRun::GoAway},
                                                          {"answers are held back", 2, &KafkaRun::HoldDeliveries},
                                                          {"old records are deleted", 2, &KafkaRun::DeleteOld}};
  return faults;
}

void KafkaRun::Disturb() {
  const auto& fault = OneOf(Faults(), random_);
  if (!Off(fault.name)) (this->*fault.make)();
}

// To a record that is produced.
server::ModelBroker::Fault KafkaRun::AnswerOfBroker() {
  if (!faults_) return {};
  const int dice = Pick(40);
  const char* const kind = dice == 0 ? kRefused : dice == 1 ? kLost : dice == 2 ? kLate : nullptr;
  if (kind == nullptr || Off(kind)) return {};
  Tell(kind);
  if (dice == 0) return {absl::ResourceExhaustedError("full"), absl::OkStatus()};
  if (dice == 1) return {absl::OkStatus(), absl::UnavailableError("lost")};
  return {absl::OkStatus(), absl::DeadlineExceededError("late"), true};
}

void KafkaRun::GiveAgain() {
  Tell("the broker gives again what was read");
  broker_.GiveAgain(1 + Pick(20));
}
void KafkaRun::EndProducers() {
  Tell("the broker ends its producers");
  broker_.EndProducers();
}
void KafkaRun::ChangeLeader() {
  const TopicPartition place = Orders(Pick(kOrderPartitions));
  Tell(kafka::NameOf(place) + " has another leader");
  broker_.ChangeLeader(place);
}
void KafkaRun::GoAway() {
  Tell(away_ ? "the broker is back" : "the broker is away");
  broker_.SetAway(away_ = !away_);
}
void KafkaRun::HoldDeliveries() {
  const bool held = Pick(2) == 0;
  Tell(held ? "the broker holds its answers back" : "the broker answers");
  broker_.HoldDeliveries(held);
}

// Without a word the log loses its end, and goes on with other records. What nobody had read is no business of the
// engine's: it reads what stands there when it comes to it.
void KafkaRun::CutOff() {
  const TopicPartition place = Orders(Pick(kOrderPartitions));
  const std::int64_t end = broker_.End(place);
  if (end < 3 || Pick(3) != 0) return;
  const std::int64_t from = end - 1 - Pick(static_cast<int>(std::min<std::int64_t>(end - 1, 5)));
  Tell(absl::StrCat(kafka::NameOf(place), " is cut off at ", from));
  broker_.Truncate(place, from);
  broker_.ChangeLeader(place);
  for (Written& one : written_)
    if (one.place == place && one.offset >= from) one.cut = true;
  if (from >= broker_.GivenOf(place)) return;
  const auto [cut, first] = cut_.emplace(place, from);
  cut->second = std::min(cut->second, from);
  // Read on as if nothing were, until the engine looks: one that dies before it does cannot know.
  looked_ms_ = world_.clock.steady_ms + kLookMs;
}

void KafkaRun::Crash() {
  if (world_.clock.steady_ms < looked_ms_) return;
  ++report_.crashes;
  Tell("the engine is killed, and started again");
  ForgetWhatWasFound();
  Close();
  world_.Crash();
  Inspect();
  Open();
  if (Pick(3) == 0) gateway_.ReadAgain();
}

// That a log was written on where records had been read may be known to the process alone. The next one compares with
// what was applied last, and what stands between the cut and that it cannot tell from what was read.
void KafkaRun::ForgetWhatWasFound() {
  for (const auto& [place, from] : cut_) {
    if (Reads(place)) continue;
    const auto highest = static_cast<std::int64_t>(StoredPosition(place).highest);
    for (Written& one : written_)
      if (one.place == place && one.offset >= from && one.offset < highest) one.cut = true;
  }
}

// What everybody has applied may go, as retention does it. Not of a log that was cut off: with what stands in the
// place of what was applied would go all that shows it, and retention takes longer than a look.
void KafkaRun::DeleteOld() {
  const TopicPartition place = Orders(Pick(kOrderPartitions));
  if (cut_.contains(place)) return;
  const engine::FeedPosition at = StoredPosition(place);
  const auto lowest = static_cast<std::int64_t>(at.lowest);
  if (at.known) broker_.DeleteBefore(place, lowest);
  if (Pick(4) == 0) broker_.DeleteBefore(place, broker_.End(place) - Pick(3));  // … and what they have not
  const auto log = broker_.Log(place);
  const std::int64_t begins = log.empty() ? broker_.End(place) : log.begin()->first;
  Tell(absl::StrCat(kafka::NameOf(place), " begins at ", begins));
  if (begins > lowest) deleted_.insert(place);
  if (at.known || at.highest != 0) return;
  for (Written& one : written_)
    if (one.place == place && one.offset < begins) one.cut = true;  // of a topic that was never begun nobody can know
}

}  // namespace smsflow::sim
