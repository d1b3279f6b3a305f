#include "server/grpc/credentials.h"

#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <fstream>
#include <iterator>
#include <string>

namespace smsflow::server {

namespace {

// A file that is not there, or of another kind, would only be noticed by the first client.
absl::Status CheckPem(const char* key, const std::string& path, const std::string& what) {
  std::ifstream file(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file.is_open() || file.bad())
    return absl::InvalidArgumentError(std::string(key) + ": " + path + " cannot be read");
  if (text.find("-----BEGIN") == std::string::npos || text.find(what) == std::string::npos) {
    return absl::InvalidArgumentError(std::string(key) + ": " + path + " holds no PEM " + what);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeServerCredentials(const TlsConfig& tls) {
  if (!tls.on()) return grpc::InsecureServerCredentials();
  if (absl::Status status = CheckPem("tls.cert", tls.cert, "CERTIFICATE"); !status.ok()) return status;
  if (absl::Status status = CheckPem("tls.key", tls.key, "PRIVATE KEY"); !status.ok()) return status;
  if (!tls.client_ca.empty()) {
    if (absl::Status status = CheckPem("tls.client_ca", tls.client_ca, "CERTIFICATE"); !status.ok()) return status;
  }
  using grpc::experimental::FileWatcherCertificateProvider;
  const auto reload_s = static_cast<unsigned>(tls.reload_ms / 1'000);
  auto provider = tls.client_ca.empty()
                      ? std::make_shared<FileWatcherCertificateProvider>(tls.key, tls.cert, reload_s)
                      : std::make_shared<FileWatcherCertificateProvider>(tls.key, tls.cert, tls.client_ca, reload_s);
  grpc::experimental::TlsServerCredentialsOptions options(provider);
  options.watch_identity_key_cert_pairs();
  if (!tls.client_ca.empty()) {
    options.watch_root_certs();
    options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  }
  return grpc::experimental::TlsServerCredentials(options);
}

}  // namespace smsflow::server
