#include "tests/crash/call_orders.h"

#include <algorithm>
#include <fstream>
#include <iomanip>
#include <numeric>
#include <string_view>

namespace smsflow::crash {
namespace {

// With no divisor of kAll: steps of it reach every order, and go through the pairs with numbers far from each other.
constexpr std::uint64_t kStride = 1009;
static_assert(std::gcd(kStride, CallOrders::kAll) == 1);

constexpr std::array<const char*, 3> kFates{"came", "did-not-come", "passed-over"};

bool IsOften(std::string_view call) { return call == "fdatasync" || call == "write"; }

}  // namespace

CallOrders::CallOrders(std::string record, std::uint64_t from) : record_(std::move(record)), place_(from % kAll) {
  if (record_.empty()) return;
  place_ = 0;
  std::ifstream in(record_);
  for (std::string order, fate; in >> order >> fate; ++place_) {
    const auto known = std::find(kFates.begin(), kFates.end(), fate);
    if (known != kFates.end()) Count(order, static_cast<Fate>(known - kFates.begin()));
  }
}

CallOrder CallOrders::At(std::uint64_t place) {
  const std::uint64_t index = place * kStride % kAll;
  const auto& [call, error] = kPairs[index % kPairs.size()];
  return {call, error, static_cast<unsigned>(index / kPairs.size() + 1)};
}

CallOrder CallOrders::Next() {
  for (;;) {
    CallOrder order = At(place_);
    const auto beyond = beyond_.find(order.call);
    if (beyond == beyond_.end() || order.number <= beyond->second) return order;
    Keep(order, Fate::kPassedOver);
  }
}

void CallOrders::Note(const CallOrder& order, bool came) {
  if (IsOften(order.call)) {
    ++often_;
    often_came_ += came ? 1 : 0;
  } else if (!came) {
    auto& beyond = beyond_.try_emplace(order.call, order.number).first->second;
    beyond = std::min(beyond, order.number);
  }
  Keep(order, came ? Fate::kCame : Fate::kDidNot);
}

void CallOrders::Keep(const CallOrder& order, Fate fate) {
  ++place_;
  Count(order.text(), fate);
  if (record_.empty()) return;
  std::ofstream(record_, std::ios::app) << order.text() << ' ' << kFates[static_cast<std::size_t>(fate)] << '\n';
}

void CallOrders::Count(const std::string& order, Fate fate) {
  const auto [known, first] = fates_.try_emplace(order, fate);
  if (!first && known->second != Fate::kCame) known->second = fate;
}

void CallOrders::Print(std::ostream& out) const {
  if (fates_.empty()) return;
  out << std::left << std::setw(30) << "call that fails"
      << "came true  did not  passed over  of " << kMost << "\n";
  for (const auto& [call, error] : kPairs) {
    std::array<int, kFates.size()> counts{};
    const std::string pair = std::string(call) + ":" + error + ":";
    for (auto fate = fates_.lower_bound(pair); fate != fates_.end() && fate->first.starts_with(pair); ++fate)
      ++counts[static_cast<std::size_t>(fate->second)];
    out << std::left << std::setw(30) << std::string("  ") + call + " with " + error << std::right << std::setw(9)
        << counts[0] << std::setw(9) << counts[1] << std::setw(13) << counts[2] << "\n";
  }
  out << fates_.size() << " of " << kAll << " orders were given or passed over\n";
}

}  // namespace smsflow::crash
