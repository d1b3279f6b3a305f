// What is written, or read, is not what should be.
#include <map>
#include <memory>
#include <utility>

#include "smsflow/stored/v1/records.pb.h"
#include "tests/sim/bugs.h"
#include "tests/sim/sim_store.h"

namespace smsflow::sim {
namespace {

using storage::Family;
using Marks = ::smsflow::stored::v1::ShardMarks;

// True at every n-th call.
std::function<bool()> Every(int n) {
  return [n, count = std::make_shared<int>(0)] { return ++*count % n == 0; };
}

std::function<void(Hooks&)> LoseRow(char kind, int every) {
  return [=](Hooks& hooks) {
    hooks.put = [kind, now = Every(every)](Family, std::string& key, std::string&) {
      return key.front() != kind || !now();
    };
  };
}
std::function<void(Hooks&)> KeepRow(char kind) {
  return [=](Hooks& hooks) { hooks.erase = [kind](Family, std::string_view key) { return key.front() != kind; }; };
}
std::function<void(Hooks&)> PassOver(char kind, int every) {
  return [=](Hooks& hooks) {
    hooks.seen = [kind, now = Every(every)](Family, std::string_view key, bool) {
      return key.front() != kind || !now();
    };
  };
}
// Tells that were written and not applied; what numbers the next still knows of them.
void PassOverTells(Hooks& hooks) {
  hooks.seen = [](Family, std::string_view key, bool reverse) { return reverse || key.front() != 'l'; };
}
std::function<void(Hooks&)> ChangeMarks(std::function<void(Marks&)> change) {
  return [=](Hooks& hooks) {
    hooks.put = [change](Family family, std::string& key, std::string& value) {
      if (family != Family::kQueues || key.front() != 'k') return true;
      Marks marks;
      marks.ParseFromString(value.substr(1));
      change(marks);
      value = value.substr(0, 1) + marks.SerializeAsString();
      return true;
    };
  };
}

void ReadStale(Hooks& hooks) {
  auto before = std::make_shared<std::map<std::string, std::string>>();
  auto now = std::make_shared<std::map<std::string, std::string>>();
  hooks.put = [=](Family, std::string& key, std::string& value) {
    if (key.front() != 's') return true;
    if (const auto it = now->find(key); it != now->end()) (*before)[key] = it->second;
    (*now)[key] = value;
    return true;
  };
  hooks.got = [=](Family, std::string_view key, std::optional<std::string>& value) {
    const auto it = before->find(std::string(key));
    if (key.front() == 's' && value && it != before->end()) value = it->second;
  };
}

void ReadAnotherShardsMembers(Hooks& hooks) {
  hooks.get_key = [](Family family, std::string_view key, std::string& asked) {
    if (family == Family::kIndexes && key.front() == 'm') asked[2] = static_cast<char>((asked[2] + 1) % 4);
  };
}

void ChangeJournal(Hooks& hooks) {
  hooks.put = [now = Every(40)](Family family, std::string&, std::string& value) {
    if (family == Family::kJournal && now()) value.back() = static_cast<char>(value.back() ^ 1);
    return true;
  };
}

void LeakPayload(Hooks& hooks) {
  hooks.put = [](Family, std::string& key, std::string& value) {
    if (key.front() != 'o') return true;
    ::smsflow::stored::v1::OutboxRow row;
    row.ParseFromString(value.substr(1));
    row.set_body(std::string(kPayloadMark) + "number and text");
    value = value.substr(0, 1) + row.SerializeAsString();
    return true;
  };
}

}  // namespace

std::vector<Bug> StoreBugs() {
  const auto sync_every = [](int n) {
    return [n](Hooks& hooks) {
      hooks.sync = [now = Every(n)](storage::Sync sync) { return now() ? storage::Sync::kNo : sync; };
    };
  };
  return {
      {"answer before sync", "nothing is synced, and all is answered", sync_every(1)},
      {"a sync forgotten", "every fifth batch is not synced", sync_every(5)},
      {"torn batch", "a batch is written in two", [](Hooks& hooks) { hooks.tear_batches = true; }},
      {"write error swallowed", "a write failed, and the engine is not told",
       [](Hooks& hooks) { hooks.swallow_write_errors = true; }},
      {"mark ahead of the fired timer", "the stored mark is a minute ahead",
       ChangeMarks([](Marks& marks) { marks.set_backlog_from_ms(marks.backlog_from_ms() + 60'000); })},
      {"outbox mark ahead", "the stored mark passes over what is open",
       ChangeMarks([](Marks& marks) { marks.set_outbox_from(marks.outbox_next()); })},
      {"recovery passes over the outbox", "what is open is forgotten at every start", PassOver('o', 1)},
      {"recovery passes over tells", "what one shard told another is forgotten at every start", PassOverTells},
      {"outbox row lost", "every fifth lease has no row", LoseRow('o', 5)},
      {"ready row dropped", "every fourth that waits for credit has no row", LoseRow('r', 4)},
      {"timer row dropped", "every tenth timer has no row", LoseRow('t', 10)},
      {"timer passed over", "a scan of timers leaves out every sixth", PassOver('t', 6)},
      {"ready row passed over", "a scan of those that wait leaves out every second", PassOver('r', 2)},
      {"place in a log not stored", "every third time a shard moves on in a log", LoseRow('f', 3)},
      {"tell lost", "every second tell has no row in its source", LoseRow('l', 2)},
      {"tell applied twice", "how far tells were applied is not stored", LoseRow('L', 1)},
      {"idempotency key forgotten", "every eighth key has no row", LoseRow('d', 8)},
      {"journal record skipped", "every fortieth record is not written", LoseRow('j', 40)},
      {"journal record changed", "one bit of every fortieth record", ChangeJournal},
      {"state not written", "every tenth state row", LoseRow('s', 10)},
      {"state read stale", "what was stored before the last write is read", ReadStale},
      {"index row lost", "every tenth index row", LoseRow('i', 10)},
      {"index row outlives its SMS", "retention leaves index rows", KeepRow('i')},
      {"key outlives its SMS", "retention leaves idempotency rows", KeepRow('d')},
      {"block lost", "every second membership has no row", LoseRow('m', 2)},
      {"membership of another shard", "the block is looked up in the next shard", ReadAnotherShardsMembers},
      {"pause lost in a crash", "pauses stand in memory alone", LoseRow('p', 1)},
      {"sweep lost in a crash", "sweeps stand in memory alone", LoseRow('w', 1)},
      {"sweep passes over some", "a scan of an index leaves out every fifth", PassOver('i', 5)},
      {"payload in the outbox", "number and text are written a second time", LeakPayload},
  };
}

}  // namespace smsflow::sim
