// What a seed is about: who its gateways are and how they behave, what its tenants want, which commands and faults come
// how often. Some are chosen blindly; most have a theme, in which something meets again and again that would otherwise
// meet too seldom to be tested.
#include <algorithm>
#include <iterator>
#include <string_view>

#include "crypto/hash.h"
#include "tests/sim/run.h"

namespace smsflow::sim {
namespace {

// In seeds of this theme at least so often; and whatever swarm leaves out of them, this stays.
struct Emphasis {
  Theme theme;
  std::string_view choice;
  int weight;
};
constexpr Emphasis kEmphases[] = {
    {Theme::kLateNews, "late news", 30},
    {Theme::kLateNews, "resolve", 24},
    {Theme::kLateNews, "cancel", 4},
    {Theme::kLateNews, "block", 6},
    {Theme::kLateNews, "look now", 14},
    {Theme::kLateNews, "fault", 16},
    {Theme::kLateNews, "the engine is down for long", 2},
    {Theme::kStops, "late news", 40},
    {Theme::kStops, "resolve", 14},
    {Theme::kStops, "cancel", 18},
    {Theme::kStops, "block", 34},
    {Theme::kStops, "look now", 10},
    {Theme::kStops, "fault", 14},
    {Theme::kStops, "the engine is down for long", 2},
    {Theme::kContradictions, "late news", 6},
    {Theme::kContradictions, "cancel", 20},
    {Theme::kContradictions, "block", 30},
    {Theme::kContradictions, "look now", 5},
    {Theme::kContradictions, "fault", 55},
    {Theme::kContradictions, "a gateway lies", 100},
    {Theme::kClocks, "late news", 8},
    {Theme::kClocks, "fault", 30},
    {Theme::kClocks, "the clock jumps", 12},
    {Theme::kClocks, "the clock is trusted by hand", 16},
    {Theme::kClocks, "the engine is down for long", 6},
    {Theme::kStores, "late news", 8},
    {Theme::kStores, "schedule again", 6},
    {Theme::kStores, "fault", 24},
    {Theme::kStores, "a gateway's store is lost", 8},
    {Theme::kStores, "a lost store is found again", 16},
    {Theme::kStores, "the engine is down for long", 4},
    {Theme::kStores, "the disk fills", 4},
    {Theme::kStores, "a write fails", 4},
    {Theme::kStores, "a read fails", 4},
    {Theme::kStores, "the disk guard is on", 4},
    {Theme::kStores, "the engine drains", 4},
};

// What becomes of a submit, by theme; in the order of ModelGateway::Fates.
constexpr ModelGateway::Fates kPlainFates = {45, 10, 13, 12, 4, 4, 12, 0};
constexpr ModelGateway::Fates kLateFates = {8, 22, 8, 6, 4, 9, 22, 21};
constexpr ModelGateway::Fates kStopFates = {6, 12, 10, 6, 6, 12, 34, 14};
constexpr ModelGateway::Fates kDoubtFates = {12, 12, 22, 8, 6, 6, 22, 12};
constexpr ModelGateway::Fates kSentFates = {20, 22, 8, 8, 4, 6, 10, 22};

const ModelGateway::Fates& FatesOf(Theme theme) {
  switch (theme) {
    case Theme::kLateNews:
      return kLateFates;
    case Theme::kStops:
      return kStopFates;
    case Theme::kContradictions:
      return kDoubtFates;
    case Theme::kClocks:
    case Theme::kStores:
      return kSentFates;
    case Theme::kAnything:
      break;
  }
  return kPlainFates;
}

}  // namespace

void Run::ChooseTheme() {
  constexpr Theme kThemes[] = {Theme::kAnything,       Theme::kAnything,       Theme::kAnything, Theme::kLateNews,
                               Theme::kLateNews,       Theme::kLateNews,       Theme::kStops,    Theme::kStops,
                               Theme::kStops,          Theme::kContradictions, Theme::kClocks,   Theme::kStores,
                               Theme::kContradictions, Theme::kContradictions, Theme::kClocks,   Theme::kStops};
  theme_ = kThemes[Pick(std::size(kThemes))];
  if (!skewed()) return;
  large_ = Pick(3);
  burst_ = 3 + Pick(5);
  small_one_in_ = 3 + Pick(6);
}

void Run::ChoosePolicies() {
  erases_ = Pick(busy() ? 8 : 4) == 0;
  for (const char* tenant : {"a", "b", "c"}) {
    delivery::Policy& policy = typed_policies_[tenant];
    policy.wait_after_fail_ms = Pick(3) * kMinuteMs;
    policy.ack_send_timeout_ms = (2 + Pick(4)) * kMinuteMs;
    policy.ack_receipt_timeout_ms = (5 + Pick(20)) * kMinuteMs;
    policy.max_jitter_ms = Pick(3) * 30'000;
    policy.probe_ms = kMinuteMs / 2;
    policy.max_attempts = Pick(3) == 0 ? static_cast<std::uint32_t>(1 + Pick(3)) : 0;
    policy.on_unknown = Pick(3) == 0 ? delivery::OnUnknown::kRetry : delivery::OnUnknown::kHold;
    if (erases_) policy.retention_ms = 20 * kMinuteMs;
    if (themed()) policy.ack_receipt_timeout_ms = (1 + Pick(busy() ? 6 : 12)) * kMinuteMs;
    if (theme_ == Theme::kContradictions) policy.probe_ms = 3 * kMinuteMs;
    if (busy()) {
      policy.wait_after_fail_ms = (theme_ == Theme::kStops ? 3 + Pick(5) : 1 + Pick(4)) *
                                  kMinuteMs;  // so that retries wait, and much may happen meanwhile
      if (Pick(4) < (theme_ == Theme::kContradictions ? 1 : 3)) policy.on_unknown = delivery::OnUnknown::kRetry;
    }
    engine::Policy& stored = policies_[tenant];
    stored.bytes = delivery::EncodePolicy(policy);
    stored.digest = crypto::Cut(crypto::Sha256(stored.bytes));
  }
}

void Run::ChooseGateways() {
  const GatewayEvents events{
      [this](const std::string& gateway, const std::string& store, const engine::Lease& lease) {
        Leased(gateway, store, lease);
      },
      [this](const AttemptId& attempt, delivery::Reported reported) { Reporting(attempt, reported); },
      [this](const AttemptId& attempt, delivery::Reported reported, engine::ReportOutcome outcome) {
        Answered(attempt, reported, outcome);
      },
      [this](const char* fault, const AttemptId& attempt) { MetOne(fault, attempt.instance); }};
  const auto add = [&](ModelGateway::Site site) {
    if (skewed())
      site.credit = static_cast<std::uint32_t>(1 + Pick(2));
    else if (busy())
      site.credit += 4;
    gateways_.push_back(std::make_unique<ModelGateway>(std::move(site), truth_, random_, coverage_, events));
    gateways_.back()->slow_receipts = Pick(3) * 25;
    gateways_.back()->bad_link = seed_ % 8 > 5;
    gateways_.back()->room = seed_ % 8 > 5 ? static_cast<std::size_t>(seed_ / 8 % 4) : 0;
    gateways_.back()->fates = FatesOf(theme_);
    if (theme_ == Theme::kStops) gateways_.back()->hangs = 30;
    if (theme_ != Theme::kContradictions) return;
    gateways_.back()->hangs = 50;
    gateways_.back()->accepts = 15;
  };
  add({"g1",
       skewed() ? std::vector<std::string>{"a", "b", "c"} : std::vector<std::string>{"a", "b"},
       {},
       static_cast<std::uint32_t>(1 + Pick(6))});
  add({"g2", {"b"}, {"k1"}, static_cast<std::uint32_t>(1 + Pick(6))});
  if (busy() || Pick(2) == 0) add({"g3", {"c"}, {}, static_cast<std::uint32_t>(1 + Pick(3))});  // else nobody serves c
}

void Run::ChooseFaults() {
  rogue_ = Pick(3) == 0 || theme_ == Theme::kContradictions;
  faults_ = {{"a link is cut", 3, &Run::CutLink},
             {"a gateway dies", 3, &Run::GatewayDies},
             {"a gateway's store is lost", 1, &Run::StoreIsLost},
             {"a lost store is found again", 1, &Run::StoreIsFound},
             {"two streams of one store", 2, &Run::TwoStreams},
             {"the engine is killed", 3, &Run::Crash},
             {"the power is cut at a write", 3, &Run::PowerCut},
             {"the engine is down for long", 1, &Run::Downtime},
             {"the disk fills", 1, &Run::DiskFills},
             {"a write fails", 1, &Run::WriteFails},
             {"a read fails", 1, &Run::ReadFails},
             {"a sync takes long", 2, &Run::SlowSync},
             {"the clock jumps", 1, &Run::ClockJumps},
             {"the clock is trusted by hand", 2, &Run::ClockIsTrusted},
             {"the disk guard is on", 1, &Run::DiskGuard},
             {"the engine drains", 1, &Run::Drain},
             {"a gateway lies", rogue_ ? 40 : 0, &Run::Lie}};
  for (Choice& fault : faults_) fault.weight *= Pick(2) == 0 ? 0 : 1 + Pick(3);
  commands_ = {{"schedule", 20, &Run::Schedule},
               {"schedule again", 3, &Run::ScheduleAgain},
               {"time passes", 30, &Run::MoveTime},
               {"gateways work", 28, &Run::StepGateway},
               {"cancel", 3, &Run::Cancel},
               {"cancel many", 1, &Run::CancelMany},
               {"block", 5, &Run::Block},
               {"reschedule", 3, &Run::Reschedule},
               {"resolve", 3, &Run::Resolve},
               {"look now", 2, &Run::LookNow},
               {"look now at many", 1, &Run::LookNowAtMany},
               {"records of a log", 2, &Run::WriteRecords},
               {"how far a log is answered", 1, &Run::TellProgress},
               {"pause or resume", 2, &Run::TogglePause},
               {"a command of another tenant", 1, &Run::ForeignCommand},
               {"explain", 1, &Run::Explain},
               {"late news", 6, &Run::LateNews},
               {"fault", 9, &Run::Fault}};
  // What never changes keeps the run alive; the rest is seldom, often or never in this seed.
  for (Choice& command : commands_)
    if (command.weight < 9) command.weight *= Pick(5);
  if (busy())
    for (Choice& command : commands_)
      if (command.make == &Run::TogglePause || command.make == &Run::CancelMany)
        command.weight = (command.weight + 1) / 2;
  for (const Emphasis& emphasis : kEmphases) {
    if (emphasis.theme != theme_) continue;
    for (auto* choices : {&commands_, &faults_})
      for (Choice& choice : *choices)
        if (choice.name == emphasis.choice) choice.weight = std::max(choice.weight, emphasis.weight);
  }
}

}  // namespace smsflow::sim
