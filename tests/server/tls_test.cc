// What the TLS listener takes, tried with OpenSSL's own client: 1.3, and 1.2 with ECDHE and AEAD only.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
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
    const Ran made = RunShell(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost "
        "-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout " +
        stem_ + ".key -out " + stem_ + ".crt");
    EXPECT_EQ(made.code, 0) << made.output;
    PrepareGrpc();
    site_ = std::make_unique<Site>([this](Config& config) {
      config.listen.plaintext = false;
      config.tls.cert = stem_ + ".crt";
      config.tls.key = stem_ + ".key";
    });
    port_ = site_->server->address().substr(site_->server->address().rfind(':') + 1);
  }
  ~TlsTest() override {
    site_.reset();
    for (const char* end : {".key", ".crt"}) std::remove((stem_ + end).c_str());
  }

  // Whether a handshake with these flags comes to an agreement.
  bool Agrees(const std::string& flags) {
    const Ran ran = RunShell("openssl s_client -connect 127.0.0.1:" + port_ + " -alpn h2 " + flags);
    return ran.output.find("Cipher is (NONE)") == std::string::npos &&
           ran.output.find("Cipher is ") != std::string::npos;
  }

  std::string stem_;
  std::unique_ptr<Site> site_;
  std::string port_;
};

TEST_F(TlsTest, TakesTls13AndModernTls12Only) {
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
  std::ifstream file(stem_ + ".crt");
  std::stringstream pem;
  pem << file.rdbuf();
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = pem.str();
  const auto scheduler =
      v1::Scheduler::NewStub(grpc::CreateChannel("localhost:" + port_, grpc::SslCredentials(options)));
  v1::ScheduleResponse response;
  const grpc::Status status = scheduler->Schedule(Site::As(kAcme).get(), site_->Sms(), &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_FALSE(site_->scheduler->Schedule(Site::As(kAcme).get(), site_->Sms(), &response).ok());
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
