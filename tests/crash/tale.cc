#include "tests/crash/tale.h"

#include <algorithm>
#include <iostream>
#include <regex>
#include <set>
#include <sstream>

#include "ids/ids.h"
#include "tests/crash/truth.h"
#include "tools/cli/journal_text.h"
#include "tools/cli/time_text.h"

namespace smsflow::crash {
namespace {

// Of whom the finding speaks: ids of 16 bytes.
std::vector<std::string> Concerned(const Finding& finding) {
  static const std::regex uuid("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");
  std::vector<std::string> ids;
  if (!finding.id.empty()) ids.push_back(finding.id);
  for (std::sregex_iterator at(finding.what.begin(), finding.what.end(), uuid), end; at != end; ++at) {
    const auto id = InstanceId::Parse(at->str());
    if (id.has_value()) ids.emplace_back(id->AsBytes());
  }
  return ids;
}

std::string Indented(const std::string& text) {
  std::istringstream in(text);
  std::string all;
  for (std::string line; std::getline(in, line);) all += "    " + line + "\n";
  return all;
}

std::string Clock(std::int64_t ms) { return cli::LocalClock(ms); }

std::string ToldOf(std::int64_t told_ms) {
  return told_ms == 0 ? ", the answer was lost" : ", answered at " + Clock(told_ms);
}

std::string Named(const Sms& sms) {
  std::string named = "tenant " + sms.tenant;
  for (const auto& [name, value] :
       {std::pair("batch", sms.request.batch()), std::pair("key", sms.request.key()),
        std::pair("target", sms.request.target()), std::pair("idempotency key", sms.request.idempotency_key())}) {
    if (!value.empty()) named += std::string(", ") + name + " " + value;
  }
  return named + (sms.must_be_blocked ? "; its target was blocked before" : "");
}

std::string Ordered(const Order& order) {
  std::string slots;
  for (const auto& [from_s, till_s] : order.slots) {
    slots += (slots.empty() ? "" : ", ") + Clock(from_s * 1000) + " to " + Clock(till_s * 1000);
  }
  return "asked at " + Clock(order.asked_ms) + " to send '" + order.text + "' in " + slots + ToldOf(order.told_ms);
}

std::string Struck(const Stroke& stroke) {
  static const std::vector<std::string> what = {"cancel", "block", "unblock"}, by = {"batch", "key", "target"};
  return "asked at " + Clock(stroke.asked_ms) + " to " + what[stroke.what] + " all of " + by[stroke.by] + " " +
         stroke.name + ToldOf(stroke.told_ms);
}

class Teller {
 public:
  Teller(const Book& book, const std::string& truth_file, Answers& answers, std::ostream& out)
      : all_(book.Acknowledged()), strokes_(book.Strokes()), answers_(answers), out_(out) {
    Findings none;
    truth_ = ReadTruth(truth_file, none);
  }

  void Tell(const std::string& id) {
    out_ << "  client\n";
    const auto sms = std::find_if(all_.begin(), all_.end(), [&](const Sms& each) { return each.id == id; });
    if (sms == all_.end()) {
      out_ << "    was never told of " << IdText(id) << "\n";
    } else {
      TellAsked(*sms);
    }
    out_ << "  gateway\n";
    if (!truth_.contains(id)) out_ << "    submitted nothing\n";
    for (const Submit& submit : truth_[id]) {
      out_ << "    submitted attempt " << submit.attempt << " at " << cli::LocalClock(submit.at_ms) << ", deadline "
           << cli::LocalClock(submit.deadline_ms) << "\n";
    }
    out_ << "  journal\n" << Indented(Journal(id));
  }

 private:
  void TellAsked(const Sms& sms) {
    out_ << "    " << Named(sms) << "\n";
    for (const Order& order : sms.orders) out_ << "    " << Ordered(order) << "\n";
    for (const Stroke& stroke : strokes_) {
      if (stroke.Covers(sms)) out_ << "    " << Struck(stroke) << "\n";
    }
    if (sms.cancel_asked) out_ << "    asked to cancel it\n";
    if (sms.stopped_ms != 0) out_ << "    was first answered about a cancel at " << Clock(sms.stopped_ms) << "\n";
    if (sms.canceled_ms != 0) out_ << "    was told at " << Clock(sms.canceled_ms) << ": canceled\n";
  }
  std::string Journal(const std::string& id) {
    const auto journal = answers_.GetJournal(id);
    if (!journal.ok()) return "the engine answers " + journal.status().ToString();
    const cli::Terminal wide{.in = std::cin, .out = out_, .err = std::cerr, .width = 160};
    return cli::JournalForPeople(*journal, wide, /*all=*/true);
  }

  const std::vector<Sms> all_;
  const std::vector<Stroke> strokes_;
  Truth truth_;
  Answers& answers_;
  std::ostream& out_;
};

}  // namespace

void TellFindings(const std::vector<Finding>& findings, const Book& book, const std::string& truth_file,
                  Answers& answers, std::size_t tales, std::ostream& out) {
  constexpr std::size_t kFindings = 50;
  Teller teller(book, truth_file, answers, out);
  std::set<std::string> told;
  for (std::size_t i = 0; i < findings.size() && i < kFindings; ++i) {
    out << "BROKEN: " << findings[i].what << "\n";
    for (const std::string& id : Concerned(findings[i])) {
      if (told.size() < tales && told.insert(id).second) teller.Tell(id);
    }
  }
  if (findings.size() > kFindings) out << "… and " << findings.size() - kFindings << " more\n";
}

}  // namespace smsflow::crash
