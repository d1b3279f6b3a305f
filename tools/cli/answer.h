// What the verbs' questions and answers have in common: one id, many pages, JSON, rows.
//
// Used from the main thread; EachPage() blocks on the server, the rest on the output alone.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "smsflow/v1/scheduler.pb.h"
#include "tools/cli/connection.h"
#include "tools/cli/sms_text.h"
#include "tools/cli/table.h"
#include "tools/cli/verbs.h"

namespace smsflow::cli {

inline constexpr std::uint32_t kPageMost = 1000;  // the server gives no more at once

// The request of a verb that is about the one SMS named on the command line.
template <typename Request>
[[nodiscard]] absl::StatusOr<Request> AboutOneSms(const Session& session) {
  const auto id = ParseId(session.arguments.subject);
  if (!id.ok()) return id.status();
  Request request;
  request.set_id(*id);
  return request;
}

// Asks page by page, from --page on, until --limit rows or all; `use` takes each page and tells how many rows it has.
// What comes back is the last page, which holds the tokens.
template <typename Stub, typename Request, typename Response, typename Use>
[[nodiscard]] absl::StatusOr<Response> EachPage(Session& session, const char* verb,
                                                UnaryCall<Stub, Request, Response> call, Request request, Use use) {
  request.set_page_token(session.arguments.page);
  for (std::uint64_t left = session.arguments.all ? UINT64_MAX : session.arguments.limit;;) {
    request.set_page_size(static_cast<std::uint32_t>(std::min<std::uint64_t>(left, kPageMost)));
    auto page = session.connection.Ask(verb, call, request);
    if (!page.ok()) return page;
    left -= std::min<std::uint64_t>(left, static_cast<std::uint64_t>(use(*page)));
    if (left == 0 || page->next_page_token().empty()) return page;
    request.set_page_token(page->next_page_token());
    if (session.terminal.interrupted()) return absl::AbortedError(absl::StrCat(verb, ": interrupted"));
  }
}

// Prints the answer if --json asks for that; else the verb has its own words for it.
[[nodiscard]] bool PrintedAsJson(const Session& session, const google::protobuf::Message& answer);

// One SMS for a script, as `list` prints each.
void PrintLine(const Terminal& terminal, const smsflow::v1::SmsStatus& sms);

// Rows for a person: also when there are none, and how to see more of them.
void PrintRows(const Terminal& terminal, const Table& table, const std::string& next_page_token);

}  // namespace smsflow::cli
