// Reads the topics that concern the engine, from where its shards have come, and gives it each record once and in the
// order of its partition.
//
// A partition begins with a check: the record before the highest applied offset must be the one that was applied. Where
// another one stands, or none, the topic was made anew or cut off; where the lowest offset that is needed is gone,
// records were lost unread; where the group has come further than this data folder, the folder is new, was restored, or
// is a second engine's, and what others applied would be applied once more. Such a partition stops and says so, until
// somebody puts it into kafka.accept. The check is made again when the partition gets another leader, for that is when
// a log can be cut off.
//
// Bounded: so many records of a partition, and so many bytes, are given and unanswered or wait; beyond it the partition
// is paused. It is also held while a dead letter of it is on its way, and, where it asks for new work, while the engine
// takes none.
//
// Two threads: one reads and gives, and waits for nobody; one asks the cluster, which may take long. RunOnce() for
// tests that have none: then all is done in it. Figures and Stop() from any.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "engine/engine.h"
#include "kafka/client.h"
#include "server/figures.h"
#include "server/kafka/dead_letters.h"
#include "server/kafka/progress.h"
#include "server/kafka/work.h"

namespace smsflow::server {

enum class TopicKind : std::uint8_t { kSchedule, kStatus, kTimer };

struct IntakeOptions {
  std::map<std::string, TopicKind> topics;
  Acting acting;
  std::set<std::string> gateways;          // that may speak of attempts
  std::optional<PeerId> old_gateway;       // whose reports those without a store are
  bool from_end = false;                   // of a topic that was never read: only what comes from now on
  std::set<kafka::TopicPartition> accept;  // begin anew where another log is found
  std::size_t unanswered_max = 4'000;      // per partition
  std::size_t unanswered_bytes_max = 16 << 20;
  std::size_t waiting_max = 2'000;          // records, per partition
  std::size_t waiting_bytes_max = 8 << 20;  // per partition
  std::int64_t progress_ms = 5'000;         // so often shards that got nothing are moved on
  std::int64_t look_ms = 10'000;            // so often topics are looked at: new partitions, ends
  std::int64_t again_ms = 5'000;            // after a partition could not be begun
  std::chrono::milliseconds ask_ms{3'000};  // for an answer of the broker
};

struct IntakeParts {
  engine::Engine* engine = nullptr;
  std::uint16_t shards = 0;
  const Validation* validation = nullptr;
  const engine::Clock* clock = nullptr;
  DeadLetters* dead_letters = nullptr;
  kafka::Admin* admin = nullptr;
  std::function<absl::StatusOr<std::unique_ptr<kafka::Consumer>>()> open;
  std::function<void(kafka::Announcement, std::int64_t timestamp_ms)> announced;  // may be empty
  std::function<void(const PeerId&, const AttemptId&)> reported;  // a gateway speaks of it; may be empty
  std::function<void()> tick;  // now and then, on the same thread, after what was there was read; may be empty
};

class Intake {
 public:
  Intake(IntakeOptions options, IntakeParts parts);
  ~Intake();

  absl::Status Open();
  void Start();
  void Stop();
  // True when something was done. `wait`: for records, at most.
  bool RunOnce(std::chrono::milliseconds wait);
  // Of DeadLetters; any thread.
  void DeadLetterTaken(const engine::FeedId& feed, std::uint64_t offset);

  std::vector<NamedFigure> figures() const;

 private:
  using Digests = std::deque<std::pair<std::uint64_t, storage::Hash16>>;  // by offset
  enum class State : std::uint8_t { kNew, kAsking, kBeginning, kReading };
  struct Source {
    kafka::TopicPartition place;
    TopicKind kind = TopicKind::kSchedule;
    engine::FeedRef feed;
    State state = State::kNew;
    std::uint64_t generation = 0;         // another one when it begins again, so that late answers are known
    std::string why;                      // it does not begin; empty: nothing is wrong
    std::int64_t again_ms = 0;            // when to try again
    std::optional<absl::Status> another;  // says that it is another log: for good, though what showed it may be deleted
    std::uint64_t fetched = 0;            // the next one that the consumer gives
    std::uint64_t marked = 0;             // progress that the engine was told
    std::uint64_t end = 0;                // of the log, as last seen
    std::uint64_t current = 0;            // its end when reading began: what stands before it is of the past
    std::int32_t leader = -1;             // as last seen
    Progress progress;
    std::deque<kafka::Record> waiting;
    std::size_t waiting_bytes = 0;
    std::optional<Work> next;            // what the first one that waits asks for
    std::optional<std::uint64_t> alone;  // given, and nothing else until it is answered
    std::set<std::uint64_t> dead;        // on their way to the dead letters
    // Of what was given since the look before the last, and of the one before it: a change of leader may have replaced
    // them.
    Digests recent;
    std::uint64_t looked_at = 0;  // the first of them that the last look has not covered
    std::map<std::string, std::pair<kafka::Announcement, std::int64_t>> past;  // the last one of each gateway
    bool paused = false;
    std::uint64_t given = 0, again = 0, refused = 0, strange = 0;
  };
  struct Event {
    kafka::TopicPartition place;
    std::uint64_t generation = 0;
    enum { kAnswer, kBegun, kMarked, kLetterTaken } kind = kAnswer;
    std::uint64_t offset = 0;
    engine::Taking what = engine::Taking::kApplied;
    absl::Status status;
  };
  // What the engine's threads leave for ours. It outlives us.
  struct Inbox {
    std::mutex mutex;
    std::vector<Event> events;
    std::vector<std::function<void()>> found;  // what the cluster answered, to be taken
    kafka::Consumer* consumer = nullptr;       // to be woken
    void Add(Event event);
  };
  // What the cluster says of the topics, and where those that are read end.
  struct Look {
    absl::StatusOr<std::vector<kafka::TopicInfo>> topics;
    std::map<kafka::TopicPartition, kafka::Watermarks> ends;
  };
  struct Beginning {
    absl::Status status;   // not OK: it does not begin
    bool another = false;  // nor later: it is another log
    std::uint64_t offset = 0;
    bool applied = false;                     // that offset is what the shards know
    std::optional<Digests::value_type> last;  // the record before it, when all of them know that offset
    bool again = false;                       // also shards that have come further begin there
    std::uint64_t end = 0;
    std::string note;  // for the log
  };
  using Job = std::function<std::function<void()>()>;  // asks, and gives what is to be done with the answer

