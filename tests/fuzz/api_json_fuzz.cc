// Bodies of /api/v1: what cannot be taken is named and nothing else happens, and what was taken is written and read
// again the same. The first byte picks the message.
#include <google/protobuf/message.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
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

// How many members a text has, of objects at any depth, by its colons alone.
std::size_t MembersIn(std::string_view json) {
  std::size_t colons = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    if (in_text && json[i] == '\\') {
      ++i;
    } else if (json[i] == '"') {
      in_text = !in_text;
    } else if (!in_text && json[i] == ':') {
      ++colons;
    }
  }
  return colons;
}

// The same of what was made of it, in which no name is there twice.
std::size_t MembersIn(const boost::json::value& value) {
  std::size_t members = 0;
  if (const auto* object = value.if_object()) {
    members = object->size();
    for (const auto& member : *object) members += MembersIn(member.value());
  } else if (const auto* list = value.if_array()) {
    for (const auto& item : *list) members += MembersIn(item);
  }
  return members;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto message = Pick(data[0]);
  smsflow::server::Violations violations;
  const std::string_view body = smsflow::fuzz::View(data + 1, size - 1);
  smsflow::server::rest::FromJson(body, *message, violations);
  Require(violations.size() <= 101, "there is an end to what is named");
  for (const auto& violation : violations)
    Require(!violation.field.empty() && !violation.description.empty(), "what is wrong has a name and a rule");
  if (!violations.empty()) return 0;
  Require(MembersIn(body) == MembersIn(boost::json::parse({body.data(), body.size()})), "no member was there twice");
  const std::unique_ptr<Message> again(message->New());
  smsflow::server::rest::FromJson(smsflow::server::rest::ToJson(*message), *again, violations);
  Require(violations.empty(), "what is written can be read");
  Require(again->SerializeAsString() == message->SerializeAsString(), "and is the same");
  return 0;
}
