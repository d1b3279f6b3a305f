// Bodies of /api/v1: what cannot be taken is named and nothing else happens, and what was taken is written and read
// again the same. The first byte picks the message.
#include <google/protobuf/message.h>

#include <memory>
#include <string>

#include "server/rest/api_json.h"
#include "smsflow/v1/admin.pb.h"
#include "smsflow/v1/iam.pb.h"
#include "smsflow/v1/scheduler.pb.h"
#include "tests/fuzz/fuzz.h"

namespace v1 = smsflow::v1;
using google::protobuf::Message;
using smsflow::fuzz::Require;

namespace {

std::unique_ptr<Message> Pick(std::uint8_t which) {
  switch (which % 6) {
    case 0:
      return std::make_unique<v1::ScheduleRequest>();
    case 1:
      return std::make_unique<v1::ScheduleBatchRequest>();
    case 2:
      return std::make_unique<v1::CancelRequest>();
    case 3:
      return std::make_unique<v1::ListRequest>();
    case 4:
      return std::make_unique<v1::PauseRequest>();
    default:
      return std::make_unique<v1::UpdateAccountRequest>();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto message = Pick(data[0]);
  smsflow::server::Violations violations;
  smsflow::server::rest::FromJson(smsflow::fuzz::View(data + 1, size - 1), *message, violations);
  Require(violations.size() <= 101, "there is an end to what is named");
  for (const auto& violation : violations)
    Require(!violation.field.empty() && !violation.description.empty(), "what is wrong has a name and a rule");
  if (!violations.empty()) return 0;
  const std::unique_ptr<Message> again(message->New());
  smsflow::server::rest::FromJson(smsflow::server::rest::ToJson(*message), *again, violations);
  Require(violations.empty(), "what is written can be read");
  Require(again->SerializeAsString() == message->SerializeAsString(), "and is the same");
  return 0;
}
