// Paths and queries: what a handler is given is text that can be shown and looked up, and nothing reaches another
// pattern by way of an escape.
#include <string>

#include "server/rest/router.h"
#include "server/violations.h"
#include "tests/fuzz/fuzz.h"

using smsflow::fuzz::Require;
namespace rest = smsflow::server::rest;

namespace {

rest::Router MakeRouter() {
  rest::Router router;
  const rest::Handler none = [](rest::Request, rest::Reply) {};
  for (const char* pattern :
       {"/iam", "/iam/", "/iam/roles/{role}", "/schedule/{client}", "/schedule/{client}/by-id/{id}",
        "/schedule/{client}/by-batch/{batch}", "/block/{client}/{target}"}) {
    router.Add(rest::Method::kGet, pattern, none);
  }
  router.AddErrorForm("/", [](const rest::Problem&, rest::Response&) {});
  return router;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const rest::Router router = MakeRouter();
  const std::string_view text = smsflow::fuzz::View(data, size);
  const rest::Router::Found found = router.Find(rest::Method::kGet, text);
  Require(found.handler != nullptr || found.status == 400 || found.status == 404, "it is found or it is not");
  for (const std::string& argument : found.arguments) {
    Require(!argument.empty() && smsflow::server::IsPrintable(argument), "an argument can be shown");
    Require(argument.find_first_of("/\\") == std::string::npos && argument != "." && argument != "..",
            "an argument is one segment");
  }
  if (found.handler != nullptr) {
    Require(rest::Split(text, '/').size() > found.arguments.size(), "each argument has its own segment");
  }
  rest::Request request;
  request.query = std::string(text);
  if (const auto value = request.Parameter("confirm"))
    Require(smsflow::server::IsPrintable(*value), "so can a parameter");
  return 0;
}
