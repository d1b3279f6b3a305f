// What must hold, and when it is looked at: at every submit, after every step, at the end.
#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/store.h"
#include "tests/sim/gateway/gateway_life.h"

namespace smsflow::sim {

using workflows::delivery::Reported;

namespace {

std::string WordOf(Reported reported) { return std::string(workflows::delivery::NameOf(reported)); }

}  // namespace

std::vector<const SeenSubmit*> GatewayRun::TakenOf(const std::string& number) const {
  std::vector<const SeenSubmit*> taken;
  for (const SeenSubmit& one : site_.seen())
    if (one.destination == number && one.status == 0) taken.push_back(&one);
  return taken;
}

std::optional<gateway::Record> GatewayRun::RecordOf(const AttemptId& attempt) {
  const int armed = std::exchange(disk_.read_error_in, 0);  // for what the gateway reads
  const auto found = process_->store().Find(attempt);
  disk_.read_error_in = armed;
  if (!found.ok()) Violation("the store cannot be read: " + std::string(found.status().message()));
  return found.ok() ? *found : std::nullopt;
}

void GatewayRun::Check() {
  if (process_ == nullptr) return;
  for (const std::string& what : engine_.violations()) Violation(what);
  for (const std::string& what : disk_.findings) Violation("G8: " + what);
  for (; seen_ < site_.seen().size(); ++seen_) CheckSeen(site_.seen()[seen_]);
  CheckOpen();
  for (const auto& [attempt, asked] : engine_.asked()) CheckTold(attempt, asked);
}

// What is open has left, or is about to: a kill now makes it UNKNOWN.
void GatewayRun::CheckOpen() {
  std::size_t open = 0;
  for (const auto& [attempt, asked] : engine_.asked()) {
    if (!IsOpen(asked)) continue;
    const auto record = RecordOf(attempt);
    open += record && !record->result ? 1 : 0;
  }
  if (open > parts_.smsc.link.session.window)
    Violation(absl::StrCat("G9: ", open, " attempts are open, and the window has ", parts_.smsc.link.session.window));
}

void GatewayRun::CheckTurn(const engine::Lease& lease, const gateway::Route* route) {
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
void GatewayRun::CheckRate(const std::string& whose, std::int64_t per_second, std::int64_t segments) {
  if (per_second == 0) return;
  const std::int64_t now_ms = process_->clock().SteadyMs();
  Meter& meter = meters_.try_emplace(whose, Meter{now_ms, 0}).first->second;
  const std::int64_t at_once = std::max<std::int64_t>(1, per_second / 10);
  if (meter.segments > at_once + per_second * (now_ms - meter.since_ms) / 1000)
    Violation(absl::StrCat("G10: ", meter.segments, " segments of ", whose, " left within ", now_ms - meter.since_ms,
                           " ms at ", per_second, " a second"));
  meter.segments += segments;
}

void GatewayRun::CheckLeaving(std::string_view destination) {
  const auto it = of_number_.find(std::string(destination));
  if (it == of_number_.end()) return Violation("G2: a submit to a number that nobody asked for");
  engine_.Note(it->second, "it leaves for the SMSC");
  if (process_->clock().WallMs() >= engine_.asked().at(it->second).lease.deadline_ms)
    Violation("G3: " + it->second.ToString() + " was submitted after its deadline");
}

void GatewayRun::CheckSeen(const SeenSubmit& one) {
  ++report_.submits;
  const auto it = of_number_.find(one.destination);
  if (it == of_number_.end()) return Violation("G2: a submit to a number that nobody asked for");
  const AttemptId& attempt = it->second;
  const Asked& asked = engine_.asked().at(attempt);
  const std::string what = absl::StrCat(attempt.ToString(), " part ", one.part);
  if (one.status == 0 && ++taken_[{one.destination, one.part}] > 1) Violation("G1: " + what + " was taken twice");
  const auto record = RecordOf(attempt);
  if (IsHere(asked) && (!record || record->result == Reported::kNeverSeen))
    Violation("G2: " + what + " was submitted and is not recorded");
  if (asked.never_seen) Violation("G4: " + what + " was submitted after NEVER_SEEN");
}

void GatewayRun::CheckTold(const AttemptId& attempt, const Asked& asked) {
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

void GatewayRun::CheckTheEnd() {
  Check();
  if (!report_.violations.empty()) return;
  for (const auto& [attempt, asked] : engine_.asked()) {
    const std::string id = attempt.ToString();
    if (!asked.best || *asked.best == Reported::kAccepted) {
      Violation("G7: " + id + " has no result");
      continue;
    }
    if (!IsHere(asked)) continue;
    const auto record = RecordOf(attempt);
    // Nobody was there to be asked in time.
    const bool late = left_behind_.contains(attempt) && record && record->result == Reported::kNeverSeen;
    if (record && record->result && !late && RankOf(*record->result) != RankOf(*asked.best))
      Violation(absl::StrCat("G7: ", id, " is recorded as ", WordOf(*record->result), ", and the engine knows ",
                             WordOf(*asked.best)));
    if (!record) continue;  // forgotten
    if (!left_behind_.contains(attempt)) CheckReceipts(attempt, asked, *record);
  }
  CheckSecrets();
}

// Every part's receipt was taken over, and each id was known: then it counts.
void GatewayRun::CheckReceipts(const AttemptId& attempt, const Asked& asked, const gateway::Record& record) {
  const auto taken = TakenOf(asked.number);
  const bool all = !taken.empty() && taken.size() == taken.front()->parts &&
                   std::all_of(taken.begin(), taken.end(), [](const SeenSubmit* one) {
                     return std::find(one->answered.begin(), one->answered.end(), "DELIVRD") != one->answered.end();
                   });
  if (!all || record.result != Reported::kSent) return;
  // How this SMSC writes ids may never have become clear; then receipts wait for that.
  const auto forms = process_->store().Forms();
  const bool learnt = forms.ok() && std::any_of(forms->begin(), forms->end(), [](const gateway::StoredForms& one) {
                        return one.tlv != 0 || one.text != 0;
                      });
  if (!learnt) return;
  std::string about;
  for (const std::string& known : record.ids) absl::StrAppend(&about, " ", known);
  for (const auto& form : *forms) absl::StrAppend(&about, "; forms: tlv ", form.tlv, ", text ", form.text);
  const auto parked = process_->store().Parked();
  if (parked.ok()) absl::StrAppend(&about, "; parked:");
  for (const auto& [key, receipt] : *parked) absl::StrAppend(&about, " ", receipt.tlv_id, "/", receipt.text_id);
  Violation("G7: " + attempt.ToString() + " was delivered, and its receipts are lost; ids" + about);
}

void GatewayRun::CheckSecrets() {
  for (int family = 0; family < storage::kFamilies; ++family) {
    const auto rows = memory_->Scan(static_cast<storage::Family>(family), "", std::string(40, '\xff'));
    for (; rows->Valid(); rows->Next())
      for (const auto& [number, attempt] : of_number_)
        if (rows->key().find(number) != rows->key().npos || rows->value().find(number) != rows->value().npos)
          Violation(absl::StrCat("G8: a number stands in a row of kind ", std::string(1, rows->key().front())));
  }
}

}  // namespace smsflow::sim
