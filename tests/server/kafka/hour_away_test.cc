// The broker is stopped for a minute, while the clock of engine and gateway moves by an hour, wall and monotonic
// together: on a real broker, with the real engine, door and gateway in this process. What was asked for is compared
// with the gateway's truth log and with what is stored.
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <mutex>
#include <set>

#include "absl/strings/str_cat.h"
#include "crypto/envelope.h"
#include "engine/inspect.h"
#include "engine/reader.h"
#include "gateway/gateway.h"
#include "gateway/kafka_link.h"
#include "server/kafka/kafka_door.h"
#include "server/kafka/outlet.h"
#include "server/kafka/work.h"
#include "server/policies.h"
#include "storage/data_folder.h"
#include "tests/crash/truth.h"
#include "tests/kafka/broker.h"
#include "tests/server/kafka/stored_smses.h"
#include "workflows/delivery/codec/codec.h"
#include "workflows/delivery/zones.h"

namespace smsflow::server {
namespace {

using workflows::delivery::State;

constexpr std::chrono::milliseconds kPatience(30'000);
constexpr int kSeconds = 180;  // that anything may take on a busy machine
constexpr std::int64_t kMinuteS = 60, kHourS = 3'600, kGuardS = 5;
constexpr std::uint32_t kCredit = 50;
constexpr std::uint16_t kShards = 8;
constexpr std::int32_t kPartitions = 2;
constexpr int kBefore = 400, kAtOnce = 20, kOnceEveryMs = 100;

[[noreturn]] void EndFatally(const absl::Status& why) {
  std::cerr << why << std::endl;
  std::abort();
}

// Always false, so that it can stand behind what is waited for.
bool Pause(int ms) {
  ::poll(nullptr, 0, ms);
  return false;
}

// Both of its times go together, as fast as it is told. It begins an hour behind: brokers stamp records with the
// machine's time, and once the hour has passed it is the same again.
class FastClock final : public engine::Clock {
 public:
  std::int64_t WallMs() const override { return begun_wall_ms_ + Passed(); }
  std::int64_t SteadyMs() const override { return begun_steady_ms_ + Passed(); }
  std::int64_t NowS() const { return WallMs() / 1'000; }
  void GoTimes(std::int64_t times) {
    const std::lock_guard lock(mutex_);
    const std::int64_t now_ms = real_.SteadyMs();
    passed_ms_ += (now_ms - since_ms_) * times_;
    since_ms_ = now_ms;
    times_ = times;
  }

 private:
  std::int64_t Passed() const {
    const std::lock_guard lock(mutex_);
    return passed_ms_ + (real_.SteadyMs() - since_ms_) * times_;
  }

  engine::Clock& real_ = engine::SystemClock();
  const std::int64_t begun_wall_ms_ = real_.WallMs() - kHourS * 1'000, begun_steady_ms_ = real_.SteadyMs();
  mutable std::mutex mutex_;
  std::int64_t since_ms_ = begun_steady_ms_, passed_ms_ = 0, times_ = 1;
};

// What was asked for.
struct Asked {
  std::int64_t from_s = 0, till_s = 0;
};

class HourAway : public testing::Test {
 protected:
  HourAway() {
    std::filesystem::create_directories(folder_);
    for (const auto& [name, partitions] : {std::pair(&config_.kafka.schedule_topic, kPartitions),
                                           {&config_.kafka.status_topic, 1},
                                           {&config_.kafka.timer_topic, 1},
                                           {&config_.kafka.send_topic, kPartitions},
                                           {&config_.kafka.events_topic, 1},
                                           {&config_.kafka.dead_letter_topic, 1}})
      *name = kafka::FreshTopic(broker_.address(), partitions);
    config_.kafka.servers = broker_.address();
    config_.kafka.group = config_.kafka.schedule_topic;
    config_.kafka.unsigned_records = config_.kafka.events = true;
    config_.kafka.tenants = {"acme"};
    config_.kafka.gateways = {"g1"};
    config_.kafka.properties = quick_;
    config_.delivery.max_jitter_ms = 0;
    config_.engine.cache_bytes = 4 << 20;
    client_.Start();
    OpenEngine();
    OpenGateway();
  }
  ~HourAway() override {
    client_.Stop();
    gateway_->Stop();
    door_->Stop();
    engine_->Stop();
    std::filesystem::remove_all(folder_);
  }

  std::string File(const std::string& name) const { return folder_ + "/" + name; }

  void OpenEngine() {
    storage::DataFolderOptions folder;
    folder.path = File("data");
    folder.shards = kShards;
    folder.ballast_bytes = 0;
    folder.block_cache_bytes = folder.memtable_bytes = 4 << 20;
    folder.now_ms = clock_.WallMs();
    data_ = *storage::DataFolder::Open(folder);
    door_ = *KafkaDoor::Make(config_);
    engine::EngineOptions options;
    options.shards = kShards;
    options.cache_bytes = config_.engine.cache_bytes;
    engine::EngineParts parts;
    parts.store = &data_->store();
    parts.index_keys = &data_->index_keys();
    parts.high_water = &data_->high_water();
    parts.clock = &clock_;
    parts.random = &engine::SystemRandom();
    parts.policies = MakePolicies(config_);
    parts.fatal = EndFatally;
    parts.workflows = {delivery_.get()};
    parts.posts = door_->posts();
    engine_ = *engine::Engine::Open(options, std::move(parts));
    engine_->Start();
    reader_ = std::make_unique<engine::Reader>(engine::Reader::Parts{
        &data_->store(), &data_->index_keys(), kShards, [this](ShardId shard) { return engine_->Committed(shard); }});
    const absl::Status started =
        door_->Start({engine_.get(), reader_.get(), delivery_.get(), &data_->index_keys(), &clock_, kShards});
    EXPECT_TRUE(started.ok()) << started;
  }
  void OpenGateway() {
    gateway::KafkaLinkOptions link;
    link.client = {"g1", broker_.address(), quick_};
    link.send_topic = config_.kafka.send_topic;
    link.status_topic = config_.kafka.status_topic;
    link.dead_letter_topic = config_.kafka.dead_letter_topic;
    link.credit = kCredit;
    gateway::GatewayOptions options;
    options.gateway = "g1";
    options.tenants = {"acme"};
    options.keys.emplace_back(key_);
    options.store = File("gateway");
    options.truth = File("truth");
    options.loopback = {.normal_delay_ms = 1, .long_delay_ms = 1};
    gateway_ = *gateway::Gateway::Open(std::move(options), *gateway::MakeKafkaLink(std::move(link), clock_), clock_,
                                       EndFatally);
    gateway_->Start();
  }

  // --- what clients do

  kafka::Outgoing Record(Asked slot) {
    kafka::ScheduleSms sms;
    sms.client = "acme";
    sms.key = sms.idempotency_key = absl::StrCat("k", asked_.size());
    if (asked_.size() % 3 != 0) sms.target = absl::StrCat("t", asked_.size() % 500);
    sms.schedule = absl::StrCat(slot.from_s, "-", slot.till_s);
    sms.message = *crypto::SealEnvelope(
        key_.public_key(), crypto::EnvelopeSubject("acme", sms.key),
        absl::StrCat("To: +255123456789\nSender: TEST\n\nsee you on Monday\n", std::string(8'000, '.')));
    asked_.emplace(sms.key, slot);
    return kafka::EncodeScheduleSms(sms);
  }
  void Write(Asked slot) {
    const auto partition = static_cast<std::int32_t>(asked_.size()) % kPartitions;
    Write(partition, Record(slot));
  }
  // As often as the broker's death, or the producer's over it, leaves open whether it is there: its idempotency key
  // makes it one SMS.
  void Write(std::int32_t partition, const kafka::Outgoing& record) {
    client_.Produce(config_.kafka.schedule_topic, partition, record, [=, this](const absl::Status& status) {
      const std::lock_guard lock(again_mutex_);
      if (!status.ok()) again_.emplace_back(partition, record);
    });
  }
  void WriteAgain() {
    std::vector<std::pair<std::int32_t, kafka::Outgoing>> again;
    {
      const std::lock_guard lock(again_mutex_);
      again.swap(again_);
    }
    for (const auto& [partition, record] : again) Write(partition, record);
  }
  // As at a door that needs no broker.
  void AskEngine(Asked slot) {
    const kafka::Outgoing record = Record(slot);
    Work work =
        ScheduleWork({"", "", record.value, kafka::ViewsOf(record.headers), 0}, acting_, validation_, clock_.WallMs());
    auto* fed = std::get_if<engine::FedWork>(&work.what);
    ASSERT_TRUE(fed != nullptr && std::holds_alternative<engine::CreateRequest>(*fed));
    engine_->Create(std::get<engine::CreateRequest>(std::move(*fed)),
                    [this](engine::Answer answer) { ++(answer.status.ok() ? taken_ : refused_); });
  }

  // --- what is looked at all the while

  double Figure(std::string_view name) const {
    double sum = 0;
    for (const NamedFigure& figure : door_->figures())
      if (figure.name == name) sum += figure.value;
    return sum;
  }
  static std::size_t ResidentBytes() {
    std::ifstream in("/proc/self/statm");
    std::size_t size = 0, resident = 0;
    in >> size >> resident;
    return resident * static_cast<std::size_t>(::getpagesize());
  }
  std::map<kafka::TopicPartition, std::uint64_t> Applied() const {
    std::map<kafka::TopicPartition, std::uint64_t> applied;
    for (const auto& [topic, partitions] :
         {std::pair(config_.kafka.schedule_topic, kPartitions), std::pair(config_.kafka.status_topic, 1)}) {
      for (std::int32_t partition = 0; partition < partitions; ++partition) {
        const auto at = engine_->FeedAt({topic, static_cast<std::uint32_t>(partition)});
        EXPECT_TRUE(at.ok()) << at.status();
        applied[{topic, partition}] = at->lowest;
      }
    }
    return applied;
  }
  void Look() {
    WriteAgain();
    most_leaving_ = std::max(most_leaving_, Figure("smsflow_kafka_leaving_records"));
    most_queued_ = std::max(most_queued_, engine_->TakeFigures().queue_depth);
    most_bytes_ = std::max(most_bytes_, ResidentBytes());
    auto applied = Applied();
    for (const auto& [place, offset] : applied_)
      EXPECT_GE(applied.at(place), offset) << kafka::NameOf(place) << " went back";
    applied_ = std::move(applied);
  }
  bool AppliedToTheEnd() {
    const auto admin = kafka::Admin::Open({"test", broker_.address(), quick_});
    EXPECT_TRUE(admin.ok()) << admin.status();
    for (const auto& [place, offset] : Applied()) {
      const auto ends = (*admin)->Ends(place, kPatience);
      if (!ends.ok() || offset < static_cast<std::uint64_t>(ends->high)) return false;
    }
    return true;
  }

  // --- what came of it

  std::multimap<std::string, StoredSms> Stored() const {
    auto stored = StoredSmses(*reader_);
    EXPECT_TRUE(stored.ok()) << stored.status();
    return *std::move(stored);
  }
  bool IsFarAhead(const Asked& asked) const { return asked.from_s > clock_.NowS(); }
  bool AllEnded() const {
    const auto stored = Stored();
    if (stored.size() != asked_.size()) return false;
    for (const auto& [key, sms] : stored) {
      const Asked& asked = asked_.at(key);
      if (asked.till_s > back_s_ && !IsFarAhead(asked) && sms.state != State::kDelivered) return false;
      if (asked.till_s <= back_s_ && (sms.state == State::kPending || sms.state == State::kInSlot)) return false;
    }
    return true;
  }
  void Judge(const std::string& key, const Asked& asked, const std::multimap<std::string, StoredSms>& stored,
             const crash::Truth& truth) {
    ASSERT_EQ(stored.count(key), 1U) << key;
    const StoredSms& sms = stored.find(key)->second;
    const auto left = truth.find(std::string(sms.id.AsBytes()));
    const std::string what = absl::StrCat(key, " ", sms.id.ToString(), " in state ", static_cast<int>(sms.state));
    if (left != truth.end()) {
      ASSERT_EQ(left->second.size(), 1U) << what << " was submitted more than once";
      const std::int64_t at_s = left->second.front().at_ms / 1'000;
      EXPECT_TRUE(asked.from_s <= at_s && at_s < asked.till_s) << what << " left outside its slot";
      EXPECT_EQ(sms.state, State::kDelivered) << what << " was submitted";
      submitted_while_away_ += at_s > gone_s_ && at_s < back_s_;
      ++delivered_;
    } else if (IsFarAhead(asked)) {
      EXPECT_EQ(sms.state, State::kPending) << what;
    } else if (asked.till_s > back_s_) {
      ADD_FAILURE() << what << " was not late, and did not leave";
    } else {
      ++late_;
      unknown_ += sms.state == State::kUnknown;
      EXPECT_TRUE(sms.state == State::kExpired || sms.state == State::kUnknown) << what << " is late";
    }
  }
  void JudgeAll() {
    crash::Findings findings;
    const crash::Truth truth = crash::ReadTruth(File("truth"), findings);
    for (const auto& finding : findings.Take()) ADD_FAILURE() << finding.what;
    const auto stored = Stored();
    EXPECT_EQ(stored.size(), asked_.size());
    for (const auto& [key, asked] : asked_) ASSERT_NO_FATAL_FAILURE(Judge(key, asked, stored, truth));
    EXPECT_EQ(delivered_, truth.size()) << "what left, and nobody asked for";
    engine::Inspector inspector(data_->store(), data_->index_keys(), kShards);
    EXPECT_TRUE(
        inspector.Run([](const std::string& finding) { ADD_FAILURE() << finding; }, [](const auto&) { return true; })
            .ok());
  }

  kafka::OwnBroker broker_;
  const std::map<std::string, std::string> quick_{{"reconnect.backoff.max.ms", "500"}};
  const std::string folder_ =
      (std::filesystem::temp_directory_path() / absl::StrCat("smsflow-hour-", ::getpid())).string();
  const crypto::PrivateKey key_ = crypto::PrivateKey::Generate(crypto::KeyKind::kP256);
  const std::unique_ptr<workflows::Workflow> delivery_ = workflows::delivery::MakeDeliveryWorkflow();
  const std::unique_ptr<workflows::delivery::ZoneResolver> zones_ = workflows::delivery::MakeZoneResolver();
  const Validation validation_{LimitsConfig{}, zones_.get()};
  const Acting acting_{.tenants = {"acme"}, .unsigned_ok = true};
  FastClock clock_;
  Config config_;
  Outlet client_{[this] { return kafka::Producer::Open({"client", broker_.address(), quick_}); }};
  std::mutex again_mutex_;
  std::vector<std::pair<std::int32_t, kafka::Outgoing>> again_;
  std::unique_ptr<storage::DataFolder> data_;
  std::unique_ptr<KafkaDoor> door_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<engine::Reader> reader_;
  std::unique_ptr<gateway::Gateway> gateway_;

  std::map<std::string, Asked> asked_;  // by key
  std::atomic<int> taken_{0}, refused_{0};
  std::int64_t gone_s_ = 0, back_s_ = 0;
  std::map<kafka::TopicPartition, std::uint64_t> applied_;
  double most_leaving_ = 0;
  std::uint64_t most_queued_ = 0;
  std::size_t most_bytes_ = 0, delivered_ = 0, late_ = 0, unknown_ = 0, submitted_while_away_ = 0;
};

TEST_F(HourAway, NothingIsLostOrDoubledWhatIsLateExpiresAndTheRestLeaves) {
  // Slots of every kind: over in the hour, begun or not when it begins; longer than it; and after it.
  const auto draw = [&](int number) -> Asked {
    const std::int64_t now_s = clock_.NowS();
    switch (number % 5) {
      case 0:
        return {now_s - 5, now_s + 20 * kMinuteS};
      case 1:
        return {now_s - 5, now_s + 5 * kHourS};
      case 2:
        return {now_s + 10 * kMinuteS, now_s + 25 * kMinuteS};
      case 3:
        return {now_s + 15 * kMinuteS, now_s + 5 * kHourS};
      default:
        return {now_s + 24 * kHourS, now_s + 25 * kHourS};
    }
  };
  for (int i = 0; i < kBefore; ++i) Write(draw(i));
  ASSERT_TRUE(kafka::Within(kSeconds, [&] {
    Look();
    return engine_->TakeFigures().created >= kBefore || Pause(20);
  }));
  for (int i = 0; i < kBefore; ++i) Write(draw(i));  // on their way when it goes
  ASSERT_TRUE(kafka::Within(kSeconds, [&] { return engine_->TakeFigures().created > kBefore || Pause(1); }));

  broker_.Kill();
  gone_s_ = clock_.NowS();
  Look();
  const std::size_t bytes = ResidentBytes();
  const auto applied = applied_;
  most_leaving_ = 0;
  clock_.GoTimes(kHourS / kMinuteS);
  int asked_away = 0;
  // What begins or is over within the hour is asked for early enough to be so.
  for (int number = 0; clock_.NowS() < gone_s_ + kHourS; ++number) {
    const bool early = clock_.NowS() < gone_s_ + kHourS / 2;
    for (int i = 0; i < kAtOnce; ++i, ++asked_away) AskEngine(draw(early ? i : i % 2 * 3 + 1));
    Write(draw(early ? number : number % 2 * 3 + 1));
    Look();
    Pause(kOnceEveryMs);
  }
  clock_.GoTimes(1);
  std::cerr << "away for an hour: " << asked_away << " asked for meanwhile, " << most_leaving_
            << " records at most on their way, " << most_queued_ << " commands queued, "
            << (most_bytes_ - std::min(bytes, most_bytes_)) / 1'000'000 << " MB more than before, "
            << engine_->TakeFigures().open_leases << " attempts in flight\n";
  // The window's attempts and probes, and the transitions that were read and have not left.
  EXPECT_LE(most_leaving_, 2 * kCredit + 1'000);
  EXPECT_LE(most_queued_, 2'000U);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_LE(most_bytes_, bytes + (80U << 20)) << "of more than 100 MB that were asked for";
#endif
  broker_.Start();
  back_s_ = clock_.NowS();

  for (int i = 0; i < kBefore; ++i) Write(draw(i % 2 == 0 ? 1 : 4));
  EXPECT_TRUE(kafka::Within(kSeconds, [&] {
    Look();
    return AllEnded() || Pause(300);
  }));
  EXPECT_TRUE(kafka::Within(kSeconds, [&] {
    Look();
    return (client_.pending() == 0 && AppliedToTheEnd()) || Pause(300);
  }));
  for (const auto& [place, offset] : applied) EXPECT_GT(applied_.at(place), offset) << kafka::NameOf(place);
  EXPECT_EQ(refused_, 0);
  EXPECT_EQ(taken_, asked_away);
  gateway_->Stop();
  JudgeAll();
  std::cerr << delivered_ << " delivered, " << late_ << " too late, " << unknown_ << " of them UNKNOWN, "
            << submitted_while_away_ << " submitted meanwhile\n";
  EXPECT_GT(late_, 0U);
  EXPECT_LE(unknown_, kCredit);
  EXPECT_LE(submitted_while_away_, kCredit);
}

}  // namespace
}  // namespace smsflow::server
