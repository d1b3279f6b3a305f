// The TLS of the REST door: 1.3 alone, with certificates that are read again when their files change.
//
// Thread-safe; reading blocks for the disk.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/statusor.h"
#include "server/config.h"

namespace smsflow::server::rest {

class TlsContexts {
 public:
  using Context = std::shared_ptr<boost::asio::ssl::context>;

  // INVALID_ARGUMENT: a file cannot be read, is no PEM, or key and certificate do not belong together.
  static absl::StatusOr<std::unique_ptr<TlsContexts>> Open(TlsConfig config);

  // For a connection that begins now; one that lives keeps its own.
  Context Current() const;
  // Reads the files if the last look was `tls.reload` ago and they changed since. What cannot be used is left alone,
  // and told in the log.
  void Look(std::int64_t now_ms);

 private:
  explicit TlsContexts(TlsConfig config) : config_(std::move(config)) {}
  absl::StatusOr<Context> Read(std::string& seen) const;

  const TlsConfig config_;
  mutable std::mutex mutex_;
  Context current_;
  std::string seen_;  // what the files held
  std::int64_t looked_ms_ = 0;
};

}  // namespace smsflow::server::rest
