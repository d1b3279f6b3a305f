#include "tests/sim/kafka_run.h"

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "crypto/hash.h"
#include "engine/inspect.h"
#include "engine/reader.h"
#include "server/kafka/dead_letters.h"
#include "server/kafka/gateways.h"
#include "server/kafka/intake.h"
#include "server/kafka/outlet.h"
#include "tests/engine/world.h"
#include "tests/server/kafka/stored_smses.h"
#include "tests/sim/kafka_gateway.h"
#include "tests/sim/sim_store.h"
#include "workflows/delivery/codec/codec.h"
#include "workflows/delivery/zones.h"

namespace smsflow::sim {
namespace {

namespace delivery = workflows::delivery;
using kafka::TopicPartition;

constexpr std::int32_t kPartitions = 2;
constexpr std::int64_t kLookMs = 25'000;  // so often topics are looked at, when the broker answers

TopicPartition Orders(std::int32_t partition) { return {"orders", partition}; }
const TopicPartition kDead{"dead", 0};

// A record that the client wrote.
struct Written {
  TopicPartition place;
  std::int64_t offset = 0;
  std::string key;
  bool poison = false, named = false, due = false, cut = false;
  bool late = false;    // its slot ends while the broker is away
  bool cancel = false;  // of the SMS with this key, behind a record that asks for it
  std::size_t behind = 0;
};

class KafkaRun {
 public:
  KafkaRun(std::uint64_t seed, const KafkaHooks& hooks)
      : hooks_(hooks), random_(seed), world_({}, seed), gateway_(broker_, world_.clock) {
    delivery::Policy policy;
    policy.max_jitter_ms = 0;
    policy.probe_ms = 30'000;
    world_.policy.bytes = delivery::EncodePolicy(policy);
    world_.policy.digest = crypto::Cut(crypto::Sha256(world_.policy.bytes));
    world_.engine.reset();
    world_.workflow = delivery::MakeDeliveryWorkflow();
    world_.wrap_engine = hooks.wrap_engine;
    if (hooks.store.put) {
      world_.wrap_store = [this](storage::Store& below) {
        return std::make_unique<SimStore>(below, world_.clock, disk_, hooks_.store);
      };
    }
    broker_.MakeTopic("orders", kPartitions);
    for (const auto& [topic, partitions] : {std::pair("status", 1), std::pair("send", 2), std::pair("dead", 1)})
      broker_.MakeTopic(topic, partitions);
    broker_.MakeTopic("nowhere", 1);
    if (hooks.broker) hooks.broker(broker_);
    broker_.fault = [this](const std::string&) {
      if (!faults_) return server::ModelBroker::Fault{};
      const int dice = Pick(40);
      if (dice == 0) return server::ModelBroker::Fault{absl::ResourceExhaustedError("full"), absl::OkStatus()};
      if (dice == 1) return server::ModelBroker::Fault{absl::OkStatus(), absl::UnavailableError("lost")};
      // Done, and told as not done.
      if (dice == 2) return server::ModelBroker::Fault{absl::OkStatus(), absl::DeadlineExceededError("late"), true};
      return server::ModelBroker::Fault{};
    };
    Open();
  }
  ~KafkaRun() { Close(); }

