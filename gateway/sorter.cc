#include "gateway/sorter.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <string>
#include <utility>

#include "crypto/random.h"
#include "crypto/secret.h"
#include "smpp/text.h"
#include "smpp/wiped.h"

namespace smsflow::gateway {
namespace {

constexpr std::int64_t kCreditSeconds = 5;
constexpr std::size_t kAtOnce = 16;  // then they are told, so that the first does not wait for the last

// What cannot be cut is counted as one: whoever makes its PDUs says what is wrong with it.
std::int64_t SegmentsOf(const crypto::Secret& text) {
  auto coded = smpp::EncodeText(text.Reveal());
  if (!coded.ok()) return 1;
  const auto parts = smpp::Split(coded->octets, coded->alphabet, smpp::Reference::k8Bit);
  const std::size_t count = parts.ok() ? parts->size() : 1;
  smpp::Wipe(coded->octets);
  return static_cast<std::int64_t>(std::max<std::size_t>(count, 1));
}

// The sum over `all`; nothing when one of them has no limit.
template <class All, class LimitOf>
std::optional<std::int64_t> SumOf(const All& all, LimitOf limit_of) {
  std::int64_t sum = 0;
  for (const auto& one : all) {
    const std::int64_t limit = limit_of(one);
    if (limit == 0) return std::nullopt;
    sum += limit;
  }
  return sum;
}

}  // namespace

std::uint32_t CreditFor(const PaceOptions& options, const std::vector<std::string>& tenants, std::uint32_t most) {
  const auto by_route =
      SumOf(options.routes.all(), [&](const Route& route) { return options.limits.OfRoute(route.name); });
  const auto by_tenant = SumOf(tenants, [&](const std::string& tenant) { return options.limits.OfTenant(tenant); });
  constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::max() / kCreditSeconds;
  const std::int64_t per_second = std::min(by_route.value_or(kNone), by_tenant.value_or(kNone));
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(per_second * kCreditSeconds, 1, most));
}

Sorter::Sorter(std::shared_ptr<const PaceOptions> pace, std::unique_ptr<Opener> opener)
    : pace_(std::move(pace)), opener_(std::move(opener)), tag_key_(crypto::RandomBytes(32)) {}

void Sorter::Start(Done done) {
  done_ = std::move(done);
  thread_ = std::thread([this] { Loop(); });
}

void Sorter::Stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Sorter::Add(std::vector<engine::Lease> leases) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.insert(waiting_.end(), std::make_move_iterator(leases.begin()), std::make_move_iterator(leases.end()));
  }
  wake_.notify_one();
}

void Sorter::Loop() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (stopping_) return;
    }
    done_(Sort(NextOf(kAtOnce)));
  }
}

void Sorter::RunOnce() {
  if (auto leases = NextOf(std::numeric_limits<std::size_t>::max()); !leases.empty()) done_(Sort(std::move(leases)));
}

std::vector<engine::Lease> Sorter::NextOf(std::size_t most) {
  const std::lock_guard lock(mutex_);
  std::vector<engine::Lease> leases;
  for (; !waiting_.empty() && leases.size() < most; waiting_.pop_front()) leases.push_back(std::move(waiting_.front()));
  return leases;
}

std::vector<Sorted> Sorter::Sort(std::vector<engine::Lease> leases) {
  std::vector<Sorted> sorted;
  sorted.reserve(leases.size());
  for (engine::Lease& lease : leases) sorted.push_back(SortOne(std::move(lease)));
  return sorted;
}

Sorted Sorter::SortOne(engine::Lease lease) {
  Sorted sorted;
  Unreadable why;
  const auto opened = opener_->Open(lease, why);
  sorted.sms.lease = std::move(lease);
  if (!opened.has_value()) {
    sorted.refusal = why;
    sorted.for_now = why.for_now;
    const std::lock_guard lock(mutex_);
    ++figures_.unreadable;
    return sorted;
  }
  const std::string& tenant = sorted.sms.lease.tenant;
  const Routes::Way way = pace_->routes.Find(tenant, opened->sms.recipient);
  {
    const std::lock_guard lock(mutex_);
    ++figures_.opened;
    figures_.unroutable += way.route == nullptr ? 1 : 0;
  }
  if (way.route == nullptr) {
    // The configuration may come to have a route for it; a number stays what it is.
    sorted.for_now = way.cause == "no_route";
    sorted.refusal = Unreadable{sorted.for_now ? About::kRoute : About::kRecipient, way.cause};
    return sorted;
  }
  std::string sender;
  sender.reserve(tenant.size() + 1 + opened->sms.sender.size());
  sender.append(tenant).append("/").append(opened->sms.sender);
  sorted.sms.route = static_cast<std::size_t>(way.route - pace_->routes.all().data());
  sorted.sms.priority = opened->sms.priority;
  sorted.sms.sender = SenderTag(sender);
  sorted.sms.sender_limit = pace_->limits.OfSender(sender);
  sorted.sms.segments = SegmentsOf(opened->sms.text);
  smpp::Wipe(sender);
  return sorted;
}

std::uint64_t Sorter::SenderTag(std::string_view tenant_and_sender) const {
  const crypto::Digest mac = tag_key_.Mac(tenant_and_sender);
  std::uint64_t tag = 0;
  for (std::size_t i = 0; i < 8; ++i) tag = tag << 8 | mac[i];
  return tag;
}

SorterFigures Sorter::figures() const {
  const std::lock_guard lock(mutex_);
  return figures_;
}

}  // namespace smsflow::gateway
