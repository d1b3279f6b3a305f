// What the TLS listener takes, tried with OpenSSL's own client: 1.3, and 1.2 with ECDHE and AEAD only.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <sstream>
#include <string>

#include "server/grpc/credentials.h"
#include "tests/server/site.h"

namespace smsflow::server {
namespace {

struct Ran {
  int code = -1;
  std::string output;
};

Ran RunShell(const std::string& command) {
  Ran ran;
  FILE* pipe = ::popen(("timeout 20 " + command + " 2>&1 </dev/null").c_str(), "r");
  if (pipe == nullptr) return ran;
  std::array<char, 4096> buffer{};
  while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe))
    ran.output.append(buffer.data(), got);
  ran.code = WEXITSTATUS(::pclose(pipe));
  return ran;
}

class TlsTest : public ::testing::Test {
 protected:
  TlsTest() : stem_(testing::TempDir() + "smsflow-tls-" + std::to_string(getpid())) {
    PrepareGrpc();
    MakeCertificate("localhost", stem_);
  }
  ~TlsTest() override {
    site_.reset();
    for (const char* name : {"", "-ca", "-client", "-next"}) {
      for (const char* end : {".key", ".crt", ".csr"}) std::remove((stem_ + name + end).c_str());
    }
  }

  void Serve(const std::function<void(TlsConfig&)>& change = {}) {
    site_ = std::make_unique<Site>([&](Config& config) {
      config.listen.plaintext = false;
      config.tls.cert = stem_ + ".crt";
      config.tls.key = stem_ + ".key";
      if (change) change(config.tls);
    });
    port_ = site_->server->address().substr(site_->server->address().rfind(':') + 1);
  }

  // A certificate that vouches for itself.
  static void MakeCertificate(const std::string& name, const std::string& stem) {
    const Ran made =
        RunShell("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=" + name +
                 " -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout " + stem + ".key -out " + stem + ".crt");
    EXPECT_EQ(made.code, 0) << made.output;
  }
  // One that the authority in `ca` vouches for.
  static void MakeSigned(const std::string& name, const std::string& stem, const std::string& ca) {
    const Ran asked = RunShell("openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=" + name +
                               " -keyout " + stem + ".key -out " + stem + ".csr");
    EXPECT_EQ(asked.code, 0) << asked.output;
    const Ran made = RunShell("openssl x509 -req -days 2 -in " + stem + ".csr -CA " + ca + ".crt -CAkey " + ca +
                              ".key -set_serial 7 -out " + stem + ".crt");
    EXPECT_EQ(made.code, 0) << made.output;
  }

