// What must hold over the modelled Kafka: after every step, after every crash, at the end.
#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/inspect.h"
#include "engine/partition.h"
#include "engine/reader.h"
#include "tests/sim/journal_text.h"
#include "tests/sim/kafka_life.h"

namespace smsflow::sim {

using kafka::TopicPartition;

bool KafkaRun::Reads(const TopicPartition& place) const {
  for (const server::NamedFigure& figure : intake_->figures()) {
    if (figure.name == "smsflow_kafka_reading" && figure.labels[0].second == place.topic &&
        figure.labels[1].second == std::to_string(place.partition))
      return figure.value == 1;
  }
  return false;
}

std::multimap<std::string, server::StoredSms> KafkaRun::Stored() {
  auto stored = server::StoredSmses(engine::Reader(
      {&world_.memory, &world_.index_keys, world_.options.shards, [](ShardId) { return ~std::uint64_t{0}; }}));
  if (stored.ok()) return *std::move(stored);
  Violated("the store cannot be read: " + stored.status().ToString());
  return {};
}

engine::FeedPosition KafkaRun::StoredPosition(const TopicPartition& place) {
  auto at = engine::ReadFeed(world_.memory, world_.options.shards,
                             {place.topic, static_cast<std::uint32_t>(place.partition)});
  if (at.ok()) return *std::move(at);
  Violated("the applied offsets cannot be read: " + at.status().ToString());
  return {};
}

// A partition stops only where another log stands than the one that was read, or where records went that some shard had
// not applied; and it never takes anything back. What every shard had applied before may go, as retention does it.
KafkaRun::AppliedBelow KafkaRun::CheckStops() {
  AppliedBelow below;
  for (std::int32_t partition = 0; partition < kOrderPartitions; ++partition) {
    const TopicPartition place = Orders(partition);
    below[place] = std::numeric_limits<std::int64_t>::max();
    if (Reads(place)) continue;
    ++report_.stopped;
    const auto lowest = static_cast<std::int64_t>(StoredPosition(place).lowest);
    const auto cut = cut_.find(place);
    below[place] = cut == cut_.end() ? lowest : std::min(lowest, cut->second);
    if (cut != cut_.end()) continue;
    const auto log = broker_.Log(place);
    const std::int64_t begins = log.empty() ? broker_.End(place) : log.begin()->first;
    if (!deleted_.contains(place) || begins <= lowest)
      Violated(absl::StrCat(kafka::NameOf(place), " is not read, and nothing was done to it: it begins at ", begins,
                            ", and all below ", lowest, " is applied"));
  }
  return below;
}

void KafkaRun::Check() {
  CheckOffsets();
  Inspect();
  const AppliedBelow below = CheckStops();
  if (!Reads(kKafkaStatus)) Violated("the reports are not read");
  const auto stored = Stored();
  std::map<InstanceId, int> submits;
  for (const auto& [attempt, count] : gateway_.submits) {
    submits[attempt.instance] += count;
    report_.submits += static_cast<std::uint64_t>(count);
  }
  const auto cancels = Cancels(below);
  for (const Written& one : written_) {
    if (one.poison || one.cancel) continue;
    const auto cancel = cancels.find(one.key);
    CheckOne(one, below, stored, submits, cancel == cancels.end() ? Cancel::kNone : cancel->second);
  }
  CheckLetters(below);
  Trace(stored.size());
  Trace(report_.submits);
}

void KafkaRun::CheckLetters(const AppliedBelow& below) {
  std::set<std::string> letters;
  for (const auto& [offset, record] : broker_.Log(kDeadLetters)) letters.insert(record->key);
  report_.letters = letters.size();
  std::set<std::string> poison;
  for (const Written& one : written_) {
    const std::string name = absl::StrCat(one.place.topic, "/", one.place.partition, "/", one.offset);
    if (!one.poison) continue;
    poison.insert(name);
    if (IsApplied(one, below) && !letters.contains(name)) Violated("no letter of " + name);
  }
  for (const std::string& name : letters)
    if (!poison.contains(name)) Violated("a letter of what can be read, " + name);
}

// What was handed over of it, and what its gateway said.
std::string KafkaRun::OnTopics(const InstanceId& id) const {
  std::string lines;
  for (const TopicPartition& place : {TopicPartition{"send", 0}, TopicPartition{"send", 1}, kKafkaStatus}) {
    for (const auto& [offset, record] : broker_.Log(place)) {
      if (record->value.find(id.ToString()) != std::string::npos)
        absl::StrAppend(&lines, "  ", kafka::NameOf(place), " ", offset, " ", record->value, "\n");
    }
  }
  return lines;
}

// Of those that the violations name, by key or by id; of all when they name none.
std::string KafkaRun::Lives() {
  std::set<InstanceId> named = NamedIn(report_.violations);
  std::set<std::string> words;
  for (const std::string& violation : report_.violations)
    for (const absl::string_view word : absl::StrSplit(violation, absl::ByAnyChar(" ,:"))) words.emplace(word);
  const auto stored = Stored();
  for (const auto& [key, sms] : stored)
    if (words.contains(key)) named.insert(sms.id);
  std::string text;
  for (const auto& [key, sms] : stored) {
    if (!named.empty() && !named.contains(sms.id)) continue;
    absl::StrAppend(&text, sms.id.ToString(), ", ", key, "\n", JournalOf(world_.memory, *world_.workflow, sms.id),
                    OnTopics(sms.id));
  }
  return text;
}

KafkaReport KafkaRun::Told() {
  for (const std::string& violation : gateway_.violations) Violated(violation);
  if (!report_.violations.empty()) report_.journal = Lives();
  return std::move(report_);
}

std::map<std::string, KafkaRun::Cancel> KafkaRun::Cancels(const AppliedBelow& below) const {
  std::map<std::string, Cancel> cancels;
  for (const Written& one : written_) {
    if (!one.cancel) continue;
    const bool applied = IsApplied(one, below) && IsApplied(written_[one.behind], below);
    Cancel& known = cancels.emplace(one.key, Cancel::kPerhaps).first->second;
    if (applied) known = Cancel::kApplied;
  }
  return cancels;
}

void KafkaRun::CheckOne(const Written& one, const AppliedBelow& below,
                        const std::multimap<std::string, server::StoredSms>& stored,
                        const std::map<InstanceId, int>& submits, Cancel cancel) {
  const std::size_t count = stored.count(one.key);
  if (count > 1) return Violated(one.key + " is " + std::to_string(count) + " SMSes");
  if (count == 0) {
    if (IsApplied(one, below))
      Violated(absl::StrCat(one.key, " is lost, of ", kafka::NameOf(one.place), " ", one.offset));
    return;
  }
  const auto& [id, state] = stored.find(one.key)->second;
  const auto submitted = submits.find(id);
  const int times = submitted == submits.end() ? 0 : submitted->second;
  if (times > 1) Violated(one.key + " was submitted " + std::to_string(times) + " times");
  if (!one.due && times != 0) Violated(one.key + " left before its slot");
  if (state == delivery::State::kCanceled) {
    if (cancel == Cancel::kNone) Violated(one.key + " is canceled, and nobody asked for it");
    if (times != 0) Violated(one.key + " is canceled and was submitted");
    if (one.due) return;
    ++report_.canceled;
    return;
  }
  if (!one.due && cancel == Cancel::kApplied) Violated(one.key + " was to be canceled and is not");
  if (!one.due && state != delivery::State::kPending)
    Violated(absl::StrCat(one.key, " waits for its slot and is in state ", static_cast<int>(state)));
  CheckEnd(one, state, times);
}

void KafkaRun::CheckEnd(const Written& one, delivery::State state, int times) {
  if (one.late && times == 0 && state == delivery::State::kExpired) return;
  // In flight when the broker went, and nobody could be asked in time: at most the window.
  if (one.late && times == 0 && state == delivery::State::kUnknown) {
    if (++unknown_ > kKafkaCredit) Violated("more became UNKNOWN than the window holds");
    return;
  }
  if (one.due && state != delivery::State::kDelivered)
    Violated(absl::StrCat(one.key, " is due and ended in state ", static_cast<int>(state)));
  if (one.due && times != 1) Violated(one.key + " is delivered and was never submitted");
}

// What counts as applied stays so.
void KafkaRun::CheckOffsets() {
  for (const TopicPartition& place : {Orders(0), Orders(1), kKafkaStatus}) {
    const auto at = world_.engine->FeedAt({place.topic, static_cast<std::uint32_t>(place.partition)});
    if (!at.ok()) {
      Violated("the applied offsets cannot be read: " + at.status().ToString());
      continue;
    }
    std::vector<std::uint64_t>& before = applied_[place];
    before.resize(at->next.size());
    for (std::size_t shard = 0; shard < before.size(); ++shard) {
      if (at->next[shard] < before[shard])
        Violated(absl::StrCat("I13: of ", kafka::NameOf(place), " shard ", shard, " had applied ", before[shard],
                              ", and now ", at->next[shard]));
    }
    before = at->next;
  }
}

void KafkaRun::Inspect() {
  engine::Inspector inspector(world_.memory, world_.index_keys, world_.options.shards);
  const absl::Status status =
      inspector.Run([this](const std::string& finding) { Violated("I12 and others: " + finding); },
                    [](const engine::InspectionSummary&) { return true; });
  if (!status.ok()) Violated("the inspection ended: " + status.ToString());
}

// A second engine, or a folder that was made anew, on the same group: it waits.
void KafkaRun::CheckAnotherFolder() {
  for (std::int32_t partition = 0; partition < kOrderPartitions; ++partition)
    if (broker_.CommittedOf(Orders(partition)) <= 0) return;
  engine::World other;
  other.engine.reset();
  other.policy = world_.policy;
  other.workflow = delivery::MakeDeliveryWorkflow();
  if (!other.TryOpen().ok()) return Violated("another folder cannot be opened");
  server::DeadLetters letters("dead");
  server::IntakeOptions options;
  options.topics = {{"orders", server::TopicKind::kSchedule}};
  options.acting.tenants = {"acme"};
  options.acting.unsigned_ok = true;
  server::IntakeParts parts;
  parts.engine = other.engine.get();
  parts.shards = other.options.shards;
  parts.validation = &validation_;
  parts.clock = &other.clock;
  parts.dead_letters = &letters;
  parts.admin = &broker_.admin();
  parts.open = [this] { return broker_.MakeConsumer(); };
  server::Intake intake(std::move(options), std::move(parts));
  if (!intake.Open().ok()) return Violated("no consumer");
  for (int round = 0; round < 200; ++round) {
    other.clock.Advance(100);
    intake.RunOnce(std::chrono::milliseconds(0));
    other.engine->RunOnce();
  }
  const auto figures = other.engine->TakeFigures();
  if (figures.created != 0) Violated("another folder applied what this one had");
}

}  // namespace smsflow::sim
