// What happens in a run when nothing goes wrong, and how its parts take turns.
#include "tests/sim/gateway/gateway_run.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "crypto/hash.h"
#include "tests/gateway/plain_opener.h"
#include "tests/sim/gateway/gateway_life.h"
#include "tests/sim/journal_text.h"

namespace smsflow::sim {
namespace {

constexpr std::int64_t kMinute = 60'000;
constexpr std::uint32_t kCredit = 12;

std::size_t OpenOf(const EngineSide& engine) {
  return static_cast<std::size_t>(
      std::count_if(engine.asked().begin(), engine.asked().end(), [](const auto& one) { return IsOpen(one.second); }));
}

}  // namespace

GatewayRun::GatewayRun(const GatewayRunOptions& options)
    : options_(options),
      random_(options.seed),
      memory_(std::make_unique<storage::MemoryStore>()),
      script_(ScriptOf(random_, options.played.without)),
      site_(script_, clock_, random_),
      engine_(clock_, random_, options.bug.report, options.bug.hello),
      parts_{.gateway = "g1",
             .tenants = {"t", "u"},
             .smsc = SmscOf(random_),
             .pace = PaceOf(random_),
             .opener = [] { return std::make_unique<gateway::PlainOpener>(); },
             .turn = [this](const auto& lease, const auto* route) { CheckTurn(lease, route); },
             .clock = clock_,
             .disks_clock = clock_,
             .memory = memory_.get(),
             .disk = disk_,
             .low = low_,
             .site = site_,
             .link = engine_,
             .hooks = options.bug} {
  if (options.bug.options) options.bug.options(parts_.smsc);
}

GatewayRunReport GatewayRun::Make() {
  site_.leaving = [this](std::string_view destination) { CheckLeaving(destination); };
  Trace("the SMSC's habits: " + HabitsOf(script_));
  Start();
  engine_.Attach();
  const Played& played = options_.played;
  for (step_ = 1; step_ <= played.steps && report_.violations.empty(); ++step_) {
    if (played.left_out.contains(step_)) continue;
    Reseed(random_, options_.seed, step_);
    Guarded([this] { Step(); });
    Check();
  }
  if (report_.violations.empty()) {
    Reseed(random_, options_.seed, step_);
    Guarded([this] { Quiet(); });
  }
  if (report_.violations.empty()) CheckTheEnd();
  if (!report_.violations.empty()) report_.journal = Lives();
  Sum();
  return std::move(report_);
}

void GatewayRun::Trace(const std::string& what) {
  report_.trace.push_back(
      absl::StrCat("step ", step_, ", second ", (clock_.steady_ms - 1'000'000) / 1'000, ": ", what));
}

void GatewayRun::Violation(std::string what) {
  if (report_.violations.empty()) report_.step = step_;
  report_.violations.push_back(std::move(what));
}

// What the process does may end it: then it is as if it had been killed at that moment.
void GatewayRun::Guarded(const std::function<void()>& what) {
  try {
    what();
    if (disk_.errors != 0) Violation("G12: the gateway went on with a disk that had failed");
  } catch (const engine::Fatal&) {
    Trace("the gateway ended itself");
    Crash();
  }
}

void GatewayRun::Lease() {
  Asked asked;
  ++attempts_;
  // One draw after the other: the order of arguments is the compiler's.
  const std::uint64_t chance = random_();
  const ShardId shard{static_cast<std::uint16_t>(Below(8))};
  asked.lease.attempt = {InstanceId::Make(clock_.WallMs(), shard, chance), 1};
  asked.lease.tenant = Chance(70) ? "t" : "u";
  // 12 digits, so that no id of the SMSC and no time is one.
  asked.number = absl::StrCat("255", 700'000'000 + attempts_ % 2 * 50'000'000 + attempts_);
  asked.text_long = Chance(25);
  const std::string text = std::string(kPayloadMark) + std::string(asked.text_long ? 200 + Below(300) : 20, 'x');
  constexpr std::string_view kHeaders[] = {"", "Priority: code\n", "Priority: bulk\nSender: A\n"};
  const bool empty = Chance(2);
  const std::string headers(kHeaders[Below(3)]);
  asked.lease.payload = absl::StrCat("To: +", asked.number, "\n", headers, "\n", empty ? "" : text);
  asked.lease.deadline_ms = clock_.WallMs() + (Chance(15) ? 1 + Below(2'000) : kMinute + Below(30 * kMinute));
  asked.lease.mark = {asked.lease.attempt.instance.shard(), 1, attempts_};
  of_number_.emplace(asked.number, asked.lease.attempt);
  Trace(absl::StrCat("lease of ", asked.lease.attempt.ToString(), " to ", asked.number,
                     asked.text_long ? " in parts" : ""));
  engine_.Lease(std::move(asked));
}

void GatewayRun::Round() {
  engine_.Step();
  process_->Round(random_);
  site_.Step();
}

void GatewayRun::Step() {
  const std::int64_t what = Below(100);
  if (what < 30) {
    if (OpenOf(engine_) < kCredit) Lease();
  } else if (what < 80) {
    for (std::int64_t rounds = 1 + Below(6); rounds > 0; --rounds) Round();
  } else if (what < 92) {
    const std::int64_t ms = Chance(80) ? 1 + Below(500) : Chance(80) ? Below(2 * kMinute) : Below(40 * kMinute);
    Trace(absl::StrCat(ms, " ms pass"));
    clock_.Advance(ms);
  } else if (what < 96) {
    engine_.Ask(false);
  } else {
    Disturb();
  }
}

void GatewayRun::Drain(int rounds) {
  for (; rounds > 0; --rounds) {
    Round();
    if (rounds % 10 == 0) clock_.Advance(50);
  }
}

// All is mended, and everything must come to its end.
void GatewayRun::Quiet() {
  Trace("quiet");
  disk_.write_error_in = disk_.read_error_in = 0;
  disk_.slow_ms = 0;
  low_ = false;
  down_ = false;
  site_.SetDown(false);
  site_.TellWhole();
  clock_.Advance(kMinute);
  if (!engine_.attached()) engine_.Attach();
  for (int minutes = 0; minutes < 45; ++minutes) {
    Drain(60);
    clock_.Advance(kMinute);
    engine_.Ask(false);
  }
  engine_.Ask(true);
  Drain(200);
}

void GatewayRun::Sum() {
  report_.attempts = attempts_;
  std::string all;
  for (const auto& [attempt, asked] : engine_.asked()) {
    const std::string end = asked.best ? std::string(NameOf(*asked.best)) : "nothing";
    ++report_.ends[end];
    absl::StrAppend(&all, attempt.ToString(), " ", end, "\n");
  }
  for (const SeenSubmit& one : site_.seen())
    absl::StrAppend(&all, one.destination, " ", one.part, " ", one.at_ms, "\n");
  const crypto::Digest digest = crypto::Sha256(all);
  for (int i = 0; i < 8; ++i) report_.digest = report_.digest << 8 | digest[static_cast<std::size_t>(i)];
}

// Of those that the violations name: what was said of each, and what the SMSC had; of all when they name none.
std::string GatewayRun::Lives() const {
  const std::set<InstanceId> named = NamedIn(report_.violations);
  std::string text;
  for (const auto& [attempt, asked] : engine_.asked()) {
    if (!named.empty() && !named.contains(attempt.instance)) continue;
    absl::StrAppend(&text, attempt.ToString(), ", of tenant ", asked.lease.tenant, " to ", asked.number,
                    ", deadline second ", (asked.lease.deadline_ms - clock_.wall_ms + clock_.steady_ms) / 1'000 - 1'000,
                    "\n");
    for (const std::string& line : asked.life) absl::StrAppend(&text, "  ", line, "\n");
    for (const SeenSubmit& one : site_.seen())
      if (one.destination == asked.number)
        absl::StrAppend(&text, "  second ", one.at_ms / 1'000 - 1'000, ": ", TextOf(one), "\n");
  }
  return text;
}

GatewayRunReport RunGatewaySeed(const GatewayRunOptions& options) { return GatewayRun(options).Make(); }

std::vector<std::string> GatewayFaultKinds() {
  std::vector<std::string> kinds = NamesOf(GatewayRun::Faults());
  for (std::string& kind : SmscFaultKinds()) kinds.push_back(std::move(kind));
  return kinds;
}

}  // namespace smsflow::sim
