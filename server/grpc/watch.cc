// Watch: every transition that matches, from where a list or an earlier watch left it. All work on a watch is done by
// the hub's thread; gRPC's threads only leave word.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "engine/recorded_event.h"
#include "engine/tail.h"
#include "engine/tokens.h"
#include "server/grpc/scheduler_service.h"
#include "server/grpc/status.h"
#include "storage/epoch.h"
#include "workflows/delivery/codec/codec.h"

namespace smsflow::server {

namespace delivery = workflows::delivery;
namespace stored = ::smsflow::stored::v1;

namespace {

constexpr std::uint32_t kRecordsPerStep = 1'000;

class WatchCall final : public WriteReactor<v1::WatchResponse>, public WatchHub::Watch {
 public:
  WatchCall(WriteStream<v1::WatchResponse>* stream, const Doors& doors, WatchHub& hub, engine::ListQuery query,
            engine::Tail tail, std::optional<std::uint64_t> token_epoch)
      : WriteReactor(stream),
        doors_(doors),
        hub_(hub),
        query_(std::move(query)),
        tail_(std::move(tail)),
        token_epoch_(token_epoch) {}

  bool Step() override {
    if (cancelled_) End(absl::CancelledError("the watch was cancelled"));
    if (ended_ || writing_) return false;
    if (!checked_) {
      if (absl::Status status = Check(); !status.ok()) return End(status), false;
      checked_ = true;
    }
    records_.clear();
    const auto more = tail_.Read(kRecordsPerStep, records_);
    if (!more.ok()) return End(more.status()), false;
    response_.Clear();
    for (const engine::TailRecord& record : records_) {
      if (absl::Status status = Show(record); !status.ok()) return End(status), false;
    }
    // The first message says that the watch stands, and from where.
    if (response_.transitions_size() == 0 && greeted_) return *more;
    greeted_ = true;
    response_.set_token(engine::EncodeWatchToken({tail_.positions(), epoch_}));
    writing_ = true;
    StartWrite(&response_);
    return false;  // the end of the write wakes the hub
  }

  void End(const absl::Status& why) override {
    if (ended_) return;
    ended_ = true;
    Finish(ToGrpc(why));
  }
  bool gone() const override { return gone_; }

 private:
  void OnWriteDone(bool ok) override {
    if (!ok) cancelled_ = true;
    writing_ = false;
    hub_.Wake();
  }
  void OnCancel() override {
    cancelled_ = true;
    hub_.Wake();
  }
  void OnDone() override {
    // From the next line on the hub may destroy this.
    WatchHub& hub = hub_;
    gone_ = true;
    hub.Wake();
  }

  absl::Status Check() {
    const auto epoch = storage::EpochOf(doors_.reader->store());
    if (!epoch.ok()) return epoch.status();
    epoch_ = *epoch;
    if (token_epoch_)
      if (absl::Status status = engine::CheckEpoch(*token_epoch_, epoch_); !status.ok()) return status;
    return tail_.Check();
  }
  bool TimeFits(const InstanceId& id) const {
    const std::int64_t created_ms = id.created_ms();
    return created_ms >= query_.created_from_ms && (query_.created_till_ms == 0 || created_ms < query_.created_till_ms);
  }
  bool StateFits(std::uint32_t state) const {
    return query_.states.empty() || std::find(query_.states.begin(), query_.states.end(), state) != query_.states.end();
  }
  bool NamesFit(const delivery::SmsView& view) const {
    switch (query_.index) {
      case delivery::kBatchIndex:
        return view.batch == query_.value;
      case delivery::kKeyIndex:
        return view.key == query_.value;
      case delivery::kTargetIndex:
        return view.target == query_.value;
      default:
        return true;
    }
  }

  // Adds the record to the response if it matches.
  absl::Status Show(const engine::TailRecord& record) {
    const stored::JournalBody& body = record.body;
    if (!TimeFits(record.id) || !StateFits(body.result().state())) return absl::OkStatus();
    // Names stand in the head alone, but for the record of its creation.
    std::string fixed = body.fixed();
    std::string target = body.target();
    if (body.from_state() != 0) {
      const auto instance = doors_.reader->Get(record.id, query_.tenant);
      if (absl::IsNotFound(instance.status())) return absl::OkStatus();  // erased meanwhile
      if (!instance.ok()) return instance.status();
      target = instance->head.target();
      if (fixed.empty()) fixed = instance->head.fixed();
    }
    const auto view =
        delivery::ViewOf(static_cast<std::uint16_t>(body.result().state()), target, fixed, body.result().data());
    if (!view) return absl::DataLossError("SMS " + record.id.ToString() + ": its journal cannot be read");
    if (!NamesFit(*view)) return absl::OkStatus();

    const workflows::Event event = engine::RecordedEvent(body);
    v1::Transition* transition = response_.add_transitions();
    transition->set_id(std::string(record.id.AsBytes()));
    transition->set_from(static_cast<v1::SmsState>(body.from_state()));
    transition->set_to(static_cast<v1::SmsState>(body.result().state()));
    transition->set_at_ms(body.at_ms());
    transition->set_event(doors_.delivery->Describe(event, fixed, body.result().data()).event);
    transition->set_attempt(body.attempt());
    // What has ended is told as a list tells it; on the way there each step has its own cause.
    const bool ends = body.from_state() != body.result().state() && delivery::IsOverForUser(view->state);
    transition->set_cause(ends ? view->cause : body.cause());
    transition->set_batch(view->batch);
    transition->set_key(view->key);
    transition->set_target(view->target);
    transition->set_due_ms(view->due_ms);
    return absl::OkStatus();
  }

  const Doors& doors_;
  WatchHub& hub_;
  const engine::ListQuery query_;
  // Of the hub's thread.
  engine::Tail tail_;
  const std::optional<std::uint64_t> token_epoch_;  // of the one it goes on from
  std::uint64_t epoch_ = 1;                         // of the folder
  std::vector<engine::TailRecord> records_;
  v1::WatchResponse response_;
  bool checked_ = false;
  bool greeted_ = false;
  bool ended_ = false;

  std::atomic<bool> writing_{false};
  std::atomic<bool> cancelled_{false};
  std::atomic<bool> gone_{false};
};

}  // namespace

void SchedulerService::Watch(WriteStream<v1::WatchResponse>* stream, const v1::WatchRequest* request) {
  auto caller = CallerOf(doors_, *stream, kClient);
  if (!caller.ok()) return stream->Finish(ToGrpc(caller.status()));
  engine::ListQuery query;
  const Violations violations = doors_.validation->Filter(request->filter(), caller->tenant, query);
  if (!violations.empty()) return stream->Finish(ToGrpc(violations));
  engine::ShardVector from;
  std::optional<std::uint64_t> epoch;
  if (request->token().empty()) {
    from = doors_.reader->Now();
  } else {
    auto given = engine::DecodeWatchToken(request->token());
    if (!given) return stream->Finish(ToGrpc({{"token", "must be of a List or Watch of this server"}}));
    from = std::move(given->seen);
    epoch = given->epoch;
  }
  engine::TailFilter filter{query.workflow, query.tenant, {}};
  if (query.value_is_target) filter.shard = doors_.reader->ShardOf(query.tenant, query.value);
  auto call = std::make_shared<WatchCall>(stream, doors_, watches_, query,
                                          engine::Tail(*doors_.reader, std::move(filter), std::move(from)), epoch);
  if (!watches_.Add(call)) {
    stream->Tell(nullptr);
    return stream->Finish(ToGrpc(absl::ResourceExhaustedError("too many watches: try again later")));
  }
}

}  // namespace smsflow::server
