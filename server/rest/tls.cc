#include "server/rest/tls.h"

#include <boost/asio/buffer.hpp>
#include <fstream>
#include <iterator>
#include <utility>

#include "crypto/hash.h"
#include "logging/logging.h"

namespace smsflow::server::rest {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

namespace {

absl::StatusOr<std::string> ReadFile(const char* key, const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file.is_open() || file.bad())
    return absl::InvalidArgumentError(std::string(key) + ": " + path + " cannot be read");
  return text;
}

absl::Status Wrong(const char* key, const std::string& path, const char* what) {
  return absl::InvalidArgumentError(std::string(key) + ": " + path + " " + what);
}

}  // namespace

absl::StatusOr<TlsContexts::Context> TlsContexts::Read(std::string& seen) const {
  auto cert = ReadFile("tls.cert", config_.cert);
  auto key = ReadFile("tls.key", config_.key);
  auto authority =
      config_.client_ca.empty() ? absl::StatusOr<std::string>("") : ReadFile("tls.client_ca", config_.client_ca);
  for (const auto* file : {&cert, &key, &authority}) {
    if (!file->ok()) return file->status();
  }
  const crypto::Digest digest =
      crypto::Sha256(crypto::AsView(crypto::Sha256(*cert)), crypto::AsView(crypto::Sha256(*key)),
                     crypto::AsView(crypto::Sha256(*authority)));
  if (seen == crypto::AsView(digest)) return Context();
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_3_VERSION);
  // Else the last records, with passwords and tokens, stay in memory that was given back.
  SSL_CTX_set_options(context->native_handle(), SSL_OP_CLEANSE_PLAINTEXT);
  error_code error;
  context->use_certificate_chain(boost::asio::buffer(*cert), error);
  if (error) return Wrong("tls.cert", config_.cert, "holds no PEM CERTIFICATE");
  context->use_private_key(boost::asio::buffer(*key), ssl::context::pem, error);
  if (error) return Wrong("tls.key", config_.key, "holds no PEM PRIVATE KEY of the certificate");
  if (SSL_CTX_check_private_key(context->native_handle()) != 1) {
    return Wrong("tls.key", config_.key, "is not the key of the certificate");
  }
  if (!authority->empty()) {
    context->add_certificate_authority(boost::asio::buffer(*authority), error);
    if (!error) context->set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert, error);
    if (error) return Wrong("tls.client_ca", config_.client_ca, "holds no PEM CERTIFICATE");
    // Sessions are not taken up again by who has no certificate any more.
    SSL_CTX_set_session_cache_mode(context->native_handle(), SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context->native_handle(), 0);
  }
  seen = std::string(crypto::AsView(digest));
  return context;
}

absl::StatusOr<std::unique_ptr<TlsContexts>> TlsContexts::Open(TlsConfig config) {
  std::unique_ptr<TlsContexts> contexts(new TlsContexts(std::move(config)));
  auto first = contexts->Read(contexts->seen_);
  if (!first.ok()) return first.status();
  contexts->current_ = *std::move(first);
  return contexts;
}

TlsContexts::Context TlsContexts::Current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

void TlsContexts::Look(std::int64_t now_ms) {
  if (looked_ms_ != 0 && now_ms - looked_ms_ < config_.reload_ms) return;
  const bool first = looked_ms_ == 0;
  looked_ms_ = now_ms;
  if (first) return;
  auto context = Read(seen_);
  if (!context.ok()) {
    Log(LogLevel::kError, "the certificate of REST cannot be read again: the old one stays",
        {{"error", std::string(context.status().message())}});
    return;
  }
  if (*context == nullptr) return;
  const std::lock_guard lock(mutex_);
  current_ = *std::move(context);
  Log(LogLevel::kInfo, "REST has a new certificate");
}

}  // namespace smsflow::server::rest
