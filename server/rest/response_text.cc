#include "server/rest/response_text.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace smsflow::server::rest {

namespace {

void AddHeader(std::string& out, std::string_view name, std::string_view value) {
  const std::size_t from = out.size();
  out.append(name).append(": ").append(value);
  std::replace_if(
      out.begin() + static_cast<std::ptrdiff_t>(from), out.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
  out.append("\r\n");
}

}  // namespace

void AppendHead(const Response& response, const HeadOptions& options, std::string& out) {
  absl::StrAppend(&out, "HTTP/1.1 ", response.status, " ");
  out.append(ReasonOf(response.status)).append("\r\n");
  out.append("Date: ").append(options.date).append("\r\n");
  if (!response.type.empty()) AddHeader(out, "Content-Type", response.type);
  // What is answered concerns people: no proxy keeps it, no browser guesses what it could be.
  out.append("Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n");
  for (const Header& header : response.headers) AddHeader(out, header.name, header.value);
  if (options.chunked) {
    out.append("Transfer-Encoding: chunked\r\n");
  } else if (response.stream == nullptr) {
    absl::StrAppend(&out, "Content-Length: ", response.body.size(), "\r\n");
  }
  if (options.close) {
    out.append("Connection: close\r\n");
  } else if (options.old) {
    out.append("Connection: keep-alive\r\n");
  }
  out.append("\r\n");
}

std::string ChunkOf(std::string_view piece) {
  std::string out = absl::StrCat(absl::Hex(piece.size()), "\r\n");
  out.reserve(out.size() + piece.size() + 2);
  out.append(piece).append("\r\n");
  return out;
}

}  // namespace smsflow::server::rest
