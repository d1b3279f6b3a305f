#include "server/accounts/passwords.h"

#include <string>

#include "crypto/hash.h"
#include "crypto/random.h"
#include "storage/accounts.h"

namespace smsflow::server {

namespace stored = ::smsflow::stored::v1;

namespace {

constexpr std::size_t kSaltBytes = 16;
constexpr std::string_view kSaltOfNobody = "salt of nobody..";

}  // namespace

// One of the few that may work at a time.
class Passwords::Turn {
 public:
  explicit Turn(Passwords& of) : of_(of) {
    std::unique_lock lock(of.mutex_);
    if (of.running_ >= of.options_.at_once && of.waiting_ >= of.options_.waiting_max) return;
    ++of.waiting_;
    of.wake_.wait(lock, [&of] { return of.running_ < of.options_.at_once; });
    --of.waiting_;
    ++of.running_;
    mine_ = true;
  }
  ~Turn() {
    if (!mine_) return;
    {
      const std::lock_guard lock(of_.mutex_);
      --of_.running_;
    }
    of_.wake_.notify_one();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  absl::Status status() const {
    return mine_ ? absl::OkStatus() : absl::ResourceExhaustedError("too many log in at once: try again later");
  }

 private:
  Passwords& of_;
  bool mine_ = false;
};

absl::StatusOr<stored::PasswordHash> Passwords::Make(std::string_view password) {
  const Turn turn(*this);
  if (!turn.status().ok()) return turn.status();
  stored::PasswordHash kept;
  kept.set_algorithm(storage::kScryptAlgorithm);
  kept.set_log2_n(options_.cost.log2_n);
  kept.set_r(options_.cost.r);
  kept.set_p(options_.cost.p);
  kept.set_salt(crypto::RandomBytes(kSaltBytes));
  const auto hash = crypto::Scrypt(password, kept.salt(), options_.cost);
  if (!hash.ok()) return hash.status();
  kept.set_hash(std::string(crypto::AsView(*hash)));
  return kept;
}

absl::StatusOr<bool> Passwords::Fits(std::string_view password, const stored::PasswordHash* kept) {
  const Turn turn(*this);
  if (!turn.status().ok()) return turn.status();
  if (kept == nullptr) {
    const auto nothing = crypto::Scrypt(password, kSaltOfNobody, options_.cost);
    if (!nothing.ok()) return nothing.status();
    return false;
  }
  if (kept->algorithm() != storage::kScryptAlgorithm)
    return absl::DataLossError("what is kept of a password is of an unknown algorithm");
  const auto hash = crypto::Scrypt(password, kept->salt(), {kept->log2_n(), kept->r(), kept->p()});
  if (!hash.ok())
    return absl::IsInvalidArgument(hash.status()) ? absl::DataLossError(hash.status().message()) : hash.status();
  return crypto::EqualConstantTime(crypto::AsView(*hash), kept->hash());
}

}  // namespace smsflow::server
