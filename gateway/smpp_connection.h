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

  bool HasPlace() const { return HasPlace(link->standing()); }
  bool HasPlace(const smpp::Standing& standing) const {
    return standing.may_submit &&
           reserved + waiting.size() + opening + (under_way.size() - unknown) < options.link.session.window;
  }
  bool Takes(const std::string& tenant, const Route* route) const {
    const auto holds = [](const std::vector<std::string>& names, const std::string& name) {
      return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
    };
    return holds(options.tenants, tenant) && (route == nullptr || holds(route->smscs, options.name));
  }

  // For so long that what waits for it should not hold up others. The link's own word of one moment: the notice of a
  // loss comes later. One that answers no submits is not back by being bound, but by an answer.
  bool IsAway(const smpp::Standing& standing, std::int64_t now_ms) {
    if (HasPlace(standing)) return false;
    if (found_away && standing.probing) return true;
    const std::int64_t patience_ms = standing.may_submit ? options.link.session.response_ms : options.away_ms;
    found_away = now_ms - std::max(moved_ms, standing.since_ms) >= patience_ms;
    return found_away;
  }

  const SmscOptions options;
  const std::uint32_t index;
  std::unique_ptr<SmscLink> link;
  std::int64_t moved_ms = 0;  // on the steady clock: when it last took or answered one
  bool found_away = false;    // by IsAway(), since the last answer
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
