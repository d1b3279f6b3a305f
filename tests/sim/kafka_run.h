// One run of one seed over a modelled Kafka: the real engine and the real intake, outlet, gateways and dead letters,
// between a client that writes records and a gateway that reads attempts, on a broker that redelivers, is away, is cut
// off, says that it did not take what it took, changes leaders, and ends its producers; the engine's process dies in
// between. One thread, and a clock that moves when told: a seed repeats all of it.
//
// After every step no shard's applied offset has fallen, and after every crash what is stored agrees with itself. At
// the end faults stop, all drains, and then: each record that the broker kept is one SMS, and one alone; each that
// nobody can read has its letter; nothing was submitted twice; what was due is delivered; what a kept record cancels
// before its slot is canceled, and nothing else is; and a partition that could not be held to this is not read, and
// says so.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "tests/server/kafka/model_broker.h"
#include "tests/sim/finding.h"
#include "tests/sim/hooks.h"

namespace smsflow::sim {

// Where a seeded bug takes hold.
struct KafkaHooks {
  std::function<std::unique_ptr<engine::Engine>(std::unique_ptr<engine::Engine>)> wrap_engine;
  std::function<std::unique_ptr<kafka::Consumer>(std::unique_ptr<kafka::Consumer>)> wrap_consumer;
  std::function<std::unique_ptr<kafka::Producer>(std::unique_ptr<kafka::Producer>)> wrap_producer;
  std::function<void(server::ModelBroker&)> broker;
  Hooks store;  // of these, what takes hold of the store
};
struct KafkaBug {
  std::string name;
  std::string what;
  std::function<void(KafkaHooks&)> plant;
};
std::vector<KafkaBug> KafkaBugs();

struct KafkaRunOptions {
  std::uint64_t seed = 1;
  Played played = {.steps = 120};
  KafkaHooks bug = {};  // empty: none
};

struct KafkaReport : Finding {
  std::uint64_t records = 0, submits = 0, crashes = 0, letters = 0, stopped = 0, late = 0, canceled = 0,
                trace_hash = 14'695'981'039'346'656'037ULL;
};
KafkaReport RunKafkaSeed(const KafkaRunOptions& options);
// The broker is away for an hour, by both clocks, with attempts on their way, open slots and far ones: nothing is lost
// or doubled, what is late expires, and the rest goes on. One step.
KafkaReport RunKafkaOutage(const KafkaRunOptions& options);

// Kinds of fault that a run can be played without.
std::vector<std::string> KafkaFaultKinds();

}  // namespace smsflow::sim
