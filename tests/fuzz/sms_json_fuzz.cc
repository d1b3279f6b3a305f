// The JSON of the old contract: what is taken is shown again with the same names, as JSON that is read again.
#include <string>

#include "kafka/json_fields.h"
#include "server/rest/old_forms.h"
#include "tests/fuzz/fuzz.h"

using smsflow::fuzz::Require;
namespace rest = smsflow::server::rest;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body = smsflow::fuzz::View(data, size);
  rest::OldRequest asked;
  const absl::Status status = rest::ReadOldRequest(body, asked);
  if (!status.ok()) {
    Require(absl::IsInvalidArgument(status) && !status.message().empty(), "a refusal names the rule");
    rest::Response response;
    rest::ShowOldError({400, std::string_view(status.message().data(), status.message().size()), "/schedule/x", 1},
                       response);
    smsflow::kafka::JsonFields error(response.body, {"message", "path"});
    Require(error.FullText("path") == "/schedule/x" && !error.FullText("message").empty() && error.ok(),
            "errors are JSON");
    return 0;
  }
  Require(!asked.payload.empty(), "there is a payload");
  rest::OldSms sms;
  sms.tenant = "t";
  sms.batch = asked.batch;
  sms.key = asked.key;
  sms.target = asked.target;
  sms.status = "SCHEDULED";
  sms.due_ms = static_cast<std::int64_t>(size) * 1'000;
  std::string shown;
  rest::AppendJson(sms, static_cast<std::int32_t>(size % 1'000) - 500, shown);
  smsflow::kafka::JsonFields again(shown, {"batch", "key", "target"});
  Require(again.Text("batch") == asked.batch && again.Text("key") == asked.key &&
              again.Text("target") == asked.target && again.ok(),
          "names are shown as they were said");
  return 0;
}
