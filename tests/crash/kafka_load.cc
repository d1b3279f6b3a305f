#include "tests/crash/kafka_load.h"

#include <chrono>

#include "ids/ids.h"
#include "tests/crash/own_kafka.h"
#include "tests/crash/patience.h"
#include "tests/crash/site.h"
#include "tests/crash/topics.h"

namespace smsflow::crash {
namespace {

using std::chrono::milliseconds;

std::vector<kafka::TopicPartition> SchedulePlaces() { return PlacesOf(kafka::kScheduleTopic, kSchedulePartitions); }

}  // namespace

KafkaLoad::KafkaLoad(Api& api, Book& book, Findings& findings, const crypto::PublicKey& key, std::uint64_t seed,
                     std::int64_t longer_s)
    : api_(api), book_(book), findings_(findings), source_(key, longer_s), random_(seed * 1000 + 999) {}

KafkaLoad::~KafkaLoad() {
  stopping_ = true;
  if (client_.joinable()) client_.join();
}

void KafkaLoad::Start(const std::string& brokers) {
  brokers_ = brokers;
  auto producer = kafka::Producer::Open(ClientOf(brokers));
  auto group = kafka::Consumer::Open(ClientOf(brokers), kKafkaGroup);
  if (!producer.ok() || !group.ok()) return findings_.Add("no client of Kafka could be made");
  producer_ = *std::move(producer);
  group_ = *std::move(group);
  client_ = std::thread([this] { Client(); });
}

void KafkaLoad::Client() {
  auto look = std::chrono::steady_clock::now();
  while (!stopping_) {
    Step();
    Poll(milliseconds(10 + Below(random_, 40)));
    Mend();
    if (SinceMs(look) < 1'000) continue;
    look = std::chrono::steady_clock::now();
    NoteApplied();
  }
}

void KafkaLoad::Step() {
  const std::uint64_t dice = Below(random_, 100);
  if (dice < 74) {
    Schedule();
  } else if (dice < 86) {
    AskAgain();
  } else if (dice < 92) {
    Command();
  } else if (dice < 96) {
    Poison();
  } else {
    LookNow();
  }
}

// Names of its own, so that nothing is mixed up with what the clients at the other door ask for.
void KafkaLoad::Schedule() {
  Sms sms = source_.Make(random_);
  const std::string number = std::to_string(++figures_.scheduled);
  const bool named = Below(random_, 3) != 0;
  sms.request.set_idempotency_key(named ? "kafka-" + number : "");
  if (!named) sms.request.set_batch("only-" + number);
  Sms* noted = book_.Add(std::move(sms));
  if (!named) unnamed_.push_back(noted);
  kafka::ScheduleSms record;
  record.client = noted->tenant;
  record.target = noted->request.target();
  record.key = noted->request.key();
  record.batch = noted->request.batch();
  record.schedule = noted->request.schedule();
  record.message = noted->request.payload();
  record.idempotency_key = noted->request.idempotency_key();
  Write({noted, nullptr, false, {}, kafka::EncodeScheduleSms(record)});
}

// What was asked for over gRPC already, and is one SMS still.
void KafkaLoad::AskAgain() {
  const Sms* sms = book_.AnyAcknowledged(random_());
  if (sms == nullptr) return;
  kafka::ScheduleSms record;
  book_.Change([&] {
    record.client = sms->tenant;
    record.target = sms->request.target();
    record.key = sms->request.key();
    record.batch = sms->request.batch();
    record.schedule = sms->request.schedule();
    record.message = sms->request.payload();
    record.idempotency_key = sms->request.idempotency_key();
  });
  ++figures_.again;
  Write({nullptr, nullptr, false, {}, kafka::EncodeScheduleSms(record)});
}

void KafkaLoad::Command() {
  kafka::ScheduleSms record;
  Stroke stroke{.tenant = kTenants[Below(random_, kTenants.size())]};
  record.client = stroke.tenant;
  if (Below(random_, 4) == 0) {
    stroke.what = Stroke::kBlock;
    stroke.by = Stroke::kTarget;
    stroke.name = "t" + std::to_string(Below(random_, kTargets));
    record.action = kafka::ScheduleSms::Action::kBlock;
    record.target = stroke.name;
  } else {
    const Sms* sms = book_.AnyAcknowledged(random_());
    if (sms == nullptr || sms->request.key().empty()) return;
    stroke.what = Stroke::kCancel;
    stroke.by = Stroke::kKey;
    stroke.tenant = record.client = sms->tenant;
    stroke.name = sms->request.key();
    record.action = kafka::ScheduleSms::Action::kCancel;
    record.key = stroke.name;
  }
  ++figures_.commands;
  Stroke* noted = book_.Begin(std::move(stroke));
  Write({nullptr, noted, false, {}, kafka::EncodeScheduleSms(record)});
}

void KafkaLoad::Poison() {
  static const std::vector<std::string> kinds = {
      "",
      "no json",
      R"({"action":"schedule","client":"nobody","schedule":"1-2","message":"x"})",
      R"({"action":"schedule","client":"clinic","schedule":"2-1","message":"x"})",
      R"({"action":"cancel","client":"lab"})",
      R"({"action":7})",
  };
  ++figures_.poison;
  Write({nullptr, nullptr, true, {}, {"", kinds[Below(random_, kinds.size())], {}}});
}

void KafkaLoad::LookNow() {
  kafka::TimerSms timer;
  timer.client = kTenants[Below(random_, kTenants.size())];
  if (Below(random_, 2) == 0) timer.batch = "b" + std::to_string(Below(random_, kBatches));
  const kafka::Outgoing record = kafka::EncodeTimerSms(timer);
  (void)producer_->Produce(kafka::kTimerTopic, 0, record.key, record.value, record.headers, 0);
}

void KafkaLoad::Write(Written what) {
  const auto partition = static_cast<std::int32_t>(Below(random_, kSchedulePartitions));
  const std::uint64_t tag = ++tags_;
  ++figures_.records;
  const absl::Status status = producer_->Produce(kafka::kScheduleTopic, partition, what.record.key, what.record.value,
                                                 what.record.headers, tag);
  if (!status.ok() && !kafka::IsFatal(status))
    return findings_.Add("a record was not taken by the producer: " + status.ToString());
  if (!status.ok()) return unknown_.push_back(std::move(what));
  leaving_.emplace(tag, std::move(what));
}

void KafkaLoad::Take(const kafka::Delivery& delivery) {
  const auto found = leaving_.find(delivery.tag);
  if (found == leaving_.end()) return;
  Written what = std::move(found->second);
  leaving_.erase(found);
  if (kafka::IsFatal(delivery.status)) return unknown_.push_back(std::move(what));
  if (!delivery.status.ok()) return findings_.Add("a record was not delivered: " + delivery.status.ToString());
  what.place = {delivery.partition, delivery.offset};
  if (what.sms != nullptr) book_.Change([&] { what.sms->at_broker = true; });
  // Sent twice over a broken connection, it is there, and the broker does not say where.
  if (delivery.offset < 0) {
    unknown_poison_ += what.poison;
    return;
  }
  if (what.poison) poison_.insert(what.place);
  if (what.sms != nullptr || what.stroke != nullptr) unapplied_.push_back(std::move(what));
}

void KafkaLoad::Poll(milliseconds timeout) {
  std::vector<kafka::Delivery> deliveries;
  producer_->Poll(timeout, 1'000, deliveries);
  for (const kafka::Delivery& delivery : deliveries) Take(delivery);
}

// What bears a name of its own is written again, as any client would; the rest may be there or not.
void KafkaLoad::Mend() {
  if (producer_->Fatal().ok()) return;
  while (!leaving_.empty() && producer_->pending() != 0) Poll(milliseconds(10));
  auto producer = kafka::Producer::Open(ClientOf(brokers_));
  if (!producer.ok()) return findings_.Add("no client of Kafka could be made");
  producer_ = *std::move(producer);
  ++figures_.remade;
  std::vector<Written> unknown;
  unknown.swap(unknown_);
  for (Written& what : unknown) {
    if (what.sms != nullptr && !what.sms->request.idempotency_key().empty()) {
      Write(std::move(what));
    } else {
      ++figures_.unknown;
      if (what.poison) ++unknown_poison_;
    }
  }
}

void KafkaLoad::NoteApplied() {
  const auto committed = group_->Committed(SchedulePlaces(), milliseconds(300));
  if (!committed.ok()) return;  // the broker is away
  const std::int64_t now_ms = NowMs();
  book_.Change([&] {
    std::erase_if(unapplied_, [&](const Written& what) {
      const auto upto = committed->at({std::string(kafka::kScheduleTopic), what.place.first});
      if (what.place.second >= upto.value_or(0)) return false;
      if (what.stroke != nullptr) what.stroke->told_ms = now_ms;
      if (what.sms != nullptr) what.sms->orders.front().told_ms = now_ms;
      return true;
    });
  });
}

bool KafkaLoad::Stop() {
  stopping_ = true;
  if (!client_.joinable()) return false;
  client_.join();
  const auto start = std::chrono::steady_clock::now();
  while (producer_->pending() != 0 && SinceMs(start) < Patient(60'000)) {
    Poll(milliseconds(100));
    Mend();
  }
  return producer_->pending() == 0;
}

bool KafkaLoad::AllApplied() {
  std::vector<kafka::TopicPartition> places = SchedulePlaces();
  places.push_back({std::string(kafka::kTimerTopic), 0});
  return IsReadToTheEnd(brokers_, *group_, places);
}

void KafkaLoad::Settle() {
  const auto start = std::chrono::steady_clock::now();
  bool applied = false;
  while (!(applied = AllApplied()) && SinceMs(start) < Patient(60'000)) std::this_thread::sleep_for(milliseconds(200));
  if (!applied) return findings_.Add("not every record of Kafka was applied");
  NoteApplied();
  FindUnnamed();
}

// Each stands once in the list of its tenant, under the batch that is its alone.
void KafkaLoad::FindUnnamed() {
  std::map<std::pair<std::string, std::string>, std::vector<v1::SmsStatus>> listed;
  for (const std::string& tenant : kTenants) {
    std::string token;
    do {
      const auto page = api_.List(tenant, token);
      if (!page.ok()) return findings_.Add("List answered " + page.status().ToString());
      for (const auto& item : page->items())
        if (item.batch().starts_with("only-")) listed[{tenant, item.batch()}].push_back(item);
      token = page->next_page_token();
    } while (!token.empty());
  }
  for (Sms* sms : unnamed_) {
    const auto& found = listed[{sms->tenant, sms->request.batch()}];
    if (found.empty() && !sms->at_broker) {
      book_.Change([&] { sms->refused = true; });
      continue;
    }
    if (found.empty()) {
      findings_.Add("the record of " + sms->request.batch() + " is at the broker, and its SMS is lost");
      continue;
    }
    for (const v1::SmsStatus& status : found) {
      v1::ScheduleResponse answer;
      answer.set_id(status.id());
      answer.set_state(status.state());
      answer.set_duplicate(true);
      book_.Acknowledged(sms, answer);  // a second one is a finding
    }
  }
}

std::set<std::string> KafkaLoad::MissingEvents(const std::map<std::string, v1::GetJournalResponse>& journals) {
  std::map<std::string, std::set<std::uint64_t>> told;
  const auto records = ReadTopic(brokers_, kafka::kEventsTopic);
  figures_.events = records.size();
  for (const TopicRecord& record : records) {
    const auto event = kafka::DecodeSmsEvent(record.value);
    if (!event.ok()) return {event.status().ToString()};
    told[std::string(event->id.AsBytes())].insert(event->sequence);
  }
  std::set<std::string> missing;
  for (const auto& [id, journal] : journals) {
    for (const auto& entry : journal.entries())
      if (!told[id].contains(entry.sequence())) missing.insert(id);
  }
  return missing;
}

void KafkaLoad::Check(const std::map<std::string, v1::GetJournalResponse>& journals) {
  const auto start = std::chrono::steady_clock::now();
  std::set<Place> letters;
  do {
    letters.clear();
    for (const TopicRecord& record : ReadTopic(brokers_, kafka::kDeadLetterTopic)) {
      const auto letter = kafka::DecodeDeadLetter(record.value);
      if (!letter.ok()) {
        findings_.Add("a dead letter cannot be read: " + letter.status().ToString());
      } else if (letter->topic == kafka::kScheduleTopic) {
        letters.emplace(letter->partition, letter->offset);
      } else {
        findings_.Add("a dead letter of " + letter->topic + ", where all can be read: " + letter->reason);
      }
    }
  } while (letters.size() < poison_.size() && SinceMs(start) < Patient(20'000));
  figures_.letters = letters.size();
  for (const auto& [partition, offset] : poison_) {
    if (!letters.contains({partition, offset}))
      findings_.Add("no dead letter of partition " + std::to_string(partition) + ", offset " + std::to_string(offset));
  }
  for (const auto& [partition, offset] : letters) {
    if (!poison_.contains({partition, offset}) && unknown_poison_-- == 0)
      findings_.Add("a dead letter of a good record: partition " + std::to_string(partition) + ", offset " +
                    std::to_string(offset));
  }
  std::set<std::string> missing;
  while (!(missing = MissingEvents(journals)).empty() && SinceMs(start) < Patient(40'000)) {
  }
  for (const std::string& id : missing) findings_.Add(IdText(id) + ": a transition did not leave", id);
}

}  // namespace smsflow::crash
