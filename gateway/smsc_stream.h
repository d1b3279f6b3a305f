// A connection to an SMSC, over TCP or TLS: an internal header of the SMSC link. Everything happens on the thread of
// its io_context; a handler is never called from within the call that it was given to, and after Close() with an error
// or not at all.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/system/error_code.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace boost::asio::ssl {
class context;
}

namespace smsflow::gateway {

class SmscStream {
 public:
  using Done = std::function<void(const boost::system::error_code&, std::size_t)>;

  virtual ~SmscStream() = default;
  // Resolves, connects, and with TLS shakes hands; one address after the other.
  virtual void Connect(const std::string& host, std::uint16_t port, Done done) = 0;
  // `data` stays valid until `done`. One of each at a time.
  virtual void Read(char* data, std::size_t size, Done done) = 0;
  virtual void Write(std::string_view data, Done done) = 0;
  virtual void Close() = 0;
};

struct SmscTlsOptions {
  std::string ca_pem;    // trusted authorities; empty: those of the system
  std::string cert_pem;  // our own certificate and its key, where the SMSC asks for one
  std::string key_pem;
};

// TLS 1.2 with ECDHE and AEAD, or 1.3; the certificate must be of the host's name or address. InvalidArgument when a
// PEM is none.
[[nodiscard]] absl::StatusOr<std::shared_ptr<boost::asio::ssl::context>> MakeSmscTls(const SmscTlsOptions& options);

// `tls` null: plain TCP. It outlives the stream.
std::shared_ptr<SmscStream> MakeSmscStream(boost::asio::io_context& context, boost::asio::ssl::context* tls);

}  // namespace smsflow::gateway
