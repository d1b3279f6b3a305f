#include "server/grpc/credentials.h"

#include <grpc/grpc_security.h>
#include <grpcpp/security/auth_metadata_processor.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "server/grpc/status.h"

namespace smsflow::server {

namespace {

constexpr std::string_view kOpenToAll = "/grpc.";  // what the paths of health and reflection begin with

// `path` and `authorization`: of the call's metadata; empty: it has none.
absl::Status Admit(const Authenticator& authenticator, std::string_view path, std::string_view authorization) {
  return path.starts_with(kOpenToAll) ? absl::OkStatus() : authenticator.Recognize(authorization);
}

class Doorkeeper final : public grpc::AuthMetadataProcessor {
 public:
  explicit Doorkeeper(const Authenticator& authenticator) : authenticator_(authenticator) {}
  bool IsBlocking() const override { return false; }
  grpc::Status Process(const InputMetadata& metadata, grpc::AuthContext*, OutputMetadata*, OutputMetadata*) override {
    const auto value = [&](const char* key) {
      const auto it = metadata.find(key);
      return it == metadata.end() ? std::string_view() : std::string_view(it->second.data(), it->second.size());
    };
    return ToGrpc(Admit(authenticator_, value(":path"), value("authorization")));
  }

 private:
  const Authenticator& authenticator_;
};

std::string_view ViewOf(const grpc_slice& slice) {
  return {reinterpret_cast<const char*>(GRPC_SLICE_START_PTR(slice)), GRPC_SLICE_LENGTH(slice)};
}

// The same without TLS, where the C++ interface has no place for it.
class Plaintext final : public grpc::ServerCredentials {
 public:
  explicit Plaintext(const Authenticator& authenticator) : authenticator_(authenticator) {}
  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    grpc_server_credentials* credentials = grpc_insecure_server_credentials_create();
    grpc_server_credentials_set_auth_metadata_processor(
        credentials, {Process, nullptr, const_cast<Authenticator*>(&authenticator_)});
    const int port = grpc_server_add_http2_port(server, address.c_str(), credentials);
    grpc_server_credentials_release(credentials);
    return port;
  }
  bool IsInsecure() const override { return true; }

  static void Process(void* authenticator, grpc_auth_context*, const grpc_metadata* metadata, std::size_t count,
                      grpc_process_auth_metadata_done_cb done, void* call) {
    std::string_view path;
    std::string_view authorization;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string_view key = ViewOf(metadata[i].key);
      if (key == ":path") path = ViewOf(metadata[i].value);
      if (key == "authorization") authorization = ViewOf(metadata[i].value);
    }
    const absl::Status status = Admit(*static_cast<const Authenticator*>(authenticator), path, authorization);
    done(call, nullptr, 0, nullptr, 0, static_cast<grpc_status_code>(status.code()),
         status.ok() ? nullptr : std::string(status.message()).c_str());
  }

  const Authenticator& authenticator_;
};

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

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeServerCredentials(const TlsConfig& tls,
                                                                               const Authenticator& authenticator) {
  if (!tls.on()) return std::make_shared<Plaintext>(authenticator);
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
  auto credentials = grpc::experimental::TlsServerCredentials(options);
  credentials->SetAuthMetadataProcessor(std::make_shared<Doorkeeper>(authenticator));
  return credentials;
}

}  // namespace smsflow::server
