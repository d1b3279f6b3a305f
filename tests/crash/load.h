// The load: clients that schedule, cancel, block and ask again at random, and go on while engine and gateway die.
#pragma once

#include <atomic>
#include <cstdint>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "crypto/keys.h"
#include "tests/crash/api.h"
#include "tests/crash/book.h"

namespace smsflow::crash {

struct LoadFigures {
  std::atomic<std::uint64_t> calls{0}, lost_answers{0}, asked_again{0}, refused{0};
};

class Load {
 public:
  // All outlive it. Each client draws from its own numbers, made from `seed`.
  Load(Api& api, Book& book, Findings& findings, const crypto::PublicKey& key, std::uint64_t seed)
      : api_(api), book_(book), findings_(findings), key_(key), seed_(seed) {}
  ~Load() { Stop(); }

  void Start(int clients);
  void Stop();
  // Asks again for everything whose answer was lost, until each has one. False: some never got any.
  bool SettleOpen();
  const LoadFigures& figures() const { return figures_; }

 private:
  using Random = std::mt19937_64;

  void Client(std::uint64_t seed);
  void Step(Random& random);
  Sms Make(Random& random);
  void Schedule(Sms* sms);
  void ScheduleBatch(Random& random);
  void CancelOne(Random& random);
  void CancelBatch(Random& random);
  void Block(Random& random);
  void BlockForGood(Random& random);
  void AskAgain(Random& random);
  // Notes what a failed call means for an SMS.
  void Failed(const absl::Status& status, Sms* sms, const char* what);

  Api& api_;
  Book& book_;
  Findings& findings_;
  const crypto::PublicKey& key_;
  const std::uint64_t seed_;
  LoadFigures figures_;
  std::atomic<std::uint64_t> count_{0};
  std::atomic<bool> stopping_{false};
  std::mutex blocked_mutex_;
  std::set<std::pair<std::string, std::string>> blocked_for_good_;
  std::vector<std::thread> clients_;
};

}  // namespace smsflow::crash
