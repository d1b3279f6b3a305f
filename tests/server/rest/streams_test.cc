// The HTTP server by itself: bodies that are streamed, stops, bounds, TLS.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <future>
#include <thread>

#include "engine/seams.h"
#include "server/rest/http_server.h"
#include "tests/server/rest/rest_site.h"

namespace smsflow::server::rest {
namespace {

constexpr char kGet[] = "GET /x HTTP/1.1\r\nHost: h\r\n\r\n";
constexpr std::size_t kPieceBytes = 32 << 10;

// Of as many pieces as asked for; tells how many were made, and whether it is gone.
class Counted final : public BodySource {
 public:
  struct Seen {
    std::atomic<int> made{0};
    std::atomic<bool> gone{false};
  };
  Counted(std::shared_ptr<Seen> seen, int pieces) : seen_(std::move(seen)), pieces_(pieces) {}
  ~Counted() override { seen_->gone = true; }
  void Next(Ready ready) override {
    if (seen_->made == pieces_) return ready(std::string());
    if (++seen_->made < 0) return ready(absl::InternalError("no more"));
    ready(std::string(kPieceBytes, 'x'));
  }

 private:
  const std::shared_ptr<Seen> seen_;
  const int pieces_;
};

class StreamsTest : public ::testing::Test {
 protected:
  void Start(const std::function<void(HttpOptions&)>& change = {}) {
    HttpOptions options;
    options.address = "127.0.0.1:0";
    if (change) change(options);
    HttpHooks hooks;
    hooks.serve = [this](Request request, std::string, Reply reply) { serve(std::move(request), std::move(reply)); };
    hooks.admit = [](const Request&, const std::string&) { return std::nullopt; };
    hooks.show_error = [](std::string_view, Response& response) { response.body = std::exchange(response.error, {}); };
    hooks.wall_ms = [this] {
      ++looks;
      return engine::SystemClock().WallMs();
    };
    hooks.steady_ms = [this] { return engine::SystemClock().SteadyMs() + ahead_ms; };
    auto started = HttpServer::Start(std::move(options), std::move(hooks));
    ASSERT_TRUE(started.ok()) << started.status();
    server = *std::move(started);
  }
  void ServeStream(int pieces) {
    serve = [this, pieces](Request, Reply reply) {
      Response response;
      response.stream = std::make_unique<Counted>(seen, pieces);
      reply(std::move(response));
    };
  }
  // For at most a minute.
  static bool Await(const std::function<bool()>& holds) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!holds() && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    return holds();
  }

