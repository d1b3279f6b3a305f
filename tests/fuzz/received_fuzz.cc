// What comes for a verb, as bytes: what is counted and looked at before and after protobuf reads it agrees with
// protobuf, and nothing is made room for that is not there.
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/stubs/logging.h>

#include <array>
#include <memory>
#include <string>

#include "server/grpc/received.h"
#include "smsflow/v1/admin.pb.h"
#include "smsflow/v1/gateway.pb.h"
#include "smsflow/v1/iam.pb.h"
#include "smsflow/v1/scheduler.pb.h"
#include "tests/fuzz/fuzz.h"

namespace server = smsflow::server;
namespace v1 = smsflow::v1;
using google::protobuf::io::ArrayInputStream;
using smsflow::fuzz::Require;

namespace {

const google::protobuf::Message& Prototype(std::uint8_t choice) {
  static const std::array<const google::protobuf::Message*, 8> all = {
      &v1::ScheduleBatchRequest::default_instance(), &v1::ScheduleStreamRequest::default_instance(),
      &v1::ListRequest::default_instance(),          &v1::WatchRequest::default_instance(),
      &v1::GatewayMessage::default_instance(),       &v1::ResolveRequest::default_instance(),
      &v1::CreateAccountRequest::default_instance(), &v1::ListIamChangesRequest::default_instance()};
  return *all[choice % all.size()];
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  [[maybe_unused]] static const auto kQuiet = google::protobuf::SetLogHandler(nullptr);
  if (size < 2) return 0;
  const google::protobuf::Message& prototype = Prototype(data[0]);
  const int piece = data[1] == 0 ? -1 : data[1];  // bytes come in slices
  const auto* const bytes = data + 2;
  const int length = static_cast<int>(size - 2);
  const auto stream = [&] { return ArrayInputStream(bytes, length, piece); };
  const std::unique_ptr<google::protobuf::Message> message(prototype.New());
  auto whole = stream();
  const bool is_read = message->ParseFromZeroCopyStream(&whole);

  auto looked_at = stream();
  const server::Violations violations =
      server::TextsThatAreNotUtf8(looked_at, static_cast<std::size_t>(length), *prototype.GetDescriptor());
  Require(violations.size() <= 100, "a hundred violations are enough");
  Require(!is_read || violations.empty(), "what can be read has texts of UTF-8 alone");
  for (const auto& violation : violations)
    Require(!violation.field.empty() && violation.description == "must be UTF-8", "a violation names field and rule");

  const auto has_more = [&](std::size_t most) {
    auto counted = stream();
    return server::HasMoreFields(counted, *prototype.GetDescriptor(), most);
  };
  if (is_read) Require(!has_more(static_cast<std::size_t>(length)), "a field is a byte at least");
  if (is_read && message->ByteSizeLong() > 0) Require(has_more(0), "what holds something has a field");
  return 0;
}
