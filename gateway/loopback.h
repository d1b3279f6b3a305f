// The carrier without an SMSC: opens the envelope, looks for a test code in the text, and says what an SMSC would have
// said. Its submit is one synced line in the truth log, so that a test can count what left.
//
// The first code found anywhere in the text wins; without one it is SENT, then DELIVERED:
//
//   S0D0 nothing            S0X1 EXPIRED              S1F1 SENT, FAILED
//   S0D1 DELIVERED          S0I1 INVALID              F1S1 FAILED, SENT
//   S1D0 SENT               S1X1 SENT, EXPIRED        S1D1 SENT, DELIVERED
//   S2D0 SENT, SENT         S1I1 SENT, INVALID        D1S1 DELIVERED, SENT
//   FAIL FAILED, after the long delay
//
// The first word comes after the normal delay, the second after the long delay more. One thread opens, submits and
// keeps the time. A failing truth log ends the process.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <queue>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "engine/seams.h"
#include "gateway/carrier.h"
#include "gateway/opener.h"
#include "gateway/truth_log.h"

namespace smsflow::gateway {

struct LoopbackOptions {
  std::int64_t normal_delay_ms = 100;
  std::int64_t long_delay_ms = 1500;
};

// What a text makes the loopback say, in order. Pure.
struct ScriptedWord {
  Reported result = Reported::kSent;
  std::string_view cause;
  bool after_long_delay = false;  // else after the normal one
};
std::vector<ScriptedWord> ScriptOf(std::string_view text);

class Loopback : public Carrier {
 public:
  using FatalHandler = std::function<void(const absl::Status&)>;

  // `truth` may be null: then nobody counts. `clock` outlives the carrier.
  Loopback(LoopbackOptions options, std::unique_ptr<Opener> opener, std::unique_ptr<TruthLog> truth,
           engine::Clock& clock, FatalHandler fatal);
  ~Loopback() override;

  void Start(CarrierEvents& events) override;
  void Submit(std::vector<engine::Lease> leases) override;
  void Stop() override;

  // For tests, instead of Start(): who hears, and one round on the calling thread. The round answers how many
  // milliseconds from now the next word is due; negative: none is.
  void Listen(CarrierEvents& events) { events_ = &events; }
  std::int64_t RunOnce();

 private:
  struct Due {
    std::int64_t at_ms = 0;  // on the steady clock
    std::uint64_t order = 0;
    Report word;
    bool operator>(const Due& other) const { return std::pair(at_ms, order) > std::pair(other.at_ms, other.order); }
  };

  void Loop();
  void SubmitAll(const std::vector<engine::Lease>& leases, std::vector<Report>& words);
  void Plan(const AttemptId& attempt, std::string_view text);

  const LoopbackOptions options_;
  const std::unique_ptr<Opener> opener_;
  const std::unique_ptr<TruthLog> truth_;
  engine::Clock& clock_;
  const FatalHandler fatal_;
  CarrierEvents* events_ = nullptr;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;  // of the carrier's thread
  std::uint64_t order_ = 0;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<engine::Lease> submitted_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace smsflow::gateway
