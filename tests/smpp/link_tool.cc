// For the peers of tests/smpp/peers: the gateway's link as a program. Binds to an SMSC, submits texts of several kinds,
// waits for as many receipts, unbinds, and prints what it was told: one line each, then `done`.
//
// usage: smpp_link PORT COUNT [pair] [tls=CA-FILE]
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <fstream>
#include <iostream>
#include <mutex>
#include <sstream>
#include <string>

#include "gateway/smsc_link.h"
#include "smpp/codec.h"
#include "smpp/receipt.h"
#include "smpp/text.h"
#include "smpp/times.h"

namespace smsflow {
namespace {

constexpr auto kPatience = std::chrono::seconds(30);

class Printer : public gateway::SmscLinkEvents {
 public:
  void OnOutcome(const smpp::action::Outcome& outcome) override {
    const std::lock_guard lock(mutex_);
    std::cout << "outcome " << outcome.token << ' ' << static_cast<int>(outcome.kind) << ' '
              << static_cast<std::uint32_t>(outcome.status) << ' ' << outcome.message_id << '\n';
    ++outcomes_;
    wake_.notify_all();
  }
  void OnDelivery(const smpp::action::Delivery& delivery) override {
    link->Acknowledge(delivery.key, smpp::CommandStatus::kOk);
    smpp::Refusal why;
    const auto pdu = smpp::Decode(delivery.frame, why);
    const auto receipt = pdu.ok() ? smpp::ReadReceipt(*pdu) : std::nullopt;
    if (!receipt) return;
    const std::lock_guard lock(mutex_);
    std::cout << "receipt " << receipt->text_id << ' ' << (receipt->tlv_id.empty() ? "-" : receipt->tlv_id) << ' '
              << receipt->word << '\n';
    ++receipts_;
    wake_.notify_all();
  }
  void OnNotice(const smpp::action::Notice& notice) override {
    std::cerr << "notice " << static_cast<int>(notice.event) << ' ' << static_cast<std::uint32_t>(notice.status) << ' '
              << notice.why << '\n';
  }
  bool Wait(int count) {
    std::unique_lock lock(mutex_);
    return wake_.wait_for(lock, kPatience, [&] { return outcomes_ >= count && receipts_ >= count; });
  }

  gateway::SmscLink* link = nullptr;

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  int outcomes_ = 0, receipts_ = 0;
};

int NumberOf(std::string_view text) {
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

void SubmitAll(gateway::SmscLink& link, const engine::Clock& clock, int count) {
  for (int i = 1; i <= count; ++i) {
    const std::string text = "SMS " + std::to_string(i) + (i % 2 == 0 ? " ж😀" : " €{}");
    const auto coded = smpp::EncodeText(text);
    const std::string to = std::to_string(255'700'000'000 + i);
    const auto validity = smpp::RelativeTime(86'400);
    smpp::TlvWriter tlvs;
    tlvs.AddShort(smpp::Tag::kUserMessageReference, static_cast<std::uint16_t>(i));
    smpp::Sm sm{.source = {.ton = 5, .npi = 0, .digits = "CLINIC"},
                .destination = {.ton = 1, .npi = 1, .digits = to},
                .validity_period = *validity,
                .registered_delivery = smpp::kReceiptAlways,
                .data_coding = coded->data_coding,
                .short_message = coded->octets};
    const std::string part =
        smpp::ConcatenationHeader({.reference = 300, .total = 2, .number = 1}, smpp::Reference::k16Bit) + coded->octets;
    if (i % 5 == 0) {
      sm.esm_class = smpp::kEsmUdhi;
      sm.short_message = part;
    } else if (i % 7 == 0) {
      sm.short_message = {};
      tlvs.Add(smpp::Tag::kMessagePayload, coded->octets);
    }
    const smpp::Pdu pdu{.header = {.id = smpp::CommandId::kSubmitSm}, .body = sm, .tlvs = tlvs.view()};
    const absl::Status status = link.Submit(static_cast<smpp::SubmitToken>(i), pdu, clock.SteadyMs() + 60'000, {});
    if (!status.ok()) std::cerr << status.ToString() << '\n';
  }
}

int Run(int argc, char** argv) {
  if (argc < 3) return 64;
  gateway::SmscLinkOptions options{.host = "localhost", .port = static_cast<std::uint16_t>(NumberOf(argv[1]))};
  const int count = NumberOf(argv[2]);
  options.session.system_id = "smsflow";
  options.session.password = "secret";
  options.session.again_least_ms = 100;
  for (int i = 3; i < argc; ++i) {
    const std::string_view flag = argv[i];
    if (flag == "pair") options.pair = true;
    if (!flag.starts_with("tls=")) continue;
    std::ifstream in(std::string(flag.substr(4)));
    std::ostringstream pem;
    pem << in.rdbuf();
    options.tls = true;
    options.ca_pem = pem.str();
  }
  engine::Clock& clock = engine::SystemClock();
  Printer printer;
  auto link = gateway::SmscLink::Make(std::move(options), clock, printer);
  if (!link.ok()) {
    std::cerr << link.status().ToString() << '\n';
    return 1;
  }
  printer.link = link->get();
  (*link)->Start();
  SubmitAll(**link, clock, count);
  const bool done = printer.Wait(count);
  (*link)->Stop();
  std::cout << (done ? "done" : "not done") << std::endl;
  return done ? 0 : 1;
}

}  // namespace
}  // namespace smsflow

int main(int argc, char** argv) { return smsflow::Run(argc, argv); }
