// A list that is read page by page while it is sent. Thread-safe as BodySource asks for.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "server/grpc/workers.h"
#include "server/rest/http.h"

namespace smsflow::server::rest {

// Appends the next page to `out`, nothing if it has none; false: it was the last. May block for the disk.
using NextPage = std::function<absl::StatusOr<bool>(std::string& out)>;

struct ListForm {
  std::string_view type;    // good for ever, as the others
  std::string_view before;  // of the whole body
  std::string_view after;
};

// Answers with the list once its first page is read, so that what goes wrong at once has its status. A short one is
// sent as a whole. `workers` must outlive what is served.
void ReplyWithList(Workers& workers, const ListForm& form, NextPage next, Reply reply);

}  // namespace smsflow::server::rest
