// Requests of clients: what has no violation becomes an event that the workflow takes; what has some leaks nothing.
#include <string>
#include <utility>

#include "server/config.h"
#include "server/grpc/validation.h"
#include "smsflow/v1/scheduler.pb.h"
#include "tests/fuzz/fuzz.h"
#include "workflows/delivery/codec/codec.h"
#include "workflows/delivery/zones.h"

namespace delivery = smsflow::workflows::delivery;
namespace server = smsflow::server;
namespace v1 = smsflow::v1;
using smsflow::fuzz::Require;

namespace {

constexpr std::int64_t kNowMs = 1'700'000'000'000;

// Stands in every payload and target, and in no rule.
constexpr const char* kSecret = "s3cr3t-4711";

void LeaksNothing(const server::Violations& violations) {
  for (const auto& violation : violations)
    Require(violation.description.find(kSecret) == std::string::npos, "a violation shows no payload and no target");
}

void Schedule(const server::Validation& validation, v1::ScheduleRequest request) {
  request.mutable_payload()->append(request.payload().empty() ? "" : kSecret);
  request.mutable_target()->append(request.target().empty() ? "" : kSecret);
  smsflow::engine::CreateRequest create;
  create.tenant = "acme";
  const auto violations = validation.Schedule(std::move(request), kNowMs, create);
  LeaksNothing(violations);
  if (!violations.empty()) return;
  static const auto workflow = delivery::MakeDeliveryWorkflow();
  smsflow::workflows::Instance instance;
  instance.tenant = create.tenant;
  instance.target = create.target;
  instance.has_payload = true;
  smsflow::workflows::Facts facts;
  facts.now_ms = kNowMs;
  const auto decision = workflow->Step(instance, create.event, facts);
  Require(decision.verdict == smsflow::workflows::Verdict::kApplied && decision.fixed.has_value(),
          "a good request is taken");
  Require(delivery::ViewOf(decision.state, create.target, *decision.fixed, decision.data).has_value(),
          "and can be shown");
  Require(delivery::DecodeScheduleAnswer(decision.answer).has_value(), "and answered");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto zones = delivery::MakeZoneResolver();
  static const server::Validation validation(server::LimitsConfig{}, zones.get());
  if (size == 0) return 0;
  const std::string bytes(smsflow::fuzz::View(data + 1, size - 1));
  switch (data[0] % 3) {
    case 0: {
      v1::ScheduleRequest request;
      if (request.ParseFromString(bytes)) Schedule(validation, std::move(request));
      return 0;
    }
    case 1: {
      v1::RescheduleRequest request;
      if (!request.ParseFromString(bytes)) return 0;
      if (request.has_payload()) request.mutable_payload()->append(kSecret);
      smsflow::engine::EventRequest event;
      LeaksNothing(validation.Reschedule(std::move(request), "acme", "k", kNowMs, event));
      return 0;
    }
    default: {
      v1::Filter filter;
      smsflow::engine::ListQuery query;
      if (filter.ParseFromString(bytes)) (void)validation.Filter(filter, "acme", query);
      return 0;
    }
  }
}