  std::function<void(Request, Reply)> serve = [](Request request, Reply reply) { reply(Response::Text(request.body)); };
  std::shared_ptr<Counted::Seen> seen = std::make_shared<Counted::Seen>();
  std::atomic<int> looks{0};  // of the loops at their connections
  std::atomic<std::int64_t> ahead_ms{0};
  std::unique_ptr<HttpServer> server;
};

TEST_F(StreamsTest, AListComesWholeInChunks) {
  ServeStream(100);
  Start();
  HttpClient client(server->address());
  client.Send(std::string(kGet) + kGet);
  HttpAnswer answer = client.Read();
  EXPECT_TRUE(answer.chunked && answer.whole);
  EXPECT_EQ(answer.body.size(), 100 * kPieceBytes);
  answer = client.Read();
  EXPECT_TRUE(answer.whole);
  EXPECT_EQ(answer.body, "") << "of the second there was nothing left";
  client.Send("HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(client.Read(true).status, 200);
}

TEST_F(StreamsTest, AListIsReadAsFastAsItsClientReads) {
  constexpr int kMany = 100'000;  // 3 GB
  ServeStream(kMany);
  Start([](HttpOptions& options) { options.write_ms = 300; });
  HttpClient client(server->address());
  const int small = 16 << 10;
  ::setsockopt(client.fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  client.Send(kGet);
  ASSERT_TRUE(Await([&] { return server->figures().timeouts == 1; })) << "it is cut off in the end";
  EXPECT_LT(seen->made, 1'000) << "only what sockets hold was made";
  EXPECT_TRUE(Await([&] { return seen->gone.load(); }));
  EXPECT_EQ(server->figures().streams_cut, 1U);
}

TEST_F(StreamsTest, AClientThatLeavesEndsItsList) {
  ServeStream(100'000);
  Start();
  {
    HttpClient client(server->address());
    client.Send(kGet);
    ASSERT_TRUE(Await([&] { return seen->made > 0; }));
  }
  EXPECT_TRUE(Await([&] { return seen->gone.load(); }));
  EXPECT_LT(seen->made, 100'000);
}

TEST_F(StreamsTest, AnErrorInTheMiddleCutsTheConnection) {
  seen->made = -3;
  ServeStream(10);
  Start();
  HttpClient client(server->address());
  client.Send(kGet);
  const HttpAnswer answer = client.Read();
  EXPECT_EQ(answer.status, 200);
  EXPECT_FALSE(answer.whole) << "what is missing must be seen to be missing";
}

TEST_F(StreamsTest, AnOldClientGetsItWithoutChunks) {
  ServeStream(3);
  Start();
  HttpClient client(server->address());
  client.Send("GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const HttpAnswer answer = client.Read();
  EXPECT_FALSE(answer.chunked);
  EXPECT_EQ(answer.body.size(), 3 * kPieceBytes);
}

TEST_F(StreamsTest, AReplyThatIsDroppedIs500) {
  serve = [](Request, Reply) {};
  Start();
  HttpClient client(server->address());
  client.Send(kGet);
  EXPECT_EQ(client.Read().status, 500);
  client.Send(kGet);
  EXPECT_EQ(client.Read().status, 500);
}

TEST_F(StreamsTest, AStopAnswersWhatWasAskedAndEndsWhatIsIdle) {
  std::mutex mutex;
  std::vector<Reply> waiting;
  std::atomic<int> asked{0};
  serve = [&](Request, Reply reply) {
    const std::lock_guard lock(mutex);
    waiting.push_back(std::move(reply));
    ++asked;
  };
  Start([](HttpOptions& options) { options.threads = 2; });
  HttpClient busy(server->address()), idle(server->address()), late(server->address());
  busy.Send(kGet);
  late.Send(kGet);
  ASSERT_TRUE(Await([&] { return asked == 2 && server->figures().connections == 3; }));
  server->BeginStop();
  EXPECT_TRUE(idle.Ends());
  {
    const std::lock_guard lock(mutex);
    waiting[0](Response::Text("first"));
  }
  // The two may have come in either order: one is answered, the other cut off when time is over.
  std::thread stop([&] { server->Stop(2'000); });
  const HttpAnswer one = busy.Read(), other = late.Read();
  stop.join();
  EXPECT_EQ(one.status + other.status, 200);
  EXPECT_EQ((one.status == 200 ? one : other).headers.at("connection"), "close");
  waiting[1](Response::Text("nobody hears it"));
  server.reset();
  waiting.clear();
}

TEST_F(StreamsTest, BodiesTogetherAreBounded) {
  Start([](HttpOptions& options) { options.bodies_bytes_max = 150; });
  HttpClient one(server->address()), other(server->address());
  const std::string post = "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n";
  one.Send(post + "begin");
  other.Send(post + "begin");
  // Whichever came second is sent away.
  ASSERT_TRUE(Await([&] { return server->figures().answers[5] == 1; }));
  one.Send(std::string(95, 'x'));
  other.Send(std::string(95, 'x'));
  EXPECT_EQ(one.Read().status + other.Read().status, 200 + 503);
  HttpClient third(server->address());
  third.Send(post);
  third.Send(std::string(100, 'x'));
  EXPECT_EQ(third.Read().body.size(), 100U) << "there is room again";
}

TEST_F(StreamsTest, TooManyConnectionsAreClosedAtOnce) {
  Start([](HttpOptions& options) { options.connections_max = 2; });
  HttpClient one(server->address()), two(server->address());
  ASSERT_TRUE(Await([&] { return server->figures().connections == 2; }));
  HttpClient three(server->address());
  EXPECT_TRUE(three.Ends());
  one.Send(kGet);
  EXPECT_EQ(one.Read().status, 200);
  EXPECT_EQ(server->figures().connections_refused, 1U);
}

TEST_F(StreamsTest, IdleConnectionsEnd) {
  Start([](HttpOptions& options) { options.idle_ms = 2'000; });
  HttpClient client(server->address());
  client.Send(kGet);
  EXPECT_EQ(client.Read().status, 200);
  EXPECT_TRUE(client.Ends());
  EXPECT_EQ(server->figures().timeouts, 0U) << "that is no fault";
}

TEST_F(StreamsTest, WhoCameWhileALoopWasHeldUpHasAllOfTheTime) {
  std::promise<void> another;
  std::atomic<bool> held{false};
  serve = [&, came = another.get_future().share()](Request, Reply reply) {
    held = true;
    came.wait();
    reply(Response::Text("late"));
  };
  Start();
  HttpClient first(server->address());
  first.Send(kGet);
  EXPECT_TRUE(Await([&] { return held.load(); }));
  HttpClient second(server->address());
  EXPECT_TRUE(Await([&] { return server->figures().connections_total == 2; }));
  ahead_ms = 3'600'000;
  another.set_value();
  ASSERT_TRUE(Await([&] { return server->figures().connections == 2; }));
  const int before = looks;
  ASSERT_TRUE(Await([&] { return looks >= before + 2; }));
  second.Send(kGet);
  EXPECT_EQ(second.Read().body, "late");
}

TEST_F(StreamsTest, AUnixSocketServesTheSame) {
  const std::string path = testing::TempDir() + "smsflow-rest-" + std::to_string(getpid()) + ".socket";
  Start([&](HttpOptions& options) { options.address = "unix:" + path; });
  HttpClient client(server->address());
  client.Send("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nokGET");
  EXPECT_EQ(client.Read().body, "ok");
  server.reset();
  EXPECT_TRUE(client.Ends());
  EXPECT_FALSE(std::filesystem::exists(path));
}

class RestTlsTest : public StreamsTest {
 protected:
  RestTlsTest() : stem_(testing::TempDir() + "smsflow-rest-tls-" + std::to_string(getpid())) { Make("first"); }
  ~RestTlsTest() override {
    server.reset();
    for (const char* end : {".key", ".crt"}) std::filesystem::remove(stem_ + end);
  }
  static std::string Run(const std::string& command) {
    FILE* pipe = ::popen(("timeout 20 " + command + " 2>&1").c_str(), "r");
    std::string output;
    std::array<char, 4096> buffer{};
    while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe)) output.append(buffer.data(), got);
    ::pclose(pipe);
    return output;
  }
  void Make(const std::string& name) const {
    Run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=" + name + " -keyout " +
        stem_ + ".key -out " + stem_ + ".crt");
  }
  void StartTls() {
    Start([this](HttpOptions& options) {
      options.tls.emplace();
      options.tls->cert = stem_ + ".crt";
      options.tls->key = stem_ + ".key";
      options.tls->reload_ms = 1;
    });
  }
  std::string Talk(const std::string& options) const {
    return Run(
        "sh -c 'printf \"GET /x HTTP/1.1\\r\\nHost: h\\r\\nConnection: close\\r\\n\\r\\n\" | openssl s_client -quiet "
        "-connect " +
        server->address() + " " + options + "'");
  }
  const std::string stem_;
};

TEST_F(RestTlsTest, TakesTls13Alone) {
  serve = [](Request, Reply reply) { reply(Response::Text(std::string(100'000, 'y') + "the end")); };
  StartTls();
  EXPECT_THAT(Talk("-tls1_3"), ::testing::HasSubstr("the end"));
  EXPECT_THAT(Talk("-tls1_2"), ::testing::Not(::testing::HasSubstr("200 OK")));
  HttpClient plain(server->address());
  plain.Send(kGet);
  EXPECT_EQ(plain.Read().status, 0);
  EXPECT_TRUE(Await([&] { return server->figures().handshakes_failed == 2; }));
}

TEST_F(RestTlsTest, ACertificateIsReadAgainWhenItChanged) {
  StartTls();
  EXPECT_THAT(Talk("-tls1_3"), ::testing::HasSubstr("CN = first"));
  Make("second");
  EXPECT_THAT(Talk("-tls1_3"), ::testing::HasSubstr("CN = second"));
  std::filesystem::resize_file(stem_ + ".crt", 10);
  EXPECT_THAT(Talk("-tls1_3"), ::testing::HasSubstr("CN = second")) << "what cannot be used is left alone";
}

TEST_F(RestTlsTest, FilesThatDoNotFitAreRefused) {
  std::filesystem::copy_file(stem_ + ".key", stem_ + ".other");
  Make("third");
  std::filesystem::rename(stem_ + ".other", stem_ + ".key");
  HttpOptions options;
  options.address = "127.0.0.1:0";
  options.tls = TlsConfig{stem_ + ".crt", stem_ + ".key", {}, 60'000};
  const auto started = HttpServer::Start(options, {});
  EXPECT_TRUE(absl::IsInvalidArgument(started.status())) << started.status();
}

}  // namespace
}  // namespace smsflow::server::rest
