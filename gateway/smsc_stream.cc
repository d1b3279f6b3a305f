#include "gateway/smsc_stream.h"

#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <utility>

namespace smsflow::gateway {
namespace {

namespace asio = boost::asio;
namespace ssl = asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;

constexpr char kCiphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20";

// `Stream` is a tcp::socket, or TLS over one.
template <typename Stream>
class StreamOver : public SmscStream, public std::enable_shared_from_this<StreamOver<Stream>> {
 public:
  template <typename... Arguments>
  explicit StreamOver(asio::io_context& context, Arguments&&... arguments)
      : resolver_(context), stream_(context, std::forward<Arguments>(arguments)...) {}

  void Connect(const std::string& host, std::uint16_t port, Done done) override {
    resolver_.async_resolve(
        host, std::to_string(port), tcp::resolver::numeric_service,
        [self = this->shared_from_this(), host, done = std::move(done)](const error_code& error, auto found) {
          if (error) return done(error, 0);
          asio::async_connect(self->Socket(), found,
                              [self, host, done](const error_code& failed, const tcp::endpoint&) {
                                if (failed) return done(failed, 0);
                                error_code ignored;
                                self->Socket().set_option(tcp::no_delay(true), ignored);
                                self->Shake(host, done);
                              });
        });
  }

  void Read(char* data, std::size_t size, Done done) override {
    stream_.async_read_some(asio::buffer(data, size), Keeping(std::move(done)));
  }
  void Write(std::string_view data, Done done) override {
    asio::async_write(stream_, asio::buffer(data), Keeping(std::move(done)));
  }
  void Close() override {
    error_code ignored;
    resolver_.cancel();
    Socket().shutdown(tcp::socket::shutdown_both, ignored);
    Socket().close(ignored);
  }

 private:
  tcp::socket& Socket() {
    if constexpr (std::is_same_v<Stream, tcp::socket>) {
      return stream_;
    } else {
      return stream_.next_layer();
    }
  }

  void Shake(const std::string& host, const Done& done) {
    if constexpr (std::is_same_v<Stream, tcp::socket>) {
      done({}, 0);
    } else {
      error_code bad;
      stream_.set_verify_callback(ssl::host_name_verification(host), bad);
      // An address is no name to ask for (RFC 6066, section 3).
      error_code is_name;
      asio::ip::make_address(host, is_name);
      if (is_name) SSL_set_tlsext_host_name(stream_.native_handle(), host.c_str());
      if (bad) return done(bad, 0);
      stream_.async_handshake(ssl::stream_base::client,
                              [self = this->shared_from_this(), done](const error_code& error) { done(error, 0); });
    }
  }

  auto Keeping(Done done) {
    return [self = this->shared_from_this(), done = std::move(done)](const error_code& error, std::size_t size) {
      done(error, size);
    };
  }

  tcp::resolver resolver_;
  Stream stream_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<ssl::context>> MakeSmscTls(const SmscTlsOptions& options) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  error_code error;
  context->set_verify_mode(ssl::verify_peer, error);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  // Else the last records, with numbers and texts, stay in memory that was given back.
  SSL_CTX_set_options(context->native_handle(), SSL_OP_CLEANSE_PLAINTEXT);
  SSL_CTX_set_cipher_list(context->native_handle(), kCiphers);
  if (options.ca_pem.empty()) {
    context->set_default_verify_paths(error);
  } else {
    context->add_certificate_authority(asio::buffer(options.ca_pem), error);
  }
  if (error) return absl::InvalidArgumentError("tls.ca: must be certificates in PEM");
  if (options.cert_pem.empty() != options.key_pem.empty()) {
    return absl::InvalidArgumentError("tls.cert, tls.key: must be there together");
  }
  if (options.cert_pem.empty()) return context;
  context->use_certificate_chain(asio::buffer(options.cert_pem), error);
  if (error) return absl::InvalidArgumentError("tls.cert: must be certificates in PEM");
  context->use_private_key(asio::buffer(options.key_pem), ssl::context::pem, error);
  if (error) return absl::InvalidArgumentError("tls.key: must be the certificate's private key in PEM");
  return context;
}

std::shared_ptr<SmscStream> MakeSmscStream(asio::io_context& context, ssl::context* tls) {
  if (tls == nullptr) return std::make_shared<StreamOver<tcp::socket>>(context);
  return std::make_shared<StreamOver<ssl::stream<tcp::socket>>>(context, *tls);
}

}  // namespace smsflow::gateway
