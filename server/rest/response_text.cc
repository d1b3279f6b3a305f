#include "server/rest/response_text.h"

#include "absl/strings/str_cat.h"

namespace smsflow::server::rest {

namespace {

void AddHeader(std::string& out, std::string_view name, std::string_view value) {
  const std::size_t from = out.size();
  out.append(name).append(": ").append(value);
  for (std::size_t i = from; i < out.size(); ++i) {
    const auto byte = static_cast<unsigned char>(out[i]);
    if (byte < 0x20 || byte == 0x7F) out[i] = ' ';
  }
  out.append("\r\n");
}

}  // namespace

std::string HeadOf(const Response& response, const HeadOptions& options) {
  std::string out;
  out.reserve(512 + response.body.size());
  absl::StrAppend(&out, "HTTP/1.1 ", response.status, " ");
  out.append(ReasonOf(response.status)).append("\r\n");
  AddHeader(out, "Date", options.date);
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
  return out;
}

std::string ChunkOf(std::string_view piece) {
  std::string out = absl::StrCat(absl::Hex(piece.size()), "\r\n");
  out.reserve(out.size() + piece.size() + 2);
  out.append(piece).append("\r\n");
  return out;
}

}  // namespace smsflow::server::rest
