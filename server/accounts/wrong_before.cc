#include "server/accounts/wrong_before.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "crypto/random.h"

namespace smsflow::server {

WrongBefore::WrongBefore(engine::Clock& clock) : clock_(clock), key_(crypto::RandomBytes(32)) {}

crypto::Digest WrongBefore::DigestOf(std::string_view id, std::string_view password, std::uint64_t state) const {
  return key_.Mac({absl::StrCat(state, " ", id.size(), " "), id, password});
}

bool WrongBefore::Was(std::string_view id, std::string_view password, std::uint64_t state) {
  const crypto::Digest digest = DigestOf(id, password, state);
  absl::MutexLock lock(&mutex_);
  const auto found = till_ms_.find(digest);
  return found != till_ms_.end() && clock_.SteadyMs() < found->second;
}

void WrongBefore::Note(std::string_view id, std::string_view password, std::uint64_t state) {
  const crypto::Digest digest = DigestOf(id, password, state);
  const std::int64_t now_ms = clock_.SteadyMs();
  absl::MutexLock lock(&mutex_);
  if (till_ms_.size() >= kMax) std::erase_if(till_ms_, [now_ms](const auto& one) { return one.second <= now_ms; });
  if (till_ms_.size() >= kMax) till_ms_.clear();  // each only saves work
  till_ms_[digest] = now_ms + kRememberMs;
}

}  // namespace smsflow::server
