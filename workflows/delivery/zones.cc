#include "workflows/delivery/zones.h"

#include <date/tz.h>

#include <exception>

namespace smsflow::workflows::delivery {
namespace {

class DatabaseResolver : public ZoneResolver {
 public:
  std::optional<std::int64_t> ToUtc(std::int64_t local_s, std::string_view zone, Edge edge) const override {
    try {
      const date::time_zone* found = date::locate_zone(std::string(zone));
      const date::local_seconds local{std::chrono::seconds(local_s)};
      const date::local_info info = found->get_info(local);
      switch (info.result) {
        case date::local_info::nonexistent:
          return info.first.end.time_since_epoch().count();
        case date::local_info::ambiguous: {
          const auto& turn = edge == Edge::kStart ? info.first : info.second;
          return local_s - turn.offset.count();
        }
        default:
          return local_s - info.first.offset.count();
      }
    } catch (const std::exception&) {
      return std::nullopt;  // locate_zone() says by throwing that there is no such zone
    }
  }
};

}  // namespace

std::unique_ptr<ZoneResolver> MakeZoneResolver() { return std::make_unique<DatabaseResolver>(); }

std::string TzdataVersion() {
  try {
    return date::get_tzdb().version;
  } catch (const std::exception&) {
    return {};
  }
}

}  // namespace smsflow::workflows::delivery
