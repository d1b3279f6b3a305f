// The far side of the modelled Kafka: a gateway that announces itself, reads what is handed over, and reports.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "kafka/records.h"
#include "tests/engine/world.h"
#include "tests/server/kafka/gateway_words.h"
#include "tests/server/kafka/model_broker.h"

namespace smsflow::sim {

inline constexpr std::uint32_t kKafkaCredit = 50;
inline const PeerId kKafkaGateway{"g1", "11111111-2222-4333-8444-555555555555"};
inline const kafka::TopicPartition kKafkaStatus{"status", 0};

// Takes what is for it once, whatever it reads again; its store is never lost.
class KafkaGateway {
 public:
  KafkaGateway(server::ModelBroker& broker, engine::ManualClock& clock) : broker_(broker), clock_(clock) {}

  void Step() {
    if (clock_.steady_ms >= announce_ms_) {
      announce_ms_ = clock_.steady_ms + 3'000;
      broker_.Append(kKafkaStatus, server::AnnouncementOf(kKafkaGateway, kKafkaCredit), clock_.wall_ms);
    }
    for (std::int32_t partition = 0; partition < 2; ++partition) {
      const auto log = broker_.Log({"send", partition});
      for (auto one = log.lower_bound(positions_[partition]); one != log.end(); ++one) {
        positions_[partition] = one->first + 1;
        Take(*one->second);
      }
    }
  }
  void ReadAgain() { positions_.clear(); }

  std::map<AttemptId, int> submits;
  std::vector<std::string> violations;

 private:
  void Take(const server::ModelBroker::Record& record) {
    const auto sms = kafka::DecodeSendSms(record.value, kafka::ViewsOf(record.headers));
    if (!sms.ok()) return violations.push_back(absl::StrCat("a gateway cannot read: ", sms.status().ToString()));
    if (sms->peer != kKafkaGateway) return;
    const auto known = known_.find(sms->attempt);
    if (sms->op == kafka::SendSms::Op::kProbe) {
      if (known == known_.end()) known_[sms->attempt] = kafka::Reported::kNeverSeen;
      return Say(sms->attempt, known_[sms->attempt]);
    }
    if (known != known_.end()) return Say(sms->attempt, known->second);
    if (clock_.wall_ms >= sms->deadline_ms) {
      known_[sms->attempt] = kafka::Reported::kExpired;
      return Say(sms->attempt, kafka::Reported::kExpired);
    }
    ++submits[sms->attempt];
    known_[sms->attempt] = kafka::Reported::kDelivered;
    Say(sms->attempt, kafka::Reported::kAccepted);
    Say(sms->attempt, kafka::Reported::kSent);
    Say(sms->attempt, kafka::Reported::kDelivered);
  }
  void Say(const AttemptId& attempt, kafka::Reported result) {
    broker_.Append(kKafkaStatus, server::WordOf(kKafkaGateway, attempt, result, clock_.wall_ms), clock_.wall_ms);
  }

  server::ModelBroker& broker_;
  engine::ManualClock& clock_;
  std::int64_t announce_ms_ = 0;
  std::map<std::int32_t, std::int64_t> positions_;
  std::map<AttemptId, kafka::Reported> known_;
};

}  // namespace smsflow::sim
