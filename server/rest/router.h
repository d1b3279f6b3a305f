// Which handler answers which method and path. Groups of handlers are registered here, each by its own file; the router
// knows none of them.
//
// A pattern is a path whose segments are literal or, in braces, stand for one segment that is not empty:
// "/schedule/{client}/by-id/{id}". Where two patterns fit a path, the one with the earlier literal segment wins. A
// trailing slash makes another path.
//
// Filled before anything is served, then only read: thread-safe from then on.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "server/grpc/workers.h"
#include "server/rest/http.h"

namespace smsflow::server::rest {

// On a thread that serves connections: must not block.
using Handler = std::function<void(Request request, Reply reply)>;

// What goes wrong is shown in the form of the contract that the path belongs to.
struct Problem {
  int status = 500;
  std::string_view message;
  std::string_view path;  // as it was sent
  std::int64_t now_ms = 0;
};
// Sets type and body; the status stays.
using ErrorForm = std::function<void(const Problem& problem, Response& response)>;

class Router {
 public:
  // REQUIRES that this method of this pattern is new.
  void Add(Method method, std::string_view pattern, Handler handler);
  // The same for one that may block: it runs on `workers`, which must outlive what is served.
  void AddBlocking(Method method, std::string_view pattern, Workers& workers,
                   std::function<Response(const Request&)> handler);
  // For paths that begin with `prefix`; the longest one counts. REQUIRES one for "/".
  void AddErrorForm(std::string prefix, ErrorForm form);

  struct Found {
    const Handler* handler = nullptr;
    std::vector<std::string> arguments;
    // Without a handler: 404, 405 (`allow` tells the methods), 400 for a path that is none, or for OPTIONS 200.
    int status = 200;
    std::string allow;
    const char* error = "";
  };
  // HEAD is found where GET is.
  Found Find(Method method, std::string_view path) const;
  const ErrorForm& ErrorFormOf(std::string_view path) const;

 private:
  struct Verb {
    Method method;
    Handler handler;
  };
  struct Route {
    std::vector<std::string> segments;  // a variable one is "{…}"
    std::vector<Verb> verbs;
  };

  std::vector<Route> routes_;
  std::vector<std::pair<std::string, ErrorForm>> forms_;  // the longest prefix first
};

}  // namespace smsflow::server::rest
