#include "tests/sim/gateway/gateway_run.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "crypto/hash.h"
#include "gateway/store.h"
#include "storage/memory_store.h"
#include "tests/engine/world.h"
#include "tests/gateway/plain_opener.h"
#include "tests/sim/gateway/engine_side.h"
#include "tests/sim/gateway/smsc_site.h"
#include "tests/sim/sim_store.h"

namespace smsflow::sim {
namespace {

using workflows::delivery::Reported;

std::string WordOf(Reported reported) { return std::string(workflows::delivery::NameOf(reported)); }

constexpr std::int64_t kMinute = 60'000, kDay = 24 * 60 * kMinute;
constexpr std::uint32_t kCredit = 12;

// What left under one limit, since the process began.
struct Meter {
  std::int64_t since_ms = 0, segments = 0;
};

class Run {
 public:
  explicit Run(const GatewayRunOptions& options)
      : options_(options),
        random_(options.seed),
        site_(ScriptOf(random_), clock_, random_),
        engine_(clock_, random_, options.bug.report),
        parts_{.gateway = "g1",
               .tenants = {"t", "u"},
               .smsc = SmscOf(random_),
               .pace = PaceOf(random_),
               .opener = [] { return std::make_unique<gateway::PlainOpener>(); },
               .turn = [this](const auto& lease, const auto* route) { CheckTurn(lease, route); },
               .clock = clock_,
               .disks_clock = clock_,
               .memory = &memory_,
               .disk = disk_,
               .low = low_,
               .site = site_,
               .link = engine_,
               .hooks = options.bug} {
    if (options.bug.options) options.bug.options(parts_.smsc);
  }

  GatewayRunReport Make() {
    site_.leaving = [this](std::string_view destination) { CheckLeaving(destination); };
    Start();
    engine_.Attach();
    for (step_ = 0; step_ < options_.steps && report_.violations.empty(); ++step_) {
      Guarded([this] { Step(); });
      Check();
    }
    if (report_.violations.empty()) Guarded([this] { Quiet(); });
    if (report_.violations.empty()) CheckTheEnd();
    Sum();
    return std::move(report_);
  }

 private:
  bool Chance(int percent) { return static_cast<int>(random_() % 100) < percent; }
  std::int64_t Below(std::int64_t n) { return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(n)); }
  void Trace(const std::string& what) { report_.trace.push_back(absl::StrCat(step_, ": ", what)); }
  void Violation(std::string what) {
    if (report_.violations.empty()) report_.step = step_;
    report_.violations.push_back(std::move(what));
  }
  // What the process does may end it: then it is as if it had been killed at that moment.
  void Guarded(const std::function<void()>& what) {
    try {
      what();
    } catch (const engine::Fatal&) {
      Crash();
    }
  }

  void Start();
  void Crash();
  void Step();
  void Round();
  void Drain(int rounds);
  void Lease();
  void Disturb();
  void Quiet();
  void Check();
  void CheckLeaving(std::string_view destination);
  void CheckSeen(const SeenSubmit& one);
  void CheckTurn(const engine::Lease& lease, const gateway::Route* route);
  void CheckRate(const std::string& whose, std::int64_t per_second, std::int64_t segments);
  void CheckOpen();
  void CheckTold(const AttemptId& attempt, const Asked& asked);
  void CheckTheEnd();
  void CheckSecrets();
  void Sum();
  std::optional<gateway::Record> RecordOf(const AttemptId& attempt);
  std::vector<const SeenSubmit*> TakenOf(const std::string& number) const;

