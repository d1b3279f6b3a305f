#include "tools/bench/envelope.h"

#include <algorithm>
#include <string>
#include <vector>

#include "crypto/bare_agreement.h"
#include "crypto/envelope.h"
#include "crypto/vault.h"

namespace smsflow::bench {
namespace {

constexpr std::size_t kEnvelopes = 256;  // different ones, so that nothing is found in a cache
constexpr std::size_t kKeysBeside = 3;   // as a gateway in rotation has them
constexpr int kAtOnce = 32;              // between looks at the clock
constexpr double kSliceMax_s = 0.5;      // short: nothing is to be warmed up
constexpr char kSms[] = "To: +255123456789\nSender: CLINIC\n\nYour visit is tomorrow at 9. Please bring your card.";

// Runs `work` again and again for about `seconds`.
template <class Work>
Slice Timed(double seconds, Work work) {
  Slice slice;
  const double began = Now(), cpu = ThreadCpu();
  while (Now() - began < seconds) {
    for (int i = 0; i < kAtOnce; ++i) work();
    slice.count += kAtOnce;
  }
  slice.seconds = Now() - began;
  slice.cpu_s = ThreadCpu() - cpu;
  return slice;
}

class Agreeing : public Part {
 public:
  Slice Run(double seconds) override {
    return Timed(seconds, [this] { good_ = bare_.Agree() && good_; });
  }
  bool good() const { return good_; }

 private:
  crypto::BareAgreement bare_;
  bool good_ = true;
};

class Opening : public Part {
 public:
  Opening() {
    const auto key = crypto::PrivateKey::Generate(crypto::KeyKind::kP256);
    std::vector<crypto::VaultKey> keys;
    for (std::size_t i = 0; i < kKeysBeside; ++i)
      keys.emplace_back(crypto::PrivateKey::Generate(crypto::KeyKind::kP256));
    keys.emplace_back(key);
    vault_.Replace(std::move(keys));
    for (std::size_t i = 0; i < kEnvelopes; ++i) {
      auto envelope = crypto::SealEnvelope(key.public_key(), "demo/visit-17", kSms, 1'800'000'000);
      good_ = good_ && envelope.ok();
      envelopes_.push_back(envelope.ok() ? *std::move(envelope) : "");
    }
  }
  Slice Run(double seconds) override {
    return Timed(seconds, [this] {
      const auto opened = vault_.Open("demo", "visit-17", envelopes_[next_++ % kEnvelopes]);
      good_ = good_ && opened.ok() && opened->plaintext.Reveal() == kSms;
    });
  }
  bool good() const { return good_; }

 private:
  crypto::Vault vault_;
  std::vector<std::string> envelopes_;
  std::size_t next_ = 0;
  bool good_ = true;
};

// In a second of the core's time: what others do on the machine does not count.
double Rate(const Slice& slice) { return static_cast<double>(slice.count) / slice.cpu_s; }

}  // namespace

std::unique_ptr<Part> MakeOpening() { return std::make_unique<Opening>(); }

absl::StatusOr<Report> RunEnvelope(const Options& options) {
  Agreeing bare;
  Opening opening;
  Slice limit, got;
  const double slice_s = std::min(options.slice_s, kSliceMax_s);
  while (got.seconds < options.seconds) {
    limit += bare.Run(slice_s);
    got += opening.Run(slice_s);
  }
  if (!bare.good()) return absl::InternalError("OpenSSL does not agree on P-256");
  if (!opening.good()) return absl::InternalError("an envelope did not open to what was sealed");
  Report report;
  report.workload = options.workload;
  report.profile = NameOf(options.profile);
  report.count = got.count;
  report.rate_per_s = Rate(got);
  report.cpu_us_per_sms = 1e6 / Rate(got);
  report.limit_rate_per_s = Rate(limit);
  report.share = Rate(got) / Rate(limit);
  return report;
}

}  // namespace smsflow::bench
