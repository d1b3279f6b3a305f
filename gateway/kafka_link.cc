#include "gateway/kafka_link.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/kafka_offsets.h"
#include "gateway/kafka_starts.h"
#include "gateway/kafka_words.h"

namespace smsflow::gateway {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLook(200);     // how long a stop may go unnoticed
constexpr milliseconds kPause(1'000);  // before what failed is tried again
constexpr milliseconds kCommitEvery(1'000);
constexpr milliseconds kPartitionsEvery(10'000);
constexpr milliseconds kFarewell(700);
constexpr std::size_t kRecordsAtOnce = 1'000;
constexpr std::size_t kLettersMax = 100;          // of a partition, until it is read no further
constexpr std::size_t kOpenBeyondCredit = 2'000;  // probes, and what was settled just now, beside what credit allows
constexpr std::size_t kUnsaidMax = 20'000;        // with so much told once and not yet, nothing more is taken up

using Steady = std::chrono::steady_clock;

class KafkaLink : public Link {
 public:
  KafkaLink(KafkaLinkOptions options, engine::Clock& clock) : options_(std::move(options)), clock_(clock) {}
  ~KafkaLink() override { Stop(); }

  void Start(LinkEvents& events) override {
    events_ = &events;
    engine::PeerHello hello = events.Hello();
    served_ = {std::move(hello.peer), std::move(hello.tenants), options_.old_engine};
    options_.client.name = absl::StrCat("smsflow-gateway-", served_.peer.gateway);
    teller_ = std::thread([this] { TellLoop(); });
    reader_ = std::thread([this] { ReadLoop(); });
  }

  void Report(std::vector<gateway::Report> reports) override {
    std::size_t lost = 0;
    {
      const std::lock_guard lock(mutex_);
      for (gateway::Report& report : reports) {
        const bool once = IsToldOnce(report.old, report.result);
        if (!attached_ && !once) continue;
        if (attached_ && Send(report)) continue;
        if (once) unsaid_.push_back(std::move(report));
        lost += once ? 0 : 1;
      }
    }
    if (lost > 0) events_->OnGone(lost);
  }

  void Kept(const std::vector<AttemptId>& attempts) override {
    {
      const std::lock_guard lock(mutex_);
      for (const AttemptId& attempt : attempts) offsets_.Done(attempt);
    }
    wake_.notify_all();
  }

  void Stop() override {
    if (!teller_.joinable()) return;
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    reader_.join();
    teller_.join();
  }

 private:
  // What a record of ours on its way to the broker says.
  struct UnderWay {
    AttemptId attempt;
    Reported result = Reported::kAccepted;
    enum class Kind { kReport, kLetter, kAnnouncement, kStranger } kind = Kind::kReport;
    std::int32_t partition = 0;  // kLetter: of the record that it is of
    std::int64_t offset = 0;
    bool once = false;  // kReport: it is not told again
  };
  // What must be at the broker before its record counts as read: a dead letter, or the refusal of an old engine's SMS.
  struct Letter {
    const std::string& topic;
    kafka::Outgoing record;
    bool under_way = false;
  };
  using LetterPlace = std::pair<std::int32_t, std::int64_t>;

  bool Waits(std::unique_lock<std::mutex>& lock, milliseconds time) {
    return !wake_.wait_for(lock, time, [this] { return stopping_; });
  }

  // --- telling, under mutex_ but for events

  // False: it did not leave and will not; that it is told again is seen to.
  bool Send(const gateway::Report& report) {
    const auto status =
        Send(options_.status_topic, StatusOf(report, served_.peer),
             {report.attempt, report.result, UnderWay::Kind::kReport, 0, 0, IsToldOnce(report.old, report.result)});
    if (!status.ok()) broken_ = true;
    return status.ok();
  }

  absl::Status Send(const std::string& topic, const kafka::Outgoing& record, UnderWay what) {
    const std::uint64_t tag = ++last_tag_;
    under_way_.emplace(tag, what);
    auto status = producer_->Produce(topic, kafka::kAnyPartition, record.key, record.value, record.headers, tag);
    if (!status.ok()) under_way_.erase(tag);
    return status;
  }

  absl::Status SendAnnouncement(const engine::PeerHello& hello, bool leaves) {
    kafka::Announcement said = AnnouncementOf(hello, partitions_, options_.credit, clock_.WallMs());
    said.leaves = leaves;
    return Send(options_.status_topic, kafka::EncodeAnnouncement(said), {{}, {}, UnderWay::Kind::kAnnouncement, 0, 0});
  }

  // What is told once goes from here to the producer, and is then the broker's or nobody's.
  void SendUnsaid() {
    while (attached_ && !unsaid_.empty() && Send(unsaid_.front())) unsaid_.pop_front();
  }

  void SendLetters() {
    for (auto& [place, waiting] : letters_) {
      if (waiting.under_way) continue;
      const auto status =
          Send(waiting.topic, waiting.record, {{}, {}, UnderWay::Kind::kLetter, place.first, place.second});
      waiting.under_way = status.ok();
    }
  }

  void TellLoop() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      if (partitions_.empty()) {
        Waits(lock, kLook);
        continue;
      }
      lock.unlock();
      const absl::Status why = Attend();
      lock.lock();
      if (stopping_) break;
      spdlog::warn("not at Kafka: {}; next try in {} ms", why.ToString(), kPause.count());
      Waits(lock, kPause);
    }
  }

  // The life of one producer.
  absl::Status Attend() {
    auto opened = kafka::Producer::Open(options_.client);
    if (!opened.ok()) return opened.status();
    const std::shared_ptr<kafka::Producer> producer = std::move(*opened);
    const engine::PeerHello hello = events_->Hello();
    {
      const std::lock_guard lock(mutex_);
      producer_ = producer;
      hello_ = hello;
      under_way_.clear();
      broken_ = announced_ = false;
      for (auto& [place, waiting] : letters_) waiting.under_way = false;
      if (options_.old_engine) {
        announced_ = attached_ = true;  // its gateways say nothing of themselves
      } else if (const auto status = SendAnnouncement(hello, false); !status.ok()) {
        return status;
      }
    }
    if (options_.old_engine) Attached();
    const absl::Status why = Tell(*producer);
    bool was_attached = false;
    {
      const std::lock_guard lock(mutex_);
      was_attached = std::exchange(attached_, false);
    }
    if (was_attached) events_->OnDetached(why);
    return why;
  }

  absl::Status Tell(kafka::Producer& producer) {
    auto announce_at = Steady::now() + milliseconds(options_.announce_every_ms);
    std::vector<kafka::Delivery> deliveries;
    for (;;) {
      deliveries.clear();
      producer.Poll(kLook, kRecordsAtOnce, deliveries);
      absl::Status why = TakeDeliveries(deliveries);
      why.Update(producer.Fatal());
      const engine::PeerHello hello = Steady::now() >= announce_at ? events_->Hello() : engine::PeerHello{};
      const std::lock_guard lock(mutex_);
      if (stopping_) {
        Farewell(producer);
        return absl::OkStatus();
      }
      if (broken_) why.Update(absl::UnavailableError("reports could not be told"));
      if (!why.ok()) return why;
      if (hello.tenants.empty()) continue;
      announce_at = Steady::now() + milliseconds(options_.announce_every_ms);
      if (!options_.old_engine) SendAnnouncement(hello, false).IgnoreError();  // the next one is as good
      SendLetters();
    }
  }

  // Under mutex_: nothing more is to be told.
  void Farewell(kafka::Producer& producer) {
    if (!attached_) return;
    attached_ = false;
    if (!options_.old_engine) SendAnnouncement(hello_, true).IgnoreError();
    producer.Flush(kFarewell).IgnoreError();  // an engine that does not hear it will hear nothing more
  }

  // An error: the attachment is over, and what was not answered is to be told again.
  absl::Status TakeDeliveries(const std::vector<kafka::Delivery>& deliveries) {
    absl::Status why;
    std::vector<Answer> answers;
    std::size_t gone = 0, lost = 0;
    bool attached_now = false;
    {
      const std::lock_guard lock(mutex_);
      for (const kafka::Delivery& delivery : deliveries) {
        const auto found = under_way_.find(delivery.tag);
        if (found == under_way_.end()) continue;
        const UnderWay what = found->second;
        under_way_.erase(found);
        if (what.kind == UnderWay::Kind::kLetter) {
          TakeLetter(what, delivery.status);
          continue;
        }
        if (!delivery.status.ok()) why = delivery.status;
        lost += !delivery.status.ok() && what.once ? 1 : 0;
        if (what.kind == UnderWay::Kind::kAnnouncement && delivery.status.ok()) attached_now = !announced_;
        if (what.kind != UnderWay::Kind::kReport) continue;
        ++gone;
        if (delivery.status.ok()) answers.push_back({what.attempt, what.result, true});
      }
      if (attached_now && why.ok()) announced_ = attached_ = true;
    }
    if (lost > 0) spdlog::error("{}: nobody knows whether {} words were said", options_.status_topic, lost);
    if (attached_now && why.ok()) {
      spdlog::info("announced on {}", options_.status_topic);
      Attached();
    }
    if (!answers.empty()) events_->OnAnswers(std::move(answers));
    if (gone > 0) events_->OnGone(gone);
    return why;
  }

  void Attached() {
    events_->OnAttached();
    {
      const std::lock_guard lock(mutex_);
      SendUnsaid();
    }
    wake_.notify_all();
  }

  void TakeLetter(const UnderWay& what, const absl::Status& status) {
    const auto found = letters_.find({what.partition, what.offset});
    if (found == letters_.end()) return;
    if (!status.ok()) {
      spdlog::error("{} cannot be written, so {}[{}] waits at it: {}", found->second.topic, options_.send_topic,
                    what.partition, status.ToString());
      found->second.under_way = false;
      return;
    }
    letters_.erase(found);
    offsets_.Done(what.partition, what.offset);
    wake_.notify_all();
  }

  // --- reading

  void ReadLoop() {
    while (!IsStopping()) {
      const absl::Status why = ReadOn();
      std::unique_lock lock(mutex_);
      if (stopping_) return;
      spdlog::warn("reading {} is interrupted: {}; next try in {} ms", options_.send_topic, why.ToString(),
                   kPause.count());
      Waits(lock, kPause);
    }
  }

  bool IsStopping() {
    const std::lock_guard lock(mutex_);
    return stopping_;
  }

  // The life of one consumer.
  absl::Status ReadOn() {
    auto admin = kafka::Admin::Open(options_.client);
    if (!admin.ok()) return admin.status();
    auto consumer = kafka::Consumer::Open(options_.client, GroupOf(options_, served_.peer));
    if (!consumer.ok()) return consumer.status();
    auto partitions = FindPartitions(**admin, options_);
    if (!partitions.ok()) return partitions.status();
    {
      std::unique_lock lock(mutex_);
      partitions_ = *partitions;
      wake_.notify_all();
      // Nothing is taken up before what becomes of it can be told.
      while (!announced_ && !stopping_) Waits(lock, kLook);
      if (stopping_) return absl::OkStatus();
    }
    auto starts = FindStarts(**admin, **consumer, options_, *partitions);
    if (!starts.ok()) return starts.status();
    if (const auto status = Begin(**consumer, *starts); !status.ok()) return status;
    auto look_at = Steady::now() + kPartitionsEvery;
    auto commit_at = Steady::now() + kCommitEvery;
    while (!IsStopping()) {
      if (AwaitRoom()) {
        if (const auto status = Round(**consumer); !status.ok()) return status;
      }
      if (Steady::now() >= commit_at) {
        commit_at = Steady::now() + kCommitEvery;
        Commit(**consumer);
      }
      if (options_.partitions.empty() && Steady::now() >= look_at) {
        look_at = Steady::now() + kPartitionsEvery;
        auto now = FindPartitions(**admin, options_);
        if (now.ok() && *now != *partitions) return absl::UnavailableError("its partitions have changed");
      }
    }
    Commit(**consumer);
    return absl::OkStatus();
  }

  absl::Status Begin(kafka::Consumer& consumer, const Starts& starts) {
    std::vector<kafka::Start> assigned;
    for (const auto& [partition, offset] : starts) assigned.push_back({{options_.send_topic, partition}, offset});
    {
      const std::lock_guard lock(mutex_);
      offsets_.Begin(starts);
      letters_.clear();  // what is not yet a letter will be read again
    }
    held_.clear();
    return consumer.Add(assigned);
  }

  // True: there is room for more in the core.
  bool AwaitRoom() {
    std::unique_lock lock(mutex_);
    const std::size_t most = options_.credit + kOpenBeyondCredit;
    // Letters are no work of the core: a topic for them that is away stops the partitions they are of, see Round().
    const auto room = [&] { return offsets_.open() - letters_.size() < most && unsaid_.size() < kUnsaidMax; };
    wake_.wait_for(lock, kLook, [&] { return stopping_ || room(); });
    return room();
  }

  // A partition with many letters that cannot leave is read no further, until all of them have.
  absl::Status HoldPartitionsOfLetters(kafka::Consumer& consumer) {
    std::map<std::int32_t, std::size_t> letters;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [place, letter] : letters_) ++letters[place.first];
    }
    std::vector<kafka::TopicPartition> pause, resume;
    for (const auto& [partition, count] : letters) {
      if (count >= kLettersMax && held_.insert(partition).second) pause.push_back({options_.send_topic, partition});
    }
    std::erase_if(held_, [&](std::int32_t partition) {
      if (letters.contains(partition)) return false;
      resume.push_back({options_.send_topic, partition});
      return true;
    });
    absl::Status status = pause.empty() ? absl::OkStatus() : consumer.Pause(pause);
    if (status.ok() && !resume.empty()) status = consumer.Resume(resume);
    return status;
  }

