#include "tests/crash/checks.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <set>
#include <thread>

#include "tests/crash/life.h"
#include "tests/crash/site.h"
#include "tests/crash/truth.h"

namespace smsflow::crash {
namespace {

std::optional<v1::SmsStatus> Get(Answers& answers, const Sms& sms, Findings& findings) {
  for (int tries = 0; tries < 50; ++tries) {
    const auto status = answers.Get(sms.tenant, sms.id);
    if (status.ok()) return *status;
    if (!IsIndefinite(status.status())) {
      findings.Add(IdText(sms.id) + " was acknowledged and is lost: " + status.status().ToString(), sms.id);
      return std::nullopt;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  findings.Add(IdText(sms.id) + ": no answer to Get", sms.id);
  return std::nullopt;
}

// What the engine lists is what the client knows, one for one: nothing was taken twice, nothing half.
void CheckLists(Answers& answers, const std::vector<Sms>& all, Findings& findings) {
  std::map<std::string, std::set<std::string>> known;
  for (const Sms& sms : all) known[sms.tenant].insert(sms.id);
  for (const std::string& tenant : kTenants) {
    std::set<std::string> listed;
    std::string token;
    do {
      const auto page = answers.List(tenant, token);
      if (!page.ok()) return findings.Add("List answered " + page.status().ToString());
      for (const auto& item : page->items()) {
        if (!listed.insert(item.id()).second) findings.Add(IdText(item.id()) + " is listed twice", item.id());
      }
      token = page->next_page_token();
    } while (!token.empty());
    for (const std::string& id : listed) {
      if (!known[tenant].contains(id)) findings.Add(IdText(id) + " is there, and nobody was told of it", id);
    }
    for (const std::string& id : known[tenant]) {
      if (!listed.contains(id)) findings.Add(IdText(id) + " is in no list", id);
    }
  }
}

std::int64_t LastSlotEndMs(const std::vector<Sms>& all) {
  std::int64_t last_s = 0;
  for (const Sms& sms : all) {
    for (const Order& order : sms.orders) {
      for (const auto& slot : order.slots) last_s = std::max(last_s, slot.second);
    }
  }
  return last_s * 1000;
}

}  // namespace

Outcome CheckAll(Answers& answers, const Book& book, const std::string& truth_file, std::int64_t patience_ms,
                 Findings& findings) {
  const std::vector<Sms> all = book.Acknowledged();
  const std::int64_t until_ms = std::max(LastSlotEndMs(all), NowMs()) + patience_ms;
  std::vector<v1::SmsStatus> statuses(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (;;) {
      const auto status = Get(answers, all[i], findings);
      if (!status.has_value()) break;
      statuses[i] = *status;
      if (IsOver(status->state()) || NowMs() > until_ms) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  }
  Outcome outcome;
  const Truth truth = ReadTruth(truth_file, findings);
  const std::vector<Stroke> strokes = book.Strokes();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (statuses[i].id().empty()) continue;  // lost, and said so
    // Asked anew: a receipt may have come since it was first over.
    const auto status = Get(answers, all[i], findings);
    if (!status.has_value()) continue;
    const auto journal = answers.GetJournal(all[i].id);
    if (!journal.ok()) {
      findings.Add(IdText(all[i].id) + " has no journal: " + journal.status().ToString(), all[i].id);
      continue;
    }
    const auto found = truth.find(all[i].id);
    const std::vector<Submit> none;
    CheckLife({all[i], *status, *journal, found == truth.end() ? none : found->second, strokes}, findings);
    const std::string why = status->cause().empty() ? "" : " (" + status->cause() + ")";
    ++outcome.states[v1::SmsState_Name(status->state()) + why];
    if (status->state() == v1::UNKNOWN && WouldBeAnswered(all[i])) outcome.lost_window.push_back(all[i].id);
    outcome.journals[all[i].id] = *journal;
  }
  std::set<std::string> known;
  for (const Sms& sms : all) known.insert(sms.id);
  for (const auto& [id, submits] : truth) {
    outcome.submits += submits.size();
    if (!known.contains(id)) findings.Add(IdText(id) + " was submitted, and nobody was told of it", id);
  }
  CheckLists(answers, all, findings);
  return outcome;
}

}  // namespace smsflow::crash
