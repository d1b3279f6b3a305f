#include "server/rest/http_server.h"

#include <unistd.h>

#include <chrono>
#include <utility>
#include <vector>

#include "server/grpc/listener.h"
#include "server/rest/http_connection.h"

namespace smsflow::server::rest {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

class HttpServerImpl final : public HttpServer {
 public:
  HttpServerImpl(std::unique_ptr<Listener> listener, std::unique_ptr<TlsContexts> tls,
                 std::shared_ptr<HttpShared> shared)
      : shared_(std::move(shared)), tls_(std::move(tls)), listener_(std::move(listener)) {
    for (std::uint32_t i = 0; i < shared_->options.threads; ++i) loops_.push_back(std::make_shared<Loop>(shared_));
    for (const auto& loop : loops_) loop->Start();
    listener_->Start([this](int, int connection) { Take(connection); });
  }
  ~HttpServerImpl() override { Stop(0); }

  const std::string& address() const override { return listener_->address(); }

  void BeginStop() override {
    listener_->Stop();
    for (const auto& loop : loops_) loop->Post([&loop = *loop] { loop.Drain(); });
  }

  void Stop(std::int64_t within_ms) override {
    if (std::exchange(stopped_, true)) return;
    BeginStop();
    {
      std::unique_lock lock(shared_->mutex);
      shared_->ended.wait_for(lock, std::chrono::milliseconds(within_ms), [this] { return shared_->open == 0; });
    }
    for (const auto& loop : loops_) loop->Stop();
  }

  HttpFigures figures() const override {
    HttpFigures figures;
    const ListenerFigures listener = listener_->figures();
    {
      const std::lock_guard lock(shared_->mutex);
      figures.connections = shared_->open;
    }
    figures.connections_total = listener.accepted;
    figures.connections_refused = listener.refused;
    figures.handshakes_failed = shared_->handshakes_failed;
    figures.timeouts = shared_->timeouts;
    figures.malformed = shared_->malformed;
    figures.streams_cut = shared_->streams_cut;
    for (std::size_t i = 0; i < shared_->answers.size(); ++i) figures.answers[i] = shared_->answers[i];
    return figures;
  }

 private:
  // On the listener's thread.
  void Take(int connection) {
    const std::shared_ptr<Loop>& loop = loops_[next_++ % loops_.size()];
    TlsContexts::Context tls;
    if (tls_ != nullptr) {
      tls_->Look(shared_->hooks.steady_ms());
      tls = tls_->Current();
    }
    loop->Post([loop, connection, tls = std::move(tls)]() mutable { Begin(loop, connection, std::move(tls)); });
  }

  // On the loop's.
  static void Begin(const std::shared_ptr<Loop>& loop, int connection, TlsContexts::Context tls) {
    boost::system::error_code error;
    tcp::socket socket(loop->io());
    socket.assign(tcp::v4(), connection, error);
    if (error || loop->draining()) {
      if (error) ::close(connection);
      return;
    }
    socket.set_option(tcp::no_delay(true), error);  // a unix socket has no such thing
    if (tls != nullptr) {
      std::make_shared<Connection<asio::ssl::stream<tcp::socket>>>(loop, std::move(socket), std::move(tls))->Start();
    } else {
      std::make_shared<Connection<tcp::socket>>(loop, std::move(socket), nullptr)->Start();
    }
  }

  const std::shared_ptr<HttpShared> shared_;
  const std::unique_ptr<TlsContexts> tls_;
  const std::unique_ptr<Listener> listener_;
  std::vector<std::shared_ptr<Loop>> loops_;
  std::size_t next_ = 0;
  bool stopped_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(HttpOptions options, HttpHooks hooks) {
  std::unique_ptr<TlsContexts> tls;
  if (options.tls) {
    auto opened = TlsContexts::Open(*options.tls);
    if (!opened.ok()) return opened.status();
    tls = *std::move(opened);
  }
  ListenerOptions listening;
  listening.address = options.address;
  listening.connections_max = options.connections_max;
  listening.door = "REST";
  listening.per_address_max = options.per_address_max;
  auto listener = Listener::Open(std::move(listening));
  if (!listener.ok()) return listener.status();
  auto shared = std::make_shared<HttpShared>();
  shared->options = std::move(options);
  shared->hooks = std::move(hooks);
  return std::make_unique<HttpServerImpl>(*std::move(listener), std::move(tls), std::move(shared));
}

}  // namespace smsflow::server::rest
