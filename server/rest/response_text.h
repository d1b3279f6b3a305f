// How an answer is written: its head, and the chunks of a body that is streamed. Pure.
#pragma once

#include <string>
#include <string_view>

#include "server/rest/http.h"

namespace smsflow::server::rest {

struct HeadOptions {
  std::string_view date;
  bool close = false;
  bool old = false;  // HTTP/1.0: staying must be said
  bool chunked = false;
};
// Without the body. A control character in a header becomes a space: nothing that is shown begins another header.
void AppendHead(const Response& response, const HeadOptions& options, std::string& out);
// The empty piece is the last.
std::string ChunkOf(std::string_view piece);

}  // namespace smsflow::server::rest
