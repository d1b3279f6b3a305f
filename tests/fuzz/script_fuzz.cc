// The script of the SMSC simulator: whatever it says, an SMSC can be made of it, and it answers.
#include <string>

#include "smpp/codec.h"
#include "tests/fuzz/fuzz.h"
#include "tools/smsc/smsc.h"

using smsflow::fuzz::Require;
namespace smsc = smsflow::smsc;
namespace smpp = smsflow::smpp;

namespace {

class NoTruth : public smsc::Truth {
 public:
  void Tell(const std::string& line) override { Require(line.ends_with("}\n"), "the truth is told in lines"); }
};

std::string Frame(const smpp::Pdu& pdu) {
  std::string frame;
  Require(smpp::Encode(pdu, frame).ok(), "a request is one");
  return frame;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto script = smsc::ReadScript(smsflow::fuzz::View(data, size), "f");
  if (!script.ok()) {
    Require(std::string(script.status().message()).starts_with("f:"), "an error names the file");
    return 0;
  }
  NoTruth truth;
  smsc::Smsc one(*script, truth, 1'800'000'000);
  one.Connected(1, 0);
  one.Received(1,
               Frame({.header = {.id = smpp::CommandId::kBindTransceiver, .sequence = 1},
                      .body = smpp::Bind{.system_id = "a"},
                      .tlvs = {}}),
               1);
  one.Received(1,
               Frame({.header = {.id = smpp::CommandId::kSubmitSm, .sequence = 2},
                      .body = smpp::Sm{.destination = {1, 1, "255700000001"},
                                       .registered_delivery = smpp::kReceiptAlways,
                                       .short_message = "text"},
                      .tlvs = {}}),
               2);
  for (int i = 0; i < 100; ++i) {
    const auto due_ms = one.NextDue();
    if (!due_ms) break;
    one.Tick(*due_ms);
  }
  Require(!one.TakeActions().empty(), "a bind is answered");
  return 0;
}
