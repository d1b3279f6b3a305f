// /api/v1: the verbs of the gRPC services as JSON over HTTP. Every request becomes the call that a gRPC client would
// make, with the same checks, the same answers and the same errors: only their form is decided here.
//
//   errors      problem details (RFC 9457), with every field that is wrong at once
//   credential  Basic, as everywhere on this port, or `Bearer`: a token of the configuration
//   tenant      of the credential; `Smsflow-Tenant` names one, where it is for several
//   retries     `Idempotency-Key` on POST /api/v1/sms
//   watching    server-sent events; `Last-Event-ID` goes on from there
//
// Thread-safe. Must outlive what it is asked; `calls` must run until the last answer was given.
#pragma once

#include <memory>
#include <string>

#include "server/auth.h"
#include "server/grpc/call_queue.h"
#include "server/grpc/workers.h"
#include "server/rest/http.h"
#include "server/rest/router.h"

namespace smsflow::server::rest {

struct ApiParts {
  CallQueue* calls = nullptr;
  const Authenticator* authenticator = nullptr;  // of tokens
  Workers* workers = nullptr;                    // make JSON of what was answered
  std::string version;
  std::int64_t beat_ms = 15'000;  // how often a silent stream says that it lives
};

class Api {
 public:
  explicit Api(ApiParts parts);
  ~Api();
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  void Register(Router& router);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// What is shown for errors that come before any handler.
void ShowProblem(const Problem& problem, Response& response);

}  // namespace smsflow::server::rest
