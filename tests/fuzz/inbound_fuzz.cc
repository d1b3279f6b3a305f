// SMSes from phones, PDU after PDU: each is answered once, what was kept opens for its tenant and says who it is from,
// and nothing of it stands readable on the disk.
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "crypto/envelope.h"
#include "engine/seams.h"
#include "gateway/inbound.h"
#include "smpp/framer.h"
#include "storage/memory_store.h"
#include "tests/fuzz/fuzz.h"

using smsflow::fuzz::Require;
namespace gateway = smsflow::gateway;
namespace crypto = smsflow::crypto;

namespace {

class Sink : public gateway::InboundSink {
 public:
  void Start(Taken) override {}
  void Put(std::vector<gateway::InboundSms> sms) override {
    for (auto& one : sms) put.push_back(std::move(one));
  }
  void Stop() override {}
  std::vector<gateway::InboundSms> put;
};

const crypto::PrivateKey& Key() {
  static const auto key = crypto::PrivateKey::Generate(crypto::KeyKind::kP256);
  return key;
}

void RequireReadable(const gateway::InboundSms& sms) {
  const auto opened = crypto::OpenEnvelope(Key(), crypto::EnvelopeSubject(sms.tenant, sms.id), sms.payload);
  Require(opened.ok(), "what was kept opens");
  const std::string_view text = opened->Reveal();
  const auto head = text.substr(0, text.find("\n\n"));
  Require(head.starts_with("From: ") && head.find("\nTo: ") != std::string_view::npos, "and says from whom to whom");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto vault = std::make_shared<crypto::Vault>();
  vault->Replace({Key()});
  smsflow::storage::MemoryStore rows;
  Sink sink;
  const gateway::AgreedClock clock(smsflow::engine::SystemClock(), nullptr);
  gateway::InboundOptions options;
  options.routes = {{"a", "clinic", {"*"}, Key().public_key()}};
  options.parts_ms = 0;  // so that what is incomplete goes at once
  gateway::Inbound inbound(
      std::move(options), rows, sink, Key(), vault, clock, nullptr, [] { return false; },
      [](const absl::Status&) { std::abort(); });
  Require(inbound.Load().ok(), "an empty store is read");
  smsflow::smpp::Framer framer;
  framer.Append(smsflow::fuzz::View(data, size));
  std::size_t taken = 0, answered = 0;
  while (const auto frame = framer.Next()) {
    inbound.Take(
        {"a", smsflow::smpp::WipedBytes(*frame), 1, clock.WallMs(), [&](smsflow::smpp::CommandStatus) { ++answered; }});
    ++taken;
  }
  inbound.RunOnce();
  Require(answered == taken, "each is answered once");
  for (const auto& sms : sink.put) RequireReadable(sms);
  const auto figures = inbound.figures();
  Require(figures.received == taken && figures.waiting == sink.put.size(), "and none is lost");
  return 0;
}
