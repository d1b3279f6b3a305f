#include "tests/crash/strangers.h"

#include <utility>

#include "ids/ids.h"
#include "tests/crash/site.h"

namespace smsflow::crash {
namespace {

using Code = absl::StatusCode;

std::string OtherTenant(const std::string& tenant) { return tenant == kTenants[0] ? kTenants[1] : kTenants[0]; }

template <class T>
absl::Status StatusOf(const absl::StatusOr<T>& answer) {
  return answer.status();
}

// What the one item of a batch or stream was answered.
absl::Status StatusOf(const v1::ScheduleResult& result) {
  if (!result.has_error()) return absl::OkStatus();
  return absl::Status(static_cast<Code>(result.error().code()), result.error().message());
}

v1::CancelRequest CancelOf(const std::string& id) {
  v1::CancelRequest request;
  request.set_id(id);
  return request;
}

}  // namespace

Strangers::Strangers(Api& api, Book& book, Findings& findings, SmsSource& source)
    : api_(api), book_(book), findings_(findings), source_(source) {
  WithWrongKeys();
  WithOthersIds();
  WithBadInput();
}

void Strangers::Step(Random& random) {
  const Attempt& attempt = attempts_[Below(random, attempts_.size())];
  const absl::Status answer = attempt.call(random);
  if (answer.code() == attempt.right) {
    ++refused_;
  } else if (IsIndefinite(answer) || absl::IsResourceExhausted(answer)) {  // a full disk is told before all else
    ++unanswered_;
  } else {
    findings_.Add(attempt.what + " was answered " + answer.ToString());
  }
}

const Sms* Strangers::Known(Random& random) { return book_.AnyAcknowledged(random()); }

v1::ScheduleRequest Strangers::Fresh(Random& random, std::string* tenant) {
  Sms sms = source_.Make(random);
  *tenant = sms.tenant;
  sms.request.set_idempotency_key("never " + sms.request.idempotency_key());
  return sms.request;
}

void Strangers::WithWrongKeys() {
  attempts_.push_back({"an unknown key that schedules", Code::kUnauthenticated, [this](Random& random) {
                         std::string tenant;
                         return StatusOf(api_.Schedule("nobody", Fresh(random, &tenant)));
                       }});
  attempts_.push_back({"a gateway's key that schedules", Code::kPermissionDenied, [this](Random& random) {
                         std::string tenant;
                         return StatusOf(api_.Schedule("gateway", Fresh(random, &tenant)));
                       }});
  attempts_.push_back({"an unknown key that cancels", Code::kUnauthenticated, [this](Random& random) {
                         const Sms* sms = Known(random);
                         return StatusOf(api_.Cancel("nobody", CancelOf(sms == nullptr ? "" : sms->id)));
                       }});
  attempts_.push_back({"a client's key that reads a journal", Code::kPermissionDenied, [this](Random& random) {
                         const Sms* sms = Known(random);
                         return StatusOf(api_.GetJournalAs(kTenants[0], sms == nullptr ? "" : sms->id));
                       }});
}

void Strangers::WithOthersIds() {
  const auto with_others = [this](const std::string& what, auto call) {
    attempts_.push_back({what, Code::kNotFound, [this, call](Random& random) {
                           const Sms* sms = Known(random);
                           if (sms == nullptr) return absl::UnavailableError("there is none yet");
                           return call(OtherTenant(sms->tenant), *sms);
                         }});
  };
  with_others("another tenant's SMS that is canceled", [this](const std::string& tenant, const Sms& sms) {
    return StatusOf(api_.Cancel(tenant, CancelOf(sms.id)));
  });
  with_others("another tenant's SMS that is read",
              [this](const std::string& tenant, const Sms& sms) { return StatusOf(api_.Get(tenant, sms.id)); });
  with_others("another tenant's SMS that is rescheduled", [this](const std::string& tenant, const Sms& sms) {
    v1::RescheduleRequest request;
    request.set_id(sms.id);
    request.set_schedule(sms.request.schedule());
    return StatusOf(api_.Reschedule(tenant, request));
  });
  attempts_.push_back({"an SMS that never was and is canceled", Code::kNotFound, [this](Random& random) {
                         const InstanceId id = InstanceId::Make(NowMs(), ShardId{1}, random());
                         return StatusOf(api_.Cancel(kTenants[0], CancelOf(std::string(id.AsBytes()))));
                       }});
}

void Strangers::WithBadInput() {
  const auto with_bad = [this](const std::string& what, auto spoil) {
    const auto call = [this, spoil](Random& random) {
      std::string tenant;
      v1::ScheduleRequest request = Fresh(random, &tenant);
      spoil(request);
      const std::uint64_t way = Below(random, 3);
      if (way == 0) return StatusOf(api_.Schedule(tenant, request));
      if (way == 1) {
        const StreamAnswers answers = api_.ScheduleStream(tenant, {request});
        return answers.results[0].has_value() ? StatusOf(*answers.results[0]) : answers.end;
      }
      v1::ScheduleBatchRequest batch;
      *batch.add_items() = request;
      const auto answer = api_.ScheduleBatch(tenant, batch);
      return answer.ok() ? StatusOf(answer->results(0)) : answer.status();
    };
    attempts_.push_back({what, Code::kInvalidArgument, call});
  };
  with_bad("an SMS without a payload", [](v1::ScheduleRequest& request) { request.clear_payload(); });
  with_bad("a payload beyond the limit",
           [](v1::ScheduleRequest& request) { request.set_payload(std::string(17'000, 'x')); });
  with_bad("an envelope that was cut short",
           [](v1::ScheduleRequest& request) { request.mutable_payload()->resize(request.payload().size() / 2); });
  with_bad("an envelope for another key", [](v1::ScheduleRequest& request) { request.set_key("not its own"); });
  with_bad("slots that end before they begin", [](v1::ScheduleRequest& request) { request.set_schedule("20-10"); });
  with_bad("a target with a control character", [](v1::ScheduleRequest& request) { request.set_target("t\n1"); });
  attempts_.push_back({"a used idempotency key with another batch", Code::kAlreadyExists, [this](Random& random) {
                         const Sms* sms = Known(random);
                         if (sms == nullptr) return absl::UnavailableError("there is none yet");
                         v1::ScheduleRequest request = sms->request;
                         request.set_batch("another batch");
                         return StatusOf(api_.Schedule(sms->tenant, request));
                       }});
  attempts_.push_back({"a batch of nothing", Code::kInvalidArgument, [this](Random&) {
                         return StatusOf(api_.ScheduleBatch(kTenants[0], v1::ScheduleBatchRequest()));
                       }});
  attempts_.push_back({"a page token that is none", Code::kInvalidArgument,
                       [this](Random&) { return StatusOf(api_.List(kTenants[0], "rubbish")); }});
  attempts_.push_back({"a cancel of nothing", Code::kInvalidArgument,
                       [this](Random&) { return StatusOf(api_.Cancel(kTenants[0], v1::CancelRequest())); }});
}

}  // namespace smsflow::crash