  const GatewayRunOptions& options_;
  GatewayRunReport report_;
  std::mt19937_64 random_;
  engine::ManualClock clock_;
  storage::MemoryStore memory_;
  Disk disk_;
  bool low_ = false, down_ = false;
  SmscSite site_;
  EngineSide engine_;
  GatewayParts parts_;
  std::map<std::string, Meter> meters_;
  std::unique_ptr<GatewayProcess> process_;
  int step_ = 0;
  std::uint64_t attempts_ = 0;
  std::size_t seen_ = 0;  // of the site's submits, those that were checked
  std::map<std::string, AttemptId> of_number_;
  std::map<std::pair<std::string, std::uint32_t>, int> taken_;  // by number and part
  std::map<AttemptId, int> highest_;                            // rank of what was recorded
};

void Run::Start() {
  meters_.clear();
  process_ = std::make_unique<GatewayProcess>(parts_);
  if (const absl::Status status = process_->Start(); !status.ok()) {
    Violation("the gateway does not start: " + std::string(status.message()));
    throw engine::Fatal{};
  }
}

void Run::Crash() {
  ++report_.crashes;
  Trace("the gateway is killed");
  engine_.Gone();
  process_.reset();
  memory_.Crash(static_cast<std::size_t>(random_() % (memory_.unsynced() + 1)));
  disk_.write_error_in = disk_.read_error_in = 0;
  for (int again = 0; again < 5; ++again) {
    try {
      Start();
      if (Chance(70)) engine_.Attach();
      return;
    } catch (const engine::Fatal&) {
      process_.reset();
      disk_.write_error_in = disk_.read_error_in = 0;
      memory_.Crash(0);
    }
  }
  Violation("the gateway does not come up again");
}

void Run::Lease() {
  Asked asked;
  ++attempts_;
  asked.lease.attempt = {InstanceId::Make(clock_.WallMs(), ShardId{static_cast<std::uint16_t>(Below(8))}, random_()),
                         1};
  asked.lease.tenant = Chance(70) ? "t" : "u";
  // 12 digits, so that no id of the SMSC and no time is one.
  asked.number = absl::StrCat("255", 700'000'000 + attempts_ % 2 * 50'000'000 + attempts_);
  asked.text_long = Chance(25);
  const std::string text = std::string(kPayloadMark) + std::string(asked.text_long ? 200 + Below(300) : 20, 'x');
  constexpr std::string_view kHeaders[] = {"", "Priority: code\n", "Priority: bulk\nSender: A\n"};
  asked.lease.payload =
      absl::StrCat("To: +", asked.number, "\n", std::string(kHeaders[Below(3)]), "\n", Chance(2) ? "" : text);
  asked.lease.deadline_ms = clock_.WallMs() + (Chance(15) ? 1 + Below(2'000) : kMinute + Below(30 * kMinute));
  asked.lease.mark = {asked.lease.attempt.instance.shard(), 1, attempts_};
  of_number_.emplace(asked.number, asked.lease.attempt);
  Trace(absl::StrCat("lease of ", asked.lease.attempt.ToString(), " to ", asked.number,
                     asked.text_long ? " in parts" : ""));
  engine_.Lease(std::move(asked));
}

std::size_t OpenOf(const EngineSide& engine) {
  return static_cast<std::size_t>(std::count_if(engine.asked().begin(), engine.asked().end(), [](const auto& one) {
    return !one.second.best || RankOf(*one.second.best) <= RankOf(Reported::kAccepted);
  }));
}

void Run::Round() {
  engine_.Step();
  process_->Round(random_);
  site_.Step();
}

void Run::Step() {
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

void Run::Disturb() {
  switch (Below(10)) {
    case 0:
    case 1:
      return Crash();
    case 2:
      if (engine_.attached()) {
        ++report_.cuts;
        Trace("the link to the engine is cut");
        return engine_.Cut();
      }
      return engine_.Attach();
    case 3:
    case 4:
      ++report_.cuts;
      Trace("the connections to the SMSC are cut");
      return site_.Cut();
    case 5:
      down_ = !down_;
      Trace(down_ ? "the SMSC is down" : "the SMSC is up");
      return site_.SetDown(down_);
    case 6:
      disk_.write_error_in = static_cast<int>(1 + Below(4));
      disk_.write_happens = Chance(50);
      return Trace("a write will fail");
    case 7:
      low_ = !low_;
      return Trace(low_ ? "the disk is nearly full" : "the disk has room");
    case 8:
      disk_.slow_ms = 1 + Below(5'000);
      return Trace("a slow write");
    default:
      if (Chance(20)) {
        // Once in a while long enough for attempts to be forgotten.
        clock_.Advance(9 * kDay);
        return Trace("nine days pass");
      }
      clock_.wall_ms += Chance(50) ? 10 * kMinute : -10 * kMinute;
      return Trace("the wall clock jumps");
  }
}

void Run::Drain(int rounds) {
  for (; rounds > 0; --rounds) {
    Round();
    if (rounds % 10 == 0) clock_.Advance(50);
  }
}

// All is mended, and everything must come to its end.
void Run::Quiet() {
  Trace("quiet");
  disk_.write_error_in = 0;
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

std::vector<const SeenSubmit*> Run::TakenOf(const std::string& number) const {
  std::vector<const SeenSubmit*> taken;
  for (const SeenSubmit& one : site_.seen())
    if (one.destination == number && one.status == 0) taken.push_back(&one);
  return taken;
}

std::optional<gateway::Record> Run::RecordOf(const AttemptId& attempt) {
  const auto found = process_->store().Find(attempt);
  if (!found.ok()) Violation("the store cannot be read: " + std::string(found.status().message()));
  return found.ok() ? *found : std::nullopt;
}

void Run::Check() {
  if (process_ == nullptr) return;
  for (const std::string& what : engine_.violations()) Violation(what);
  for (const std::string& what : disk_.findings) Violation("G8: " + what);
  for (; seen_ < site_.seen().size(); ++seen_) CheckSeen(site_.seen()[seen_]);
  CheckOpen();
  for (const auto& [attempt, asked] : engine_.asked()) CheckTold(attempt, asked);
}

// What is open has left, or is about to: a kill now makes it UNKNOWN.
void Run::CheckOpen() {
  std::size_t open = 0;
  for (const auto& [attempt, asked] : engine_.asked()) {
    if (asked.best && RankOf(*asked.best) > RankOf(Reported::kAccepted)) continue;
    const auto record = RecordOf(attempt);
    open += record && !record->result ? 1 : 0;
  }
  if (open > parts_.smsc.link.session.window)
    Violation(absl::StrCat("G9: ", open, " attempts are open, and the window has ", parts_.smsc.link.session.window));
}

void Run::CheckTurn(const engine::Lease& lease, const gateway::Route* route) {
  if (!parts_.pace) return;
  const auto asked = engine_.asked().find(lease.attempt);
  if (asked == engine_.asked().end() || route == nullptr) return;
  const bool even = asked->second.number.starts_with("25570");
  if (route->name != (even ? "even" : "odd")) Violation("G11: " + lease.attempt.ToString() + " left by " + route->name);
  const std::string& payload = lease.payload;
  const std::size_t length = payload.size() - payload.find("\n\n") - 2;
  const auto segments = static_cast<std::int64_t>(length <= 160 ? 1 : (length + 152) / 153);
  CheckRate("route " + route->name, parts_.pace->limits.route, segments);
  CheckRate("tenant " + lease.tenant, parts_.pace->limits.tenant, segments);
  const bool sender = payload.find("Sender: A") != payload.npos;
  CheckRate(absl::StrCat("sender ", lease.tenant, sender ? "/A" : "/"), parts_.pace->limits.sender, segments);
}

// Something may leave while a segment is there, however many it then takes.
void Run::CheckRate(const std::string& whose, std::int64_t per_second, std::int64_t segments) {
  if (per_second == 0) return;
  const std::int64_t now_ms = process_->clock().SteadyMs();
  Meter& meter = meters_.try_emplace(whose, Meter{now_ms, 0}).first->second;
  const std::int64_t at_once = std::max<std::int64_t>(1, per_second / 10);
  if (meter.segments > at_once + per_second * (now_ms - meter.since_ms) / 1000)
    Violation(absl::StrCat("G10: ", meter.segments, " segments of ", whose, " left within ", now_ms - meter.since_ms,
                           " ms at ", per_second, " a second"));
  meter.segments += segments;
}

void Run::CheckLeaving(std::string_view destination) {
  const auto it = of_number_.find(std::string(destination));
  if (it == of_number_.end()) return Violation("G2: a submit to a number that nobody asked for");
  if (process_->clock().WallMs() >= engine_.asked().at(it->second).lease.deadline_ms)
    Violation("G3: " + it->second.ToString() + " was submitted after its deadline");
}

void Run::CheckSeen(const SeenSubmit& one) {
  ++report_.submits;
  const auto it = of_number_.find(one.destination);
  if (it == of_number_.end()) return Violation("G2: a submit to a number that nobody asked for");
  const AttemptId& attempt = it->second;
  const Asked& asked = engine_.asked().at(attempt);
  const std::string what = absl::StrCat(attempt.ToString(), " part ", one.part);
  if (one.status == 0 && ++taken_[{one.destination, one.part}] > 1) Violation("G1: " + what + " was taken twice");
  const auto record = RecordOf(attempt);
  if (!record || record->result == Reported::kNeverSeen)
    Violation("G2: " + what + " was submitted and is not recorded");
  if (asked.never_seen) Violation("G4: " + what + " was submitted after NEVER_SEEN");
}

void Run::CheckTold(const AttemptId& attempt, const Asked& asked) {
  const auto record = RecordOf(attempt);
  if (record) {
    int& highest = highest_[attempt];
    const int rank = record->result ? RankOf(*record->result) : RankOf(Reported::kAccepted);
    if (rank < highest) Violation(absl::StrCat("G6: what is recorded of ", attempt.ToString(), " fell"));
    highest = std::max(highest, rank);
  }
  if (!asked.best || RankOf(*asked.best) < RankOf(Reported::kSent)) return;
  std::set<std::uint32_t> taken, delivered;
  std::uint32_t parts = 0;
  for (const SeenSubmit* one : TakenOf(asked.number)) {
    parts = one->parts;
    taken.insert(one->part);
    const bool on_handset = one->faults.find("fail") == one->faults.npos;
    if (on_handset) delivered.insert(one->part);
  }
  const bool all_taken = parts != 0 && taken.size() == parts, all_there = parts != 0 && delivered.size() == parts;
  const std::string what = absl::StrCat(attempt.ToString(), " was told as ", WordOf(*asked.best));
  if (*asked.best == Reported::kSent && !all_taken) Violation("G5: " + what + ", and the SMSC has not all of it");
  if (*asked.best == Reported::kDelivered && !all_there) Violation("G5: " + what + ", and no handset has all of it");
  const bool negative = RankOf(*asked.best) > RankOf(Reported::kSent) && *asked.best != Reported::kDelivered;
  if (negative && all_there) Violation("G5: " + what + ", and a handset has it");
}

void Run::CheckTheEnd() {
  Check();
  if (!report_.violations.empty()) return;
  // How this SMSC writes ids may never have become clear; then receipts wait for that.
  const auto forms = process_->store().Forms();
  const bool learnt = forms.ok() && std::any_of(forms->begin(), forms->end(), [](const gateway::StoredForms& one) {
                        return one.tlv != 0 || one.text != 0;
                      });
  for (const auto& [attempt, asked] : engine_.asked()) {
    const std::string id = attempt.ToString();
    if (!asked.best || *asked.best == Reported::kAccepted) {
      Violation("G7: " + id + " has no result");
      continue;
    }
    const auto record = RecordOf(attempt);
    if (record && record->result && RankOf(*record->result) != RankOf(*asked.best))
      Violation(absl::StrCat("G7: ", id, " is recorded as ", WordOf(*record->result), ", and the engine knows ",
                             WordOf(*asked.best)));
    if (!record) continue;  // forgotten
    // Every part's receipt was taken over, and each id was known: then it counts.
    const auto taken = TakenOf(asked.number);
    const bool all = !taken.empty() && taken.size() == taken.front()->parts &&
                     std::all_of(taken.begin(), taken.end(), [](const SeenSubmit* one) {
                       return std::find(one->answered.begin(), one->answered.end(), "DELIVRD") != one->answered.end();
                     });
    if (all && learnt && record->result == Reported::kSent) {
      std::string about;
      for (const std::string& known : record->ids) absl::StrAppend(&about, " ", known);
      absl::StrAppend(&about, "; submits");
      for (const SeenSubmit* one : taken) absl::StrAppend(&about, " ", one->count, "(", one->faults, ")");
      for (const auto& form : *forms) absl::StrAppend(&about, "; forms: tlv ", form.tlv, ", text ", form.text);
      const auto parked = process_->store().Parked();
      if (parked.ok()) absl::StrAppend(&about, "; parked:");
      for (const auto& [key, receipt] : *parked) absl::StrAppend(&about, " ", receipt.tlv_id, "/", receipt.text_id);
      Violation("G7: " + id + " was delivered, and its receipts are lost; ids" + about);
    }
  }
  CheckSecrets();
}

void Run::CheckSecrets() {
  for (int family = 0; family < storage::kFamilies; ++family) {
    const auto rows = memory_.Scan(static_cast<storage::Family>(family), "", std::string(40, '\xff'));
    for (; rows->Valid(); rows->Next())
      for (const auto& [number, attempt] : of_number_)
        if (rows->key().find(number) != rows->key().npos || rows->value().find(number) != rows->value().npos)
          Violation(absl::StrCat("G8: a number stands in a row of kind ", std::string(1, rows->key().front())));
  }
}

void Run::Sum() {
  report_.attempts = attempts_;
  std::string all;
  for (const auto& [attempt, asked] : engine_.asked()) {
    const std::string end = asked.best ? WordOf(*asked.best) : "nothing";
    ++report_.ends[end];
    absl::StrAppend(&all, attempt.ToString(), " ", end, "\n");
  }
  for (const SeenSubmit& one : site_.seen())
    absl::StrAppend(&all, one.destination, " ", one.part, " ", one.at_ms, "\n");
  const crypto::Digest digest = crypto::Sha256(all);
  for (int i = 0; i < 8; ++i) report_.digest = report_.digest << 8 | digest[static_cast<std::size_t>(i)];
}

}  // namespace

GatewayRunReport RunGatewaySeed(const GatewayRunOptions& options) { return Run(options).Make(); }

}  // namespace smsflow::sim