  KafkaReport GoThroughAnOutage() {
    faults_ = false;
    WriteOrders(40, 1'200);
    WriteOrders(40, 4 * 3'600);
    Pump(20 + Pick(40), 40);
    WriteOrders(40, 1'200);
    WriteOrders(40, 4 * 3'600);
    Pump(Pick(30), 40);
    broker_.SetAway(away_ = true);
    for (int step = 0; step < 1'800; ++step) {
      Pump(1, 2'000);
      CheckOffsets();
      if (Pick(600) == 0) Crash();
    }
    Quiet();
    Check();
    for (const std::string& violation : gateway_.violations) Violated(violation);
    for (const Written& one : written_) report_.late += one.late;
    return report_;
  }
  KafkaReport Go(int steps) {
    for (int step = 0; step < steps; ++step) {
      Step();
      CheckOffsets();
    }
    Quiet();
    Check();
    CheckAnotherFolder();
    for (const std::string& violation : gateway_.violations) Violated(violation);
    return report_;
  }

 private:
  int Pick(int below) { return static_cast<int>(random_() % static_cast<std::uint64_t>(below)); }
  void Trace(std::uint64_t what) { report_.trace_hash = (report_.trace_hash ^ what) * 1'099'511'628'211ULL; }
  void Violated(const std::string& what) {
    if (report_.violations.size() < 20) report_.violations.push_back(what);
  }

  void Open() {
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
    parts.announced = [this](const kafka::Announcement& said, std::int64_t at_ms) {
      gateways_->Announced(said, at_ms);
    };
    parts.reported = [this](const PeerId& peer, const AttemptId& attempt) { gateways_->Reported(peer, attempt); };
    parts.tick = [this] { gateways_->Tick(); };
    intake_ = std::make_unique<server::Intake>(std::move(options), std::move(parts));
    if (!intake_->Open().ok()) Violated("no consumer");
    letters_->Start(*world_.engine, *outlet_, [this](const engine::FeedId& feed, std::uint64_t offset) {
      intake_->DeadLetterTaken(feed, offset);
    });
  }
  // As a kill does it: nothing is told to anybody any more.
  void Close() {
    letters_->Stop();
    intake_.reset();
    gateways_.reset();
    outlet_.reset();
    world_.engine.reset();
    letters_.reset();
  }

  void Pump(int rounds, std::int64_t step_ms) {
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

  void Write(const kafka::Outgoing& record, const Written& what) { Write(record, what, Orders(Pick(kPartitions))); }
  void Write(const kafka::Outgoing& record, Written what, const TopicPartition& place) {
    what.place = place;
    what.offset = broker_.Append(what.place, record, world_.clock.wall_ms);
    ++report_.records;
    written_.push_back(std::move(what));
  }
  void WriteOrders(int most = 6, std::int64_t slot_s = 86'400) {
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
  void WritePoison() {
    Written what;
    what.poison = true;
    Write({"", Pick(2) == 0 ? "no json" : R"({"action":"cancel","client":"acme"})", {}}, what);
  }
  // Into the partition of a record that asks for it, so that it is read after that one.
  void WriteCancel() {
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

  // Without a word the log loses its end, and goes on with other records.
  void CutOff() {
    const TopicPartition place = Orders(Pick(kPartitions));
    const std::int64_t end = broker_.End(place);
    if (end < 3 || Pick(3) != 0) return;
    const std::int64_t from = end - 1 - Pick(static_cast<int>(std::min<std::int64_t>(end - 1, 5)));
    broker_.Truncate(place, from);
    broker_.ChangeLeader(place);
    for (Written& one : written_)
      if (one.place == place && one.offset >= from) one.cut = true;
    cut_.insert(place);
    // Read on as if nothing were, until the engine looks: one that dies before it does cannot know.
    looked_ms_ = world_.clock.steady_ms + kLookMs;
  }
  void Crash() {
    if (world_.clock.steady_ms < looked_ms_) return;
    ++report_.crashes;
    ForgetWhatWasFound();
    Close();
    world_.Crash();
    Inspect();
    Open();
    if (Pick(3) == 0) gateway_.ReadAgain();
  }
  // That a log was written on where records had been read may be known to the process alone. The next one compares with
  // what was applied last, and what stands before that it cannot tell from what was read.
  void ForgetWhatWasFound() {
    for (const TopicPartition& place : cut_) {
      const auto at = world_.engine->FeedAt({place.topic, static_cast<std::uint32_t>(place.partition)});
      if (!at.ok() || Reads(place)) continue;
      for (Written& one : written_)
        if (one.place == place && one.offset < static_cast<std::int64_t>(at->highest)) one.cut = true;
    }
  }

  void Step() {
    const int dice = Pick(100);
    Trace(static_cast<std::uint64_t>(dice));
    if (dice < 40)
      WriteOrders();
    else if (dice < 45)
      WritePoison();
    else if (dice < 50)
      WriteCancel();
    else if (dice < 58)
      Crash();
    else if (dice < 62)
      broker_.GiveAgain(1 + Pick(20));
    else if (dice < 65)
      broker_.EndProducers();
    else if (dice < 67)
      CutOff();
    else if (dice < 69)
      broker_.ChangeLeader(Orders(Pick(kPartitions)));
    else if (dice < 72)
      broker_.SetAway(away_ = !away_);
    else if (dice < 74)
      broker_.HoldDeliveries(Pick(2) == 0);
    else if (dice < 76)
      DeleteOld();
    Pump(1 + Pick(6), 1 + Pick(700));
  }

  // What everybody has applied may go, as retention does it. Not of a log that was cut off: with what stands in the
  // place of what was applied would go all that shows it, and retention takes longer than a look.
  void DeleteOld() {
    const TopicPartition place = Orders(Pick(kPartitions));
    if (cut_.contains(place)) return;
    const auto at = world_.engine->FeedAt({place.topic, static_cast<std::uint32_t>(place.partition)});
    if (at.ok() && at->known) broker_.DeleteBefore(place, static_cast<std::int64_t>(at->lowest));
    if (Pick(4) == 0) broker_.DeleteBefore(place, broker_.End(place) - Pick(3));  // … and what they have not
    const auto log = broker_.Log(place);
    for (Written& one : written_) {
      if (one.place != place || log.contains(one.offset)) continue;
      deleted_.insert(place);
      if (at.ok() && !at->known && at->highest == 0) one.cut = true;  // of a topic that was never begun nobody can know
    }
  }

  void Quiet() {
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

  bool Reads(const TopicPartition& place) const {
    for (const server::NamedFigure& figure : intake_->figures()) {
      if (figure.name == "smsflow_kafka_reading" && figure.labels[0].second == place.topic &&
          figure.labels[1].second == std::to_string(place.partition))
        return figure.value == 1;
    }
    return false;
  }
  std::multimap<std::string, server::StoredSms> Stored() {
    auto stored = server::StoredSmses(engine::Reader(
        {&world_.memory, &world_.index_keys, world_.options.shards, [](ShardId) { return ~std::uint64_t{0}; }}));
    if (stored.ok()) return *std::move(stored);
    Violated("the store cannot be read: " + stored.status().ToString());
    return {};
  }

  void Check() {
    CheckOffsets();
    Inspect();
    std::set<TopicPartition> stopped;
    for (std::int32_t partition = 0; partition < kPartitions; ++partition) {
      const TopicPartition place = Orders(partition);
      if (Reads(place)) continue;
      stopped.insert(place);
      ++report_.stopped;
      if (!cut_.contains(place) && !deleted_.contains(place))
        Violated(kafka::NameOf(place) + " is not read, and nothing was done to it");
    }
    if (!Reads(kKafkaStatus)) Violated("the reports are not read");
    const auto stored = Stored();
    std::map<InstanceId, int> submits;
    for (const auto& [attempt, count] : gateway_.submits) {
      submits[attempt.instance] += count;
      report_.submits += static_cast<std::uint64_t>(count);
    }
    const auto cancels = Cancels(stopped);
    for (const Written& one : written_) {
      if (one.poison || one.cancel) continue;
      const auto cancel = cancels.find(one.key);
      CheckOne(one, stopped, stored, submits, cancel == cancels.end() ? Cancel::kNone : cancel->second);
    }
    std::set<std::string> letters;
    for (const auto& [offset, record] : broker_.Log(kDead)) letters.insert(record->key);
    report_.letters = letters.size();
    std::set<std::string> poison;
    for (const Written& one : written_) {
      const std::string name = absl::StrCat(one.place.topic, "/", one.place.partition, "/", one.offset);
      if (!one.poison) continue;
      poison.insert(name);
      if (!one.cut && !stopped.contains(one.place) && !letters.contains(name)) Violated("no letter of " + name);
    }
    for (const std::string& name : letters)
      if (!poison.contains(name)) Violated("a letter of what can be read, " + name);
    Trace(stored.size());
    Trace(report_.submits);
  }

  // What was handed over of it, and what its gateway said.
  std::string Story(const InstanceId& id) const {
    std::string story;
    for (const TopicPartition& place : {TopicPartition{"send", 0}, TopicPartition{"send", 1}, kKafkaStatus}) {
      for (const auto& [offset, record] : broker_.Log(place)) {
        if (record->value.find(id.ToString()) != std::string::npos)
          absl::StrAppend(&story, " ", kafka::NameOf(place), " ", offset, " ", record->value);
      }
    }
    return story;
  }
  // Is it certain that a cancel of it was applied, or possible?
  enum class Cancel { kNone, kPerhaps, kApplied };
  std::map<std::string, Cancel> Cancels(const std::set<TopicPartition>& stopped) const {
    std::map<std::string, Cancel> cancels;
    for (const Written& one : written_) {
      if (!one.cancel) continue;
      const bool applied = !one.cut && !written_[one.behind].cut && !stopped.contains(one.place);
      Cancel& known = cancels.emplace(one.key, Cancel::kPerhaps).first->second;
      if (applied) known = Cancel::kApplied;
    }
    return cancels;
  }
  void CheckOne(const Written& one, const std::set<TopicPartition>& stopped,
                const std::multimap<std::string, server::StoredSms>& stored, const std::map<InstanceId, int>& submits,
                Cancel cancel) {
    const std::size_t count = stored.count(one.key);
    if (count > 1) return Violated(one.key + " is " + std::to_string(count) + " SMSes");
    if (count == 0) {
      if (!one.cut && !stopped.contains(one.place))
        Violated(absl::StrCat(one.key, " is lost, of ", kafka::NameOf(one.place), " ", one.offset));
      return;
    }
    const auto& [id, state] = stored.find(one.key)->second;
    const auto submitted = submits.find(id);
    const int times = submitted == submits.end() ? 0 : submitted->second;
    if (times > 1) Violated(one.key + " was submitted " + std::to_string(times) + " times");
    if (!one.due && times != 0) Violated(one.key + " left before its slot");
    if (state == delivery::State::kCanceled) {
      if (cancel == Cancel::kNone) Violated(one.key + " is canceled, and nobody asked for it");
      if (times != 0) Violated(one.key + " is canceled and was submitted");
      if (one.due) return;
      ++report_.canceled;
      return;
    }
    if (!one.due && cancel == Cancel::kApplied) Violated(one.key + " was to be canceled and is not");
    if (!one.due && state != delivery::State::kPending)
      Violated(absl::StrCat(one.key, " waits for its slot and is in state ", static_cast<int>(state)));
    CheckEnd(one, id, state, times);
  }
  void CheckEnd(const Written& one, const InstanceId& id, delivery::State state, int times) {
    if (one.late && times == 0 && state == delivery::State::kExpired) return;
    // In flight when the broker went, and nobody could be asked in time: at most the window.
    if (one.late && times == 0 && state == delivery::State::kUnknown) {
      if (++unknown_ > kKafkaCredit) Violated("more became UNKNOWN than the window holds");
      return;
    }
    if (one.due && state != delivery::State::kDelivered)
      Violated(absl::StrCat(one.key, " is due and ended in state ", static_cast<int>(state), ":", Story(id)));
    if (one.due && times != 1) Violated(one.key + " is delivered and was never submitted");
  }

  // What counts as applied stays so.
  void CheckOffsets() {
    for (const TopicPartition& place : {Orders(0), Orders(1), kKafkaStatus}) {
      const auto at = world_.engine->FeedAt({place.topic, static_cast<std::uint32_t>(place.partition)});
      if (!at.ok()) {
        Violated("the applied offsets cannot be read: " + at.status().ToString());
        continue;
      }
      std::vector<std::uint64_t>& before = applied_[place];
      before.resize(at->next.size());
      for (std::size_t shard = 0; shard < before.size(); ++shard) {
        if (at->next[shard] < before[shard])
          Violated(absl::StrCat("I13: of ", kafka::NameOf(place), " shard ", shard, " had applied ", before[shard],
                                ", and now ", at->next[shard]));
      }
      before = at->next;
    }
  }
  void Inspect() {
    engine::Inspector inspector(world_.memory, world_.index_keys, world_.options.shards);
    const absl::Status status =
        inspector.Run([this](const std::string& finding) { Violated("I12 and others: " + finding); },
                      [](const engine::InspectionSummary&) { return true; });
    if (!status.ok()) Violated("the inspection ended: " + status.ToString());
  }

  // A second engine, or a folder that was made anew, on the same group: it waits.
  void CheckAnotherFolder() {
    for (std::int32_t partition = 0; partition < kPartitions; ++partition)
      if (broker_.CommittedOf(Orders(partition)) <= 0) return;
    engine::World other;
    other.engine.reset();
    other.policy = world_.policy;
    other.workflow = delivery::MakeDeliveryWorkflow();
    if (!other.TryOpen().ok()) return Violated("another folder cannot be opened");
    server::DeadLetters letters("dead");
    server::IntakeOptions options;
    options.topics = {{"orders", server::TopicKind::kSchedule}};
    options.acting.tenants = {"acme"};
    options.acting.unsigned_ok = true;
    server::IntakeParts parts;
    parts.engine = other.engine.get();
    parts.shards = other.options.shards;
    parts.validation = &validation_;
    parts.clock = &other.clock;
    parts.dead_letters = &letters;
    parts.admin = &broker_.admin();
    parts.open = [this] { return broker_.MakeConsumer(); };
    server::Intake intake(std::move(options), std::move(parts));
    if (!intake.Open().ok()) return Violated("no consumer");
    for (int round = 0; round < 200; ++round) {
      other.clock.Advance(100);
      intake.RunOnce(std::chrono::milliseconds(0));
      other.engine->RunOnce();
    }
    const auto figures = other.engine->TakeFigures();
    if (figures.created != 0) Violated("another folder applied what this one had");
  }

  const KafkaHooks hooks_;
  Disk disk_;
  std::mt19937_64 random_;
  engine::World world_;
  server::ModelBroker broker_;
  KafkaGateway gateway_;
  std::unique_ptr<delivery::ZoneResolver> zones_ = delivery::MakeZoneResolver();
  server::Validation validation_{[] {
                                   server::LimitsConfig limits;
                                   limits.horizon_ms = 0;
                                   return limits;
                                 }(),
                                 zones_.get()};
  std::unique_ptr<server::DeadLetters> letters_;
  std::unique_ptr<server::Outlet> outlet_;
  std::unique_ptr<server::Gateways> gateways_;
  std::unique_ptr<server::Intake> intake_;
  std::vector<Written> written_;
  std::map<TopicPartition, std::vector<std::uint64_t>> applied_;  // as last seen, by shard
  std::set<TopicPartition> cut_, deleted_;
  int keys_ = 0;
  std::int64_t looked_ms_ = 0;
  std::uint32_t unknown_ = 0;
  bool away_ = false, faults_ = true;
  KafkaReport report_;
};

}  // namespace

KafkaReport RunKafka(std::uint64_t seed, int steps, const KafkaHooks& hooks) { return KafkaRun(seed, hooks).Go(steps); }

KafkaReport RunKafkaOutage(std::uint64_t seed, const KafkaHooks& hooks) {
  return KafkaRun(seed, hooks).GoThroughAnOutage();
}

}  // namespace smsflow::sim
