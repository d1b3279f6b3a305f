#include "tests/sim/gateway/gateway_process.h"

#include <deque>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gateway/smpp_carrier.h"

namespace smsflow::sim {
namespace {

class SimRoom : public gateway::Room {
 public:
  explicit SimRoom(const bool& low) : low_(low) {}
  bool Low() override { return low_; }

 private:
  const bool& low_;
};

using smsc::FaultKind;
constexpr std::pair<FaultKind, const char*> kSmscFaults[] = {{FaultKind::kRefuse, "a submit is refused"},
                                                             {FaultKind::kDropResponse, "a response is dropped"},
                                                             {FaultKind::kDelayResponse, "a response is late"},
                                                             {FaultKind::kEarlyReceipt, "a receipt is early"},
                                                             {FaultKind::kDropReceipt, "a receipt is dropped"},
                                                             {FaultKind::kDelayReceipt, "a receipt is late"},
                                                             {FaultKind::kDoubleReceipt, "a receipt comes twice"},
                                                             {FaultKind::kFail, "an SMS is not delivered"},
                                                             {FaultKind::kReset, "the SMSC resets"},
                                                             {FaultKind::kClose, "the SMSC closes"},
                                                             {FaultKind::kSilence, "the SMSC falls silent"}};

}  // namespace

std::vector<std::string> SmscFaultKinds() {
  std::vector<std::string> kinds;
  for (const auto& [kind, name] : kSmscFaults) kinds.emplace_back(name);
  return kinds;
}

std::string HabitsOf(const smsc::Script& script) {
  std::vector<std::string> habits;
  for (const auto& [kind, name] : kSmscFaults)
    for (const smsc::Fault& fault : script.faults)
      if (fault.kind == kind) habits.push_back(absl::StrCat(name, " in ", fault.rate * 100, "%"));
  return habits.empty() ? "it keeps its word" : absl::StrJoin(habits, ", ");
}

smsc::Script ScriptOf(std::mt19937_64& random, const std::set<std::string>& without) {
  const auto below = [&random](std::uint64_t n) { return static_cast<std::int64_t>(random() % n); };
  smsc::Script script;
  script.seed = random();
  // Small ones often mean one message in decimal and another in hexadecimal.
  const std::uint64_t number = random();
  script.first_id = 1 + number % (below(2) == 0 ? 40 : 1'000'000);
  constexpr smsc::IdStyle kStyles[] = {smsc::IdStyle::kDecimal, smsc::IdStyle::kHex, smsc::IdStyle::kLowerHex};
  script.response_id = kStyles[below(3)];
  script.receipt_id = kStyles[below(3)];
  script.tlv_id = below(2) == 0 ? smsc::IdStyle::kNone : script.response_id;
  script.pad = below(3) == 0 ? 10 : 0;
  script.response = {0, below(3) == 0 ? 2'000 : 20};
  script.receipt = {0, 1 + below(5'000)};
  script.as_data_sm = below(4) == 0;
  // Which faults there are is the seed's choice: a mix of few finds what a mix of all hides.
  for (const auto& [kind, name] : kSmscFaults) {
    if (below(3) != 0) continue;
    smsc::Fault fault;
    fault.kind = kind;
    fault.rate = kind == FaultKind::kSilence ? 0.02 : 0.02 + 0.01 * static_cast<double>(below(25));
    fault.delay = {0, 1 + below(kind == FaultKind::kDelayReceipt ? 200'000 : 90'000)};
    if (kind == FaultKind::kRefuse)
      fault.status = below(2) == 0 ? smpp::CommandStatus::kThrottled : smpp::CommandStatus::kInvalidDestinationAddress;
    if (kind == FaultKind::kFail && below(2) == 0) fault.stat = below(2) == 0 ? "REJECTD" : "EXPIRED";
    if (!without.contains(name)) script.faults.push_back(fault);
  }
  return script;
}

// How the carrier is set up: the run's own habits, whatever process it is.
gateway::SmscOptions SmscOf(std::mt19937_64& random) {
  gateway::SmscOptions options;
  options.name = "smsc";
  options.account = "account";
  options.link.session.system_id = "sim";
  options.link.session.window = 1 + static_cast<std::uint32_t>(random() % 8);
  options.link.session.response_ms = 30'000;
  options.link.session.chance = [] { return 0.5; };
  constexpr gateway::Segments kSegments[] = {gateway::Segments::kUdh8, gateway::Segments::kUdh16,
                                             gateway::Segments::kSar};
  options.segments = kSegments[random() % 3];
  return options;
}

// Routes and rates, in two runs of three; null: there are none.
std::shared_ptr<const gateway::PaceOptions> PaceOf(std::mt19937_64& random) {
  if (random() % 3 == 0) return nullptr;
  const auto rate = [&random] { return random() % 3 == 0 ? 0 : static_cast<std::int64_t>(1 + random() % 20); };
  auto routes = gateway::Routes::Make({}, {{"even", {"+25570"}}, {"odd", {"+25575"}}});
  return std::make_shared<const gateway::PaceOptions>(
      gateway::PaceOptions{*std::move(routes), {.tenant = rate(), .route = rate(), .sender = rate()}});
}

// Stands between the core and its carrier, where bugs take hold.
class HookedCarrier : public gateway::Carrier, public gateway::CarrierEvents {
 public:
  HookedCarrier(std::unique_ptr<gateway::SmppCarrier> real, const GatewayHooks& hooks)
      : real_(std::move(real)), hooks_(hooks) {}
  void RunOnce() {
    for (; !queued_.empty() && real_->Take(queued_.front(), nullptr); queued_.pop_front())
      real_->Submit({queued_.front()});
    real_->RunOnce();
  }
  // Hears of each that has its turn.
  std::function<void(const engine::Lease&, const gateway::Route*)> turn;

  void Start(gateway::CarrierEvents& events) override {
    events_ = &events;
    real_->StartLinks(*this);
  }
  bool Take(const engine::Lease& lease, const gateway::Route* route) override {
    const bool taken = hooks_.queue_after_intent || real_->Take(lease, route);
    if (taken) turn(lease, route);
    return taken;
  }
  void Submit(std::vector<engine::Lease> leases) override {
    if (hooks_.submit) hooks_.submit(leases);
    if (hooks_.queue_after_intent) {
      queued_.insert(queued_.end(), leases.begin(), leases.end());
      return;
    }
    real_->Submit(std::move(leases));
  }
  void Acknowledge(const std::vector<gateway::Handle>& handles) override { real_->Acknowledge(handles); }
  void Stop() override {}

  void OnOutcomes(std::vector<gateway::Report> outcomes) override { events_->OnOutcomes(std::move(outcomes)); }
  void OnParts(std::vector<gateway::PartAnswer> answers) override {
    for (gateway::PartAnswer& answer : answers)
      if (hooks_.answer) hooks_.answer(answer);
    events_->OnParts(std::move(answers));
  }
  void OnReceipt(gateway::SmscReceipt receipt, gateway::Handle handle) override {
    const bool kept = !hooks_.receipt || hooks_.receipt(receipt);
    if (!kept || hooks_.acknowledge_at_once) real_->Acknowledge({handle});
    if (kept) events_->OnReceipt(std::move(receipt), handle);
  }

 private:
  const std::unique_ptr<gateway::SmppCarrier> real_;
  const GatewayHooks& hooks_;
  std::deque<engine::Lease> queued_;
  gateway::CarrierEvents* events_ = nullptr;
};

GatewayProcess::GatewayProcess(const GatewayParts& parts)
    : parts_(parts),
      clock_(parts.clock, [](LogLevel, std::string_view) {}),
      rows_(*parts.memory, parts.disks_clock, parts.disk, parts.hooks.rows),
      room_(std::make_unique<SimRoom>(parts.low)) {}
GatewayProcess::~GatewayProcess() = default;

absl::Status GatewayProcess::Start() {
  auto store = gateway::Store::Open(rows_, parts_.gateway, clock_.WallMs());
  if (!store.ok()) return store.status();
  store_ = *std::move(store);
  if (absl::Status status = MakeCarrier(); !status.ok()) return status;
  gateway::CoreOptions options;
  options.gateway = parts_.gateway;
  options.tenants = parts_.tenants;
  options.pace = parts_.pace;
  if (parts_.pace) sorter_ = std::make_unique<gateway::Sorter>(parts_.pace, parts_.opener());
  core_ = std::make_unique<gateway::Core>(
      options, *store_, parts_.link, *carrier_, clock_, [](const absl::Status&) { throw engine::Fatal{}; }, room_.get(),
      sorter_.get());
  if (sorter_ != nullptr) {
    sorter_->Listen([this](std::vector<gateway::Sorted> sorted) {
      for (gateway::Sorted& one : sorted)
        if (parts_.hooks.sorted) parts_.hooks.sorted(one);
      core_->OnSorted(std::move(sorted));
    });
  }
  if (!core_->Load().ok()) throw engine::Fatal{};
  carrier_->Start(*core_);
  parts_.link.Start(*core_);
  return absl::OkStatus();
}

absl::Status GatewayProcess::MakeCarrier() {
  const auto make_link = [this](gateway::SmscLinkOptions options, engine::Clock& clock,
                                gateway::SmscLinkEvents& events) -> absl::StatusOr<std::unique_ptr<gateway::SmscLink>> {
    auto link = std::make_unique<SimSmscLink>(options, clock, events, parts_.site);
    links_.push_back(link.get());
    return link;
  };
  auto carrier = gateway::SmppCarrier::Make({parts_.smsc}, parts_.opener(), clock_, nullptr, make_link);
  if (!carrier.ok()) return carrier.status();
  carrier_ = std::make_unique<HookedCarrier>(*std::move(carrier), parts_.hooks);
  carrier_->turn = parts_.turn;
  return absl::OkStatus();
}

void GatewayProcess::Round(std::mt19937_64& random) {
  core_->RunOnce();
  if (sorter_ != nullptr && random() % 100 < 60) sorter_->RunOnce();
  carrier_->RunOnce();
  for (SimSmscLink* const link : links_) link->Step();
}

}  // namespace smsflow::sim
