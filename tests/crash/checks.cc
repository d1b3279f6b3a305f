#include "tests/crash/checks.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>
#include <thread>

#include "gateway/loopback.h"
#include "ids/ids.h"
#include "tests/crash/site.h"

namespace smsflow::crash {
namespace {

using gateway::Reported;

std::string Name(const std::string& id) {
  const auto instance = InstanceId::FromBytes(id);
  return instance.has_value() ? instance->ToString() : "?";
}

bool IsOver(v1::SmsState state) {
  return state != v1::PENDING && state != v1::IN_SLOT && state != v1::SENT && state != v1::SMS_STATE_UNSPECIFIED;
}

bool Says(const std::string& text, Reported word) {
  const auto script = gateway::ScriptOf(text);
  return std::any_of(script.begin(), script.end(), [&](const auto& scripted) { return scripted.result == word; });
}

// The loopback refuses it or fails it, sooner or later.
bool HasNegative(const std::string& text) {
  return Says(text, Reported::kFailedTransient) || Says(text, Reported::kExpired) || Says(text, Reported::kInvalid);
}

std::optional<v1::SmsStatus> Get(Api& api, const Sms& sms, Findings& findings) {
  for (int tries = 0; tries < 50; ++tries) {
    const auto status = api.Get(sms.tenant, sms.id);
    if (status.ok()) return *status;
    if (!IsIndefinite(status.status())) {
      findings.Add(Name(sms.id) + " was acknowledged and is lost: " + status.status().ToString());
      return std::nullopt;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  findings.Add(Name(sms.id) + ": no answer to Get");
  return std::nullopt;
}

// One SMS, what the engine says of it, and what left for it.
class OneLife {
 public:
  OneLife(const Sms& sms, const v1::SmsStatus& status, const std::vector<Submit>& submits, const Book& book,
          Findings& findings)
      : sms_(sms), status_(status), submits_(submits), book_(book), findings_(findings) {}

  void Check() {
    CheckSlots();
    CheckCopies();
    CheckState();
    CheckCommands();
  }

 private:
  void Fault(const std::string& what) {
    findings_.Add(Name(sms_.id) + " (" + sms_.text + ", " + v1::SmsState_Name(status_.state()) + ", cause '" +
                  status_.cause() + "', attempts " + std::to_string(status_.attempts()) + ", submitted " +
                  std::to_string(submits_.size()) + "): " + what);
  }

  void CheckSlots() {
    for (const Submit& submit : submits_) {
      const bool inside = std::any_of(sms_.slots.begin(), sms_.slots.end(), [&](const auto& slot) {
        return submit.at_ms >= slot.first * 1000 && submit.deadline_ms <= slot.second * 1000 &&
               submit.deadline_ms > slot.first * 1000;
      });
      if (!inside) Fault("attempt " + std::to_string(submit.attempt) + " left outside its slots");
      if (submit.attempt > status_.attempts()) {
        Fault("the engine does not know attempt " + std::to_string(submit.attempt) + ", which left");
      }
    }
  }

  void CheckCopies() {
    if (submits_.size() > 1 && !HasNegative(sms_.text)) Fault("more than one copy");
    if (status_.attempts() > 3) Fault("more attempts than max_attempts");
  }

  void CheckState() {
    const v1::SmsState state = status_.state();
    if (!IsOver(state)) return Fault("it never ends");
    if (submits_.empty()) {
      if (state == v1::DELIVERED || state == v1::UNCONFIRMED) return Fault("nothing left for it");
      const bool told = state == v1::CANCELED || state == v1::BLOCKED || !status_.cause().empty();
      if (!told) Fault("nothing left for it, and its state does not say why");
      return;
    }
    if (state == v1::DELIVERED && !Says(sms_.text, Reported::kDelivered)) Fault("nobody delivered it");
    if (state == v1::INVALID && !Says(sms_.text, Reported::kInvalid)) Fault("nobody called it invalid");
    const bool open_end = state == v1::DELIVERED || state == v1::UNCONFIRMED || state == v1::UNKNOWN;
    if (!open_end && !HasNegative(sms_.text)) Fault("it left, and nobody said that it failed");
  }

  void CheckCommands() {
    const auto named = [&](const auto& names, const std::string& name) { return names.contains({sms_.tenant, name}); };
    const bool cancel = sms_.cancel_asked || named(book_.canceled_batches, sms_.request.batch());
    const bool block = named(book_.blocked_targets, sms_.request.target());
    if (status_.state() == v1::CANCELED && !cancel) Fault("nobody canceled it");
    if (status_.state() == v1::BLOCKED && !block) Fault("nobody blocked its target");
    if (sms_.must_be_blocked && !submits_.empty()) Fault("it left although its target is blocked");
    if (sms_.canceled_ms == 0) return;
    if (status_.state() != v1::CANCELED) Fault("it was answered as canceled");
    for (const Submit& submit : submits_) {
      if (submit.at_ms > sms_.canceled_ms) Fault("it left after it was answered as canceled");
    }
  }

  const Sms& sms_;
  const v1::SmsStatus& status_;
  const std::vector<Submit>& submits_;
  const Book& book_;
  Findings& findings_;
};

// What the engine lists is what the client knows, one for one: nothing was taken twice, nothing half.
void CheckLists(Api& api, const std::vector<Sms>& all, Findings& findings) {
  std::map<std::string, std::set<std::string>> known;
  for (const Sms& sms : all) known[sms.tenant].insert(sms.id);
  for (const std::string& tenant : kTenants) {
    std::set<std::string> listed;
    std::string token;
    do {
      const auto page = api.List(tenant, token);
      if (!page.ok()) return findings.Add("List answered " + page.status().ToString());
      for (const auto& item : page->items()) {
        if (!listed.insert(item.id()).second) findings.Add(Name(item.id()) + " is listed twice");
      }
      token = page->next_page_token();
    } while (!token.empty());
    for (const std::string& id : listed) {
      if (!known[tenant].contains(id)) findings.Add(Name(id) + " is there, and nobody was told of it");
    }
    for (const std::string& id : known[tenant]) {
      if (!listed.contains(id)) findings.Add(Name(id) + " is in no list");
    }
  }
}

std::int64_t LastSlotEndMs(const std::vector<Sms>& all) {
  std::int64_t last_s = 0;
  for (const Sms& sms : all) {
    for (const auto& slot : sms.slots) last_s = std::max(last_s, slot.second);
  }
  return last_s * 1000;
}

}  // namespace

Truth ReadTruth(const std::string& file, Findings& findings) {
  Truth truth;
  std::set<AttemptId> seen;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string text;
    Submit submit;
    words >> text >> submit.at_ms >> submit.deadline_ms;
    const auto attempt = AttemptId::Parse(text);
    if (!words || !attempt.has_value()) {
      findings.Add("a line of the truth log cannot be read");
      continue;
    }
    submit.attempt = attempt->number;
    if (!seen.insert(*attempt).second) findings.Add(text + " was submitted twice");
    if (submit.at_ms >= submit.deadline_ms) findings.Add(text + " was submitted after its deadline");
    truth[std::string(attempt->instance.AsBytes())].push_back(submit);
  }
  return truth;
}

Outcome CheckAll(Api& api, const Book& book, const std::string& truth_file, std::int64_t patience_ms,
                 Findings& findings) {
  const std::vector<Sms> all = book.Acknowledged();
  const std::int64_t until_ms = std::max(LastSlotEndMs(all), NowMs()) + patience_ms;
  std::vector<v1::SmsStatus> statuses(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (;;) {
      const auto status = Get(api, all[i], findings);
      if (!status.has_value()) break;
      statuses[i] = *status;
      if (IsOver(status->state()) || NowMs() > until_ms) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  }
  Outcome outcome;
  const Truth truth = ReadTruth(truth_file, findings);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (statuses[i].id().empty()) continue;  // lost, and said so
    // Asked anew: a receipt may have come since it was first over.
    const auto status = Get(api, all[i], findings);
    if (!status.has_value()) continue;
    const auto found = truth.find(all[i].id);
    const std::vector<Submit> none;
    OneLife(all[i], *status, found == truth.end() ? none : found->second, book, findings).Check();
    const std::string why = status->cause().empty() ? "" : " (" + status->cause() + ")";
    ++outcome.states[v1::SmsState_Name(status->state()) + why];
    if (status->state() == v1::UNKNOWN && !gateway::ScriptOf(all[i].text).empty()) ++outcome.lost_window;
  }
  std::set<std::string> known;
  for (const Sms& sms : all) known.insert(sms.id);
  for (const auto& [id, submits] : truth) {
    outcome.submits += submits.size();
    if (!known.contains(id)) findings.Add(Name(id) + " was submitted, and nobody was told of it");
  }
  CheckLists(api, all, findings);
  return outcome;
}

}  // namespace smsflow::crash
