#include "tests/crash/watchers.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "tests/crash/site.h"

namespace smsflow::crash {

void Watchers::Start() {
  for (const std::string& tenant : kTenants) watchers_.emplace_back().tenant = tenant;
  watchers_.emplace_back().tenant = kTenants[0];
  watchers_.back().batch = "b1";
  for (Watcher& watcher : watchers_) {
    const auto page = api_.ListBatch(watcher.tenant, watcher.batch);
    if (!page.ok()) return findings_.Add("List answered " + page.status().ToString());
    watcher.token = page->watch_token();
  }
  for (Watcher& watcher : watchers_) watcher.thread = std::thread([this, &watcher] { Follow(watcher); });
}

void Watchers::Stop() {
  stopping_ = true;
  for (Watcher& watcher : watchers_) {
    if (watcher.thread.joinable()) watcher.thread.join();
  }
}

void Watchers::Follow(Watcher& watcher) {
  for (int stretch = 0; !stopping_; ++stretch) {
    v1::WatchRequest request;
    request.set_token(watcher.token);
    request.mutable_filter()->set_batch(watcher.batch);
    const absl::Status end = api_.Watch(watcher.tenant, request, stopping_,
                                        [&](const v1::WatchResponse& response) { Take(watcher, response, stretch); });
    if (stopping_) return;
    ++cuts_;
    if (!IsIndefinite(end)) return findings_.Add(watcher.Name() + " ended: " + end.ToString());
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

void Watchers::Take(Watcher& watcher, const v1::WatchResponse& response, int stretch) {
  const std::lock_guard lock(mutex_);
  for (const v1::Transition& transition : response.transitions()) {
    std::vector<Seen>& all = watcher.seen[transition.id()];
    std::string words = WordsOf(transition);
    const bool known =
        stretch != 0 && std::any_of(all.begin(), all.end(), [&](const Seen& seen) { return seen.words == words; });
    if (!known) ++watcher.count;
    all.push_back({std::move(words), stretch});
    ++seen_;
  }
  watcher.token = response.token();
}

bool Watchers::CaughtUp(const Book& book, const std::map<std::string, v1::GetJournalResponse>& journals) {
  const std::vector<Sms> all = book.Acknowledged();
  const std::lock_guard lock(mutex_);
  return std::all_of(watchers_.begin(), watchers_.end(), [&](const Watcher& watcher) {
    std::size_t count = 0;
    for (const Sms& sms : all) {
      if (watcher.Shows(sms) && journals.contains(sms.id)) {
        count += static_cast<std::size_t>(journals.at(sms.id).entries_size());
      }
    }
    return watcher.count >= count;
  });
}

void Watchers::CheckOne(const std::string& id, const std::string& who, const std::vector<Seen>& seen,
                        const v1::GetJournalResponse& journal) {
  const auto least = static_cast<std::size_t>(journal.entries_size());
  Findings first;
  CheckSeen(id, who, seen, journal, least, first);
  if (first.count() == 0) return;
  // It may have gone on since its journal was read.
  const auto now = api_.GetJournal(id);
  CheckSeen(id, who, seen, now.ok() ? *now : journal, least, findings_);
}

void Watchers::Check(const Book& book, const std::map<std::string, v1::GetJournalResponse>& journals,
                     std::int64_t patience_ms) {
  const std::int64_t until_ms = NowMs() + patience_ms;
  while (!CaughtUp(book, journals) && NowMs() < until_ms) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  Stop();
  std::map<std::string, Sms> known;
  for (Sms& sms : book.Acknowledged()) known.emplace(sms.id, std::move(sms));
  for (const Watcher& watcher : watchers_) {
    for (const auto& [id, sms] : known) {
      const auto journal = journals.find(id);
      if (!watcher.Shows(sms) || journal == journals.end()) continue;
      const auto seen = watcher.seen.find(id);
      static const std::vector<Seen> nothing;
      CheckOne(id, watcher.Name(), seen == watcher.seen.end() ? nothing : seen->second, journal->second);
    }
    for (const auto& [id, seen] : watcher.seen) {
      const auto sms = known.find(id);
      if (sms == known.end() || !watcher.Shows(sms->second)) {
        findings_.Add(IdText(id) + ": " + watcher.Name() + " showed it, and it is none of these", id);
      }
    }
  }
}

}  // namespace smsflow::crash
