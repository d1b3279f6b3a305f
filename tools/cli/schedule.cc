#include "absl/strings/str_cat.h"
#include "tools/cli/answer.h"
#include "tools/cli/failure.h"
#include "tools/cli/files.h"
#include "tools/cli/states.h"
#include "tools/cli/time_text.h"
#include "tools/cli/verbs.h"

namespace smsflow::cli {
namespace {

namespace v1 = smsflow::v1;

absl::StatusOr<std::string> Payload(const Session& session, std::string_view key) {
  const Arguments& arguments = session.arguments;
  if (!arguments.payload_file.empty() && arguments.seal.any())
    return absl::InvalidArgumentError(
        "--payload-file: is sealed already; leave out --to, --sender, --text and --pubkey");
  if (!arguments.payload_file.empty()) return ReadEnvelope(arguments.payload_file, session.terminal.in);
  return SealFromArguments(arguments, key, session.terminal);
}

std::string Times(std::int64_t due_ms, std::int64_t deadline_ms, std::int64_t now_ms) {
  std::string text;
  if (due_ms != 0) absl::StrAppend(&text, "due ", ShortTime(due_ms, now_ms), " (", FromNow(due_ms, now_ms), ")");
  if (deadline_ms != 0) absl::StrAppend(&text, text.empty() ? "" : ", ", "deadline ", ShortTime(deadline_ms, now_ms));
  return text;
}

void Show(const Session& session, const v1::ScheduleResponse& response) {
  const Terminal& terminal = session.terminal;
  const std::string id = IdText(response.id());
  if (session.ForPeople()) {
    terminal.out << Painted(terminal, Color::kBold, id) << "  "
                 << Painted(terminal, StateColor(response.state()), StateName(response.state())) << "  "
                 << Times(response.due_ms(), response.deadline_ms(), terminal.now_ms())
                 << (response.duplicate() ? "  (scheduled before, with the same idempotency key)" : "") << "\n";
    return;
  }
  terminal.out << id << '\t' << StateName(response.state()) << '\t' << UtcTime(response.due_ms()) << '\t'
               << UtcTime(response.deadline_ms()) << '\t' << (response.duplicate() ? "duplicate" : "new") << "\n";
}

}  // namespace

Outcome RunSchedule(Session& session) {
  const Arguments& arguments = session.arguments;
  if (arguments.schedule.empty())
    return absl::InvalidArgumentError(
        "schedule: --at is missing: when may it leave? For the next ten minutes: --at +0");
  if (arguments.payload_file.empty() && !arguments.seal.any())
    return absl::InvalidArgumentError(
        "schedule: what shall be sent? --payload-file FILE (sealed already), or --to, --sender, --text and --pubkey");
  const auto slots = ExpandSlots(arguments.schedule, session.terminal.now_ms());
  if (!slots.ok()) return absl::InvalidArgumentError(absl::StrCat("--at: ", slots.status().message()));
  auto payload = Payload(session, arguments.key);
  if (!payload.ok()) return payload.status();
  v1::ScheduleRequest request;
  request.set_batch(arguments.batch);
  request.set_key(arguments.key);
  request.set_target(arguments.target);
  request.set_schedule(*slots);
  request.set_payload(*std::move(payload));
  request.set_idempotency_key(arguments.idempotency_key);
  request.set_key_id(arguments.key_id);
  const auto response = session.connection.Ask("schedule", &SchedulerStub::Schedule, request);
  if (!response.ok()) return response.status();
  if (!PrintedAsJson(session, *response)) Show(session, *response);
  return kExitOk;
}

Outcome RunReschedule(Session& session) {
  const Arguments& arguments = session.arguments;
  const bool with_payload = !arguments.payload_file.empty() || arguments.seal.any();
  if (arguments.schedule.empty() && !with_payload)
    return absl::InvalidArgumentError("reschedule: what shall change? --at SLOTS, a payload, or both");
  auto request = AboutOneSms<v1::RescheduleRequest>(session);
  if (!request.ok()) return request.status();
  if (!arguments.schedule.empty()) {
    const auto slots = ExpandSlots(arguments.schedule, session.terminal.now_ms());
    if (!slots.ok()) return absl::InvalidArgumentError(absl::StrCat("--at: ", slots.status().message()));
    request->set_schedule(*slots);
  }
  if (with_payload) {
    // An envelope is bound to the SMS's key, which only the server remembers.
    v1::GetRequest get;
    get.set_id(request->id());
    const auto before = session.connection.Ask("reschedule", &SchedulerStub::Get, get);
    if (!before.ok()) return before.status();
    auto payload = Payload(session, before->key());
    if (!payload.ok()) return payload.status();
    request->set_payload(*std::move(payload));
    request->set_key_id(arguments.key_id);
  }
  const auto sms = session.connection.Ask("reschedule", &SchedulerStub::Reschedule, *request);
  if (!sms.ok()) return sms.status();
  const Terminal& terminal = session.terminal;
  if (PrintedAsJson(session, *sms)) return kExitOk;
  if (session.ForPeople())
    terminal.out << IdText(sms->id()) << "  " << Painted(terminal, StateColor(sms->state()), StateName(sms->state()))
                 << "  " << Times(sms->due_ms(), sms->deadline_ms(), terminal.now_ms()) << "\n";
  else
    PrintLine(terminal, *sms);
  return kExitOk;
}

}  // namespace smsflow::cli
