// What the client knows: every SMS it asked for, and what it was told. Each acknowledgement is appended to a file and
// synced before it counts, as a careful client would do.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "smsflow/v1/scheduler.pb.h"
#include "tests/crash/findings.h"

namespace smsflow::crash {

std::int64_t NowMs();  // wall time

struct Sms {
  std::string tenant;
  std::string text;
  v1::ScheduleRequest request;
  std::vector<std::pair<std::int64_t, std::int64_t>> slots;  // [from, till) in seconds
  bool must_be_blocked = false;                              // its target was blocked for good before it was asked for
  int taken_as_new = 0;                                      // answers that did not call it known

  std::string id;           // 16 bytes; empty: not acknowledged
  bool refused = false;     // definitely not taken
  bool indefinite = false;  // an answer was lost
  bool cancel_asked = false;
  std::int64_t canceled_ms = 0;  // when an answer said that it is canceled; 0: none did
};

// Thread-safe. Entries never move; an entry is changed through Change() alone.
class Book {
 public:
  Book(const std::string& file, Findings& findings);
  ~Book();

  Sms* Add(Sms sms);
  void Change(const std::function<void()>& change);
  // A first acknowledgement is recorded, a further one must name the same id.
  void Acknowledged(Sms* sms, const v1::ScheduleResponse& answer);
  // An arbitrary one that is acknowledged, or that waits to be asked again; nullptr: there is none.
  Sms* AnyAcknowledged(std::uint64_t random);
  Sms* AnyOpen(std::uint64_t random);
  std::vector<Sms*> Open();
  std::vector<Sms> Acknowledged() const;
  // nullptr: no such one is acknowledged.
  Sms* Find(const std::string& id);
  // For lies alone: as if its acknowledgement had never come.
  void Forget(const std::string& id);

  // (tenant, name) of what was canceled or blocked in one stroke, also when the answer was lost.
  std::set<std::pair<std::string, std::string>> canceled_batches, blocked_targets;

 private:
  const int file_;
  Findings& findings_;
  mutable std::mutex mutex_;
  std::deque<Sms> all_;
  std::vector<Sms*> acknowledged_, open_;
};

}  // namespace smsflow::crash
