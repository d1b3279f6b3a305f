// What is stored of an SMS, its policy and its events: what is read is written again the same, whether the bytes are
// ours or not, and whatever the values are. The first byte picks the message.
#include <string>

#include "tests/fuzz/delivery_inputs.h"
#include "tests/fuzz/fuzz.h"
#include "workflows/delivery/causes.h"
#include "workflows/delivery/codec/rows.h"

namespace delivery = smsflow::workflows::delivery;
namespace workflows = smsflow::workflows;
using smsflow::fuzz::Require;

namespace {

// decode(encode(decode(x))) is decode(x).
void Again(std::string_view bytes, const auto& decode, const auto& encode) {
  const auto read = decode(bytes);
  if (!read) return;
  const auto twice = decode(encode(*read));
  Require(twice && *twice == *read, "decode(encode(x)) is x");
}

// An event that is typed again; a kernel's own has no body.
struct Encoder {
  workflows::Event operator()(const delivery::Schedule& event) const { return delivery::EncodeSchedule(event); }
  workflows::Event operator()(const delivery::Report& event) const { return delivery::EncodeReport(event); }
  workflows::Event operator()(const delivery::Cancel&) const { return delivery::EncodeCancel(); }
  workflows::Event operator()(const delivery::Block&) const { return delivery::EncodeBlock(); }
  workflows::Event operator()(const delivery::Reschedule& event) const { return delivery::EncodeReschedule(event); }
  workflows::Event operator()(const delivery::Resolve& event) const { return delivery::EncodeResolve(event.how); }
  workflows::Event operator()(const delivery::LookNow&) const { return delivery::EncodeLookNow(); }
  workflows::Event operator()(const delivery::TimerFired&) const { return {}; }
  workflows::Event operator()(const delivery::PeerLost&) const { return {}; }
};

void EventAgain(FuzzedDataProvider& bytes) {
  workflows::Event event;
  event.kind = bytes.ConsumeIntegralInRange<std::uint16_t>(0, 9);
  event.effect = bytes.ConsumeIntegral<std::uint32_t>();
  event.body = bytes.ConsumeRemainingBytesAsString();
  const auto read = delivery::DecodeEvent(event);
  if (!read) return;
  const workflows::Event once = std::visit(Encoder{}, *read);
  const auto again = delivery::DecodeEvent(once);
  Require(again && again->index() == read->index(), "an event stays what it is");
  const workflows::Event twice = std::visit(Encoder{}, *again);
  Require(twice.kind == event.kind && twice.body == once.body && twice.effect == once.effect, "decode(encode(x)) is x");
  if (const auto* report = std::get_if<delivery::Report>(&*read))
    Require(delivery::CauseWord(report->cause) == report->cause, "a cause is a word of the list");
}

delivery::Fixed AnyFixed(FuzzedDataProvider& bytes) {
  delivery::Fixed fixed;
  fixed.batch = bytes.ConsumeRandomLengthString(128);
  fixed.key = bytes.ConsumeRandomLengthString(128);
  fixed.key_id = bytes.ConsumeRandomLengthString(128);
  fixed.tzdata = bytes.ConsumeRandomLengthString(16);
  for (std::int64_t at_s = 0; fixed.slots.size() < 70 && bytes.ConsumeBool();) {
    const std::int64_t from_s = bytes.ConsumeIntegralInRange(at_s, delivery::kLatestSecond - 1);
    at_s = bytes.ConsumeIntegralInRange(from_s + 1, delivery::kLatestSecond);
    fixed.slots.push_back({from_s, at_s});
    if (at_s == delivery::kLatestSecond) break;
  }
  return fixed;
}

delivery::Data AnyData(FuzzedDataProvider& bytes) {
  delivery::Data data;
  data.due_ms = bytes.ConsumeIntegral<std::int64_t>();
  data.left_ms = bytes.ConsumeIntegral<std::int64_t>();
  data.deadline_ms = bytes.ConsumeIntegral<std::int64_t>();
  data.attempts =
      bytes.ConsumeBool() ? bytes.ConsumeIntegralInRange<std::uint32_t>(0, 40) : bytes.ConsumeIntegral<std::uint32_t>();
  data.results.resize(std::min<std::size_t>(data.attempts, delivery::kResultsKept));
  for (auto& result : data.results) result = static_cast<delivery::Result>(bytes.ConsumeIntegralInRange(0, 7));
  data.stop = static_cast<delivery::Stop>(bytes.ConsumeIntegralInRange(0, 2));
  data.probes = bytes.ConsumeIntegral<std::uint32_t>();
  data.cause = bytes.ConsumeRandomLengthString(40);
  if (bytes.ConsumeBool()) data.noted.resize(data.results.size());
  for (auto& noted : data.noted) noted = bytes.ConsumeIntegral<std::uint8_t>();
  return data;
}

void Values(FuzzedDataProvider& bytes) {
  const delivery::Fixed fixed = AnyFixed(bytes);
  Require(delivery::DecodeFixed(delivery::EncodeFixed(fixed)) == fixed, "what was scheduled is read as it was");
  const delivery::Data data = AnyData(bytes);
  Require(delivery::DecodeData(delivery::EncodeData(data)) == data, "and what became of it");
  const delivery::Policy policy = smsflow::fuzz::AnyPolicy(bytes);
  Require(delivery::DecodePolicy(delivery::EncodePolicy(policy)) == policy, "and a policy");
  const auto view = delivery::ViewOf(bytes.ConsumeIntegralInRange<std::uint16_t>(0, 12), "",
                                     delivery::EncodeFixed(fixed), delivery::EncodeData(data));
  Require(view && view->slots == fixed.slots && view->attempts == data.attempts, "and can be shown");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider bytes(data, size);
  switch (bytes.ConsumeIntegralInRange(0, 4)) {
    case 0:
      Again(bytes.ConsumeRemainingBytesAsString(), delivery::DecodeFixed, delivery::EncodeFixed);
      break;
    case 1:
      Again(bytes.ConsumeRemainingBytesAsString(), delivery::DecodeData, delivery::EncodeData);
      break;
    case 2:
      Again(bytes.ConsumeRemainingBytesAsString(), delivery::DecodePolicy, delivery::EncodePolicy);
      break;
    case 3:
      EventAgain(bytes);
      break;
    default:
      Values(bytes);
  }
  return 0;
}
