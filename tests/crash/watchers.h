// Followers of `Watch` that resume where the engine's death cut them off: what they saw must be the journals, whole, in
// order per SMS, and a record may come again only after a cut.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "smsflow/v1/admin.pb.h"
#include "tests/crash/api.h"
#include "tests/crash/book.h"
#include "tests/crash/findings.h"
#include "tests/crash/watched.h"

namespace smsflow::crash {

class Watchers {
 public:
  // All outlive it.
  Watchers(Api& api, Findings& findings) : api_(api), findings_(findings) {}
  ~Watchers() { Stop(); }

  // REQUIRES: the engine answers. From the token of a list taken now, one for each tenant, and one for a single batch.
  void Start();
  void Stop();
  // Waits until each saw as many transitions as the journals have, at most `patience_ms`; ends them and compares.
  void Check(const Book& book, const std::map<std::string, v1::GetJournalResponse>& journals, std::int64_t patience_ms);

  std::uint64_t seen() const { return seen_; }
  std::uint64_t cuts() const { return cuts_; }

 private:
  struct Watcher {
    std::string tenant, batch;  // no batch: everything of the tenant
    std::string token;
    std::map<std::string, std::vector<Seen>> seen;  // by id, under the mutex
    std::size_t count = 0;                          // of them, without repetitions
    std::thread thread;
    std::string Name() const { return "the watch of " + tenant + (batch.empty() ? "" : ", batch " + batch); }
    bool Shows(const Sms& sms) const { return sms.tenant == tenant && (batch.empty() || sms.request.batch() == batch); }
  };
  void Follow(Watcher& watcher);
  void Take(Watcher& watcher, const v1::WatchResponse& response, int stretch);
  void CheckOne(const std::string& id, const std::string& who, const std::vector<Seen>& seen,
                const v1::GetJournalResponse& journal);
  bool CaughtUp(const Book& book, const std::map<std::string, v1::GetJournalResponse>& journals);

  Api& api_;
  Findings& findings_;
  std::mutex mutex_;
  std::deque<Watcher> watchers_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> seen_{0}, cuts_{0};
};

}  // namespace smsflow::crash
