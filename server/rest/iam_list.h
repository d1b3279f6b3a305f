// The lists of /iam: one JSON array of all there is, for administrators. Private to these handlers.
#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include "server/rest/iam.h"
#include "server/rest/list_source.h"

namespace smsflow::server::rest {

// `page_after` gives those behind an id, in order, at most so many; `text_of` one of them as JSON. Both are called on
// `workers`, which outlive what is served.
template <class PageAfter, class TextOf>
void ReplyWithAll(Workers& workers, const Request& request, Reply reply, PageAfter page_after, TextOf text_of) {
  if (auto refused = NeedsAdmin(request)) return reply(*std::move(refused));
  auto next = [page_after, text_of, after = std::string()](std::string& out) mutable -> absl::StatusOr<bool> {
    constexpr std::size_t kPage = 500;
    const auto page = page_after(after, kPage);
    for (const auto& one : page) {
      if (!after.empty()) out += ',';
      out += text_of(one);
      after = one.id;
    }
    return page.size() == kPage;
  };
  ReplyWithList(workers, {"application/json", "[", "]"}, std::move(next), std::move(reply));
}

}  // namespace smsflow::server::rest
