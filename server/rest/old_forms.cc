#include "server/rest/old_forms.h"

#include <date/date.h>

#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "crypto/json_object.h"
#include "kafka/json_fields.h"
#include "workflows/delivery/codec/codec.h"

namespace smsflow::server::rest {

namespace delivery = workflows::delivery;
using delivery::State;

namespace {

// `at` is the last of its digits.
void PutDigits(std::int64_t value, int digits, char* at) {
  for (; digits > 0; --digits, value /= 10) *at-- = static_cast<char>('0' + value % 10);
}

void AppendDigits(std::int64_t value, int digits, std::string& out) {
  out.append(static_cast<std::size_t>(digits), '0');
  PutDigits(value, digits, &out.back());
}

void AppendDateTime(std::int64_t second, std::string& out) {
  const std::chrono::sys_seconds at{std::chrono::seconds(second)};
  const auto day = date::floor<date::days>(at);
  const date::year_month_day ymd(day);
  const std::int64_t rest = (at - day).count();
  char text[] = "0000-00-00T00:00:00";
  PutDigits(static_cast<int>(ymd.year()), 4, text + 3);
  PutDigits(static_cast<unsigned>(ymd.month()), 2, text + 6);
  PutDigits(static_cast<unsigned>(ymd.day()), 2, text + 9);
  PutDigits(rest / 3'600, 2, text + 12);
  PutDigits(rest / 60 % 60, 2, text + 15);
  PutDigits(rest % 60, 2, text + 18);
  out.append(text, sizeof text - 1);
}

std::int64_t SecondOf(std::int64_t ms) { return ms >= 0 ? ms / 1'000 : (ms - 999) / 1'000; }

void AppendTime(std::int64_t ms, std::int32_t offset_minutes, std::string& out) {
  AppendDateTime(SecondOf(ms) + offset_minutes * 60, out);
  if (offset_minutes == 0) {
    out += 'Z';
    return;
  }
  const std::int32_t size = std::abs(offset_minutes);
  out += offset_minutes < 0 ? '-' : '+';
  AppendDigits(size / 60, 2, out);
  out += ':';
  AppendDigits(size % 60, 2, out);
}

void AppendTimeOrNull(std::int64_t ms, std::int32_t offset_minutes, std::string& out) {
  if (ms == 0) {
    out += "null";
    return;
  }
  out += '"';
  AppendTime(ms, offset_minutes, out);
  out += '"';
}

void AppendTextOrNull(std::string_view text, std::string& out) {
  if (text.empty()) {
    out += "null";
  } else {
    crypto::AppendJsonQuoted(text, out);
  }
}

// The words of the old contract for the states of today.
std::string_view StatusOf(State state) {
  switch (state) {
    case State::kNew:
      return "NEW";
    case State::kPending:
      return "SCHEDULED";
    case State::kInSlot:
    case State::kUnknown:
      return "ENROUTE";
    case State::kSent:
    case State::kUnconfirmed:
      return "SENT";
    default:
      return delivery::NameOf(state);
  }
}

// How often it was planned again: -1 before it was planned at all.
std::int64_t RetriesOf(const delivery::SmsView& view) {
  if (view.attempts == 0) return view.state == State::kBlocked && view.due_ms == 0 ? -1 : 0;
  // One that had not left, or found no slot any more, was planned once more than the last one that left.
  const bool planned = view.state == State::kPending || view.state == State::kExpired || view.due_ms > view.left_ms;
  return static_cast<std::int64_t>(view.attempts) - (planned ? 0 : 1);
}

// Who came in through Kafka has no name there.
bool IsPerson(std::string_view actor) { return actor != "kafka" && !actor.starts_with("kafka:"); }

}  // namespace

void ShowOldError(const Problem& problem, Response& response) {
  response.type = "application/json";
  response.body = "{\"timestamp\":\"";
  AppendDateTime(SecondOf(problem.now_ms), response.body);
  response.body += '.';
  AppendDigits(problem.now_ms % 1'000, 3, response.body);
  absl::StrAppend(&response.body, "+00:00\",\"status\":", problem.status, ",\"error\":\"",
                  std::string(ReasonOf(problem.status)), "\",\"message\":");
  crypto::AppendJsonQuoted(problem.message, response.body);
  response.body += ",\"path\":";
  crypto::AppendJsonQuoted(problem.path, response.body);
  response.body += '}';
}

std::string OldTime(std::int64_t ms, std::int32_t offset_minutes) {
  std::string out;
  AppendTime(ms, offset_minutes, out);
  return out;
}

absl::Status ReadOldRequest(std::string_view body, OldRequest& request) {
  kafka::JsonFields fields(body, {"batch", "key", "target", "schedule", "payload"}, "body");
  request.batch = fields.TextOrNumber("batch");
  request.key = fields.TextOrNumber("key");
  request.target = fields.TextOrNumber("target");
  request.schedule = fields.PresentText("schedule");
  request.payload = fields.FullText("payload");
  return fields.status();
}

void AppendJson(const OldSms& sms, std::int32_t offset_minutes, std::string& out) {
  out.append("{\"id\":\"").append(sms.id).append("\",\"client\":");
  crypto::AppendJsonQuoted(sms.tenant, out);
  out += ",\"batch\":";
  AppendTextOrNull(sms.batch, out);
  out += ",\"key\":";
  AppendTextOrNull(sms.key, out);
  out += ",\"target\":";
  AppendTextOrNull(sms.target, out);
  out.append(",\"status\":\"").append(sms.status).append("\",\"due\":");
  AppendTimeOrNull(sms.due_ms, offset_minutes, out);
  out += ",\"deadline\":";
  AppendTimeOrNull(sms.deadline_ms, 0, out);  // this one alone is always in UTC
  out += ",\"started\":";
  AppendTimeOrNull(sms.started_ms, offset_minutes, out);
  out += ",\"ended\":";
  AppendTimeOrNull(sms.ended_ms, offset_minutes, out);
  absl::StrAppend(&out, ",\"retries\":", sms.retries, ",\"user\":");
  AppendTextOrNull(sms.user, out);
  out += '}';
}

std::optional<OldSms> OldSmsOf(const engine::StoredInstance& instance) {
  auto view = delivery::ViewOf(static_cast<std::uint16_t>(instance.state.state()), instance.head.target(),
                               instance.head.fixed(), instance.state.data());
  if (!view) return std::nullopt;
  OldSms sms;
  sms.id = instance.id.ToString();
  sms.tenant = instance.head.tenant();
  sms.status = StatusOf(view->state);
  sms.retries = RetriesOf(*view);
  if (view->state != State::kExpired && view->due_ms != 0) {
    sms.due_ms = view->due_ms;
    sms.deadline_ms = view->deadline_ms;
  }
  sms.batch = std::move(view->batch);
  sms.key = std::move(view->key);
  sms.target = std::move(view->target);
  sms.started_ms = instance.id.created_ms();
  sms.ended_ms = instance.state.ended_ms();
  if (IsPerson(instance.head.actor())) sms.user = instance.head.actor();
  return sms;
}

bool FillFirst(const engine::Answer& answer, OldSms& sms) {
  const auto first = delivery::DecodeScheduleAnswer(answer.answer);
  if (!first) return false;
  sms.id = answer.id.ToString();
  sms.status = StatusOf(first->state);
  sms.due_ms = first->due_ms;
  sms.deadline_ms = first->due_ms == 0 ? 0 : first->deadline_ms;
  sms.started_ms = answer.id.created_ms();
  sms.retries = first->state == State::kBlocked ? -1 : 0;
  return true;
}

}  // namespace smsflow::server::rest
