// What must hold, and when it is looked at: at every lease, report and submit, after every step, at the end.
#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "crypto/hash.h"
#include "engine/inspect.h"
#include "storage/records.h"
#include "tests/sim/journal_text.h"
#include "tests/sim/pair/pair.h"

namespace smsflow::sim {

using delivery::Result;
using gateway::Reported;

namespace {

constexpr std::size_t kBaseDigits = 10;

bool IsNegative(Reported reported) {
  return reported == Reported::kNeverSeen || reported == Reported::kExpired || reported == Reported::kFailedTransient ||
         reported == Reported::kFailedPermanent || reported == Reported::kInvalid;
}

std::string WordOf(Reported reported) { return std::string(delivery::NameOf(reported)); }

}  // namespace

void PairRun::Handed(const PeerId& peer, const engine::Lease& lease) {
  const std::string id = lease.attempt.ToString();
  const std::size_t at = std::string_view("To: +").size();
  const auto named = of_number_.find(lease.payload.substr(std::min(at, lease.payload.size()), kBaseDigits));
  if (named == of_number_.end()) return Violated("a lease of " + id + " carries a payload that nobody sent");
  PairSms& sms = asked_.at(named->second);
  if (sms.id && *sms.id != lease.attempt.instance)
    return Violated("I10: " + named->second + " is " + sms.id->ToString() + " and " + id);
  sms.id = lease.attempt.instance;
  names_.emplace(*sms.id, named->second);
  if (lease.tenant != sms.request.tenant) Violated("I15: " + id + " left as another tenant's");
  Note(lease.attempt, absl::StrCat(lease.again ? "handed over again" : "handed over", " to store ", peer.store_uuid));
  deadlines_.emplace(lease.attempt, lease.deadline_ms);
  if (store_of_.emplace(lease.attempt, peer.store_uuid).first->second != peer.store_uuid)
    Violated("P9: " + id + " was handed to a second store");
  if (lease.again) return Met("an attempt is handed over again");
  if (sms.attempts_max && lease.attempt.number > *sms.attempts_max)
    Violated("P8: " + id + " left after it was stopped, and its client was told");
  if (paused_.contains({storage::PauseScope::kAll, ""}) || paused_.contains({storage::PauseScope::kGateway, ""}) ||
      paused_.contains({storage::PauseScope::kTenant, lease.tenant}))
    Violated("P9: " + id + " left under a pause");
}

void PairRun::Told(const gateway::Report& report) {
  Note(report.attempt, absl::StrCat("told ", WordOf(report.result), report.cause.empty() ? "" : ", ", report.cause));
  if (told_[report.attempt].insert(report.result).second) to_compare_.insert(report.attempt);
  Met("told " + std::string(delivery::NameOf(report.result)));
}

// By the true time, whatever clocks say.
void PairRun::Leaving(std::string_view destination) {
  const auto named = of_number_.find(std::string(destination.substr(0, kBaseDigits)));
  const auto attempt = static_cast<std::uint32_t>(std::atoi(std::string(destination.substr(kBaseDigits)).c_str()));
  if (named == of_number_.end() || attempt == 0 || !asked_.at(named->second).id)
    return Violated("a submit to a number that nobody asked for");
  const PairSms& sms = asked_.at(named->second);
  const AttemptId id{*sms.id, attempt};
  Note(id, "it leaves for the SMSC");
  const auto deadline = deadlines_.find(id);
  if (deadline == deadlines_.end()) return Violated(id.ToString() + " was submitted and never handed over");
  if (now_ms() >= deadline->second) Violated("P2: " + id.ToString() + " was submitted after its deadline");
  const bool within = std::any_of(sms.slots.begin(), sms.slots.end(), [this](const delivery::Slots& slots) {
    return delivery::DeadlineOf(slots, now_ms() / 1'000).has_value();
  });
  if (!within) Violated("P2: " + id.ToString() + " was submitted outside its slots");
  if (sms.attempts_max && attempt > *sms.attempts_max)
    Violated("P8: " + id.ToString() + " was submitted after it was stopped, and its client was told");
}

void PairRun::Check() {
  for (Disk* const disk : {&engine_disk_, &gateway_disk_})
    for (const std::string& finding : std::exchange(disk->findings, {})) Violated("I17: " + finding);
  for (; seen_ < site_.seen().size(); ++seen_) CheckSeen(site_.seen()[seen_]);
  for (const AttemptId& attempt : std::exchange(to_compare_, {})) CheckTold(attempt);
}

void PairRun::CheckSeen(const SeenSubmit& one) {
  ++report_.submits;
  const auto named = of_number_.find(one.destination.substr(0, kBaseDigits));
  if (named == of_number_.end() || !asked_.at(named->second).id) return;  // told of when it left
  const auto number = static_cast<std::uint32_t>(std::atoi(one.destination.substr(kBaseDigits).c_str()));
  const AttemptId attempt{*asked_.at(named->second).id, number};
  Note(attempt, TextOf(one));
  OnHandset& truth = truth_[attempt];
  truth.parts = one.parts;
  if (one.status != 0) return;
  if (++truth.taken[one.part] > 1)
    Violated(absl::StrCat("P1: ", attempt.ToString(), " part ", one.part, " was taken twice"));
  if (one.faults.find("fail") == one.faults.npos) truth.there.insert(one.part);
  to_compare_.insert(attempt);
}

void PairRun::CheckTold(const AttemptId& attempt) {
  const auto told = told_.find(attempt);
  if (told == told_.end()) return;
  const OnHandset& truth = truth_[attempt];
  for (const Reported reported : told->second) {
    const std::string what = absl::StrCat("P5: ", attempt.ToString(), " was told as ", WordOf(reported));
    if (reported == Reported::kSent && !truth.all_taken()) Violated(what + ", and the SMSC has not all of it");
    if (reported == Reported::kDelivered && !truth.whole()) Violated(what + ", and no handset has all of it");
    if (IsNegative(reported) && truth.whole()) Violated(what + ", and a handset has it");
  }
}

void PairRun::Inspect() {
  engine::Inspector inspector(world_.memory, world_.index_keys, world_.options.shards);
  const absl::Status status =
      inspector.Run([this](const std::string& finding) { Violated("I12 and others: " + finding); },
                    [](const engine::InspectionSummary&) { return true; });
  if (!status.ok()) Violated("the inspection ended: " + status.ToString());
}

std::optional<delivery::SmsView> PairRun::ViewOf(const InstanceId& id) {
  const auto head = storage::GetHead(world_.memory, id);
  const auto state = world_.StateOf(id);
  if (!head.ok() || !head->has_value() || !state) return std::nullopt;
  return delivery::ViewOf(static_cast<std::uint16_t>(state->state()), (*head)->target(), (*head)->fixed(),
                          state->data());
}

void PairRun::CheckTheEnd() {
  Check();
  if (world_.engine == nullptr || gateway_ == nullptr) return Violated("a process is down in the end");
  Inspect();
  Coverage coverage;
  Ledger ledger(world_.memory, world_.options.shards, coverage);
  std::vector<std::string> objections;
  ReadLives(ledger, objections);
  for (const auto& [name, sms] : asked_) {
    if (!sms.acknowledged) continue;
    const auto known = ledger.instances().find(*sms.id);
    CheckEnd(name, sms, known == ledger.instances().end() ? Life() : known->second.life);
  }
  const engine::Figures figures = world_.engine->TakeFigures();
  if (figures.open_leases != 0) Violated(absl::StrCat("P7: ", figures.open_leases, " leases never ended"));
  if (figures.credit != credit_) Violated(absl::StrCat("P7: ", figures.credit, " of ", credit_, " credit are left"));
  for (const std::string& objection : objections) Violated(objection);
}

// The journal of the whole run, each record held against the rules and against what was asked for.
void PairRun::ReadLives(Ledger& ledger, std::vector<std::string>& objections) {
  ledger.recorded = [&, coverage = Coverage()](const InstanceId& id, std::uint64_t sequence, const Life& before,
                                               const JournalBody& record) mutable {
    const std::string where = absl::StrCat(id.ToString(), " at ", sequence, " ");
    for (const Objection& objection : ObjectionsTo(record, before, typed_policies_.at(record.tenant()), coverage))
      objections.push_back(absl::StrCat(objection.invariant, ": ", where, objection.what));
    if (!asked_for_.Covers(id, before, record))
      objections.push_back(absl::StrCat("I5: ", where, "heard what nobody had asked of it: ", record.actor()));
  };
  ledger.Follow(objections);
}

void PairRun::CheckEnd(const std::string& name, const PairSms& sms, const Life& life) {
  const std::string id = name + ", " + sms.id->ToString();
  const auto view = ViewOf(*sms.id);
  if (!view) return Violated("P4: " + id + " was acknowledged and is gone");
  ++report_.ends[std::string(delivery::NameOf(view->state))];
  if (!delivery::IsOverForUser(view->state))
    Violated("P4: " + id + " never ended, it is " + std::string(delivery::NameOf(view->state)));
  const std::size_t older = view->attempts - view->results.size();
  for (std::uint32_t attempt = 1; attempt <= view->attempts; ++attempt)
    if (attempt > older) CheckAgreement({*sms.id, attempt}, view->results[attempt - older - 1]);
  const int copies = CheckCopies(sms, life);
  if (view->state == delivery::State::kDelivered && copies == 0 && !life.resolved_delivered)
    Violated("P5: " + id + " is DELIVERED, and no handset has it");
}

// How many are on its handset. One may follow another only where nobody could tell, and its tenant or an operator took
// the risk.
int PairRun::CheckCopies(const PairSms& sms, const Life& life) {
  const bool retries = typed_policies_.at(sms.request.tenant).on_unknown == delivery::OnUnknown::kRetry;
  std::optional<AttemptId> copy;
  int copies = 0;
  for (auto one = truth_.lower_bound({*sms.id, 0}); one != truth_.end() && one->first.instance == *sms.id; ++one) {
    if (!one->second.whole()) continue;
    if (copy && !life.retried.contains(copy->number) && !(retries && life.unknown.contains(copy->number)))
      Violated("P3: " + one->first.ToString() + " is a copy of " + copy->ToString() + ", which was not in doubt");
    if (copy) Met("more than one copy, as was asked for");
    copy = one->first;
    ++copies;
  }
  return copies;
}

// An attempt of a store that was lost is nobody's to tell of.
void PairRun::CheckAgreement(const AttemptId& attempt, Result known) {
  const auto bound = store_of_.find(attempt);
  if (bound == store_of_.end() || bound->second != gateway_->store().uuid()) return;
  const auto record = gateway_->store().Find(attempt);
  if (!record.ok()) return Violated("the gateway's store cannot be read: " + record.status().ToString());
  const std::string what = absl::StrCat("P6: of ", attempt.ToString(), " the engine knows ", static_cast<int>(known));
  if (!*record) {
    if (known != Result::kNone && known != Result::kUnknown) Violated(what + ", and its gateway has no record");
    return;
  }
  if (!(*record)->result) return Violated(what + ", and its gateway never came to an end");
  const Result recorded = delivery::ResultOf(*(*record)->result);
  // Nobody was there to be asked in time.
  if (recorded == Result::kNeverSeen && known == Result::kUnknown) return;
  if (recorded != known) Violated(absl::StrCat(what, ", and its gateway has recorded ", WordOf(*(*record)->result)));
}

void PairRun::Sum() {
  report_.faults["a message of the link goes astray"] += link_.strays();
  report_.faults["an attachment"] += link_.attachments();
  std::string all;
  for (const auto& [end, count] : report_.ends) absl::StrAppend(&all, end, " ", count, "\n");
  for (const SeenSubmit& one : site_.seen())
    absl::StrAppend(&all, one.destination, " ", one.part, " ", one.at_ms, " ", one.status, "\n");
  for (const auto& [attempt, told] : told_) absl::StrAppend(&all, attempt.ToString(), " ", told.size(), "\n");
  const crypto::Digest digest = crypto::Sha256(all);
  for (std::size_t i = 0; i < 8; ++i) report_.digest = report_.digest << 8 | digest[i];
}

void PairRun::Note(const AttemptId& attempt, const std::string& what) {
  lives_[attempt.instance].push_back(
      absl::StrCat("second ", (world_.clock.steady_ms - 1'000'000) / 1'000, ": attempt ", attempt.number, " ", what));
}

// Of those that the violations name, or of all: their journals, and what went between the two and to the SMSC.
std::string PairRun::Lives() {
  const std::set<InstanceId> named = NamedIn(report_.violations);
  std::string text;
  for (const auto& [id, name] : names_) {
    if (!named.empty() && !named.contains(id)) continue;
    absl::StrAppend(&text, id.ToString(), ", ", name, " of tenant ", asked_.at(name).request.tenant, "\n",
                    JournalOf(world_.memory, *world_.workflow, id));
    for (const std::string& line : lives_[id]) absl::StrAppend(&text, "  ", line, "\n");
  }
  return text;
}

}  // namespace smsflow::sim
