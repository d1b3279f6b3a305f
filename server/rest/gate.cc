#include "server/rest/gate.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "crypto/random.h"
#include "crypto/secret.h"

namespace smsflow::server::rest {

namespace {

constexpr std::string_view kScheme = "Basic ";
constexpr std::size_t kCredentialBytesMax = 1'024;
constexpr std::size_t kKeyBytes = 32;

struct Credential {
  Credential(std::string its_user, std::string its_password)
      : user(std::move(its_user)), password(std::move(its_password)) {}
  Credential(Credential&&) = default;
  Credential& operator=(Credential&&) = delete;
  ~Credential() { crypto::WipeString(password); }

  std::string user, password;
};

std::optional<Credential> Parse(std::string_view authorization) {
  if (authorization.size() <= kScheme.size() || authorization.size() > 2 * kCredentialBytesMax ||
      !absl::EqualsIgnoreCase({authorization.data(), kScheme.size()}, {kScheme.data(), kScheme.size()})) {
    return std::nullopt;
  }
  authorization.remove_prefix(kScheme.size());
  std::string both;
  if (!absl::Base64Unescape({authorization.data(), authorization.size()}, &both)) return std::nullopt;
  const std::size_t colon = both.find(':');
  if (colon == std::string::npos || colon == 0 || both.size() > kCredentialBytesMax) return std::nullopt;
  Credential credential{both.substr(0, colon), both.substr(colon + 1)};
  crypto::WipeString(both);
  return credential;
}

}  // namespace

absl::Status Gate::Unknown() { return absl::UnauthenticatedError("user or password is missing or wrong"); }

Gate::Gate(Identity& identity, std::function<std::int64_t()> now_ms, GateOptions options)
    : identity_(identity),
      now_ms_(std::move(now_ms)),
      options_(options),
      key_(crypto::RandomBytes(kKeyBytes)),
      workers_(options.threads, options.waiting_max) {}

bool Gate::IsReadable(std::string_view authorization) { return Parse(authorization).has_value(); }

void Gate::Enter(std::string_view authorization, Entered entered) {
  auto credential = Parse(authorization);
  if (!credential) return entered(Unknown());
  const std::string length = std::to_string(credential->user.size()) + ":";
  const std::string digest(crypto::AsView(key_.Mac({length, credential->user, credential->password})));
  std::unique_lock lock(mutex_);
  if (const auto found = remembered_.find(digest); found != remembered_.end()) {
    if (now_ms_() < found->second.until_ms && identity_.IsCurrent(found->second.principal)) {
      ++figures_.remembered;
      Principal principal = found->second.principal;
      lock.unlock();
      return entered(std::move(principal));
    }
    remembered_.erase(found);
  }
  const auto [place, first] = waiting_.try_emplace(digest);
  place->second.push_back(std::move(entered));
  if (!first) return;
  const bool taken =
      workers_.TryRun([this, digest, one = *std::move(credential)] { Check(digest, one.user, one.password); });
  if (taken) return;
  Entered refused = std::move(place->second.back());
  waiting_.erase(place);
  ++figures_.busy;
  lock.unlock();
  refused(absl::ResourceExhaustedError("too many wait to be let in: try again later"));
}

void Gate::Check(const std::string& digest, const std::string& user, const std::string& password) {
  const auto principal = identity_.Check(user, password);
  std::vector<Entered> waited;
  {
    const std::lock_guard lock(mutex_);
    ++(principal.ok() ? figures_.verified : figures_.refused);
    if (principal.ok()) {
      const std::int64_t now_ms = now_ms_();
      MakeRoom(now_ms);
      remembered_[digest] = {*principal, now_ms + options_.remember_ms};
    }
    waited = std::move(waiting_[digest]);
    waiting_.erase(digest);
  }
  // Whatever was wrong with it, who is not known hears one text.
  for (Entered& entered : waited) entered(absl::IsUnauthenticated(principal.status()) ? Unknown() : principal);
}

void Gate::MakeRoom(std::int64_t now_ms) {
  if (remembered_.size() < options_.remembered_max) return;
  std::erase_if(remembered_, [&](const auto& entry) { return entry.second.until_ms <= now_ms; });
  if (remembered_.size() >= options_.remembered_max) remembered_.erase(remembered_.begin());
}

void Gate::Stop() { workers_.Stop(); }

GateFigures Gate::figures() const {
  const std::lock_guard lock(mutex_);
  return figures_;
}

}  // namespace smsflow::server::rest
