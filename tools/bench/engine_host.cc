#include "tools/bench/engine_host.h"

#include <cstdlib>
#include <iostream>

#include "crypto/hash.h"
#include "tools/bench/sms_source.h"

namespace smsflow::bench {

namespace delivery = workflows::delivery;

EngineHost::EngineHost() : workflow_(delivery::MakeDeliveryWorkflow()), index_keys_(std::string(32, 'b')) {
  delivery::Policy policy;
  policy.max_jitter_ms = 0;
  policy_.bytes = delivery::EncodePolicy(policy);
  policy_.digest = crypto::Cut(crypto::Sha256(policy_.bytes));
}

engine::EngineParts EngineHost::Parts(engine::Clock& clock, engine::Random& random) const {
  engine::EngineParts parts;
  parts.index_keys = &index_keys_;
  parts.clock = &clock;
  parts.random = &random;
  parts.policies = [this](std::string_view, std::uint16_t) -> const engine::Policy& { return policy_; };
  parts.fatal = [](const absl::Status& status) {
    std::cerr << "smsflow-bench: " << status.message() << '\n';
    std::_Exit(75);
  };
  parts.workflows = {workflow_.get()};
  return parts;
}

engine::PeerHello BenchHello() {
  engine::PeerHello hello;
  hello.peer = {"bench", "0190a6f0-0000-7000-8000-000000000001"};
  hello.tenants = {std::string(kTenant)};
  return hello;
}

workflows::Event ReportOf(const AttemptId& attempt, delivery::Reported result) {
  return delivery::EncodeReport({attempt.number, result, delivery::About::kNotSaid, "", 0});
}

}  // namespace smsflow::bench
