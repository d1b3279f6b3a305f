// A request and its answer, as handlers see them: values only, free of any HTTP library.
//
// Whoever holds a value owns it; no value is shared between threads, but for a BodySource, which says so itself.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "server/rest/identity.h"

namespace smsflow::server::rest {

enum class Method : std::uint8_t { kGet, kHead, kPost, kPut, kDelete, kPatch, kOptions, kOther };
std::string_view NameOf(Method method);  // "GET", …; "?" for kOther

struct Header {
  std::string name;  // lower case where it was read; as it is sent where it is written
  std::string value;
};

struct Request {
  Method method = Method::kGet;
  std::string path;             // as it was sent, without the query: for showing, never for looking up
  std::string query;            // as it was sent, without the question mark
  std::vector<Header> headers;  // without the credential
  std::string token;            // "Bearer …", of who shows one where that is allowed: known, and no principal
  std::string body;
  std::vector<std::string>
      arguments;        // of the pattern's {…}, in order, decoded: valid UTF-8, no control characters, no '/'
  Principal principal;  // who asks: verified

  // The value of the only header of this (lower case) name; empty where there is none. Those that verbs
  // ask for are there once; of others, the first.
  std::string_view header(std::string_view name) const;
  // Whether the body is said to be of this type (lower case, such as "application/json"), whatever its parameters are.
  bool IsOfType(std::string_view type) const;
  // A parameter of the query, decoded; nullopt where it is absent, cannot be decoded or is there
  // twice.
  std::optional<std::string> Parameter(std::string_view name) const;
};

// A body that is made while it is sent, so that no list need be held whole. One piece is asked for at a time, and the
// next one only when the one before has left for the client. Destroyed when the answer is over or its client is gone,
// which may be while a piece is being made: whoever makes it keeps what it needs alive.
class BodySource {
 public:
  // The next bytes; empty: that was all. An error cuts the connection, for the status line has left already.
  using Piece = absl::StatusOr<std::string>;
  using Ready = absl::AnyInvocable<void(Piece)>;
  virtual ~BodySource() = default;
  // Does not block. `ready` is called once, from any thread, also before Next() returns.
  virtual void Next(Ready ready) = 0;
};

struct Response {
  int status = 200;
  std::string type;             // the content type; empty: none is said
  std::string body;             // of an error: empty, and `error` is what is shown in its stead
  std::vector<Header> headers;  // beside those of the connection
  std::string error;  // for people: the field and the rule, never a value; shown in the form of the path's errors
  std::unique_ptr<BodySource> stream;  // instead of `body`

  static Response Ok() { return {}; }
  static Response Json(std::string body) { return {200, "application/json", std::move(body), {}, {}, nullptr}; }
  static Response Text(std::string body) { return {200, "text/plain;charset=UTF-8", std::move(body), {}, {}, nullptr}; }
  // 400 to 599.
  static Response Error(int status, std::string message) { return {status, {}, {}, {}, std::move(message), nullptr}; }
  // What a refusal of the engine, or of whoever else speaks in canonical codes, is over HTTP.
  static Response Error(const absl::Status& status);
};

// Called once, from any thread, also before the handler returns. One that is destroyed uncalled answers 500.
using Reply = absl::AnyInvocable<void(Response)>;

// "Bad Request" for 400, and so on; "Unknown" for a number that is none.
std::string_view ReasonOf(int status);

// One part more than there are separators.
std::vector<std::string_view> Split(std::string_view text, char separator);

// nullopt: a broken escape, or what comes out is no UTF-8 or holds a control character.
std::optional<std::string> PercentDecode(std::string_view text, bool plus_is_space);

}  // namespace smsflow::server::rest
