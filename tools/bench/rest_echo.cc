#include "tools/bench/rest_echo.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>

namespace smsflow::bench {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

constexpr char kAnswer[] =
    R"({"id":"01890a5d-ac96-7000-8000-000000000000","client":"bench","batch":null,"key":null,"target":"t-000000000000",)"
    R"("status":"SCHEDULED","due":"2096-10-02T07:06:40Z","deadline":"2096-10-02T08:06:40Z",)"
    R"("started":"2096-10-02T07:06:40Z","ended":null,"retries":0,"user":"bench-client"})";
constexpr auto kIdle = std::chrono::seconds(60);

class Session : public std::enable_shared_from_this<Session> {
 public:
  explicit Session(tcp::socket socket) : stream_(std::move(socket)) {}

  void Read() {
    request_ = {};
    stream_.expires_after(kIdle);
    http::async_read(stream_, buffer_, request_,
                     [self = shared_from_this()](const beast::error_code& error, std::size_t) {
                       if (!error) self->Write();
                     });
  }

 private:
  void Write() {
    response_ = {};
    response_.version(request_.version());
    response_.set(http::field::content_type, "application/json");
    response_.body() = kAnswer;
    response_.prepare_payload();
    http::async_write(stream_, response_, [self = shared_from_this()](const beast::error_code& error, std::size_t) {
      if (!error) self->Read();
    });
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  http::request<http::string_body> request_;
  http::response<http::string_body> response_;
};

class RestEchoImpl final : public RestEcho {
 public:
  explicit RestEchoImpl(tcp::acceptor (*open)(asio::io_context&)) : acceptor_(open(io_)) {
    Accept();
    thread_ = std::thread([this] { io_.run(); });
  }
  ~RestEchoImpl() override {
    io_.stop();
    thread_.join();
  }
  std::string address() const override { return "127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()); }

 private:
  void Accept() {
    acceptor_.async_accept([this](const beast::error_code& error, tcp::socket socket) {
      if (error) return;
      beast::error_code ignored;
      socket.set_option(tcp::no_delay(true), ignored);
      std::make_shared<Session>(std::move(socket))->Read();
      Accept();
    });
  }

  asio::io_context io_{1};
  tcp::acceptor acceptor_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<RestEcho> RestEcho::Start() {
  return std::make_unique<RestEchoImpl>([](asio::io_context& io) {
    return tcp::acceptor(io, {asio::ip::address_v4::loopback(), 0});
  });
}

}  // namespace smsflow::bench
