#include "server/rest/api.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "crypto/secret.h"
#include "server/rest/api_call.h"
#include "server/rest/api_json.h"
#include "server/rest/api_problem.h"
#include "server/rest/api_routes.h"

namespace smsflow::server::rest {

namespace {

using google::protobuf::Message;

constexpr char kPrefix[] = "/api/v1";

// The names in braces, in order.
std::vector<std::string> NamesIn(std::string_view path) {
  std::vector<std::string> names;
  for (const std::string_view part : Split(path, '/'))
    if (part.starts_with('{')) names.emplace_back(part.substr(1, part.size() - 2));
  return names;
}

const Message& PrototypeOf(const google::protobuf::Descriptor& type) {
  return *google::protobuf::MessageFactory::generated_factory()->GetPrototype(&type);
}

// Who asks, as the verbs want to know it: with the role that they ask for. A person acts as a client for the tenants he
// is a member of, and as an administrator for all.
absl::StatusOr<Caller> CallerOf(const Principal& principal, std::string_view tenant, Role role) {
  KeyConfig as;
  as.name = principal.user;
  if (principal.HasRole(kUsersRole)) as.roles |= kClient;
  if (principal.HasRole(kAdminsRole)) as.roles |= kAdmin;
  if (role == kClient) {
    if (principal.tenants.empty()) return absl::PermissionDeniedError("the account acts for no client");
    as.tenants = principal.tenants;
  } else if (!principal.of_all_tenants) {
    if (principal.tenants.empty()) return absl::PermissionDeniedError("the credential is for some tenants only");
    as.tenants = principal.tenants;
  }
  auto caller = CallerFor(as, tenant, role);
  if (caller.ok() && principal.version != 0) caller->account = principal.user;
  return caller;
}

// Of text or bytes, as the fields of all paths are.
bool IsSet(const Message& message, const std::string& name) {
  const auto* field = message.GetDescriptor()->FindFieldByName(name);
  return !message.GetReflection()->GetString(message, field).empty();
}

// An object without members says as much as no body at all.
bool IsNothing(std::string_view body) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto trim = [&](std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
    return text.substr(0, text.find_last_not_of(kSpace) + 1);
  };
  body = trim(body);
  if (body.size() < 2 || body.front() != '{' || body.back() != '}') return body.empty();
  return trim(body.substr(1, body.size() - 2)).empty();
}

void ReadQuery(const ApiRoute& route, const std::string& query, Message& request, Violations& violations) {
  if (query.empty()) return;
  std::set<std::string_view> seen;
  for (const std::string_view pair : Split(query, '&')) {
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const auto name = PercentDecode(pair.substr(0, equals), true);
    const auto value = PercentDecode(equals == pair.size() ? "" : pair.substr(equals + 1), true);
    if (!name || !value) {
      violations.push_back({"query", "must be percent-encoded UTF-8 without control characters"});
      continue;
    }
    const auto known = std::find_if(route.query.begin(), route.query.end(),
                                    [&](const ApiParameter& one) { return one.name == *name; });
    if (known == route.query.end()) {
      violations.push_back({name->size() <= 64 ? *name : "query", "there is no such parameter here"});
    } else if (!FieldAt(*request.GetDescriptor(), known->field)->is_repeated() && !seen.insert(known->name).second) {
      violations.push_back({known->name, "must not be there twice"});
    } else {
      SetFromText(known->field, *value, known->name, request, violations);
    }
  }
}

}  // namespace

