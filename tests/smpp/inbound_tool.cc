// For the peers of tests/smpp/peers: a gateway's carrier that takes SMSes from phones. Binds to an SMSC, takes what was
// sent to 15001, and prints each SMS as its tenant reads it: `sms` and the plaintext in base64; then `done`.
//
// usage: smpp_inbound PORT COUNT
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <iostream>
#include <mutex>

#include "crypto/base64url.h"
#include "crypto/envelope.h"
#include "gateway/smpp_carrier.h"
#include "storage/memory_store.h"

namespace smsflow::gateway {
namespace {

constexpr auto kPatience = std::chrono::seconds(30);

class Printer : public InboundSink {
 public:
  explicit Printer(const crypto::PrivateKey& key) : key_(key) {}
  void Start(Taken taken) override { taken_ = std::move(taken); }
  void Stop() override {}
  void Put(std::vector<InboundSms> put) override {
    std::vector<std::string> ids;
    {
      const std::lock_guard lock(mutex_);
      for (const InboundSms& sms : put) {
        const auto opened = crypto::OpenEnvelope(key_, crypto::EnvelopeSubject(sms.tenant, sms.id), sms.payload);
        std::cout << "sms " << (opened.ok() ? crypto::ToBase64(opened->Reveal()) : "-") << std::endl;
        ids.push_back(sms.id);
      }
      count_ += put.size();
    }
    taken_(std::move(ids));
    wake_.notify_all();
  }
  bool Await(std::size_t count) {
    std::unique_lock lock(mutex_);
    return wake_.wait_for(lock, kPatience, [&] { return count_ >= count; });
  }

 private:
  const crypto::PrivateKey key_;
  Taken taken_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::size_t count_ = 0;
};

class Nobody : public CarrierEvents {
 public:
  void OnOutcomes(std::vector<Report>) override {}
  void OnParts(std::vector<PartAnswer>) override {}
  void OnReceipt(SmscReceipt, Handle) override {}
};

int NumberOf(std::string_view text) {
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

int Run(int argc, char** argv) {
  if (argc != 3) return 64;
  const auto own = crypto::PrivateKey::Generate(crypto::KeyKind::kP256);
  const auto tenant = crypto::PrivateKey::Generate(crypto::KeyKind::kP256);
  auto vault = std::make_shared<crypto::Vault>();
  vault->Replace({own});
  const AgreedClock clock(engine::SystemClock(), nullptr);
  storage::MemoryStore rows;
  Printer printer(tenant);
  InboundOptions options;
  options.routes = {{"npm", "clinic", {"15001"}, tenant.public_key()}};
  Inbound inbound(
      std::move(options), rows, printer, own, vault, clock, nullptr, [] { return false; },
      [](const absl::Status&) { std::abort(); });
  SmscOptions smsc{.name = "npm", .account = "npm"};
  smsc.link.port = static_cast<std::uint16_t>(NumberOf(argv[1]));
  smsc.link.session.system_id = "smsflow";
  smsc.link.session.password = "secret";
  smsc.link.session.again_least_ms = 50;
  auto carrier = SmppCarrier::Make({smsc}, std::make_unique<EnvelopeOpener>(vault), engine::SystemClock(), nullptr,
                                   SmscLink::Make, &inbound);
  if (!carrier.ok() || !inbound.Load().ok()) return 1;
  Nobody nobody;
  inbound.Start();
  (*carrier)->Start(nobody);
  const bool done = printer.Await(static_cast<std::size_t>(NumberOf(argv[2])));
  (*carrier)->Stop();
  inbound.Stop();
  std::cout << (done ? "done" : "not done") << std::endl;
  return done ? 0 : 1;
}

}  // namespace
}  // namespace smsflow::gateway

int main(int argc, char** argv) { return smsflow::gateway::Run(argc, argv); }
