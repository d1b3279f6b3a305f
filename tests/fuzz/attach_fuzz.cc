// What a gateway says: its greeting, its reports; and what it reads in an envelope.
#include <string>

#include "gateway/plaintext.h"
#include "server/auth.h"
#include "server/grpc/attach_wire.h"
#include "smsflow/v1/gateway.pb.h"
#include "storage/index_keys.h"
#include "tests/fuzz/fuzz.h"
#include "workflows/delivery/codec/codec.h"

namespace server = smsflow::server;
namespace v1 = smsflow::v1;
using smsflow::fuzz::Require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const smsflow::storage::IndexKeys keys(std::string(32, 'k'));
  static const auto workflow = smsflow::workflows::delivery::MakeDeliveryWorkflow();
  if (size == 0) return 0;
  const std::string bytes(smsflow::fuzz::View(data + 1, size - 1));
  if (data[0] % 3 == 0) {
    v1::Hello hello;
    if (!hello.ParseFromString(bytes)) return 0;
    server::Caller caller;
    caller.tenants = {"acme"};
    server::Violations violations;
    if (const auto peer = server::HelloOf(hello, caller, keys, violations); peer.ok())
      for (const std::string& tenant : peer->tenants) Require(tenant == "acme", "no tenant but those allowed");
  } else if (data[0] % 3 == 1) {
    v1::Report report;
    if (!report.ParseFromString(bytes)) return 0;
    if (const auto reported = server::ReportOf(report); reported.ok()) {
      (void)workflow->Describe(reported->event, "", "");
    }
  } else {
    smsflow::gateway::Unreadable why;
    if (const auto sms = smsflow::gateway::ParsePlaintext(bytes, why); sms.ok())
      Require(!sms->text.empty() && sms->recipient.starts_with('+'), "an SMS has a number and a text");
  }
  return 0;
}