  absl::Status Round(kafka::Consumer& consumer) {
    const kafka::Polled polled = consumer.Poll(kLook, kRecordsAtOnce);
    std::vector<Lease> leases;
    std::vector<engine::Probe> probes;
    {
      const std::lock_guard lock(mutex_);
      for (const kafka::Record& record : polled.records) Take(record, leases, probes);
      SendLetters();
    }
    if (!leases.empty()) events_->OnLeases(std::move(leases));
    if (!probes.empty()) events_->OnProbes(std::move(probes));
    if (const auto status = HoldPartitionsOfLetters(consumer); !status.ok()) return status;
    return polled.errors.empty() ? absl::OkStatus() : Mend(consumer, polled);
  }

  // Under mutex_.
  void Owe(std::int32_t partition, std::int64_t offset, const std::string& topic, kafka::Outgoing record) {
    offsets_.Open(partition, offset);
    letters_.try_emplace({partition, offset}, Letter{topic, std::move(record)});
  }

  // Under mutex_.
  void Take(const kafka::Record& record, std::vector<Lease>& leases, std::vector<engine::Probe>& probes) {
    const std::int32_t partition = record.partition();
    const std::int64_t offset = record.offset();
    if (!offsets_.Read(partition, offset)) return;
    Asked asked = AskedBy(record, served_, clock_.WallMs());
    if (auto* lease = std::get_if<Lease>(&asked)) {
      if (offsets_.Open(partition, offset, lease->attempt, KafkaOffsets::Asks::kLease))
        leases.push_back(std::move(*lease));
    } else if (auto* probe = std::get_if<engine::Probe>(&asked)) {
      if (offsets_.Open(partition, offset, probe->attempt, KafkaOffsets::Asks::kProbe)) probes.push_back(*probe);
    } else if (auto* refused = std::get_if<Refused>(&asked)) {
      Owe(partition, offset, options_.status_topic, std::move(refused->status));
    } else if (auto* other = std::get_if<ForAnother>(&asked)) {
      const gateway::Report unknown{other->attempt, Reported::kUnknown, About::kNotSaid, "unknown", clock_.WallMs()};
      if (attached_) {
        Send(options_.status_topic, StatusOf(unknown, served_.peer), {{}, {}, UnderWay::Kind::kStranger, 0, 0})
            .IgnoreError();
      }
    } else {
      const absl::Status& why = std::get<Unread>(asked).why;
      spdlog::error("{}[{}] {} cannot be read: {}", options_.send_topic, partition, offset, std::string(why.message()));
      Owe(partition, offset, options_.dead_letter_topic,
          kafka::EncodeDeadLetter({options_.send_topic, partition, offset, std::string(why.message()), clock_.WallMs(),
                                   record.value().size(), served_.peer.gateway}));
    }
  }

