#include "tests/crash/old_engine.h"

#include <chrono>

#include "absl/strings/str_cat.h"
#include "kafka/instant.h"
#include "kafka/records.h"
#include "tests/crash/own_kafka.h"
#include "tests/crash/patience.h"
#include "tests/crash/site.h"
#include "tests/crash/topics.h"

namespace smsflow::crash {
namespace {

using std::chrono::milliseconds;

constexpr int kTries = 3;

}  // namespace

OldEngine::OldEngine(std::string brokers, const crypto::PublicKey& key, std::uint64_t seed, Findings& findings)
    : brokers_(std::move(brokers)), source_(key), findings_(findings), random_(seed * 1000 + 998) {}

OldEngine::~OldEngine() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

void OldEngine::Start() {
  auto producer = kafka::Producer::Open(ClientOf(brokers_));
  auto words = kafka::Consumer::Open(ClientOf(brokers_), "old-engine");
  if (!producer.ok() || !words.ok()) return findings_.Add("no client of Kafka could be made");
  producer_ = *std::move(producer);
  words_ = *std::move(words);
  std::vector<kafka::Start> starts;
  for (auto& place : PlacesOf(kafka::kStatusTopic, kStatusPartitions)) starts.push_back({std::move(place), 0});
  if (const auto status = words_->Add(starts); !status.ok()) return findings_.Add(status.ToString());
  thread_ = std::thread([this] { Run(); });
}

void OldEngine::Run() {
  while (!stopping_) {
    for (std::uint64_t count = Below(random_, 4); count > 0; --count) Ask();
    Poll();
    Hear();
  }
}

// Most may take their time, so that they must leave; some must not, and end where the gateway finds them too late.
void OldEngine::Ask() {
  if (Below(random_, 40) == 0) {
    const std::size_t number = written_.size();
    return Write(Below(random_, 2) == 0 ? absl::StrCat("no json ", number)
                                        : absl::StrCat(R"({"client-id":"clinic","payload":")", number, "\"}"));
  }
  const std::string correl_id = absl::StrCat("p", smses_.size());
  Sms& sms = smses_[correl_id];
  sms.text = source_.Text(random_);
  sms.served = Below(random_, 20) != 0;
  sms.deadline_ms = NowMs() + (Below(random_, 4) == 0 ? static_cast<std::int64_t>(Below(random_, 4'000)) : 3'600'000);
  Try(correl_id, sms);
}

void OldEngine::Try(const std::string& correl_id, Sms& sms) {
  const std::string& client = sms.served ? kTenants[Below(random_, 2)] : kTenants[2];
  ++sms.tries;
  Write(absl::StrCat(R"({"correl-id":")", correl_id, R"(","client-id":")", client, R"(","deadline":")",
                     kafka::FormatInstant(sms.deadline_ms), R"(","payload":")",
                     source_.Seal(random_, client, "", sms.text), "\"}"));
}

void OldEngine::Write(const std::string& value) {
  const auto partition = static_cast<std::int32_t>(Below(random_, kSendPartitions));
  const absl::Status status = producer_->Produce(kafka::kSendTopic, partition, "", value, {}, written_.size());
  written_.push_back(value);
  if (!status.ok() && !kafka::IsFatal(status))
    findings_.Add("a record was not taken by the producer: " + status.ToString());
}

void OldEngine::Poll() {
  std::vector<kafka::Delivery> deliveries;
  producer_->Poll(milliseconds(10 + Below(random_, 40)), 1'000, deliveries);
  for (const kafka::Delivery& delivery : deliveries) {
    if (delivery.status.ok()) {
      acknowledged_[written_[delivery.tag]] = {delivery.partition,
                                               delivery.offset >= 0 ? std::optional(delivery.offset) : std::nullopt};
    } else if (!kafka::IsFatal(delivery.status)) {
      findings_.Add("a record was not delivered: " + delivery.status.ToString());
    }
  }
  if (producer_->Fatal().ok() || producer_->pending() != 0) return;
  auto producer = kafka::Producer::Open(ClientOf(brokers_));
  if (!producer.ok()) return findings_.Add("no client of Kafka could be made");
  producer_ = *std::move(producer);
  ++remade_;
}

void OldEngine::Hear() {
  for (const kafka::Record& record : words_->Poll(milliseconds(0), 1'000).records) {
    const auto word = kafka::DecodeStatusSms(record.value(), record.headers());
    if (!word.ok()) return findings_.Add("a word cannot be read: " + word.status().ToString());
    const auto known = smses_.find(word->correl_id);
    if (known == smses_.end()) return findings_.Add("a word of " + word->correl_id + ", of which nobody asked");
    if (word->result != kafka::Reported::kFailedTransient && word->result != kafka::Reported::kExpired) continue;
    Sms& sms = known->second;
    if (++sms.failures == sms.tries && sms.tries < kTries) Try(known->first, sms);
  }
}

bool OldEngine::Stop() {
  stopping_ = true;
  if (!thread_.joinable()) return false;
  thread_.join();
  const auto start = std::chrono::steady_clock::now();
  while (producer_->pending() != 0 && SinceMs(start) < Patient(60'000)) Poll();
  return producer_->pending() == 0;
}

}  // namespace smsflow::crash
