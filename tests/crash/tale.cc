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

std::string Asked(const Sms& sms) {
  std::string slots;
  for (const auto& [from_s, till_s] : sms.slots) {
    slots += (slots.empty() ? "" : ", ") + cli::LocalClock(from_s * 1000) + " to " + cli::LocalClock(till_s * 1000);
  }
  std::string asked = "asked for in tenant " + sms.tenant + " as '" + sms.text + "', slots " + slots;
  for (const auto& [name, value] :
       {std::pair("batch", sms.request.batch()), std::pair("key", sms.request.key()),
        std::pair("target", sms.request.target()), std::pair("idempotency key", sms.request.idempotency_key())}) {
    if (!value.empty()) asked += std::string(", ") + name + " " + value;
  }
  return asked + (sms.must_be_blocked ? "; its target was blocked before" : "");
}

class Teller {
 public:
  Teller(const Book& book, const std::string& truth_file, Answers& answers, std::ostream& out)
      : all_(book.Acknowledged()), answers_(answers), out_(out) {
    Findings none;
    truth_ = ReadTruth(truth_file, none);
  }

  void Tell(const std::string& id) {
    out_ << "  client\n";
    const auto sms = std::find_if(all_.begin(), all_.end(), [&](const Sms& each) { return each.id == id; });
    if (sms == all_.end()) {
      out_ << "    was never told of " << IdText(id) << "\n";
    } else {
      out_ << "    " << Asked(*sms) << "\n";
      if (sms->cancel_asked) out_ << "    asked to cancel it\n";
      if (sms->canceled_ms != 0) out_ << "    was told at " << cli::LocalClock(sms->canceled_ms) << ": canceled\n";
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
  std::string Journal(const std::string& id) {
    const auto journal = answers_.GetJournal(id);
    if (!journal.ok()) return "the engine answers " + journal.status().ToString();
    const cli::Terminal wide{.in = std::cin, .out = out_, .err = std::cerr, .width = 160};
    return cli::JournalForPeople(*journal, wide, /*all=*/true);
  }

  const std::vector<Sms> all_;
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
