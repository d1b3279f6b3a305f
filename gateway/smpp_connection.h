// One connection of the SMPP carrier: what it has taken and what is under way. For the carrier's own sources alone.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gateway/smpp_carrier.h"

namespace smsflow::gateway {

// What changes in it is guarded by the carrier's mutex, but for `link`, which is thread-safe.
class SmppCarrier::Connection : public SmscLinkEvents {
 public:
  Connection(SmppCarrier& carrier, SmscOptions given, std::uint32_t number)
      : options(std::move(given)), index(number), carrier_(carrier) {
    figures.name = options.name;
  }

  void OnOutcome(const smpp::action::Outcome& outcome) override { carrier_.OnOutcome(*this, outcome); }
  void OnDelivery(const smpp::action::Delivery& delivery) override { carrier_.OnDelivery(*this, delivery); }
  void OnNotice(const smpp::action::Notice& notice) override { carrier_.OnNotice(*this, notice); }

  bool HasPlace() const {
    return link->CanSubmit() &&
           reserved + waiting.size() + opening + (under_way.size() - unknown) < options.link.session.window;
  }
  bool Takes(const std::string& tenant, const Route* route) const {
    const auto holds = [](const std::vector<std::string>& names, const std::string& name) {
      return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
    };
    return holds(options.tenants, tenant) && (route == nullptr || holds(route->smscs, options.name));
  }

  // For so long that what waits for it should not hold up others.
  bool IsAway(std::int64_t now_ms) const {
    const std::int64_t patience_ms = link->CanSubmit() ? options.link.session.response_ms : options.away_ms;
    return !HasPlace() && now_ms - moved_ms >= patience_ms;
  }

  const SmscOptions options;
  const std::uint32_t index;
  std::unique_ptr<SmscLink> link;
  bool was_bound = false;
  std::int64_t moved_ms = 0;  // on the steady clock: when it last took or answered one, was bound, or got lost
  std::size_t reserved = 0;   // SMSes that were taken, and are still to come
  std::deque<engine::Lease> waiting;
  std::size_t opening = 0;  // SMSes on their way from `waiting` to `under_way`
  std::map<smpp::SubmitToken, UnderWay> under_way;
  std::size_t unknown = 0;  // of under_way: told, and kept for a late answer
  std::set<std::string> unmapped;
  SmscFigures figures;

 private:
  SmppCarrier& carrier_;
};

}  // namespace smsflow::gateway
