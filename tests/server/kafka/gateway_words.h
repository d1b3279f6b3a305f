// What a gateway of a test says on `sms-status`. It serves the tenant `acme` and reads two partitions.
#pragma once

#include <cstdint>

#include "kafka/records.h"

namespace smsflow::server {

inline kafka::Outgoing AnnouncementOf(const PeerId& peer, std::uint32_t credit) {
  kafka::Announcement said;
  said.peer = peer;
  said.partitions = {0, 1};
  said.tenants = {"acme"};
  said.credit = credit;
  said.at_ms = 1;
  return kafka::EncodeAnnouncement(said);
}

inline kafka::Outgoing WordOf(const PeerId& peer, const AttemptId& attempt, kafka::Reported result,
                              std::int64_t at_ms) {
  kafka::StatusSms status;
  status.correl_id = attempt.ToString();
  status.attempt = attempt;
  status.client = "acme";
  status.result = result;
  status.cause = result == kafka::Reported::kExpired ? "expired" : "";
  status.at_ms = at_ms;
  status.peer = peer;
  return kafka::EncodeStatusSms(status);
}

}  // namespace smsflow::server
