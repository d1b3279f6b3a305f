#include "tools/bench/sms_source.h"

#include <utility>

#include "crypto/hash.h"
#include "crypto/random.h"
#include "workflows/delivery/codec/codec.h"

namespace smsflow::bench {
namespace {

namespace delivery = workflows::delivery;

constexpr std::size_t kPoolBytes = 1 << 20;
constexpr std::int64_t kSlotSeconds = 3600;
constexpr std::uint64_t kBatchSize = 1000;  // SMSes that share a batch's name

std::string Digits(std::uint64_t number, std::size_t width) {
  std::string digits(width, '0');
  for (std::size_t i = width; i > 0 && number != 0; --i, number /= 10)
    digits[i - 1] = static_cast<char>('0' + number % 10);
  return digits;
}

}  // namespace

SmsSource::SmsSource(Profile profile, std::uint32_t lane)
    : profile_(profile), lane_(lane), pool_(crypto::RandomBytes(kPoolBytes)) {}

Sms SmsSource::Next(std::int64_t from_s) {
  const std::uint64_t number = number_++;
  // Windows overlap, but only far apart: no block of a table sees the same bytes twice.
  const std::size_t at = number * 7919 % (kPoolBytes - kPayloadBytes);
  Sms sms;
  sms.payload = std::string_view(pool_).substr(at, kPayloadBytes);
  sms.target = "+49" + Digits(lane_, 2) + Digits(number, 10);
  sms.from_s = from_s;
  sms.till_s = from_s + kSlotSeconds;
  if (profile_ == Profile::kFull) {
    const std::string name = Digits(lane_, 2) + "-" + Digits(number, 10);
    sms.batch = "batch-" + Digits(lane_, 2) + "-" + Digits(number / kBatchSize, 8);
    sms.key = "key-" + name;
    sms.idempotency_key = "once-" + name;
  }
  return sms;
}

engine::CreateRequest ToRequest(const Sms& sms) {
  delivery::Schedule schedule;
  schedule.fixed.batch = sms.batch;
  schedule.fixed.key = sms.key;
  schedule.fixed.slots = {{sms.from_s, sms.till_s}};
  engine::CreateRequest request;
  request.workflow = delivery::kWorkflowNumber;
  request.tenant = kTenant;
  request.target = sms.target;
  request.actor = kTenant;
  request.payload = sms.payload;
  if (!sms.idempotency_key.empty()) {
    request.dedupe_key = sms.idempotency_key;
    const auto digest =
        crypto::Cut(crypto::Sha256(delivery::FingerprintInput(sms.batch, sms.key, schedule.fixed.slots)));
    request.fingerprint = crypto::AsView(digest);
  }
  request.event = delivery::EncodeSchedule(schedule);
  return request;
}

}  // namespace smsflow::bench
