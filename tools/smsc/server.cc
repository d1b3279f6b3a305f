#include "tools/smsc/server.h"

#include <array>
#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <chrono>
#include <csignal>
#include <map>
#include <optional>
#include <utility>

namespace smsflow::smsc {
namespace {

namespace asio = boost::asio;
namespace ssl = asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t kReadBytes = 16 * 1024;
constexpr std::int64_t kAcceptAgain_ms = 100;

class AsioServer : public Server {
 public:
  AsioServer(tcp::acceptor acceptor, std::unique_ptr<asio::io_context> context, std::unique_ptr<ssl::context> tls,
             Script script, Truth& truth)
      : context_(std::move(context)),
        tls_(std::move(tls)),
        acceptor_(std::move(acceptor)),
        timer_(*context_),
        again_(*context_),
        end_(*context_),
        signals_(*context_),
        start_(std::chrono::steady_clock::now()),
        smsc_(std::move(script), truth,
              std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
                  .count()) {}

  std::uint16_t port() const override { return acceptor_.local_endpoint().port(); }

  void Run(std::int64_t for_ms) override {
    if (for_ms > 0) {
      end_.expires_after(std::chrono::milliseconds(for_ms));
      end_.async_wait([this](const error_code& error) {
        if (!error) context_->stop();
      });
    }
    Accept();
    context_->run();
  }

  void Stop() override { context_->stop(); }

  void StopOnSignals() override {
    error_code ignored;
    signals_.add(SIGTERM, ignored);
    signals_.add(SIGINT, ignored);
    signals_.async_wait([this](const error_code& error, int) {
      if (!error) context_->stop();
    });
  }

 private:
  struct Peer {
    explicit Peer(tcp::socket accepted) : socket(std::move(accepted)) {}
    tcp::socket socket;
    std::optional<ssl::stream<tcp::socket&>> tls;  // over it, or none
    std::array<char, kReadBytes> read{};
    std::string sending, unsent;
    bool closing = false, silent = false;
  };
  using PeerPtr = std::shared_ptr<Peer>;

  std::int64_t NowMs() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start_).count();
  }

  void Accept() {
    acceptor_.async_accept([this](const error_code& error, tcp::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (error) {
        // Out of file descriptors, most likely: later there may be some again.
        again_.expires_after(std::chrono::milliseconds(kAcceptAgain_ms));
        again_.async_wait([this](const error_code& stopped) {
          if (!stopped) Accept();
        });
        return;
      }
      const ConnectionId id = ++last_id_;
      error_code ignored;
      socket.set_option(tcp::no_delay(true), ignored);
      const auto peer = std::make_shared<Peer>(std::move(socket));
      peers_[id] = peer;
      smsc_.Connected(id, NowMs());
      Carry();
      if (peers_.count(id) != 0) Welcome(id, peer);
      Accept();
    });
  }

  void Welcome(ConnectionId id, const PeerPtr& peer) {
    if (tls_ == nullptr) return Read(id, peer);
    peer->tls.emplace(peer->socket, *tls_);
    peer->tls->async_handshake(ssl::stream_base::server, [this, id, peer](const error_code& error) {
      if (error) return Gone(id);
      if (peers_.count(id) != 0) Read(id, peer);
    });
  }

  void Read(ConnectionId id, const PeerPtr& peer) {
    const auto heard = [this, id, peer](const error_code& error, std::size_t size) {
      if (error) return Gone(id);
      smsc_.Received(id, {peer->read.data(), size}, NowMs());
      Carry();
      if (peers_.count(id) != 0 && !peer->silent && !peer->closing) Read(id, peer);
    };
    if (peer->tls) {
      peer->tls->async_read_some(asio::buffer(peer->read), heard);
    } else {
      peer->socket.async_read_some(asio::buffer(peer->read), heard);
    }
  }

  void Gone(ConnectionId id) {
    const auto it = peers_.find(id);
    if (it == peers_.end()) return;
    error_code ignored;
    it->second->socket.close(ignored);
    peers_.erase(it);
    smsc_.Disconnected(id, NowMs());
    Carry();
  }

