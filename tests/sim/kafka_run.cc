// What clients do in a run over the modelled Kafka, and how its parts take turns.
#include "tests/sim/kafka_run.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "crypto/hash.h"
#include "tests/sim/kafka_life.h"

namespace smsflow::sim {

using kafka::TopicPartition;

KafkaRun::KafkaRun(const KafkaRunOptions& options)
    : options_(options),
      hooks_(options.bug),
      random_(options.seed),
      world_({}, options.seed),
      gateway_(broker_, world_.clock) {
  delivery::Policy policy;
  policy.max_jitter_ms = 0;
  policy.probe_ms = 30'000;
  world_.policy.bytes = delivery::EncodePolicy(policy);
  world_.policy.digest = crypto::Cut(crypto::Sha256(world_.policy.bytes));
  world_.engine.reset();
  world_.workflow = delivery::MakeDeliveryWorkflow();
  world_.wrap_engine = hooks_.wrap_engine;
  if (hooks_.store.put) {
    world_.wrap_store = [this](storage::Store& below) {
      return std::make_unique<SimStore>(below, world_.clock, disk_, hooks_.store);
    };
  }
  broker_.MakeTopic("orders", kOrderPartitions);
  for (const auto& [topic, partitions] : {std::pair("status", 1), std::pair("send", 2), std::pair("dead", 1)})
    broker_.MakeTopic(topic, partitions);
  broker_.MakeTopic("nowhere", 1);
  if (hooks_.broker) hooks_.broker(broker_);
  broker_.fault = [this](const std::string&) { return AnswerOfBroker(); };
  Open();
}

KafkaRun::~KafkaRun() { Close(); }

KafkaReport KafkaRun::GoThroughAnOutage() {
  step_ = options_.played.steps + 1;
  faults_ = false;
  WriteOrders(40, 1'200);
  WriteOrders(40, 4 * 3'600);
  Pump(20 + Pick(40), 40);
  WriteOrders(40, 1'200);
  WriteOrders(40, 4 * 3'600);
  Pump(Pick(30), 40);
  Tell("the broker is away for an hour");
  broker_.SetAway(away_ = true);
  for (int round = 0; round < 1'800; ++round) {
    Pump(1, 2'000);
    CheckOffsets();
    if (Pick(600) == 0 && !Off(kKill)) Crash();
  }
  Quiet();
  Check();
  for (const Written& one : written_) report_.late += one.late;
  return Told();
}
KafkaReport KafkaRun::Go() {
  const Played& played = options_.played;
  for (step_ = 1; step_ <= played.steps && report_.violations.empty(); ++step_) {
    if (played.left_out.contains(step_)) continue;
    Reseed(random_, options_.seed, step_);
    Step();
    CheckOffsets();
  }
  if (!report_.violations.empty()) return Told();
  Reseed(random_, options_.seed, step_);
  Quiet();
  Check();
  CheckAnotherFolder();
  return Told();
}

void KafkaRun::Tell(const std::string& what) {
  report_.trace.push_back(
      absl::StrCat("step ", step_, ", second ", (world_.clock.steady_ms - 1'000'000) / 1'000, ": ", what));
  for (const char c : what) Trace(static_cast<unsigned char>(c));
}

void KafkaRun::Violated(const std::string& what) {
  if (report_.violations.empty()) report_.step = step_;
  if (report_.violations.size() < 20) report_.violations.push_back(what);
}

void KafkaRun::Open() {
  if (absl::Status status = world_.TryOpen(); !status.ok()) return Violated("no start: " + status.ToString());
  outlet_ = std::make_unique<server::Outlet>([this]() -> absl::StatusOr<std::unique_ptr<kafka::Producer>> {
    auto producer = broker_.MakeProducer();
    return hooks_.wrap_producer ? hooks_.wrap_producer(std::move(producer)) : std::move(producer);
  });
  letters_ = std::make_unique<server::DeadLetters>("dead");
  server::Gateways::Options gateways{"send", {"g1"}, {"acme"}};
  gateways_ = std::make_unique<server::Gateways>(
      gateways, server::Gateways::Parts{world_.engine.get(), outlet_.get(), &world_.index_keys, &world_.clock});
  server::IntakeOptions options;
  options.topics = {{"orders", server::TopicKind::kSchedule}, {"status", server::TopicKind::kStatus}};
  options.acting.tenants = {"acme"};
  options.acting.unsigned_ok = true;
  options.gateways = {"g1"};
  server::IntakeParts parts;
  parts.engine = world_.engine.get();
  parts.shards = world_.options.shards;
  parts.validation = &validation_;
  parts.clock = &world_.clock;
  parts.dead_letters = letters_.get();
  parts.admin = &broker_.admin();
  parts.open = [this]() -> absl::StatusOr<std::unique_ptr<kafka::Consumer>> {
    auto consumer = broker_.MakeConsumer();
    return hooks_.wrap_consumer ? hooks_.wrap_consumer(std::move(consumer)) : std::move(consumer);
  };
  parts.announced = [this](const kafka::Announcement& said, std::int64_t at_ms) { gateways_->Announced(said, at_ms); };
  parts.reported = [this](const PeerId& peer, const AttemptId& attempt) { gateways_->Reported(peer, attempt); };
  parts.tick = [this] { gateways_->Tick(); };
  intake_ = std::make_unique<server::Intake>(std::move(options), std::move(parts));
  if (!intake_->Open().ok()) Violated("no consumer");
  letters_->Start(*world_.engine, *outlet_,
                  [this](const engine::FeedId& feed, std::uint64_t offset) { intake_->DeadLetterTaken(feed, offset); });
}

// As a kill does it: nothing is told to anybody any more.
void KafkaRun::Close() {
  letters_->Stop();
  intake_.reset();
  gateways_.reset();
  outlet_.reset();
  world_.engine.reset();
  letters_.reset();
}

void KafkaRun::Pump(int rounds, std::int64_t step_ms) {
  for (int round = 0; round < rounds; ++round) {
    world_.clock.Advance(step_ms);
    if (away_ && world_.clock.steady_ms < looked_ms_) looked_ms_ = world_.clock.steady_ms + kLookMs;
    intake_->RunOnce(std::chrono::milliseconds(0));
    for (int turn = Pick(4); turn > 0; --turn) world_.engine->RunOnce();
    if (!world_.posts.received.empty()) letters_->Send(std::exchange(world_.posts.received, {}));
    if (Pick(2) == 0) outlet_->RunOnce(std::chrono::milliseconds(0));
    if (!away_ && Pick(3) == 0) gateway_.Step();
  }
}

void KafkaRun::Write(const kafka::Outgoing& record, const Written& what) {
  Write(record, what, Orders(Pick(kOrderPartitions)));
}

void KafkaRun::Write(const kafka::Outgoing& record, Written what, const TopicPartition& place) {
  what.place = place;
  what.offset = broker_.Append(what.place, record, world_.clock.wall_ms);
  Tell(absl::StrCat(what.poison   ? "what nobody can read"
                    : what.cancel ? "a cancel of " + what.key
                                  : "an order of " + what.key + (what.due ? ", due now" : ", due in weeks"),
                    what.named ? ", with an idempotency key" : "", ", on ", kafka::NameOf(what.place), " at ",
                    what.offset));
  ++report_.records;
  written_.push_back(std::move(what));
}

void KafkaRun::WriteOrders(int most, std::int64_t slot_s) {
  for (int count = 1 + Pick(most); count > 0; --count) {
    Written what;
    kafka::ScheduleSms sms;
    sms.client = "acme";
    sms.key = what.key = absl::StrCat("k", ++keys_);
    if (Pick(3) != 0) sms.target = absl::StrCat("t", Pick(10));
    what.named = Pick(2) == 0;
    if (what.named) sms.idempotency_key = absl::StrCat("once-", keys_);
    what.due = Pick(2) == 0;
    const std::int64_t from_s = world_.clock.wall_ms / 1'000 + (what.due ? -5 : 4'000'000);
    sms.schedule = absl::StrCat(from_s, "-", from_s + slot_s);
    what.late = what.due && slot_s < 3'600;
    sms.message = "sealed";
    const kafka::Outgoing record = kafka::EncodeScheduleSms(sms);
    Write(record, what);
    if (what.named && Pick(4) == 0) Write(record, what);  // the client asks twice
  }
}

void KafkaRun::WritePoison() {
  Written what;
  what.poison = true;
  Write({"", Pick(2) == 0 ? "no json" : R"({"action":"cancel","client":"acme"})", {}}, what);
}

// Into the partition of a record that asks for it, so that it is read after that one.
void KafkaRun::WriteCancel() {
  std::vector<std::size_t> orders;
  for (std::size_t i = 0; i < written_.size(); ++i)
    if (!written_[i].poison && !written_[i].cancel) orders.push_back(i);
  if (orders.empty()) return;
  Written what;
  what.cancel = true;
  what.behind = orders[static_cast<std::size_t>(Pick(static_cast<int>(orders.size())))];
  what.key = written_[what.behind].key;
  kafka::ScheduleSms sms;
  sms.action = kafka::ScheduleSms::Action::kCancel;
  sms.client = "acme";
  sms.key = what.key;
  Write(kafka::EncodeScheduleSms(sms), what, written_[what.behind].place);
}

void KafkaRun::Step() {
  const int dice = Pick(100);
  Trace(static_cast<std::uint64_t>(dice));
  if (dice < 40)
    WriteOrders();
  else if (dice < 45)
    WritePoison();
  else if (dice < 50)
    WriteCancel();
  else if (dice < 76)
    Disturb();
  const int ms = 1 + Pick(700);
  Pump(1 + Pick(6), ms);
}

void KafkaRun::Quiet() {
  Tell("all is mended");
  faults_ = false;
  broker_.HoldDeliveries(false);
  broker_.SetAway(away_ = false);
  for (int round = 0; round < 4'000; ++round) {
    world_.clock.Advance(200);
    intake_->RunOnce(std::chrono::milliseconds(0));
    for (int turn = 0; turn < 3; ++turn) world_.engine->RunOnce();
    if (!world_.posts.received.empty()) letters_->Send(std::exchange(world_.posts.received, {}));
    outlet_->RunOnce(std::chrono::milliseconds(0));
    gateway_.Step();
  }
}

KafkaReport RunKafkaSeed(const KafkaRunOptions& options) { return KafkaRun(options).Go(); }
KafkaReport RunKafkaOutage(const KafkaRunOptions& options) { return KafkaRun(options).GoThroughAnOutage(); }

std::vector<std::string> KafkaFaultKinds() {
  std::vector<std::string> kinds = NamesOf(KafkaRun::Faults());
  for (const char* const kind : {kRefused, kLost, kLate}) kinds.emplace_back(kind);
  return kinds;
}

}  // namespace smsflow::sim