  std::int64_t now_ms() const { return parts_.clock->SteadyMs(); }
  void Ask(Job job);
  void AskAll();
  void LookAtTopics();
  void Take(const Look& look);
  void TakePartitions(const kafka::TopicInfo& topic);
  bool DecideOnEnds();  // false: what was read cannot be told just now
  bool BeginSome();
  void BeginOne(Source& source);
  // Of the thread that asks.
  struct Question {
    kafka::TopicPartition place;
    TopicKind kind = TopicKind::kSchedule;
    engine::FeedRef feed;
    bool from_end = false;
    Digests recent;
  };
  Beginning HowToBegin(const Question& question);
  absl::Status Check(const kafka::TopicPartition& place, const engine::FeedPosition& at, const kafka::Watermarks& ends);
  // How far the group has come; 0: nowhere yet.
  absl::StatusOr<std::uint64_t> Committed(const kafka::TopicPartition& place);
  absl::StatusOr<storage::Hash16> DigestAt(const kafka::TopicPartition& place, std::uint64_t offset);
  absl::Status CompareRecent(const kafka::TopicPartition& place, const Digests& recent, const kafka::Watermarks& ends);
  void BeginAt(Source& source, const Beginning& how);
  void ReadFrom(Source& source, std::uint64_t offset);
  void BeginAnew(Source& source);
  void Fail(Source& source, const absl::Status& why);
  void AssignSome();
  // The consumer gives it what stands where it has come to.
  bool Reads(const Source& source) const;
  bool TakeEvents();
  void Take(Source& source, const Event& event);
  void Take(kafka::Polled polled);
  bool GiveSome(Source& source);
  bool Held(const Source& source) const;
  Work WorkOf(const Source& source, const kafka::Record& record);
  void Give(Source& source, kafka::Record record, engine::Origin origin, Work work);
  engine::Origin OriginOf(const Source& source, const kafka::Record& record) const;
  void SlowDown(Source& source);
  void Announce(Source& source, kafka::Announcement said, std::int64_t at_ms, std::uint64_t offset);
  void TellPast(Source& source);
  void TellProgress(bool all);
  void ShowFigures();

  const IntakeOptions options_;
  const IntakeParts parts_;
  Speakers speakers_;
  std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();
  std::unique_ptr<kafka::Consumer> consumer_;
  std::map<kafka::TopicPartition, std::unique_ptr<Source>> sources_;
  mutable std::mutex figures_mutex_;
  std::vector<NamedFigure> figures_;  // as of a second ago
  std::int64_t figures_at_ms_ = 0;
  std::set<std::string> missing_;                            // topics that there are not
  bool looked_ = false;                                      // at the topics, once
  std::set<kafka::TopicPartition> from_end_;                 // that begin there
  std::map<kafka::TopicPartition, std::uint64_t> assigned_;  // what the consumer reads, and for which generation
  bool assign_ = false;                                      // it does not read what is to be read
  bool stopped_by_engine_ = false;
  std::int64_t look_at_ms_ = 0;
  std::int64_t progress_at_ms_ = 0;
  std::int64_t tick_at_ms_ = 0;
  bool looking_ = false;
  std::uint64_t generations_ = 0;
  std::size_t marking_ = 0;  // marks that the engine has not yet
  std::atomic<bool> stopping_{false};
  std::thread thread_;
  std::mutex jobs_mutex_;
  std::condition_variable jobs_wake_;
  std::deque<Job> jobs_;
  std::thread asker_;
};

}  // namespace smsflow::server
