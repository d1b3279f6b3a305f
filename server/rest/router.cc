#include "server/rest/router.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "absl/strings/str_cat.h"
#include "crypto/secret.h"

namespace smsflow::server::rest {

namespace {

constexpr char kNoPath[] = "path: must be segments of printable UTF-8, percent-encoded, and none of them . or ..";

bool IsVariable(const std::string& segment) { return segment.size() > 2 && segment.front() == '{'; }

// nullopt: it is no path.
std::optional<std::vector<std::string>> SegmentsOf(std::string_view path) {
  if (path.empty() || path.front() != '/') return std::nullopt;
  const std::vector<std::string_view> parts = Split(path.substr(1), '/');
  std::vector<std::string> segments;
  segments.reserve(parts.size());
  for (const std::string_view raw : parts) {
    auto segment = PercentDecode(raw, false);
    if (!segment || *segment == "." || *segment == ".." || segment->find_first_of("/\\") != std::string::npos) {
      return std::nullopt;
    }
    segments.push_back(*std::move(segment));
  }
  return segments;
}

bool Fits(const std::vector<std::string>& pattern, const std::vector<std::string>& segments) {
  return std::equal(pattern.begin(), pattern.end(), segments.begin(), segments.end(),
                    [](const std::string& wanted, const std::string& given) {
                      return IsVariable(wanted) ? !given.empty() : wanted == given;
                    });
}

// Where a literal stands before a variable segment.
bool IsBefore(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return std::lexicographical_compare(
      a.begin(), a.end(), b.begin(), b.end(),
      [](const std::string& x, const std::string& y) { return !IsVariable(x) && IsVariable(y); });
}

}  // namespace

void Router::Add(Method method, std::string_view pattern, Handler handler) {
  assert(!pattern.empty() && pattern.front() == '/');
  const std::vector<std::string_view> parts = Split(pattern.substr(1), '/');
  std::vector<std::string> segments(parts.begin(), parts.end());
  auto route = std::find_if(routes_.begin(), routes_.end(), [&](const Route& one) { return one.segments == segments; });
  if (route == routes_.end()) {
    const auto place =
        std::upper_bound(routes_.begin(), routes_.end(), segments,
                         [](const auto& mine, const Route& other) { return IsBefore(mine, other.segments); });
    route = routes_.insert(place, {std::move(segments), {}});
  }
  assert(
      std::none_of(route->verbs.begin(), route->verbs.end(), [&](const Verb& verb) { return verb.method == method; }));
  route->verbs.push_back({method, std::move(handler)});
}

void Router::AddBlocking(Method method, std::string_view pattern, Workers& workers,
                         std::function<Response(const Request&)> handler) {
  Add(method, pattern, [&workers, handler = std::move(handler)](Request request, Reply reply) {
    struct Work {
      Request request;
      Reply reply;
    };
    auto work = std::make_shared<Work>(Work{std::move(request), std::move(reply)});
    const bool taken = workers.TryRun([work, &handler] {
      Response response = handler(work->request);
      crypto::WipeString(work->request.body);  // it may be a password
      work->reply(std::move(response));
    });
    if (!taken) work->reply(Response::Error(absl::ResourceExhaustedError("too many requests wait: try again later")));
  });
}

void Router::AddErrorForm(std::string prefix, ErrorForm form) {
  forms_.emplace_back(std::move(prefix), std::move(form));
  std::stable_sort(forms_.begin(), forms_.end(),
                   [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); });
}

const ErrorForm& Router::ErrorFormOf(std::string_view path) const {
  const auto found =
      std::find_if(forms_.begin(), forms_.end(), [&](const auto& form) { return path.starts_with(form.first); });
  return found == forms_.end() ? forms_.back().second : found->second;
}

Router::Found Router::Find(Method method, std::string_view path) const {
  auto segments = SegmentsOf(path);
  if (!segments) return {nullptr, {}, 400, {}, kNoPath};
  const auto route =
      std::find_if(routes_.begin(), routes_.end(), [&](const Route& one) { return Fits(one.segments, *segments); });
  if (route == routes_.end()) return {nullptr, {}, 404, {}, "path: there is nothing here"};
  Found found;
  const Method wanted = method == Method::kHead ? Method::kGet : method;
  const auto verb = std::find_if(route->verbs.begin(), route->verbs.end(),
                                 [wanted](const Verb& one) { return one.method == wanted; });
  if (verb != route->verbs.end()) found.handler = &verb->handler;
  for (std::size_t i = 0; i < segments->size(); ++i) {
    if (IsVariable(route->segments[i])) found.arguments.push_back(std::move((*segments)[i]));
  }
  if (found.handler != nullptr) return found;
  for (const Verb& one : route->verbs)
    absl::StrAppend(&found.allow, found.allow.empty() ? "" : ", ", std::string(NameOf(one.method)));
  if (method != Method::kOptions) {
    found.status = 405;
    found.error = "method: must be one of those that Allow names";
  }
  return found;
}

}  // namespace smsflow::server::rest