  // A partition whose offset is not there any more begins anew: what was skipped the engine asks for again.
  absl::Status Mend(kafka::Consumer& consumer, const kafka::Polled& polled) {
    std::map<std::int32_t, std::int64_t> starts;
    {
      const std::lock_guard lock(mutex_);
      starts = offsets_.Positions();
    }
    bool moved = false;
    for (const auto& [place, why] : polled.errors) {
      spdlog::warn("{}", why.ToString());
      if (absl::IsOutOfRange(why) && starts.count(place.partition) == 1) {
        starts[place.partition] = kafka::kFromBeginning;
        moved = true;
      } else if (absl::IsNotFound(why) || kafka::IsFatal(why)) {
        return why;
      }
    }
    if (!moved) return absl::OkStatus();
    std::vector<kafka::TopicPartition> all;
    for (const auto& [partition, offset] : starts) all.push_back({options_.send_topic, partition});
    if (absl::Status status = consumer.Remove(all); !status.ok()) return status;
    return Begin(consumer, starts);
  }

  void Commit(kafka::Consumer& consumer) {
    std::map<std::int32_t, std::int64_t> positions;
    {
      const std::lock_guard lock(mutex_);
      positions = offsets_.Positions();
    }
    std::vector<kafka::Start> next;
    for (const auto& [partition, offset] : positions) {
      if (offset >= 0) next.push_back({{options_.send_topic, partition}, offset});
    }
    consumer.Commit(next);
  }

