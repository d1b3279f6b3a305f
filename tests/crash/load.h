// The load: clients that schedule one by one, in batches and over streams, reschedule, cancel, block, and ask again, at
// random; they go on while engine and gateway die.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "crypto/keys.h"
#include "tests/crash/api.h"
#include "tests/crash/book.h"
#include "tests/crash/sms_source.h"
#include "tests/crash/strangers.h"

namespace smsflow::crash {

struct LoadFigures {
  std::atomic<std::uint64_t> calls{0}, lost_answers{0}, asked_again{0}, refused{0};
  std::atomic<std::uint64_t> streams{0}, streams_cut{0}, rescheduled{0}, too_late{0};
  std::atomic<std::uint64_t> cancels{0}, blocks{0};  // that were answered well
};

class Load {
 public:
  // All outlive it. Each client draws from its own numbers, made from `seed`.
  Load(Api& api, Book& book, Findings& findings, const crypto::PublicKey& key, std::uint64_t seed,
       std::int64_t longer_s)
      : api_(api),
        book_(book),
        findings_(findings),
        source_(key, longer_s),
        strangers_(api, book, findings, source_),
        seed_(seed) {}
  ~Load() { Stop(); }

  void Start(int clients);
  void Stop();
  // So many calls are under way at most.
  std::size_t clients() const { return clients_.size(); }
  // Asks again for everything whose answer was lost, until each has one. False: some never got any.
  bool SettleOpen();
  const LoadFigures& figures() const { return figures_; }
  const Strangers& strangers() const { return strangers_; }

 private:
  void Client(std::uint64_t seed);
  void Step(Random& random);
  Sms Make(Random& random);
  void Schedule(Sms* sms);
  // Some for one tenant, noted in the book.
  std::vector<Sms*> Several(Random& random);
  void ScheduleBatch(Random& random);
  void ScheduleStream(Random& random);
  void Reschedule(Random& random);
  void CancelOne(Random& random);
  void CancelMany(Random& random);
  void Block(Random& random);
  void BlockForGood(Random& random);
  void AskAgain(Random& random);
  // What one item of many was answered.
  void Take(Sms* sms, const v1::ScheduleResult& result, const char* what);
  // Notes what a failed call means for an SMS.
  void Failed(const absl::Status& status, Sms* sms, const char* what);

  Api& api_;
  Book& book_;
  Findings& findings_;
  SmsSource source_;
  Strangers strangers_;
  const std::uint64_t seed_;
  LoadFigures figures_;
  std::atomic<bool> stopping_{false};
  std::mutex blocked_mutex_;
  std::set<std::pair<std::string, std::string>> blocked_for_good_;
  std::vector<std::thread> clients_;
};

}  // namespace smsflow::crash
