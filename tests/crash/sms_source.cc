#include "tests/crash/sms_source.h"

#include <vector>

#include "crypto/envelope.h"
#include "tests/crash/site.h"

namespace smsflow::crash {

std::string SmsSource::Text(Random& random) const {
  static const std::vector<std::string> codes = {"S0D0", "S0D1", "S1D0", "S0X1", "S0I1", "S1X1", "S1I1",
                                                 "S1D1", "S2D0", "D1S1", "S1F1", "F1S1", "FAIL"};
  return Below(random, 2) == 0 ? "see you on Monday" : codes[Below(random, codes.size())];
}

Slots SmsSource::FutureSlots(Random& random, std::int64_t from_s) const {
  Slots slots;
  for (std::uint64_t count = Below(random, 4) == 0 ? 2 : 1; count > 0; --count) {
    const std::int64_t till_s = from_s + 6 + longer_s_ + static_cast<std::int64_t>(Below(random, 8));
    slots.emplace_back(from_s, till_s);
    from_s = till_s + 1 + static_cast<std::int64_t>(Below(random, 4));
  }
  return slots;
}

std::string SmsSource::Seal(Random& random, const std::string& tenant, const std::string& key,
                            const std::string& text) const {
  const std::string filling = Below(random, 6) == 0 ? "\n" + std::string(8'000, '.') : "";
  return *crypto::SealEnvelope(key_, crypto::EnvelopeSubject(tenant, key),
                               "To: +255123456789\nSender: TEST\n\n" + text + filling);
}

Sms SmsSource::Make(Random& random) {
  Sms sms;
  const std::uint64_t number = ++count_;
  sms.tenant = kTenants[Below(random, 10) == 0 ? 2 : Below(random, 2)];
  v1::ScheduleRequest& request = sms.request;
  if (Below(random, 10) != 0) request.set_target("t" + std::to_string(Below(random, kTargets)));
  if (Below(random, 30) == 0) request.set_target("x" + std::to_string(Below(random, kTargetsForGood)));
  // Some keys are shared, so that a cancel by key meets more than one.
  if (Below(random, 3) != 0) request.set_key("k" + std::to_string(number - Below(random, 3)));
  if (Below(random, 2) != 0) request.set_batch("b" + std::to_string(Below(random, kBatches)));
  request.set_idempotency_key("i" + std::to_string(number));

  Order order;
  order.text = Text(random);
  order.slots = FutureSlots(random, NowMs() / 1000 - 2 + static_cast<std::int64_t>(Below(random, 7)));
  order.asked_ms = NowMs();
  request.set_schedule(ToText(order.slots));
  request.set_payload(Seal(random, sms.tenant, request.key(), order.text));
  sms.orders.push_back(std::move(order));
  return sms;
}

}  // namespace smsflow::crash
