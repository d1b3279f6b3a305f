// The file of routes: what is wrong is told in lines that name the file; what was taken finds a way, or a reason.
#include <string>

#include "gateway/routes_config.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/lines.h"

using smsflow::fuzz::Require;
namespace gateway = smsflow::gateway;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto read = gateway::ReadRoutesConfig(smsflow::fuzz::View(data, size), "f", {"a", "b"});
  if (!read.ok()) {
    smsflow::fuzz::RequireLines(read.status().message(), "f:");
    return 0;
  }
  Require(!read->routes.all().empty(), "there is a route");
  for (const char* number : {"+255741234567", "+1234567", "+999999999999999"}) {
    const auto way = read->routes.Find("clinic", number);
    Require((way.route == nullptr) != way.cause.empty(), "a number has a route or a reason");
  }
  for (const gateway::Route& route : read->routes.all()) {
    const std::int64_t rate = read->limits.OfRoute(route.name);
    Require(rate >= 0 && rate <= gateway::kRateMax, "rates have bounds");
  }
  Require(gateway::CreditFor(*read, {"clinic"}, 1000) <= 1000, "credit has a bound");
  return 0;
}
