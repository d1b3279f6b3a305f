// The records of Kafka, which anybody may produce who reaches the broker. The first byte chooses the record, then lines
// `name=value` are its headers up to an empty one, then its value.
#include <string>
#include <vector>

#include "crypto/base64url.h"
#include "kafka/instant.h"
#include "kafka/records.h"
#include "kafka/signature.h"
#include "tests/fuzz/fuzz.h"

namespace crypto = smsflow::crypto;
namespace kafka = smsflow::kafka;
using smsflow::fuzz::Require;

namespace {

struct Input {
  std::vector<kafka::HeaderView> headers;
  std::string_view value;
};

Input Split(std::string_view text) {
  Input input;
  for (;;) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) break;
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) break;
    input.headers.push_back({line.substr(0, equals), line.substr(equals + 1)});
  }
  input.value = text;
  return input;
}

// What was taken is written and read again as the same; what was not says why in a line that has a bound.
template <class T, class Again>
void Check(const absl::StatusOr<T>& taken, const Again& again) {
  if (!taken.ok()) {
    Require(!taken.status().message().empty() && taken.status().message().size() < 2048, "a refusal is a line");
    return;
  }
  const absl::StatusOr<T> twice = again(*taken);
  Require(twice.ok() && *twice == *taken, "decode(encode(x)) is x");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Input input = Split(smsflow::fuzz::View(data + 1, size - 1));
  switch (data[0] % 10) {
    case 0:
      Check(kafka::DecodeScheduleSms(input.value, input.headers), [](const auto& sms) {
        const auto record = kafka::EncodeScheduleSms(sms);
        return kafka::DecodeScheduleSms(record.value, kafka::ViewsOf(record.headers));
      });
      break;
    case 1:
      Check(kafka::DecodeTimerSms(input.value),
            [](const auto& timer) { return kafka::DecodeTimerSms(kafka::EncodeTimerSms(timer).value); });
      break;
    case 2:
      Check(kafka::DecodeSendSms(input.value, input.headers), [](const auto& sms) {
        const auto record = kafka::EncodeSendSms(sms);
        return kafka::DecodeSendSms(record.value, kafka::ViewsOf(record.headers));
      });
      break;
    case 3: {
      const auto status = kafka::DecodeStatusSms(input.value, input.headers);
      Check(status, [](const auto& one) {
        const auto record = kafka::EncodeStatusSms(one);
        auto twice = kafka::DecodeStatusSms(record.value, kafka::ViewsOf(record.headers));
        if (twice.ok()) twice->at_ms = one.at_ms;          // written to the second
        if (twice.ok()) twice->correl_id = one.correl_id;  // an id's letters may be large or small
        return twice;
      });
      if (status.ok())
        Require(status->cause.find_first_of("+0123456789") == std::string::npos, "no number is in a cause");
      break;
    }
    case 4:
      Check(kafka::DecodeAnnouncement(input.value),
            [](const auto& said) { return kafka::DecodeAnnouncement(kafka::EncodeAnnouncement(said).value); });
      break;
    case 5:
      Check(kafka::DecodeSmsEvent(input.value),
            [](const auto& event) { return kafka::DecodeSmsEvent(kafka::EncodeSmsEvent(event).value); });
      break;
    case 6:
      Check(kafka::DecodeDeadLetter(input.value), [](const auto& letter) {
        auto twice = kafka::DecodeDeadLetter(kafka::EncodeDeadLetter(letter).value);
        if (twice.ok()) twice->reason = letter.reason;  // a long one is cut
        return twice;
      });
      break;
    case 7: {
      const std::string key(32, 'k');
      const kafka::SigningKeys keys{{"a", {key}}};
      const kafka::SignedRecord record{"schedule-sms", input.value, "once"};
      (void)kafka::SignerOf(record, input.headers, keys, {1'000, 1'000});
      const std::string made = kafka::Sign(record, "a", key, 1'000);
      const std::vector<kafka::HeaderView> headers{{kafka::kSignature, made}};
      Require(kafka::SignerOf(record, headers, keys, {1'000, 0}).ok(), "what was signed is known again");
      if (const auto read = kafka::ParseSigningKeys(input.value); read.ok()) {
        for (const auto& [name, all] : *read)
          for (const std::string& one : all) Require(one.size() >= kafka::kSigningKeyBytesMin, "no key is short");
      }
      break;
    }
    case 8: {
      const auto sms = kafka::DecodeOldSendSms(input.value);
      if (!sms.ok()) {
        Require(sms.status().message().size() < 2048, "a refusal is a line");
      } else {
        Require(!sms->client.empty() && !sms->correl_id.empty(), "there is somebody to answer");
        Require(sms->payload.empty() <= !sms->lacks.empty(), "what is whole has a payload");
      }
      break;
    }
    default:
      if (const auto ms = kafka::ParseInstant(input.value)) {
        const auto again = kafka::ParseInstant(kafka::FormatInstant(*ms));
        Require(again.has_value(), "an instant reads as it is written");
      }
      if (const auto bytes = crypto::FromBase64(input.value)) {
        Require(crypto::ToBase64(*bytes) == input.value, "one text for one value");
      }
      break;
  }
  return 0;
}
