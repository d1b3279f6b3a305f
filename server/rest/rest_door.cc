#include "server/rest/rest_door.h"

#include <utility>

#include "crypto/secret.h"
#include "logging/logging.h"
#include "server/grpc/listener.h"
#include "server/rest/gate.h"
#include "server/rest/http_server.h"
#include "server/rest/old_contract.h"
#include "server/rest/old_forms.h"
#include "workflows/delivery/zones.h"

namespace smsflow::server::rest {

namespace {

constexpr int kReadThreads = 2;
constexpr char kTokensUnder[] = "/api/";
constexpr char kRealm[] = "Basic realm=\"SMS Scheduler\"";

// The old doors know no horizon.
LimitsConfig OldLimits(LimitsConfig limits) {
  limits.horizon_ms = 0;
  return limits;
}

// Its zones come with it.
struct OwnValidation {
  explicit OwnValidation(const LimitsConfig& limits)
      : zones(workflows::delivery::MakeZoneResolver()), validation(limits, zones.get()) {}
  const std::unique_ptr<workflows::delivery::ZoneResolver> zones;
  const Validation validation;
};

Response Unauthorized(const absl::Status& status) {
  Response response = Response::Error(status);
  if (response.status == 401) response.headers.push_back({"WWW-Authenticate", kRealm});
  return response;
}

class RestDoorImpl final : public RestDoor {
 public:
  RestDoorImpl(const Config& config, RestParts parts)
      : clock_(*parts.clock),
        tokens_(parts.tokens),
        // Each connection has at most one read on its way, and so has each credential.
        reads_(kReadThreads, parts.connections_max + 1),
        gate_(*parts.identity, [clock = parts.clock] { return clock->SteadyMs(); }) {
    auto contract = std::make_shared<OldContract>();
    contract->engine = parts.engine;
    contract->reader = parts.reader;
    contract->clock = parts.clock;
    contract->reads = &reads_;
    auto validation = std::make_shared<OwnValidation>(OldLimits(config.limits));
    contract->validation = std::shared_ptr<const Validation>(validation, &validation->validation);
    contract->offset_minutes = config.rest.offset_minutes;
    contract->version = SMSFLOW_VERSION;
    router_.AddErrorForm("/", ShowOldError);
    AddScheduleHandlers(contract, router_);
    AddBlockHandlers(contract, router_);
    AddActuatorHandlers(contract, router_);
    if (parts.more) parts.more(router_, reads_);
  }
  ~RestDoorImpl() override { Stop(0); }

  absl::Status Listen(const Config& config, std::size_t connections_max) {
    HttpOptions options;
    options.address = config.listen.rest;
    if (config.tls.on() && !config.listen.rest_plaintext) options.tls = config.tls;
    options.threads = config.rest.threads;
    options.connections_max = connections_max;
    options.per_address_max = PerAddressMax(config.rest.per_address, connections_max);
    options.request.body_bytes = config.rest.body_bytes;
    options.idle_ms = config.rest.idle_ms;
    options.head_ms = options.body_ms = options.write_ms = config.rest.patience_ms;
    HttpHooks hooks;
    hooks.serve = [this](Request request, std::string authorization, Reply reply) {
      Serve(std::move(request), authorization, std::move(reply));
      crypto::WipeString(authorization);
    };
    hooks.admit = [this](const Request& head, const std::string& authorization) -> std::optional<Response> {
      if (Gate::IsReadable(authorization) || IsKnownToken(head, authorization)) return std::nullopt;
      return Unauthorized(Gate::Unknown());
    };
    hooks.show_error = [this](std::string_view path, Response& response) {
      const std::string message = std::exchange(response.error, {});
      router_.ErrorFormOf(path)({response.status, message, path, clock_.WallMs()}, response);
    };
    hooks.wall_ms = [this] { return clock_.WallMs(); };
    hooks.steady_ms = [this] { return clock_.SteadyMs(); };
    auto server = HttpServer::Start(std::move(options), std::move(hooks));
    if (absl::IsUnavailable(server.status())) {
      Log(LogLevel::kDebug, "listening failed", {{"error", std::string(server.status().message())}});
      return absl::UnavailableError("listen.rest: cannot listen on " + config.listen.rest +
                                    ": is it taken, or not of this machine?");
    }
    if (!server.ok()) return server.status();
    server_ = *std::move(server);
    return absl::OkStatus();
  }

