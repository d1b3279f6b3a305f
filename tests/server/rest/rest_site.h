// The REST door over a whole engine in this process, people who may log in, and a client that says exactly what it is
// told to, byte by byte. Loopback only; everything waits at most a minute.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/rest/rest_door.h"
#include "tests/server/site.h"

namespace smsflow::server::rest {

// People that a test makes up. Thread-safe but for `people`.
class MadeUpPeople final : public Identity {
 public:
  struct Person {
    std::string password;
    std::vector<std::string> roles, tenants;
  };
  absl::StatusOr<Principal> Check(std::string_view user, std::string_view password) override;
  bool IsCurrent(const Principal& principal) const override { return principal.version == version; }

  std::map<std::string, Person> people;
  std::atomic<std::uint64_t> version{1};
  std::atomic<int> checks{0};
};

struct HttpAnswer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  bool chunked = false;
  bool whole = false;  // it came to its end
};

// One connection.
class HttpClient {
 public:
  explicit HttpClient(const std::string& address);  // "127.0.0.1:port" or "unix:/path"
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  void Send(std::string_view bytes);
  void HalfClose();
  // The next answer; status 0 when the connection ended before. `to_head`: of a request that wants no body.
  HttpAnswer Read(bool to_head = false);
  // Of an answer that goes on: its head, and then piece by piece; an empty one is the end.
  HttpAnswer ReadHead();
  std::string ReadChunk();
  // Whether the server closes without another byte.
  bool Ends();
  int fd() const { return fd_; }

 private:
  bool More();
  std::string Line();

  int fd_ = -1;
  std::string in_;
};

class RestSite {
 public:
  explicit RestSite(const std::function<void(Config&)>& change = {}, std::function<void(RestParts&)> parts = {});
  ~RestSite();

  // "METHOD path" as a whole request, with its length. `user` is "name:password"; empty: nobody.
  static std::string Request(const std::string& line, const std::string& user, const std::string& body = "",
                             const std::string& type = "application/json", const std::string& more = "");
  static std::string Basic(const std::string& user);
  // On a connection of its own.
  HttpAnswer Ask(const std::string& line, const std::string& user = "u:pw", const std::string& body = "",
                 const std::string& type = "application/json", const std::string& more = "");
  HttpAnswer Raw(std::string_view bytes);
  double Figure(const std::string& name) const;

  MadeUpPeople people;  // u:pw and v:pw act for acme and beta, a:pw is an administrator, n:pw nothing
  Site site;
  std::unique_ptr<RestDoor> door;
};

// The text of a JSON member of the outermost object; "null" for null.
std::string Member(const std::string& json, const std::string& name);

}  // namespace smsflow::server::rest
