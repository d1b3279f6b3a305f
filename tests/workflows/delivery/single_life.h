// One SMS, played: the clock, the timers, the gateway's credit and the kernel's side of the contract in
// workflows/workflow.h, all in virtual time and on one thread. It goes through the codec, as the engine does. After
// every step it checks what must hold always (single_life_invariants.cc) and keeps what did not in broken().
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "workflows/delivery/codec/codec.h"

namespace smsflow::workflows::delivery {

struct Step {
  std::int64_t at_ms = 0;
  Event event;
  Decision decision;
  State from = State::kNew;
  State to = State::kNew;
  Description description;
};

class SingleLife {
 public:
  explicit SingleLife(std::int64_t now_ms);

  // What the steps to come will read.
  Policy policy;
  bool credit = true;    // without it gated timers are due and wait
  bool blocked = false;  // the target is in the set
  std::uint64_t random = 0;

  // Decides an event now. A `payload` that comes with it must be said.
  const Step& Apply(const Event& event, bool payload = false);
  // Fires every timer that is due until then, in order, each at its time.
  void AdvanceTo(std::int64_t at_ms);
  // Nothing fires until then, for the engine is away; then all that is overdue does.
  void BeAwayUntil(std::int64_t at_ms);
  // Fires what is due now (credit came back).
  void FireDue() { AdvanceTo(now_ms_); }
  // The next instant at which a timer would fire; nullopt when there is none.
  std::optional<std::int64_t> NextTimerMs() const;

  std::int64_t now_ms() const { return now_ms_; }
  State state() const { return static_cast<State>(state_); }
  SmsView View() const;
  bool has_payload() const { return has_payload_; }
  bool ended() const { return ended_; }
  std::optional<std::int64_t> retain_until_ms() const { return retain_until_ms_; }
  std::uint32_t leases() const { return leases_; }
  const std::set<std::uint32_t>& open_leases() const { return open_; }
  const std::map<std::uint16_t, TimerChange>& timers() const { return timers_; }
  const std::vector<Step>& steps() const { return steps_; }
  const std::vector<std::string>& broken() const { return broken_; }
  const Workflow& workflow() const { return *workflow_; }

 private:
  void Commit(const Event& event, const Decision& decision, bool payload);
  void CommitTimers(const Decision& decision);
  void CommitLeases(const Decision& decision);
  void Check(const Step& step);
  void CheckLease(const Step& step, const Effect& lease);
  void CheckRest(const Step& step);
  void Expect(bool holds, std::string what);

  std::unique_ptr<Workflow> workflow_ = MakeDeliveryWorkflow();
  std::int64_t now_ms_;
  InstanceId id_;
  std::uint16_t state_ = 0;
  std::string fixed_, data_;
  bool has_payload_ = false, ended_ = false;
  std::optional<std::int64_t> retain_until_ms_;
  std::uint32_t leases_ = 0;
  std::set<std::uint32_t> open_;
  std::map<std::uint16_t, TimerChange> timers_;  // live, by name
  std::vector<Step> steps_;
  std::vector<std::string> broken_;
  bool delivered_once_ = false;
};

}  // namespace smsflow::workflows::delivery
