#include "server/rest/request_reader.h"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <charconv>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace smsflow::server::rest {

namespace http = boost::beast::http;
using boost::beast::error_code;

namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr std::size_t kHeadersUsual = 8;
constexpr std::size_t kLineBytesMax = 1'024;  // of a line between chunks, or of a trailer's

// What a byte may be: of a name or a value in a head. A table, since every byte of every head is looked up.
enum : std::uint8_t { kToken = 1, kValue = 2 };
constexpr std::array<std::uint8_t, 256> kKinds = [] {
  constexpr std::string_view kTokens = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~";
  std::array<std::uint8_t, 256> kinds{};
  // A value may hold printable ASCII, tabs, and bytes that nobody gives a meaning to.
  for (std::size_t byte = 0x20; byte < kinds.size(); ++byte) kinds[byte] = byte == 0x7F ? 0 : kValue;
  kinds['\t'] = kValue;
  for (const char c : kTokens) kinds[static_cast<std::uint8_t>(c)] |= kToken;
  return kinds;
}();

bool Are(std::uint8_t kind, std::string_view text) {
  bool all = true;
  for (const char c : text) all &= (kKinds[static_cast<std::uint8_t>(c)] & kind) != 0;
  return all;
}

// nullptr: every line of the head has the one form that all readers take alike.
const char* WrongLine(std::string_view head) {
  bool first = true;
  for (std::size_t at = 0; at < head.size();) {
    const std::size_t end = head.find("\r\n", at);
    if (end == std::string_view::npos) return "head: lines must end in CR LF";
    const std::string_view line = head.substr(at, end - at);
    at = end + 2;
    if (!Are(kValue, line)) return "head: must hold no control characters";
    if (std::exchange(first, false)) {
      if (std::count(line.begin(), line.end(), ' ') != 2) return "head: must begin with METHOD PATH VERSION";
      continue;
    }
    if (line.empty()) continue;
    const std::size_t colon = std::min(line.find(':'), line.size());
    if (colon == 0 || colon == line.size() || !Are(kToken, line.substr(0, colon))) {
      return "head: each line must be NAME: VALUE, unfolded, without white space before the colon";
    }
  }
  return nullptr;
}

Method MethodOf(http::verb verb) {
  switch (verb) {
    case http::verb::get:
      return Method::kGet;
    case http::verb::head:
      return Method::kHead;
    case http::verb::post:
      return Method::kPost;
    case http::verb::put:
      return Method::kPut;
    case http::verb::delete_:
      return Method::kDelete;
    case http::verb::patch:
      return Method::kPatch;
    case http::verb::options:
      return Method::kOptions;
    default:
      return Method::kOther;
  }
}

std::string_view AsView(boost::beast::string_view text) { return {text.data(), text.size()}; }

// The parser's own copy of a credential, which goes with it.
void Wipe(boost::beast::string_view value) {
  volatile char* const bytes = const_cast<char*>(value.data());
  for (std::size_t i = 0; i < value.size(); ++i) bytes[i] = 0;
}

bool IsWord(std::string_view value, std::string_view word) {
  return absl::EqualsIgnoreCase({value.data(), value.size()}, {word.data(), word.size()});
}

}  // namespace

RequestReader::RequestReader(RequestLimits limits) : limits_(limits) {}

bool RequestReader::Refuse(int status, const char* error) {
  state_ = State::kRefused;
  refusal_ = {status, error};
  return false;
}

std::size_t RequestReader::Read(std::string_view bytes) {
  if (state_ == State::kNothing || state_ == State::kHead) return ReadHead(bytes);
  return state_ == State::kBody ? ReadBody(bytes) : 0;
}

