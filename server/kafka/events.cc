#include "server/kafka/events.h"

#include <condition_variable>
#include <mutex>
#include <utility>

#include "engine/recorded_event.h"
#include "logging/logging.h"
#include "storage/epoch.h"
#include "workflows/delivery/codec/codec.h"
#include "workflows/delivery/state.h"

namespace smsflow::server {

namespace delivery = workflows::delivery;

namespace {

constexpr std::uint32_t kRecordsAtOnce = 1'000;
constexpr std::int64_t kLookEveryMs = 200;
constexpr auto kSaveWait = std::chrono::seconds(60), kStopWait = std::chrono::seconds(1);

// What the old contracts call a state.
std::string_view StatusWord(delivery::State state) {
  switch (state) {
    case delivery::State::kPending:
      return "SCHEDULED";
    case delivery::State::kInSlot:
    case delivery::State::kUnknown:
      return "ENROUTE";
    case delivery::State::kSent:
    case delivery::State::kUnconfirmed:
      return "SENT";
    case delivery::State::kDelivered:
      return "DELIVERED";
    case delivery::State::kExpired:
      return "EXPIRED";
    case delivery::State::kCanceled:
      return "CANCELED";
    case delivery::State::kBlocked:
      return "BLOCKED";
    case delivery::State::kInvalid:
      return "INVALID";
    default:
      return "NEW";
  }
}

// Of some records, until each was told of.
struct Round {
  std::mutex mutex;
  std::condition_variable told;
  std::size_t left = 0;
  absl::Status status;  // the first that is not OK
};

}  // namespace

Events::Events(std::string topic, Parts parts)
    : topic_(std::move(topic)),
      parts_(parts),
      // No topic's name holds a space: this log leaves, and is none that is read.
      feed_(std::make_shared<const engine::FeedId>(engine::FeedId{"to " + topic_, 0})) {}

absl::Status Events::Start() {
  const auto epoch = storage::EpochOf(parts_.reader->store());
  if (!epoch.ok()) return epoch.status();
  epoch_ = *epoch;
  if (const auto from = Begin(); !from.ok()) return from.status();
  thread_ = std::thread([this] { Run(); });
  return absl::OkStatus();
}

void Events::Stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

void Events::Pause() const {
  for (int i = 0; i < 10 && !stopping_; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(100));
}

void Events::Run() {
  while (!stopping_) {
    auto from = Begin();
    const absl::Status status = from.ok() ? Follow(*std::move(from)) : from.status();
    if (stopping_) return;
    if (!status.ok())
      Log(LogLevel::kError, "kafka: transitions cannot leave just now", {{"why", std::string(status.message())}});
    Pause();
  }
}

absl::StatusOr<engine::ShardVector> Events::Begin() {
  const auto at = parts_.engine->FeedAt(*feed_);
  if (!at.ok()) return at.status();
  engine::ShardVector positions = at->next;
  if (!at->known) {
    positions = parts_.reader->Now();
    if (absl::Status status = Save(positions); !status.ok()) return status;
  }
  return positions;
}

absl::Status Events::Follow(engine::ShardVector from) {
  engine::Tail tail(*parts_.reader, {delivery::kWorkflowNumber, "", std::nullopt}, std::move(from));
  absl::Status status = tail.Check();
  // What retention took is gone: those who follow learn it from the gap in the sequences.
  if (absl::IsOutOfRange(status)) {
    Log(LogLevel::kError, "kafka: transitions were erased by retention before they left; going on with those of now");
    return Save(parts_.reader->Now());
  }
  if (!status.ok()) return status;
  std::uint64_t commits = 0;
  std::vector<engine::TailRecord> records;
  while (!stopping_) {
    commits = parts_.engine->Commits();
    records.clear();
    const auto more = tail.Read(kRecordsAtOnce, records);
    if (!more.ok()) return more.status();
    behind_ = records.size();
    if (records.empty()) {
      if (!*more) parts_.engine->AwaitCommit(commits, kLookEveryMs);
      continue;
    }
    if (absl::Status told = Publish(records); !told.ok()) return told;
    // Not waited for: after a crash some leave twice.
    std::vector<std::uint64_t> positions = tail.positions();
    parts_.engine->FeedProgress(feed_, std::move(positions), {}, /*again=*/false, {});
    behind_ = 0;
  }
  return absl::OkStatus();
}

// Ends at the first that is refused, so that none overtakes those before it.
absl::Status Events::Publish(const std::vector<engine::TailRecord>& records) {
  const auto round = std::make_shared<Round>();
  for (const engine::TailRecord& record : records) {
    const auto event = EventOf(record);
    if (absl::IsNotFound(event.status())) continue;  // erased meanwhile
    if (absl::IsDataLoss(event.status())) {
      ++untold_;
      Log(LogLevel::kError, "kafka: a transition cannot be told; those who follow see a gap",
          {{"sms", record.id.ToString()}, {"why", std::string(event.status().message())}});
      continue;
    }
    if (!event.ok()) return event.status();
    {
      const std::lock_guard lock(round->mutex);
      if (!round->status.ok()) break;
      ++round->left;
    }
    parts_.outlet->Produce(topic_, kafka::kAnyPartition, kafka::EncodeSmsEvent(*event),
                           [round](const absl::Status& status) {
                             const std::lock_guard lock(round->mutex);
                             round->status.Update(status);
                             if (--round->left == 0) round->told.notify_all();
                           });
  }
  std::unique_lock lock(round->mutex);
  while (round->left != 0 && !stopping_) round->told.wait_for(lock, std::chrono::milliseconds(100));
  return round->left != 0 ? absl::AbortedError("the engine stops") : round->status;
}

absl::Status Events::Save(const engine::ShardVector& positions) {
  struct Saved {
    std::mutex mutex;
    std::condition_variable told;
    std::optional<absl::Status> status;
  };
  const auto saved = std::make_shared<Saved>();
  parts_.engine->FeedProgress(feed_, positions, {}, /*again=*/true, [saved](const absl::Status& status) {
    const std::lock_guard lock(saved->mutex);
    saved->status = status;
    saved->told.notify_all();
  });
  std::unique_lock lock(saved->mutex);
  const auto until = std::chrono::steady_clock::now() + kSaveWait;
  while (!saved->status && !stopping_ && std::chrono::steady_clock::now() < until)
    saved->told.wait_for(lock, kStopWait, [&] { return saved->status.has_value(); });
  return saved->status.value_or(absl::UnavailableError("the engine has too much to do"));
}

absl::StatusOr<kafka::SmsEvent> Events::EventOf(const engine::TailRecord& record) const {
  const auto& body = record.body;
  std::string fixed = body.fixed(), target = body.target();
  if (fixed.empty()) {
    const auto instance = parts_.reader->Get(record.id, "");
    if (!instance.ok()) return instance.status();  // NOT_FOUND: erased meanwhile
    fixed = instance->head.fixed();
  }
  const auto view =
      delivery::ViewOf(static_cast<std::uint16_t>(body.result().state()), target, fixed, body.result().data());
  if (!view) return absl::DataLossError("SMS " + record.id.ToString() + ": its journal cannot be read");
  const workflows::Event event = engine::RecordedEvent(body);
  kafka::SmsEvent out;
  out.epoch = epoch_;
  out.shard = record.id.shard().value;
  out.sequence = record.sequence;
  out.id = record.id;
  out.client = body.tenant();
  out.batch = view->batch;
  out.key = view->key;
  out.event = parts_.delivery->Describe(event, fixed, body.result().data()).event;
  out.from = parts_.delivery->StateName(static_cast<std::uint16_t>(body.from_state()));
  out.state = parts_.delivery->StateName(static_cast<std::uint16_t>(body.result().state()));
  out.status = StatusWord(view->state);
  out.attempt = body.attempt();
  const bool ends = body.from_state() != body.result().state() && delivery::IsOverForUser(view->state);
  out.cause = ends ? view->cause : body.cause();
  out.at_ms = body.at_ms();
  return out;
}

}  // namespace smsflow::server