  KafkaLinkOptions options_;
  engine::Clock& clock_;
  LinkEvents* events_ = nullptr;
  Served served_;
  engine::PeerHello hello_;  // as it was announced by this producer first

  std::mutex mutex_;
  std::condition_variable wake_;
  std::shared_ptr<kafka::Producer> producer_;
  std::unordered_map<std::uint64_t, UnderWay> under_way_;  // by tag
  std::uint64_t last_tag_ = 0;
  KafkaOffsets offsets_;
  std::map<LetterPlace, Letter> letters_;  // not yet at the broker
  std::deque<gateway::Report> unsaid_;     // told once, and not yet
  std::set<std::int32_t> held_;            // partitions that wait for theirs; of the thread that reads
  std::vector<std::int32_t> partitions_;   // empty: not known yet
  bool announced_ = false;                 // by this producer
  bool attached_ = false;
  bool broken_ = false;  // something must be told again
  bool stopping_ = false;
  std::thread teller_;
  std::thread reader_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Link>> MakeKafkaLink(KafkaLinkOptions options, engine::Clock& clock) {
  if (options.client.servers.empty())
    return absl::InvalidArgumentError("kafka: must be host:port, or several with commas");
  if (!options.old_engine && !options.old_group.empty())
    return absl::InvalidArgumentError("old-group: is for --old-engine alone");
  if (const auto status = kafka::CheckProperties(options.client.properties); !status.ok()) return status;
  return std::make_unique<KafkaLink>(std::move(options), clock);
}

}  // namespace smsflow::gateway
