#include "kafka/headers.h"

namespace smsflow::kafka {

std::optional<std::string_view> FindHeader(std::span<const HeaderView> headers, std::string_view name) {
  for (auto header = headers.rbegin(); header != headers.rend(); ++header) {
    if (header->name == name) return header->value;
  }
  return std::nullopt;
}

std::vector<HeaderView> ViewsOf(const Headers& headers) {
  std::vector<HeaderView> views;
  views.reserve(headers.size());
  for (const Header& header : headers) views.push_back({header.name, header.value});
  return views;
}

}  // namespace smsflow::kafka
