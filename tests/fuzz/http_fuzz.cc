// Requests out of bytes: however they come in pieces, the same requests come out, or the same refusal; and what comes
// out has one reading.
#include <string>
#include <vector>

#include "server/rest/request_reader.h"
#include "tests/fuzz/fuzz.h"

using smsflow::fuzz::Require;
using smsflow::server::rest::Request;
using smsflow::server::rest::RequestLimits;
using smsflow::server::rest::RequestReader;
using State = RequestReader::State;

namespace {

constexpr RequestLimits kLimits{256, 8, 128};

struct Outcome {
  std::vector<std::string> requests;
  std::string refusal;
};

std::string Written(const Request& request) {
  std::string text = std::to_string(static_cast<int>(request.method)) + " " + request.path + "?" + request.query + "\n";
  for (const auto& header : request.headers) text += header.name + ": " + header.value + "\n";
  return text + "\n" + request.body;
}

void Look(const Request& request) {
  Require(!request.path.empty() && request.path.find('?') == std::string::npos, "a path is there, without a query");
  Require(request.body.size() <= kLimits.body_bytes, "a body is bounded");
  Require(request.headers.size() <= kLimits.headers, "headers are bounded");
  int lengths = 0, codings = 0;
  for (const auto& header : request.headers) {
    lengths += header.name == "content-length" ? 1 : 0;
    codings += header.name == "transfer-encoding" ? 1 : 0;
    Require(header.name != "authorization", "the credential is kept apart");
    Require((header.name + header.value).find_first_of("\r\n") == std::string::npos, "a header is one line");
    if (header.name == "content-length") {
      Require(header.value == std::to_string(request.body.size()) || header.value.front() == '0', "a length is true");
    }
  }
  Require(lengths + codings <= 1, "a body's end is said once");
}

// `step` bytes at a time.
Outcome Run(std::string_view bytes, std::size_t step) {
  RequestReader reader(kLimits);
  Outcome outcome;
  std::string held;
  while (true) {
    const State before = reader.state();
    const std::size_t taken = reader.Read(held);
    Require(taken <= held.size(), "no more is taken than was given");
    held.erase(0, taken);
    if (reader.state() == State::kRefused) {
      outcome.refusal = std::to_string(reader.refusal().status);
      return outcome;
    }
    if (reader.state() == State::kWhole) {
      const Request request = reader.Take();
      Look(request);
      outcome.requests.push_back(Written(request));
      continue;
    }
    if (taken > 0 || reader.state() != before) continue;
    Require(held.size() <= reader.most(), "what is held is bounded");
    if (bytes.empty()) return outcome;
    held += bytes.substr(0, step);
    bytes.remove_prefix(std::min(step, bytes.size()));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = smsflow::fuzz::View(data, size);
  const Outcome drops = Run(bytes, 1);
  const Outcome pieces = Run(bytes, 13);
  Require(drops.requests == pieces.requests, "the same requests");
  Require(drops.refusal.empty() == pieces.refusal.empty(), "the same end");
  return 0;
}