  static std::string Read(const std::string& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  // Whether a handshake with these flags comes to an agreement.
  bool Agrees(const std::string& flags) {
    const Ran ran = RunShell("openssl s_client -connect 127.0.0.1:" + port_ + " -alpn h2 " + flags);
    return ran.output.find("Cipher is (NONE)") == std::string::npos &&
           ran.output.find("Cipher is ") != std::string::npos;
  }
  // The name in the certificate that is shown.
  std::string Shown() {
    const Ran ran = RunShell("openssl s_client -connect 127.0.0.1:" + port_ + " -alpn h2");
    const std::size_t at = ran.output.find("subject=CN = ");
    return at == std::string::npos ? ran.output : ran.output.substr(at + 13, ran.output.find('\n', at) - at - 13);
  }
  // What a client that shows the certificate in `stem`, if any, is answered.
  grpc::Status Schedule(const std::string& token, const std::string& stem = "") {
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = Read(stem_ + ".crt");
    if (!stem.empty()) {
      options.pem_cert_chain = Read(stem + ".crt");
      options.pem_private_key = Read(stem + ".key");
    }
    grpc::ChannelArguments own;
    own.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    const auto scheduler =
        v1::Scheduler::NewStub(grpc::CreateCustomChannel("localhost:" + port_, grpc::SslCredentials(options), own));
    v1::ScheduleResponse response;
    return scheduler->Schedule(Site::As(token).get(), site_->Sms(), &response);
  }

  std::string stem_;
  std::unique_ptr<Site> site_;
  std::string port_;
};

TEST_F(TlsTest, TakesTls13AndModernTls12Only) {
  Serve();
  EXPECT_TRUE(Agrees("-tls1_3"));
  EXPECT_TRUE(Agrees("-tls1_2 -cipher ECDHE-ECDSA-AES256-GCM-SHA384"));
  EXPECT_TRUE(Agrees("-tls1_2 -cipher ECDHE-ECDSA-CHACHA20-POLY1305"));
  // The curve is right, the cipher is not an AEAD; level 0 so that the client itself does not refuse.
  EXPECT_FALSE(Agrees("-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA@SECLEVEL=0"));
  EXPECT_FALSE(Agrees("-tls1_2 -cipher ECDHE-ECDSA-AES256-SHA384@SECLEVEL=0"));
  EXPECT_FALSE(Agrees("-tls1_1 -cipher ALL@SECLEVEL=0"));
  EXPECT_FALSE(Agrees("-tls1 -cipher ALL@SECLEVEL=0"));
}

TEST_F(TlsTest, ServesOverTlsAndNotInPlaintext) {
  Serve();
  const grpc::Status status = Schedule(kAcme);
  EXPECT_TRUE(status.ok()) << status.error_message();
  v1::ScheduleResponse response;
  EXPECT_FALSE(site_->scheduler->Schedule(Site::As(kAcme).get(), site_->Sms(), &response).ok());
}

TEST_F(TlsTest, AStrangerIsToldTheSameAsWithoutTls) {
  Serve();
  const grpc::Status status = Schedule("nobody");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(status.error_message(), "the credential is missing or unknown");
}

TEST_F(TlsTest, WithAnAuthorityClientsMustShowItsCertificate) {
  const std::string ca = stem_ + "-ca", client = stem_ + "-client";
  MakeCertificate("authority", ca);
  MakeSigned("client", client, ca);
  Serve([&](TlsConfig& tls) { tls.client_ca = ca + ".crt"; });
  const grpc::Status right = Schedule(kAcme, client);
  EXPECT_TRUE(right.ok()) << right.error_message();
  EXPECT_EQ(Schedule(kAcme).error_code(), grpc::StatusCode::UNAVAILABLE) << "without one";
  MakeCertificate("client", client);
  EXPECT_EQ(Schedule(kAcme, client).error_code(), grpc::StatusCode::UNAVAILABLE) << "of nobody";
  EXPECT_EQ(Schedule("nobody", client).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(TlsTest, ANewCertificateIsShownWithoutARestart) {
  Serve([](TlsConfig& tls) { tls.reload_ms = 1'000; });
  ASSERT_EQ(Shown(), "localhost");
  MakeCertificate("renewed", stem_ + "-next");
  for (const char* end : {".key", ".crt"}) std::rename((stem_ + "-next" + end).c_str(), (stem_ + end).c_str());
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (Shown() != "renewed" && std::chrono::steady_clock::now() < end) continue;
  EXPECT_EQ(Shown(), "renewed");
  const grpc::Status status = Schedule(kAcme);
  EXPECT_TRUE(status.ok()) << status.error_message();
}

TEST(TlsFilesTest, AFileThatIsNotWhatItShouldBeIsNamed) {
  TlsConfig tls;
  tls.cert = "/not/there.crt";
  tls.key = "/not/there.key";
  EXPECT_EQ(MakeServerCredentials(tls).status().message(), "tls.cert: /not/there.crt cannot be read");
  tls.cert = testing::TempDir() + "smsflow-no-pem-" + std::to_string(getpid());
  std::ofstream(tls.cert) << "hello";
  EXPECT_EQ(MakeServerCredentials(tls).status().message(), "tls.cert: " + tls.cert + " holds no PEM CERTIFICATE");
  std::remove(tls.cert.c_str());
}

}  // namespace
}  // namespace smsflow::server