std::size_t RequestReader::ReadHead(std::string_view bytes) {
  if (bytes.empty()) return 0;
  if (state_ == State::kNothing) {
    // One empty line before a request is forgiven: old clients send it behind a body.
    if (bytes == "\r") return 0;
    if (bytes.starts_with("\r\n")) {
      if (std::exchange(forgiven_, true)) return Refuse(400, "head: must begin with a request line"), 0;
      return 2 + ReadHead(bytes.substr(2));
    }
    state_ = State::kHead;
    scanned_ = 0;
  }
  const std::size_t end = bytes.find(kHeadEnd, scanned_ < 3 ? 0 : scanned_ - 3);
  const std::size_t least = end == std::string_view::npos ? bytes.size() + 1 : end + kHeadEnd.size();
  if (least > limits_.head_bytes) {
    return Refuse(431, "head: request line and headers are too long"), 0;
  }
  if (end == std::string_view::npos) {
    scanned_ = bytes.size();
    return 0;
  }
  const std::string_view head = bytes.substr(0, end + kHeadEnd.size());
  if (const char* wrong = WrongLine(head)) return Refuse(400, wrong), 0;
  // Of the head alone: of bodies it asks that bytes come in certain pieces.
  http::request_parser<http::empty_body> parser;
  parser.header_limit(static_cast<std::uint32_t>(limits_.head_bytes));
  parser.body_limit(boost::none);
  error_code error;
  parser.put(boost::asio::buffer(head.data(), head.size()), error);
  if (error == http::error::bad_version) return Refuse(505, "head: must be of HTTP/1.1 or HTTP/1.0"), 0;
  if ((error && error != http::error::need_more) || !parser.is_header_done()) {
    return Refuse(400, "head: is malformed"), 0;
  }
  auto& message = parser.get();
  request_ = {};
  authorization_.clear();
  http_1_0_ = message.version() == 10;
  keep_alive_ = message.keep_alive();
  request_.method = MethodOf(message.method());
  content_length_ = parser.content_length().value_or(0);
  if (!TakeTarget(AsView(message.target()))) return head.size();
  request_.headers.reserve(kHeadersUsual);
  std::size_t credentials = 0;
  for (const auto& field : message) {
    if (request_.headers.size() >= limits_.headers) {
      return Refuse(431, "head: there are too many headers"), head.size();
    }
    std::string name = absl::AsciiStrToLower({field.name_string().data(), field.name_string().size()});
    if (name == "authorization") {
      authorization_ = std::string(AsView(field.value()));
      Wipe(field.value());
      ++credentials;
      continue;
    }
    request_.headers.push_back({std::move(name), std::string(AsView(field.value()))});
  }
  if (credentials > 1) return Refuse(400, "authorization: must not be there twice"), head.size();
  if (TakeFraming() && TakeOnce()) state_ = State::kBody;
  return head.size();
}

// Of "http://host/path?query" the server's own part counts, as for "/path?query".
bool RequestReader::TakeTarget(std::string_view target) {
  for (const std::string_view scheme : {std::string_view("http://"), std::string_view("https://")}) {
    if (!IsWord(target.substr(0, scheme.size()), scheme)) continue;
    target.remove_prefix(std::min(target.find_first_of("/?", scheme.size()), target.size()));
    break;
  }
  const bool plain = std::all_of(target.begin(), target.end(), [](char c) { return c > 0x20 && c < 0x7F && c != '#'; });
  if (!plain) return Refuse(400, "path: must be percent-encoded, and without a fragment");
  const std::size_t mark = std::min(target.find('?'), target.size());
  request_.path = mark == 0 ? "/" : std::string(target.substr(0, mark));
  request_.query = std::string(target.substr(std::min(mark + 1, target.size())));
  return true;
}

// Of these the first would count here, and the last with others.
bool RequestReader::TakeOnce() {
  static constexpr std::pair<std::string_view, const char*> kOnce[] = {
      {"content-type", "content-type: must not be there twice"},
      {"idempotency-key", "idempotency-key: must not be there twice"},
      {"last-event-id", "last-event-id: must not be there twice"},
      {"smsflow-tenant", "smsflow-tenant: must not be there twice"}};
  for (const auto& [name, error] : kOnce) {
    const auto times = std::count_if(request_.headers.begin(), request_.headers.end(),
                                     [&name = name](const Header& header) { return header.name == name; });
    if (times > 1) return Refuse(400, error);
  }
  return true;
}

