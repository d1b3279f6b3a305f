#include "tests/crash/lies.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iostream>

#include "ids/ids.h"
#include "tests/crash/truth.h"

namespace smsflow::crash {
namespace {

class Liar {
 public:
  Liar(Book& book, const std::string& truth_file) : book_(book), all_(book.Acknowledged()) {
    Findings none;
    truth_ = ReadTruth(truth_file, none);
    out_.open(truth_file, std::ios::app);
  }

  std::vector<ToldLie> TellAll() {
    // A key that was asked for once: its one answer called it new.
    if (const Sms* sms = Take([](const Sms& each) { return each.taken_as_new == 1; })) {
      Answer(book_.Find(sms->id), sms->id, /*duplicate=*/false);
      Told("a creation is doubled", sms->id, IdText(sms->id) + " was acknowledged twice as new");
    }
    if (const Sms* sms = Take([](const Sms&) { return true; })) {
      const std::string other = Invented();
      Answer(book_.Find(sms->id), other, /*duplicate=*/true);
      Told("a key has two instances", other, IdText(other) + " is a second instance of the key of " + IdText(sms->id));
    }
    Sms lost;
    lost.tenant = all_.empty() ? "" : all_.front().tenant;
    lost.orders.emplace_back();
    const std::string invented = Invented();
    Answer(book_.Add(lost), invented, /*duplicate=*/false);
    Told("an acknowledged SMS is lost", invented, IdText(invented) + " was acknowledged and is lost");
    if (const Sms* sms = Take([](const Sms&) { return true; })) {
      book_.Forget(sms->id);
      Told("an SMS is there that nobody asked for", sms->id, IdText(sms->id) + " is there, and nobody was told of it");
    }
    TellOfSubmits();
    return lies_;
  }

 private:
  void TellOfSubmits() {
    const auto left = [this](const Sms& sms) { return truth_.contains(sms.id); };
    if (const Sms* sms = Take(left)) {
      const Submit& submit = truth_[sms->id].front();
      Line(sms->id, submit.attempt, submit.at_ms, submit.deadline_ms);
      Told("an attempt is submitted twice", sms->id,
           IdText(sms->id) + "." + std::to_string(submit.attempt) + " was submitted twice");
    }
    if (const Sms* sms = Take(left)) {
      const Submit& last = truth_[sms->id].back();
      Line(sms->id, last.attempt + 1, last.deadline_ms, last.deadline_ms);
      Told("an attempt leaves after its deadline", sms->id, "was submitted after its deadline");
    }
    if (const Sms* sms = Take(left)) {
      const Submit& last = truth_[sms->id].back();
      Line(sms->id, last.attempt + 1, sms->orders.front().asked_ms - 60'000, last.deadline_ms);
      Told("an attempt leaves before its slot", sms->id, "left outside its slots");
    }
    if (const Sms* sms = Take([&](const Sms& each) { return left(each) && each.canceled_ms == 0; })) {
      Sms* entry = book_.Find(sms->id);
      book_.Change([&] { entry->canceled_ms = 1; });
      Told("a cancel is forgotten", sms->id, "it left after it was answered as canceled");
    }
    out_.close();
  }

  template <class Fits>
  const Sms* Take(Fits fits) {
    const auto found = std::find_if(all_.begin() + next_, all_.end(), fits);
    if (found == all_.end()) return nullptr;
    next_ = found - all_.begin() + 1;
    return &*found;
  }
  void Answer(Sms* sms, const std::string& id, bool duplicate) {
    v1::ScheduleResponse answer;
    answer.set_id(id);
    answer.set_duplicate(duplicate);
    book_.Acknowledged(sms, answer);
  }
  std::string Invented() {
    return std::string(InstanceId::Make(NowMs(), ShardId{1}, static_cast<std::uint64_t>(++invented_)).AsBytes());
  }
  void Line(const std::string& id, std::uint32_t attempt, std::int64_t at_ms, std::int64_t deadline_ms) {
    out_ << IdText(id) << "." << attempt << " " << at_ms << " " << deadline_ms << "\n";
  }
  void Told(const std::string& name, const std::string& id, const std::string& finding) {
    lies_.push_back({name, id, finding});
  }

  Book& book_;
  const std::vector<Sms> all_;
  Truth truth_;
  std::ofstream out_;
  std::vector<ToldLie> lies_;
  std::ptrdiff_t next_ = 0;
  int invented_ = 0;
};

}  // namespace

std::vector<ToldLie> TellLies(Book& book, const std::string& truth_file) { return Liar(book, truth_file).TellAll(); }

bool AllFound(const std::vector<ToldLie>& lies, const std::vector<Finding>& findings) {
  constexpr std::size_t kLies = 8;
  bool all = lies.size() == kLies;
  if (!all) std::cout << "only " << lies.size() << " of " << kLies << " lies could be told\n";
  for (const ToldLie& lie : lies) {
    const bool found = std::any_of(findings.begin(), findings.end(), [&](const Finding& finding) {
      return finding.id == lie.id && finding.what.find(lie.finding) != std::string::npos;
    });
    std::cout << (found ? "found: " : "NOT FOUND: ") << lie.name << "\n";
    all = all && found;
  }
  for (const Finding& finding : findings) {
    if (std::any_of(lies.begin(), lies.end(), [&](const ToldLie& lie) { return lie.id == finding.id; })) continue;
    std::cout << "nobody lied about this: " << finding.what << "\n";
    all = false;
  }
  return all;
}

}  // namespace smsflow::crash
