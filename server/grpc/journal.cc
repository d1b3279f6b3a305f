// GetJournal and Explain: one SMS, for a person at 3 a.m.
#include <algorithm>
#include <utility>

#include "engine/recorded_event.h"
#include "server/grpc/admin_service.h"
#include "server/grpc/status.h"
#include "workflows/delivery/codec/codec.h"
#include "workflows/delivery/state.h"

namespace smsflow::server {

namespace delivery = workflows::delivery;
namespace stored = ::smsflow::stored::v1;

namespace {

// Records whose body cannot be read any more are shown as well: that they stand proves the chain.
absl::Status FillEntry(const workflows::Workflow& workflow, const storage::JournalRecord& record, std::string& fixed,
                       v1::JournalEntry* entry) {
  entry->set_sequence(record.header.sequence);
  entry->set_digest(
      std::string(reinterpret_cast<const char*>(record.header.digest.data()), record.header.digest.size()));
  entry->set_erased(record.header.erased);
  if (record.header.erased) return absl::OkStatus();
  stored::JournalBody body;
  if (!body.ParseFromString(record.body)) {
    return absl::DataLossError("journal record " + std::to_string(record.header.sequence) + " cannot be read");
  }
  if (!body.fixed().empty()) fixed = body.fixed();
  const workflows::Event event = engine::RecordedEvent(body);
  const workflows::Description description = workflow.Describe(event, fixed, body.result().data());
  entry->set_at_ms(body.at_ms());
  entry->set_event(description.event);
  entry->set_detail(description.detail);
  if (body.from_state() != 0) {
    entry->set_from_state(std::string(workflow.StateName(static_cast<std::uint16_t>(body.from_state()))));
  }
  entry->set_to_state(std::string(workflow.StateName(static_cast<std::uint16_t>(body.result().state()))));
  entry->set_attempt(body.attempt());
  entry->set_cause(body.cause().empty() ? description.cause : body.cause());
  entry->set_actor(!body.actor().empty() ? body.actor() : body.gateway());
  entry->set_workflow_version(body.workflow_version());
  return absl::OkStatus();
}

std::string Plural(std::uint64_t count, const std::string& one) {
  return std::to_string(count) + " " + one + (count == 1 ? "" : "s");
}

std::string Seconds(std::int64_t ms) {
  const std::int64_t s = std::max<std::int64_t>(0, (ms + 999) / 1'000);
  if (s < 120) return std::to_string(s) + " s";
  if (s < 7'200) return std::to_string(s / 60) + " min";
  return std::to_string(s / 3'600) + " h";
}

// Why an SMS that is PENDING and due does not leave, most telling first.
std::string WhyWaiting(const engine::WaitReasons& reasons) {
  if (!reasons.pauses.empty()) return "due, but paused (" + reasons.pauses.front() + ")";
  if (reasons.clock_guard)
    return "due, but the clock jumped: nothing leaves until it agrees again or an operator resumes";
  if (reasons.draining) return "due, but the engine is draining";
  if (reasons.peers == 0) return "due, but no gateway that serves its key is attached";
  if (reasons.credit == 0) return "due, but no gateway has credit: all its window is in flight";
  return "due: it leaves as soon as its turn comes";
}

std::string Summary(const delivery::SmsView& view, const engine::WaitReasons& reasons, std::int64_t now_ms) {
  switch (view.state) {
    case delivery::State::kPending:
      return view.due_ms > now_ms ? "waits for its slot, due in " + Seconds(view.due_ms - now_ms) : WhyWaiting(reasons);
    case delivery::State::kInSlot:
      return "attempt " + std::to_string(view.attempts) + " left " + Seconds(now_ms - view.left_ms) +
             " ago; its gateway's answer is awaited";
    case delivery::State::kSent:
      return "sent; the receipt is awaited";
    case delivery::State::kUnconfirmed:
      return "sent, but no receipt came in time; reports still count";
    case delivery::State::kUnknown:
      return "nobody can tell whether it was sent; reports still count, or resolve it";
    default:
      return "over: " + std::string(delivery::NameOf(view.state)) + (view.cause.empty() ? "" : " (" + view.cause + ")");
  }
}

// What holds up the next attempt says nothing about an SMS of which none leaves any more.
void FillReasons(const engine::WaitReasons& reasons, const delivery::SmsView& view, v1::ExplainResponse* response) {
  const auto add = [&](std::string reason) { response->add_reasons(std::move(reason)); };
  add("slots: " + delivery::ToText(view.slots));
  if (view.stop == delivery::Stop::kCancel) add("canceled: no further attempt leaves");
  if (view.stop == delivery::Stop::kBlock) add("blocked: no further attempt leaves");
  if (response->status().ended_ms() != 0) return;
  for (const std::string& pause : reasons.pauses) add("paused: " + pause);
  add("gateways that serve it: " + Plural(reasons.peers, "attached peer") + " with credit for " +
      Plural(reasons.credit, "attempt"));
  add("due and waiting beside it: " + std::to_string(reasons.ready) + (reasons.ready >= 1'000 ? " or more" : ""));
  add("budget for what leaves late: " + std::to_string(reasons.budget_per_s) + "/s");
  if (reasons.clock_guard) add("clock: it jumped, and nothing leaves until it agrees again");
  if (reasons.disk_guard) add("disk: nearly full, new SMSes are refused");
  if (reasons.draining) add("engine: draining, nothing leaves");
}

// The next timer, which is what happens by itself.
std::int64_t NextAt(const stored::InstanceState& state) {
  std::int64_t next_ms = 0;
  for (const stored::LiveTimer& timer : state.timers()) {
    if (next_ms == 0 || timer.due_ms() < next_ms) next_ms = timer.due_ms();
  }
  return next_ms;
}

}  // namespace

absl::StatusOr<AdminAsked> AskedOf(const Doors& doors, const CallContext& context, const std::string& id) {
  auto caller = CallerOf(doors, context, kAdmin);
  if (!caller.ok()) return caller.status();
  Violations violations;
  const auto parsed = Validation::Id(id, "id", violations);
  if (!parsed) return ToStatus(violations);
  return AdminAsked{*std::move(caller), *parsed};
}

absl::StatusOr<engine::StoredInstance> ReadFor(const Doors& doors, const AdminAsked& asked) {
  auto instance = doors.reader->Get(asked.id, "");
  if (instance.ok() && !asked.caller.May(instance->head.tenant())) return absl::NotFoundError("id: unknown");
  return instance;
}

absl::Status NeedsAll(const Caller& caller) {
  return caller.MayAll() ? absl::OkStatus()
                         : absl::PermissionDeniedError("the credential is for some tenants only: this concerns all");
}

void AdminService::GetJournal(UnaryCall* call, const v1::GetJournalRequest* request, v1::GetJournalResponse* response) {
  auto asked = AskedOf(doors_, *call, request->id());
  if (!asked.ok()) return call->Finish(ToGrpc(asked.status()));
  return Offload(doors_, call, [this, asked = *std::move(asked), response]() -> absl::Status {
    const auto instance = ReadFor(doors_, asked);
    if (!instance.ok()) return instance.status();
    const auto journal = doors_.reader->Journal(*instance);
    if (!journal.ok()) return journal.status();
    response->set_id(std::string(asked.id.AsBytes()));
    response->set_tenant(instance->head.tenant());
    response->set_workflow(std::string(doors_.delivery->name()));
    std::string fixed = instance->head.fixed();
    for (const storage::JournalRecord& record : journal->records) {
      if (absl::Status status = FillEntry(*doors_.delivery, record, fixed, response->add_entries()); !status.ok()) {
        return status;
      }
    }
    return absl::OkStatus();
  });
}

void AdminService::Explain(UnaryCall* call, const v1::ExplainRequest* request, v1::ExplainResponse* response) {
  auto asked = AskedOf(doors_, *call, request->id());
  if (!asked.ok()) return call->Finish(ToGrpc(asked.status()));
  return Offload(doors_, call, [this, asked = *std::move(asked), response]() -> absl::Status {
    const auto instance = ReadFor(doors_, asked);
    if (!instance.ok()) return instance.status();
    const auto reasons = doors_.engine->Explain(asked.id);
    if (!reasons.ok()) return reasons.status();
    if (absl::Status status = FillSmsStatus(*instance, response->mutable_status()); !status.ok()) return status;
    const auto view = delivery::ViewOf(static_cast<std::uint16_t>(instance->state.state()), instance->head.target(),
                                       instance->head.fixed(), instance->state.data());
    if (!view) return absl::DataLossError("SMS " + asked.id.ToString() + ": what is stored of it cannot be read");
    response->set_summary(Summary(*view, *reasons, doors_.clock->WallMs()));
    FillReasons(*reasons, *view, response);
    // What still happens to one that is over is its erasure.
    if (response->status().ended_ms() == 0) response->set_next_at_ms(NextAt(instance->state));
    return absl::OkStatus();
  });
}

}  // namespace smsflow::server