bool RequestReader::TakeFraming() {
  std::size_t hosts = 0, lengths = 0, codings = 0;
  chunked_ = false;
  expects_ = false;
  for (const Header& header : request_.headers) {
    if (header.name == "host") ++hosts;
    if (header.name == "content-length") {
      ++lengths;
      if (!std::all_of(header.value.begin(), header.value.end(), absl::ascii_isdigit))
        return Refuse(400, "content-length: must be digits");
    }
    if (header.name == "transfer-encoding") {
      ++codings;
      chunked_ = IsWord(header.value, "chunked");
    }
    if (header.name == "expect") {
      expects_ = IsWord(header.value, "100-continue");
      if (!expects_) return Refuse(417, "expect: must be 100-continue");
    }
    if (header.name == "content-encoding" && !IsWord(header.value, "identity")) {
      return Refuse(415, "content-encoding: a body must not be packed");
    }
  }
  if (http_1_0_ ? hosts > 1 : hosts != 1) return Refuse(400, "host: must be there once");
  if (lengths > 1) return Refuse(400, "content-length: must not be there twice");
  if (lengths == 1 && codings > 0) return Refuse(400, "content-length: must not stand beside a transfer-encoding");
  if (codings > 0 && http_1_0_) return Refuse(400, "transfer-encoding: is not for HTTP/1.0");
  if (codings > 0 && (codings > 1 || !chunked_)) return Refuse(501, "transfer-encoding: must be chunked alone");
  if (content_length_ > limits_.body_bytes) return Refuse(413, "body: is too long");
  left_ = content_length_;
  part_ = Part::kSize;
  trailer_bytes_ = 0;
  if (http_1_0_) expects_ = false;  // nobody may be told to go on who does not know of it
  return true;
}

std::size_t RequestReader::ReadBody(std::string_view bytes) {
  if (chunked_) return ReadChunks(bytes);
  const std::size_t taken = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
  request_.body.append(bytes.substr(0, taken));
  left_ -= taken;
  if (left_ == 0) state_ = State::kWhole;
  return taken;
}

std::size_t RequestReader::ReadChunks(std::string_view bytes) {
  std::size_t at = 0;
  while (state_ == State::kBody && at < bytes.size()) {
    const std::string_view rest = bytes.substr(at);
    if (part_ == Part::kData) {
      const std::size_t taken = static_cast<std::size_t>(std::min<std::uint64_t>(left_, rest.size()));
      request_.body.append(rest.substr(0, taken));
      left_ -= taken;
      at += taken;
      if (left_ == 0) part_ = Part::kDataEnd;
      continue;
    }
    const std::size_t end = rest.find("\r\n");
    const std::size_t most = std::min(kLineBytesMax, limits_.head_bytes - 2);
    const bool too_long = end == std::string_view::npos ? rest.size() > most + 1 : end > most;
    if (part_ == Part::kDataEnd ? rest.size() > 1 && end != 0 : too_long) {
      return Refuse(400, "body: its chunks are malformed"), at;
    }
    if (end == std::string_view::npos) break;
    const std::string_view line = rest.substr(0, end);
    at += end + 2;
    if (!Are(kValue, line)) {
      return Refuse(400, "body: its chunks are malformed"), at;
    }
    if (part_ == Part::kDataEnd) {
      part_ = Part::kSize;
    } else if (!(part_ == Part::kSize ? TakeSize(line) : TakeTrailer(line))) {
      return at;
    }
  }
  return at;
}

// In hexadecimal; what follows a semicolon is of no meaning to us.
bool RequestReader::TakeSize(std::string_view line) {
  const std::string_view digits = line.substr(0, line.find(';'));
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), left_, 16);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    return Refuse(400, "body: its chunks are malformed");
  }
  if (left_ > limits_.body_bytes - request_.body.size()) return Refuse(413, "body: is too long");
  part_ = left_ == 0 ? Part::kTrailer : Part::kData;
  return true;
}

// Its headers have the one form too, and none counts: all that matters was said in the head.
bool RequestReader::TakeTrailer(std::string_view line) {
  if (line.empty()) {
    state_ = State::kWhole;
    return true;
  }
  trailer_bytes_ += line.size();
  if (trailer_bytes_ > limits_.head_bytes) return Refuse(431, "body: its trailer is too long");
  const std::size_t colon = std::min(line.find(':'), line.size());
  const std::string name = absl::AsciiStrToLower({line.data(), colon});
  if (colon == 0 || colon == line.size() || !Are(kToken, name) || name == "content-length" ||
      name == "transfer-encoding") {
    return Refuse(400, "body: its trailer is malformed");
  }
  return true;
}

Request RequestReader::Take() {
  state_ = State::kNothing;
  forgiven_ = false;
  return std::exchange(request_, {});
}

}  // namespace smsflow::server::rest
