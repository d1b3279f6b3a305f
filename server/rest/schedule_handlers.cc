// /schedule: an SMS is scheduled, shown, listed and cancelled.
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/rest/list_source.h"
#include "server/rest/old_contract.h"
#include "server/rest/old_forms.h"
#include "smsflow/v1/scheduler.pb.h"
#include "workflows/delivery/codec/codec.h"

namespace smsflow::server::rest {

namespace delivery = workflows::delivery;
using delivery::Outcome;
using Contract = std::shared_ptr<const OldContract>;

namespace {

constexpr std::uint32_t kPage = 100;

Response CannotBeRead() { return Response::Error(500, "what is stored of the SMS cannot be read"); }

void Schedule(const Contract& contract, Request request, Reply reply) {
  const std::string tenant = request.arguments[0];
  if (auto forbidden = Forbidden(request, tenant)) return reply(*std::move(forbidden));
  if (!request.IsOfType("application/json")) {
    Response wrong = Response::Error(415, "content-type: must be application/json");
    wrong.headers.push_back({"Accept", "application/json"});
    return reply(std::move(wrong));
  }
  OldRequest asked;
  if (absl::Status status = ReadOldRequest(request.body, asked); !status.ok()) return reply(Response::Error(status));
  engine::CreateRequest create;
  create.tenant = tenant;
  create.actor = request.principal.user;
  OldSms sms;
  sms.tenant = tenant;
  sms.batch = asked.batch;
  sms.key = asked.key;
  sms.target = asked.target;
  sms.user = request.principal.user;
  v1::ScheduleRequest form;
  form.set_batch(std::move(asked.batch));
  form.set_key(std::move(asked.key));
  form.set_target(std::move(asked.target));
  form.set_schedule(std::move(asked.schedule));
  form.set_payload(std::move(asked.payload));
  form.set_idempotency_key(std::string(request.header("idempotency-key")));
  const Violations violations = contract->validation->Schedule(std::move(form), contract->clock->WallMs(), create);
  if (!violations.empty()) return reply(Refused(absl::OkStatus(), violations));
  contract->engine->Create(std::move(create),
                           [contract, sms = std::move(sms), reply = std::move(reply)](engine::Answer answer) mutable {
                             if (!answer.status.ok()) return reply(Refused(answer.status, answer.violations));
                             if (!FillFirst(answer, sms)) return reply(CannotBeRead());
                             std::string body;
                             AppendJson(sms, contract->offset_minutes, body);
                             reply(Response::Json(std::move(body)));
                           });
}

Response ShowOne(const Contract& contract, const Request& request) {
  const std::string& tenant = request.arguments[0];
  if (auto forbidden = Forbidden(request, tenant)) return *std::move(forbidden);
  const auto id = InstanceId::Parse(request.arguments[1]);
  const absl::Status unknown = absl::NotFoundError("id: unknown");
  if (!id) return Response::Error(unknown);
  const auto instance = contract->reader->Get(*id, tenant);
  if (!instance.ok()) return Response::Error(absl::IsNotFound(instance.status()) ? unknown : instance.status());
  const auto sms = OldSmsOf(*instance);
  if (!sms) return CannotBeRead();
  std::string body;
  AppendJson(*sms, contract->offset_minutes, body);
  return Response::Json(std::move(body));
}

struct Named {
  const char* field;
  std::uint16_t index;
};

// The name that the path ends in, where there is one.
Violations CheckName(const Contract& contract, const Request& request, const Named& by) {
  Violations violations;
  if (by.index != 0) contract->validation->Name(request.arguments[1], by.field, violations);
  return violations;
}

void List(const Contract& contract, const Named& by, Request request, Reply reply) {
  const std::string& tenant = request.arguments[0];
  if (auto forbidden = Forbidden(request, tenant)) return reply(*std::move(forbidden));
  const Violations violations = CheckName(contract, request, by);
  if (!violations.empty()) return reply(Refused(absl::OkStatus(), violations));
  engine::ListQuery query;
  query.workflow = delivery::kWorkflowNumber;
  query.tenant = tenant;
  query.index = by.index;
  query.value_is_target = by.index == delivery::kTargetIndex;
  if (by.index != 0) query.value = request.arguments[1];
  auto next = [contract, query = std::move(query), token = std::string(),
               between = false](std::string& out) mutable -> absl::StatusOr<bool> {
    auto page = contract->reader->List(query, kPage, token);
    if (!page.ok()) return page.status();
    for (const engine::StoredInstance& instance : page->items) {
      const auto sms = OldSmsOf(instance);
      if (!sms) return absl::DataLossError("what is stored of an SMS cannot be read");
      if (std::exchange(between, true)) out += ',';
      AppendJson(*sms, contract->offset_minutes, out);
    }
    token = std::move(page->next_token);
    return !token.empty();
  };
  ReplyWithList(*contract->reads, {"application/json", "[", "]"}, std::move(next), std::move(reply));
}

std::uint64_t CountOf(const engine::SweepAnswer& answer, Outcome outcome) {
  const auto number = static_cast<std::size_t>(outcome);
  return number < answer.outcomes.size() ? answer.outcomes[number] : 0;
}

void CancelOne(const Contract& contract, Request request, Reply reply) {
  const std::string& tenant = request.arguments[0];
  if (auto forbidden = Forbidden(request, tenant)) return reply(*std::move(forbidden));
  const auto id = InstanceId::Parse(request.arguments[1]);
  if (!id) return reply(Counted(0, "canceled", 0, 0));
  contract->engine->Send(
      {*id, tenant, request.principal.user, delivery::EncodeCancel(), {}},
      [reply = std::move(reply)](engine::Answer answer) mutable {
        const auto outcome = static_cast<Outcome>(answer.outcome);
        const std::uint64_t canceled = outcome == Outcome::kCanceled ? 1 : 0;
        const std::uint64_t too_late = outcome == Outcome::kTooLate ? 1 : 0;
        const std::uint64_t ended = outcome == Outcome::kAlreadyEnded ? 1 : 0;
        // An outcome is an answer also where nothing changed. To cancel what is not there, or another tenant's, is
        // nothing, as it always was.
        if (canceled + too_late + ended == 0 && !answer.status.ok() && !absl::IsNotFound(answer.status)) {
          return reply(Response::Error(answer.status));
        }
        reply(Counted(canceled, "canceled", too_late, ended));
      });
}

void CancelMany(const Contract& contract, const Named& by, Request request, Reply reply) {
  const std::string& tenant = request.arguments[0];
  if (auto forbidden = Forbidden(request, tenant)) return reply(*std::move(forbidden));
  const Violations violations = CheckName(contract, request, by);
  if (!violations.empty()) return reply(Refused(absl::OkStatus(), violations));
  engine::SweepRequest sweep;
  sweep.workflow = delivery::kWorkflowNumber;
  sweep.tenant = tenant;
  sweep.actor = request.principal.user;
  sweep.index = by.index;
  if (by.index != 0) sweep.value = request.arguments[1];
  if (by.index == delivery::kTargetIndex) sweep.target = request.arguments[1];
  sweep.event = delivery::EncodeCancel();
  contract->engine->Sweep(std::move(sweep), [reply = std::move(reply)](engine::SweepAnswer answer) mutable {
    if (!answer.status.ok()) return reply(Response::Error(answer.status));
    reply(Counted(CountOf(answer, Outcome::kCanceled), "canceled", CountOf(answer, Outcome::kTooLate),
                  CountOf(answer, Outcome::kAlreadyEnded)));
  });
}

void CancelAll(const Contract& contract, Request request, Reply reply) {
  if (auto forbidden = Forbidden(request, request.arguments[0])) return reply(*std::move(forbidden));
  const auto confirm = request.Parameter("confirm");
  if (!confirm) return reply(Response::Error(400, "confirm: must be there, once; it must be yes-i-am-sure"));
  if (*confirm != "yes-i-am-sure") {
    return reply(Response::Error(403, "This requires parameter confirm=yes-i-am-sure"));
  }
  CancelMany(contract, {"all", 0}, std::move(request), std::move(reply));
}

}  // namespace

std::optional<Response> Forbidden(const Request& request, const std::string& tenant) {
  if (request.principal.HasRole(kUsersRole) && request.principal.ActsFor(tenant)) return std::nullopt;
  return Response::Error(403, "the user has not the role users, or does not act for this client");
}

Response Refused(const absl::Status& status, const Violations& violations) {
  if (violations.empty()) return Response::Error(status);
  std::string message;
  for (const auto& violation : violations) {
    absl::StrAppend(&message, message.empty() ? "" : "; ", violation.field, ": ", violation.description);
  }
  return Response::Error(400, std::move(message));
}

Response Counted(std::uint64_t done, const char* name, std::uint64_t too_late, std::uint64_t ended) {
  Response response;
  response.headers.push_back(
      {"Smsflow-Outcome", absl::StrCat(name, "=", done, ", too-late=", too_late, ", already-ended=", ended)});
  return response;
}

void AddScheduleHandlers(const Contract& contract, Router& router) {
  const auto with = [&contract](auto handle) {
    return [contract, handle](Request request, Reply reply) { handle(contract, std::move(request), std::move(reply)); };
  };
  router.Add(Method::kPost, "/schedule/{client}", with(Schedule));
  router.Add(Method::kGet, "/schedule/{client}", with([](const Contract& mine, Request request, Reply reply) {
               List(mine, {"all", 0}, std::move(request), std::move(reply));
             }));
  router.Add(Method::kDelete, "/schedule/{client}", with(CancelAll));
  router.AddBlocking(Method::kGet, "/schedule/{client}/by-id/{id}", *contract->reads,
                     [contract](const Request& request) { return ShowOne(contract, request); });
  router.Add(Method::kDelete, "/schedule/{client}/by-id/{id}", with(CancelOne));
  for (const Named by : {Named{"batch", delivery::kBatchIndex}, Named{"key", delivery::kKeyIndex},
                         Named{"target", delivery::kTargetIndex}}) {
    const std::string pattern = absl::StrCat("/schedule/{client}/by-", by.field, "/{", by.field, "}");
    router.Add(Method::kGet, pattern, with([by](const Contract& mine, Request request, Reply reply) {
                 List(mine, by, std::move(request), std::move(reply));
               }));
    router.Add(Method::kDelete, pattern, with([by](const Contract& mine, Request request, Reply reply) {
                 CancelMany(mine, by, std::move(request), std::move(reply));
               }));
  }
}

}  // namespace smsflow::server::rest