  const std::string& address() const override { return server_->address(); }

  void BeginStop() override {
    if (server_ != nullptr) server_->BeginStop();
  }
  void Stop(std::int64_t within_ms) override {
    if (server_ != nullptr) server_->Stop(within_ms);
    gate_.Stop();
    reads_.Stop();
  }

  std::vector<NamedFigure> figures() const override;

 private:
  // The old contract has no tokens: what it serves always has a principal.
  bool IsKnownToken(const Request& head, const std::string& authorization) const {
    return tokens_ != nullptr && head.path.starts_with(kTokensUnder) && tokens_->Recognize(authorization).ok();
  }

  void Serve(Request request, const std::string& authorization, Reply reply) {
    if (IsKnownToken(request, authorization)) {
      request.token = authorization;
      return Route(std::move(request), std::move(reply));
    }
    gate_.Enter(authorization, [this, request = std::move(request),
                                reply = std::move(reply)](absl::StatusOr<Principal> principal) mutable {
      if (!principal.ok()) return reply(Unauthorized(principal.status()));
      request.principal = *std::move(principal);
      Route(std::move(request), std::move(reply));
    });
  }

  void Route(Request request, Reply reply) {
    Router::Found found = router_.Find(request.method, request.path);
    if (found.handler != nullptr) {
      request.arguments = std::move(found.arguments);
      return (*found.handler)(std::move(request), std::move(reply));
    }
    Response response = found.status == 200 ? Response::Ok() : Response::Error(found.status, found.error);
    if (!found.allow.empty()) response.headers.push_back({"Allow", std::move(found.allow)});
    reply(std::move(response));
  }

  const engine::Clock& clock_;
  const Authenticator* const tokens_;
  Router router_;
  Workers reads_;
  Gate gate_;
  std::unique_ptr<HttpServer> server_;
};

std::vector<NamedFigure> RestDoorImpl::figures() const {
  const HttpFigures http = server_->figures();
  const GateFigures gate = gate_.figures();
  metrics::Figures all;
  all.Gauge("smsflow_rest_connections", "of REST clients, open", static_cast<double>(http.connections));
  all.Count("smsflow_rest_connections_total", "of REST clients, taken", http.connections_total);
  all.Count("smsflow_rest_connections_refused_total",
            "of REST clients, closed at once: too many were open, in all or of one address", http.connections_refused);
  all.Count("smsflow_rest_handshakes_failed_total", "of REST clients: no TLS came about", http.handshakes_failed);
  all.Count("smsflow_rest_timeouts_total", "REST connections cut off for letting a time pass", http.timeouts);
  all.Count("smsflow_rest_malformed_total", "REST requests that were none", http.malformed);
  all.Count("smsflow_rest_streams_cut_total", "lists over REST that ended early", http.streams_cut);
  static constexpr const char* kClasses[] = {"", "", "2xx", "3xx", "4xx", "5xx"};
  for (std::size_t i = 2; i < 6; ++i) {
    all.Count("smsflow_rest_answers_total", "answers over REST, by their status", http.answers[i],
              {{"status", kClasses[i]}});
  }
  const char* const logins = "smsflow_rest_logins_total";
  const char* const what = "credentials over REST, by what became of them";
  all.Count(logins, what, gate.remembered, {{"result", "remembered"}});
  all.Count(logins, what, gate.verified, {{"result", "verified"}});
  all.Count(logins, what, gate.refused, {{"result", "refused"}});
  all.Count(logins, what, gate.busy, {{"result", "busy"}});
  return std::move(all.figures);
}

}  // namespace

absl::StatusOr<std::unique_ptr<RestDoor>> RestDoor::Start(const Config& config, RestParts parts) {
  if (config.listen.rest.empty()) return nullptr;
  const std::size_t connections_max = parts.connections_max;
  auto door = std::make_unique<RestDoorImpl>(config, std::move(parts));
  if (absl::Status status = door->Listen(config, connections_max); !status.ok()) return status;
  return door;
}

}  // namespace smsflow::server::rest