  // Does what the SMSC wants done, until it wants no more.
  void Carry() {
    for (auto actions = smsc_.TakeActions(); !actions.empty(); actions = smsc_.TakeActions()) {
      for (Action& action : actions) Do(action);
    }
    const auto due_ms = smsc_.NextDue();
    if (!due_ms || (planned_ms_ && *planned_ms_ <= *due_ms)) return;
    planned_ms_ = due_ms;
    timer_.expires_at(start_ + std::chrono::milliseconds(*due_ms));
    timer_.async_wait([this](const error_code& error) {
      if (error) return;
      planned_ms_.reset();
      smsc_.Tick(NowMs());
      Carry();
    });
  }

  void Do(Action& action) {
    const auto it = peers_.find(action.connection);
    if (it == peers_.end()) return;
    const PeerPtr peer = it->second;
    error_code ignored;
    switch (action.kind) {
      case Action::Kind::kSend:
        if (peer->unsent.size() + action.bytes.size() > kUnsentMax) return Gone(action.connection);
        peer->unsent += action.bytes;
        return Write(action.connection, peer);
      case Action::Kind::kSilence:
        peer->silent = true;
        return;
      case Action::Kind::kReset:
        peer->socket.set_option(asio::socket_base::linger(true, 0), ignored);  // close() then sends RST
        return Gone(action.connection);
      case Action::Kind::kClose:
        peer->closing = true;
        if (peer->sending.empty()) Gone(action.connection);
        return;
    }
  }

  void Write(ConnectionId id, const PeerPtr& peer) {
    if (!peer->sending.empty() || peer->unsent.empty()) return;
    peer->sending = std::exchange(peer->unsent, {});
    const auto sent = [this, id, peer](const error_code& error, std::size_t) {
      if (error) return Gone(id);
      peer->sending.clear();
      if (peer->unsent.empty() && peer->closing) return Gone(id);
      Write(id, peer);
    };
    if (peer->tls) {
      asio::async_write(*peer->tls, asio::buffer(peer->sending), sent);
    } else {
      asio::async_write(peer->socket, asio::buffer(peer->sending), sent);
    }
  }

  const std::unique_ptr<asio::io_context> context_;
  const std::unique_ptr<ssl::context> tls_;  // null: plain TCP
  tcp::acceptor acceptor_;
  asio::steady_timer timer_, again_, end_;
  asio::signal_set signals_;
  const std::chrono::steady_clock::time_point start_;
  Smsc smsc_;
  std::map<ConnectionId, PeerPtr> peers_;
  ConnectionId last_id_ = 0;
  std::optional<std::int64_t> planned_ms_;
};

absl::StatusOr<std::unique_ptr<ssl::context>> MakeTls(const ServerOptions& options) {
  std::unique_ptr<ssl::context> tls;
  if (options.cert_pem.empty() && options.key_pem.empty()) return tls;
  tls = std::make_unique<ssl::context>(ssl::context::tls_server);
  SSL_CTX_set_min_proto_version(tls->native_handle(), TLS1_2_VERSION);
  error_code error;
  tls->use_certificate_chain(asio::buffer(options.cert_pem), error);
  if (error) return absl::InvalidArgumentError("tls-cert: must be certificates in PEM");
  tls->use_private_key(asio::buffer(options.key_pem), ssl::context::pem, error);
  if (error) return absl::InvalidArgumentError("tls-key: must be the certificate's private key in PEM");
  return tls;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Listen(const ServerOptions& options, Script script, Truth& truth) {
  error_code error;
  const auto address = asio::ip::make_address(options.host, error);
  if (error) return absl::InvalidArgumentError("listen: the host must be an IP address");
  auto tls = MakeTls(options);
  if (!tls.ok()) return tls.status();
  auto context = std::make_unique<asio::io_context>(1);
  tcp::acceptor acceptor(*context);
  const tcp::endpoint endpoint(address, options.port);
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return absl::InvalidArgumentError("listen: cannot listen there: " + error.message());
  return std::unique_ptr<Server>(
      std::make_unique<AsioServer>(std::move(acceptor), std::move(context), std::move(*tls), std::move(script), truth));
}

}  // namespace smsflow::smsc
