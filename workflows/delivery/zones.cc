#include "workflows/delivery/zones.h"

#include <date/tz.h>

#include <exception>
#include <fstream>

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
  std::string Version() const override {
    // The library looks for files that Debian does not have.
    static const std::string version = [] {
      std::ifstream compact("/usr/share/zoneinfo/tzdata.zi");
      return TzdataVersion(compact);
    }();
    return version;
  }
};

}  // namespace

std::string TzdataVersion(std::istream& compact) {
  // "# version 2025b"
  std::string hash, word, version;
  if (compact >> hash >> word >> version && hash == "#" && word == "version") return version;
  return "unknown";
}

std::unique_ptr<ZoneResolver> MakeZoneResolver() { return std::make_unique<DatabaseResolver>(); }

}  // namespace smsflow::workflows::delivery
