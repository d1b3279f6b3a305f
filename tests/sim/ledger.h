// Follows the journals of all shards record by record, as the run goes on, and holds them against what is stored: the
// chains (I16), the numbers of attempts (I4), ends that stay ends (I5), and after every step the stored state of each
// instance that moved (I11). It has seen only what was durable, so what it saw must be there after every crash (I9).
//
// Reads the store below everything; belongs to the run's one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ids/ids.h"
#include "smsflow/stored/v1/records.pb.h"
#include "storage/journal.h"
#include "storage/store.h"
#include "tests/sim/coverage.h"
#include "tests/sim/entitled.h"

namespace smsflow::sim {

class Ledger {
 public:
  Ledger(const storage::Store& store, std::uint16_t shards, Coverage& coverage)
      : store_(store), coverage_(coverage), heads_(shards) {}

  // Told of each record when it is read, with its sequence and the life before it.
  std::function<void(const InstanceId&, std::uint64_t, const Life& before, const JournalBody&)> recorded;

  // Reads on; what is wrong is added.
  void Follow(std::vector<std::string>& violations);
  // Those with new records since it was last asked.
  std::set<InstanceId> TakeMoved() { return std::exchange(moved_, {}); }
  // After a crash and before a restart: what was read is still there. Reads on, for an engine that starts with another
  // clock may erase at once what survived.
  void CompareAfterCrash(std::vector<std::string>& violations);

  struct Known {
    std::uint64_t sequence = 0;
    ::smsflow::stored::v1::InstanceState state;
    Life life;
    std::int64_t kept_from_ms = 0;  // when it came to its present end; 0: it has not ended
    bool was_at_an_end = false;
    int changed_in = 0;            // which life of the engine
    std::set<std::string> actors;  // whose events it has met
    std::vector<std::pair<std::uint64_t, std::string>>
        bodies;  // with their sequences, also when they were erased since
  };
  const std::map<InstanceId, Known>& instances() const { return instances_; }
  int life() const { return life_; }    // how often CompareAfterCrash() was called
  int lives() const { return lives_; }  // … of an engine that had written anything since it was started
  // By whom anything was done, in any shard.
  bool Met(const std::string& actor) const { return actors_.count(actor) != 0; }
  // Of the ends of all chains: equal for two runs exactly when all their journals are.
  std::uint64_t Digest() const;

 private:
  void Read(ShardId shard, std::vector<std::string>& violations);
  void Take(const storage::JournalRecord& record, std::vector<std::string>& violations);

  const storage::Store& store_;
  Coverage& coverage_;
  std::vector<storage::ChainHead> heads_;
  std::map<InstanceId, Known> instances_;
  std::set<std::string> actors_;
  std::set<InstanceId> moved_;
  int life_ = 0, lives_ = 0;
  bool wrote_ = false;  // in this life
};

}  // namespace smsflow::sim
