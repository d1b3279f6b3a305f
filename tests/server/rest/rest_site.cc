#include "tests/server/rest/rest_site.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/json/kind.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"

namespace smsflow::server::rest {

namespace {

constexpr int kPatienceMs = 60'000;

}  // namespace

absl::StatusOr<Principal> MadeUpPeople::Check(std::string_view user, std::string_view password) {
  ++checks;
  const auto person = people.find(std::string(user));
  if (person == people.end() || person->second.password != password) return absl::UnauthenticatedError("who is that?");
  return Principal{std::string(user), person->second.roles, person->second.tenants, version};
}

HttpClient::HttpClient(const std::string& address) {
  if (address.starts_with("unix:")) {
    fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    address.copy(to.sun_path, sizeof to.sun_path - 1, 5);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    return;
  }
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  int port = 0;
  EXPECT_TRUE(absl::SimpleAtoi(address.substr(address.rfind(':') + 1), &port));
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
}
HttpClient::~HttpClient() { ::close(fd_); }

void HttpClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // the server had enough: its answer tells
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}
void HttpClient::HalfClose() { ::shutdown(fd_, SHUT_WR); }

bool HttpClient::More() {
  pollfd poll{fd_, POLLIN, 0};
  if (::poll(&poll, 1, kPatienceMs) <= 0) {
    ADD_FAILURE() << "the server says nothing";
    return false;
  }
  char buffer[16 << 10];
  const ssize_t got = ::recv(fd_, buffer, sizeof buffer, 0);
  if (got <= 0) return false;
  in_.append(buffer, static_cast<std::size_t>(got));
  return true;
}

std::string HttpClient::Line() {
  while (in_.find("\r\n") == std::string::npos) {
    if (!More()) return {};
  }
  const std::size_t end = in_.find("\r\n");
  std::string line = in_.substr(0, end);
  in_.erase(0, end + 2);
  return line;
}

HttpAnswer HttpClient::ReadHead() {
  HttpAnswer answer;
  const std::string first = Line();
  if (first.size() < 12 || !absl::SimpleAtoi(first.substr(9, 3), &answer.status)) return answer;
  for (std::string line = Line(); !line.empty(); line = Line()) {
    const std::size_t colon = line.find(": ");
    if (colon == std::string::npos) {
      ADD_FAILURE() << "no header: " << line;
      return answer;
    }
    std::string& value = answer.headers[absl::AsciiStrToLower(line.substr(0, colon))];
    value = line.substr(colon + 2);
  }
  return answer;
}

std::string HttpClient::ReadChunk() {
  const std::size_t size = std::strtoull(Line().c_str(), nullptr, 16);
  while (in_.size() < size) {
    if (!More()) return {};
  }
  std::string chunk = in_.substr(0, size);
  in_.erase(0, size);
  EXPECT_EQ(Line(), "");
  return chunk;
}

HttpAnswer HttpClient::Read(bool to_head) {
  HttpAnswer answer = ReadHead();
  if (answer.status == 0) return answer;
  if (to_head || answer.status / 100 == 1) {
    answer.whole = true;
    return answer;
  }
  const auto take = [&](std::size_t size) {
    while (in_.size() < size) {
      if (!More()) return false;
    }
    answer.body += in_.substr(0, size);
    in_.erase(0, size);
    return true;
  };
  answer.chunked = answer.headers.contains("transfer-encoding");
  std::uint64_t size = 0;
  if (const auto length = answer.headers.find("content-length"); length != answer.headers.end()) {
    EXPECT_TRUE(absl::SimpleAtoi(length->second, &size));
    answer.whole = take(size);
  } else if (answer.chunked) {
    while (true) {
      const std::string line = Line();
      if (line.empty()) return answer;
      size = std::strtoull(line.c_str(), nullptr, 16);
      if (!take(size)) return answer;
      if (!Line().empty()) return answer;
      if (size == 0) break;
    }
    answer.whole = true;
  } else {
    while (More()) continue;
    answer.body = std::exchange(in_, {});
    answer.whole = true;
  }
  return answer;
}

bool HttpClient::Ends() {
  while (in_.empty()) {
    if (!More()) return true;
  }
  return false;
}

RestSite::RestSite(const std::function<void(Config&)>& change, std::function<void(RestParts&)> parts)
    : site([&](Config& config) {
        config.listen.rest = "127.0.0.1:0";
        config.rest.patience_ms = 20'000;
        if (change) change(config);
      }) {
  people.people = {{"u", {"pw", {"users"}, {"acme"}}},
                   {"v", {"pw", {"users"}, {"beta"}}},
                   {"a", {"pw", {"admins"}, {}}},
                   {"n", {"pw", {}, {}}}};
  RestParts all{site.engine.get(), site.reader.get(), &engine::SystemClock(), &people, 1'000, {}};
  if (parts) parts(all);
  auto started = RestDoor::Start(site.config, std::move(all));
  EXPECT_TRUE(started.ok()) << started.status();
  if (started.ok()) door = *std::move(started);
}
RestSite::~RestSite() {
  if (door != nullptr) door->Stop(5'000);
  site.engine->Stop();
}

std::string RestSite::Basic(const std::string& user) {
  return user.empty() ? "" : "Authorization: Basic " + absl::Base64Escape(user) + "\r\n";
}

std::string RestSite::Request(const std::string& line, const std::string& user, const std::string& body,
                              const std::string& type, const std::string& more) {
  std::string text = line + " HTTP/1.1\r\nHost: localhost\r\n" + Basic(user) + more;
  if (!body.empty() || line.starts_with("POST")) {
    if (!type.empty()) text += "Content-Type: " + type + "\r\n";
    text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  }
  return text + "\r\n" + body;
}

HttpAnswer RestSite::Ask(const std::string& line, const std::string& user, const std::string& body,
                         const std::string& type, const std::string& more) {
  HttpClient client(door->address());
  client.Send(Request(line, user, body, type, more));
  return client.Read(line.starts_with("HEAD"));
}

HttpAnswer RestSite::Raw(std::string_view bytes) {
  HttpClient client(door->address());
  client.Send(bytes);
  return client.Read();
}

double RestSite::Figure(const std::string& name) const {
  double sum = 0;
  for (const NamedFigure& figure : door->figures()) {
    if (figure.name == name) sum += figure.value;
  }
  return sum;
}

std::string Member(const std::string& json, const std::string& name) {
  boost::json::error_code error;
  const boost::json::value value = boost::json::parse(json, error);
  if (error || !value.is_object() || value.as_object().if_contains(name) == nullptr) {
    ADD_FAILURE() << "no member " << name << " in " << json;
    return {};
  }
  const boost::json::value& member = value.at(name);
  return member.is_string() ? std::string(member.as_string()) : boost::json::serialize(member);
}

}  // namespace smsflow::server::rest