class Api::Impl {
 public:
  explicit Impl(ApiParts parts) : parts_(std::move(parts)), document_(MakeOpenApi(parts_.version)) {
    beat_ = std::thread([this] { BeatOn(); });
  }
  ~Impl() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    beat_.join();
  }

  void Register(Router& router) {
    router.AddErrorForm(kPrefix, ShowProblem);
    router.Add(Method::kGet, absl::StrCat(kPrefix, "/openapi.json"),
               [this](Request, Reply reply) { reply(Response::Json(document_)); });
    for (const ApiRoute& route : ApiRoutes()) {
      if (route.is_stream) {
        AddWatch(router, route);
      } else {
        AddUnary(router, route);
      }
    }
  }

 private:
  void AddUnary(Router& router, const ApiRoute& route) {
    const auto* method = google::protobuf::DescriptorPool::generated_pool()
                             ->FindServiceByName(route.service)
                             ->FindMethodByName(route.verb);
    const auto* handle = parts_.calls->FindUnary(absl::StrCat(route.service, "/", route.verb));
    router.Add(
        route.method, route.path,
        [this, &route, handle, takes = &PrototypeOf(*method->input_type()),
         gives = &PrototypeOf(*method->output_type()), names = NamesIn(route.path)](Request request, Reply reply) {
          ApiCall::Asked asked;
          asked.handle = handle;
          asked.request.reset(takes->New());
          asked.response.reset(gives->New());
          auto refused = Read(route, names, request, *asked.request);
          crypto::WipeString(request.body);  // it may be a password
          if (refused) return reply(*std::move(refused));
          asked.asker = AskerOf(std::move(request));
          ApiCall::Begin(*parts_.calls, *parts_.workers, std::move(asked), std::move(reply));
        });
  }

  void AddWatch(Router& router, const ApiRoute& route) {
    const auto* handle =
        parts_.calls->FindWrites<v1::WatchRequest, v1::WatchResponse>(absl::StrCat(route.service, "/", route.verb));
    router.Add(route.method, route.path, [this, &route, handle](Request request, Reply reply) {
      v1::WatchRequest asked;
      if (auto refused = Read(route, {}, request, asked)) return reply(*std::move(refused));
      asked.set_token(std::string(request.header("last-event-id")));
      ApiWatch::Begin(*parts_.calls, pipes_, *handle, std::move(asked), AskerOf(std::move(request)), std::move(reply));
    });
  }

  // Fills the message; what is wrong with the request is its answer.
  std::optional<Response> Read(const ApiRoute& route, const std::vector<std::string>& names, const Request& request,
                               Message& asked) const {
    Violations violations;
    if (IsNothing(request.body)) {
      // What the verb must have it asks for itself.
    } else if (route.has_body) {
      if (!request.IsOfType("application/json")) {
        Response wrong = Response::Error(415, "content-type: must be application/json");
        wrong.headers.push_back({"Accept", "application/json"});
        return wrong;
      }
      FromJson(request.body, asked, violations);
    } else {
      violations.push_back({"body", "must be empty here"});
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (IsSet(asked, names[i])) violations.push_back({names[i], "stands in the path, and must not be in the body"});
      SetFromText(names[i], request.arguments[i], names[i], asked, violations);
    }
    ReadQuery(route, request.query, asked, violations);
    ReadKey(request.header("idempotency-key"), asked, violations);
    if (violations.empty()) return std::nullopt;
    return ProblemOf(absl::InvalidArgumentError(""), violations);
  }

  static void ReadKey(std::string_view key, Message& asked, Violations& violations) {
    if (key.empty()) return;
    auto* const sms = dynamic_cast<v1::ScheduleRequest*>(&asked);
    if (sms == nullptr) {
      violations.push_back({"Idempotency-Key", "is for POST /api/v1/sms alone"});
    } else if (!sms->idempotency_key().empty() && sms->idempotency_key() != key) {
      violations.push_back({"Idempotency-Key", "must be the idempotency_key of the body, where that is there too"});
    } else if (!IsPrintable(key)) {
      violations.push_back({"Idempotency-Key", "must be printable UTF-8"});
    } else {
      sms->set_idempotency_key(std::string(key));
    }
  }

  // A token is known to the configuration, whatever else the request says; a principal was found by the gate.
  Asker AskerOf(Request request) const {
    std::string tenant(request.header("smsflow-tenant"));
    if (!request.token.empty()) {
      return [this, token = std::move(request.token), tenant = std::move(tenant)](Role role) {
        return parts_.authenticator->Authenticate({token, tenant}, role);
      };
    }
    return [principal = std::move(request.principal), tenant = std::move(tenant)](Role role) {
      return CallerOf(principal, tenant, role);
    };
  }

  void BeatOn() {
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, std::chrono::milliseconds(parts_.beat_ms), [this] { return stopping_; })) {
      lock.unlock();
      pipes_.Beat();
      lock.lock();
    }
  }

  const ApiParts parts_;
  const std::string document_;
  EventPipes pipes_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread beat_;
};

Api::Api(ApiParts parts) : impl_(std::make_unique<Impl>(std::move(parts))) {}
Api::~Api() = default;
void Api::Register(Router& router) { impl_->Register(router); }

}  // namespace smsflow::server::rest
