// What the client knows: every SMS it asked for, and what it was told. Each acknowledgement is appended to a file and
// synced before it counts, as a careful client would do.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "smsflow/v1/scheduler.pb.h"
#include "tests/crash/findings.h"

namespace smsflow::crash {

std::int64_t NowMs();  // wall time

using Slots = std::vector<std::pair<std::int64_t, std::int64_t>>;  // [from, till) in seconds, in order, apart
// As the contracts write them.
std::string ToText(const Slots& slots);

// What is to be sent, and when: at first by Schedule, then by each Reschedule.
struct Order {
  std::string text;
  Slots slots;
  std::int64_t asked_ms = 0;
  std::int64_t told_ms = 0;  // when an answer said that it stands; 0: none did, so it may stand or not
};

struct Sms {
  std::string tenant;
  v1::ScheduleRequest request;
  std::vector<Order> orders;       // never empty; only the last one's answer may be lost
  bool must_be_blocked = false;    // its target was blocked for good before it was asked for
  int taken_as_new = 0;            // answers that did not call it known
  std::string id;                  // 16 bytes; empty: not acknowledged
  bool refused = false;            // definitely not taken
  bool indefinite = false;         // an answer was lost
  bool at_broker = false;          // Kafka acknowledged its record: asked for again, it is known
  bool being_rescheduled = false;  // by one client at a time, so that the order of orders is known
  bool cancel_asked = false;
  std::int64_t canceled_ms = 0;  // when an answer said that it is canceled; 0: none did
  std::int64_t stopped_ms = 0;   // when a cancel was answered, whatever the answer: nothing leaves from then on
};

// Asked of all SMSes of a tenant that carry a name.
struct Stroke {
  enum What { kCancel, kBlock, kUnblock } what = kCancel;
  enum By { kBatch, kKey, kTarget } by = kTarget;
  std::string tenant{}, name{};
  std::int64_t asked_ms = 0;
  std::int64_t told_ms = 0;  // 0: the answer was lost, and it may take effect at any time

  bool Covers(const Sms& sms) const;
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

  // Notes it before it is asked; what the answer says goes in with Change().
  Stroke* Begin(Stroke stroke);
  std::vector<Stroke> Strokes() const;

 private:
  const int file_;
  Findings& findings_;
  mutable std::mutex mutex_;
  std::deque<Sms> all_;
  std::deque<Stroke> strokes_;
  std::vector<Sms*> acknowledged_, open_;
};

}  // namespace smsflow::crash
