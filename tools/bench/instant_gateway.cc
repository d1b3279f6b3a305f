#include "tools/bench/instant_gateway.h"

#include <utility>

#include "gateway/attach_client.h"
#include "gateway/open_nothing.h"
#include "tools/bench/engine_host.h"
#include "tools/bench/server_process.h"

namespace smsflow::bench {
namespace {

constexpr std::uint32_t kCredit = 100'000;

class InstantGatewayImpl : public InstantGateway, private gateway::OpenNothing {
 public:
  InstantGatewayImpl(InstantGatewayOptions options, std::unique_ptr<gateway::Link> link)
      : OpenNothing(BenchHello(), *link), options_(std::move(options)), link_(std::move(link)) {
    Start();
  }
  ~InstantGatewayImpl() override { Stop(); }

 private:
  void OnLeases(std::vector<gateway::Lease> leases) override {
    if (options_.on_leased) {
      std::vector<AttemptId> attempts;
      attempts.reserve(leases.size());
      for (const gateway::Lease& lease : leases) attempts.push_back(lease.attempt);
      options_.on_leased(attempts);
    }
    OpenNothing::OnLeases(std::move(leases));
  }
  void OnAnswers(std::vector<gateway::Answer> answers) override {
    std::size_t delivered = 0;
    for (const gateway::Answer& answer : answers) delivered += answer.result == gateway::Reported::kDelivered ? 1 : 0;
    if (options_.on_delivered && delivered > 0) options_.on_delivered(delivered);
  }

  const InstantGatewayOptions options_;
  const std::unique_ptr<gateway::Link> link_;
};

}  // namespace

std::unique_ptr<InstantGateway> InstantGateway::Attach(InstantGatewayOptions options) {
  gateway::AttachOptions attach;
  attach.address = options.address;
  attach.token = ServerProcess::gateway_token();
  attach.credit = kCredit;
  auto link = gateway::MakeAttachClient(std::move(attach));
  if (!link.ok()) return nullptr;  // only for an address that is not on this machine
  return std::make_unique<InstantGatewayImpl>(std::move(options), *std::move(link));
}

}  // namespace smsflow::bench
