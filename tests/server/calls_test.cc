// How calls are served, whatever they ask for: many at once, given up, late, unreadable, owed when the server stops.
#include <gmock/gmock.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/unknown_field_set.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "engine/seams.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "server/grpc/call_queue.h"
#include "server/grpc/status.h"
#include "tests/server/http2_client.h"
#include "tests/server/site.h"

namespace smsflow::server {
namespace {

namespace health = ::grpc::health::v1;
using grpc::StatusCode;

// Many Schedules on their way at once, on one connection.
class Flood {
 public:
  explicit Flood(Site& site) : site_(site) {}

  // The one that was begun, to be given up.
  grpc::ClientContext& Begin(const std::string& target) {
    calls_.push_back(std::make_unique<Call>());
    Call& call = *calls_.back();
    call.context = Site::As(kAcme);
    call.reader = site_.scheduler->AsyncSchedule(call.context.get(), site_.Sms(target), &queue_);
    call.reader->Finish(&call.response, &call.status, &call);
    return *call.context;
  }
  // How many ended with each code; every call ends.
  std::map<StatusCode, int> Await() {
    std::map<StatusCode, int> ends;
    void* tag = nullptr;
    bool ok = false;
    for (std::size_t i = 0; i < calls_.size() && queue_.Next(&tag, &ok); ++i) {
      ++ends[static_cast<Call*>(tag)->status.error_code()];
    }
    return ends;
  }

 private:
  struct Call {
    std::unique_ptr<grpc::ClientContext> context;
    v1::ScheduleResponse response;
    grpc::Status status;
    std::unique_ptr<grpc::ClientAsyncResponseReader<v1::ScheduleResponse>> reader;
  };
  Site& site_;
  grpc::CompletionQueue queue_;
  std::vector<std::unique_ptr<Call>> calls_;
};

TEST(CallsTest, ManyAtOnceAreAllAnswered) {
  Site site;
  constexpr int kCalls = 2'000;
  Flood flood(site);
  for (int i = 0; i < kCalls; ++i) flood.Begin("t" + std::to_string(i));
  EXPECT_EQ(flood.Await()[StatusCode::OK], kCalls);
  const auto all = [](const engine::Figures& figures) { return figures.created >= kCalls; };
  EXPECT_EQ(site.AwaitFigures(all).created, static_cast<std::uint64_t>(kCalls));
}

TEST(CallsTest, ThoseGivenUpHarmNoOther) {
  Site site;
  constexpr int kCalls = 1'000;
  Flood flood(site);
  for (int i = 0; i < kCalls; ++i) {
    grpc::ClientContext& context = flood.Begin("t" + std::to_string(i));
    if (i % 2 == 0) context.TryCancel();
  }
  auto ends = flood.Await();
  EXPECT_GE(ends[StatusCode::OK], kCalls / 2);
  EXPECT_EQ(ends[StatusCode::OK] + ends[StatusCode::CANCELLED], kCalls);
  EXPECT_GT(ends[StatusCode::CANCELLED], 0);
  EXPECT_FALSE(site.Schedule(site.Sms("after")).empty());
}

TEST(CallsTest, OneThatIsLateIsToldSo) {
  Site site;
  const auto context = Site::As(kAcme);
  context->set_deadline(std::chrono::system_clock::now() - std::chrono::seconds(1));
  v1::ScheduleResponse response;
  EXPECT_EQ(site.scheduler->Schedule(context.get(), site.Sms(), &response).error_code(), StatusCode::DEADLINE_EXCEEDED);
  EXPECT_FALSE(site.Schedule(site.Sms()).empty());
}

// What is sent is not what the verb takes, or the verb does not exist.
grpc::Status SendBytes(Site& site, const std::string& method, const std::string& bytes,
                       const std::string& token = kAcme) {
  grpc::GenericStub stub(site.channel);
  grpc::CompletionQueue queue;
  const auto context = Site::As(token);
  const grpc::Slice slice(bytes);
  const auto call = stub.PrepareUnaryCall(context.get(), method, grpc::ByteBuffer(&slice, 1), &queue);
  call->StartCall();
  grpc::ByteBuffer response;
  grpc::Status status;
  call->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  return status;
}

constexpr char kBatch[] = "/smsflow.v1.Scheduler/ScheduleBatch";
constexpr char kSchedule[] = "/smsflow.v1.Scheduler/Schedule";

// Also of texts that are not UTF-8, of which protobuf complains on standard error.
std::string BytesOf(const google::protobuf::Message& message) {
  const google::protobuf::LogSilencer silent;
  return message.SerializeAsString();
}

TEST(CallsTest, BytesThatAreNoRequestAreRefusedAndTheNextIsServed) {
  Site site;
  for (const char* verb : {"Scheduler/Schedule", "Scheduler/ScheduleBatch", "Scheduler/ScheduleStream", "Scheduler/Get",
                           "Scheduler/Watch"}) {
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(SendBytes(site, std::string("/smsflow.v1.") + verb, std::string(40, '\xff')).error_code(),
                StatusCode::INTERNAL)
          << verb;
    }
  }
  EXPECT_FALSE(site.Schedule(site.Sms()).empty());
  EXPECT_EQ(SendBytes(site, "/smsflow.v1.Scheduler/Steal", "").error_code(), StatusCode::UNIMPLEMENTED);
}

// Clients that keep to the contract cannot send it, so it is no message; but which of its texts it was can be told.
TEST(CallsTest, ATextThatIsNotUtf8IsNamedAndNothingOfTheMessageIsDone) {
  Site site;
  const std::string bad = "\xc3\x28";
  v1::ScheduleRequest sms = site.Sms("ok");
  const auto expect = [](const grpc::Status& status, const std::string& rule) {
    EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(status.error_message(), rule);
    EXPECT_EQ(LineOf(DecodeViolations(status.error_details())), rule);
  };
  sms.set_target(bad);
  sms.set_batch(bad);
  expect(SendBytes(site, kSchedule, BytesOf(sms)), "batch: must be UTF-8; target: must be UTF-8");
  v1::ScheduleBatchRequest batch;
  *batch.add_items() = site.Sms("ok");
  *batch.add_items() = sms;
  batch.mutable_items(1)->clear_batch();
  expect(SendBytes(site, kBatch, BytesOf(batch)), "items[1].target: must be UTF-8");
  v1::ListRequest list;
  list.mutable_filter()->set_key(bad);
  expect(SendBytes(site, "/smsflow.v1.Scheduler/List", BytesOf(list)), "filter.key: must be UTF-8");
  EXPECT_EQ(SendBytes(site, kSchedule, BytesOf(sms) + "\xff").error_code(), StatusCode::INTERNAL)
      << "nor is it a message";

  v1::ScheduleStreamRequest streamed;
  streamed.set_tag(7);
  *streamed.mutable_item() = sms;
  const grpc::Status ended = SendBytes(site, "/smsflow.v1.Scheduler/ScheduleStream", BytesOf(streamed));
  EXPECT_EQ(ended.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ended.error_message(), "item.batch: must be UTF-8; item.target: must be UTF-8");
  EXPECT_FALSE(site.Schedule(site.Sms()).empty());
  EXPECT_EQ(site.AwaitFigures([](const engine::Figures& figures) { return figures.created > 0; }).created, 1u)
      << "of what was refused nothing was done";
}

TEST(ReceivedTest, AHundredTextsAreNamedAndNoMore) {
  v1::ScheduleBatchRequest batch;
  for (int i = 0; i < 1'000; ++i) batch.add_items()->set_target("\xff");
  const std::string bytes = BytesOf(batch);
  google::protobuf::io::ArrayInputStream in(bytes.data(), static_cast<int>(bytes.size()));
  const Violations violations = TextsThatAreNotUtf8(in, bytes.size(), *v1::ScheduleBatchRequest::descriptor());
  ASSERT_EQ(violations.size(), 100u);
  EXPECT_EQ(violations.back().field, "items[99].target");
}

// Thirteen bytes that say they were two gigabytes, at each depth.
TEST(ReceivedTest, ALengthThatIsNotThereTakesNoMemory) {
  const auto resident_kb = [] {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    return used.ru_maxrss;
  };
  const std::string item = std::string("\x0a\x80\xfe\xff\xff\x07", 6),
                    target = std::string("\x1a\x80\xfc\xff\xff\x07", 6);
  const auto before = resident_kb();
  for (const std::string& bytes : {item + target + "x", target + "x", item + "x"}) {
    const grpc::Slice slice(bytes);
    grpc::ByteBuffer buffer(&slice, 1);
    v1::ScheduleBatchRequest into;
    Violations violations;
    EXPECT_EQ(TakeApart(buffer, into, violations).code(), absl::StatusCode::kInternal);
    EXPECT_TRUE(violations.empty());
  }
  EXPECT_LT(resident_kb() - before, 64 * 1024);
}

TEST(ReceivedTest, WhatMayHoldAPasswordIsWipedWithItsBytes) {
  v1::SetPasswordRequest sent;
  sent.set_account("ann");
  sent.set_password("a password that is long enough to be in a buffer of its own");
  const std::string bytes = sent.SerializeAsString();
  const grpc::Slice slice(bytes);  // its bytes are shared, not copied again
  grpc::ByteBuffer buffer(&slice, 1);
  v1::SetPasswordRequest into;
  Received<v1::SetPasswordRequest> received{&into};
  ASSERT_TRUE((grpc::SerializationTraits<Received<v1::SetPasswordRequest>>::Deserialize(&buffer, &received).ok()));
  EXPECT_FALSE(received.Refused());
  EXPECT_EQ(into.password(), sent.password());
  EXPECT_EQ(std::string(slice.begin(), slice.end()), std::string(bytes.size(), '\0'));
  const char* const at = into.password().data();
  { const WipedAfter<v1::SetPasswordRequest> wiped(into); }
  EXPECT_EQ(into.password(), "");
  EXPECT_EQ(std::string(at, sent.password().size()), std::string(sent.password().size(), '\0'));
}

TEST(CallsTest, ACallWithoutAMessageIsRefused) {
  Site site;
  grpc::GenericStub stub(site.channel);
  for (const char* verb : {"/smsflow.v1.Scheduler/Schedule", "/smsflow.v1.Scheduler/Watch"}) {
    grpc::CompletionQueue queue;
    const auto wait = [&queue] {
      void* tag = nullptr;
      bool ok = false;
      queue.Next(&tag, &ok);
    };
    const auto context = Site::As(kAcme);
    const auto call = stub.PrepareCall(context.get(), verb, &queue);
    call->StartCall(nullptr);
    wait();
    call->WritesDone(nullptr);
    wait();
    grpc::Status status;
    call->Finish(&status, nullptr);
    wait();
    EXPECT_EQ(status.error_code(), StatusCode::INTERNAL) << verb;
    EXPECT_EQ(status.error_message(), "the call has no message") << verb;
  }
  EXPECT_FALSE(site.Schedule(site.Sms()).empty());
}

std::string Repeat(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

const std::string kEmptyItem("\x0a\x00", 2);      // of a batch: two bytes that are an object of its own
const std::string kUnknownNumber("\x78\x00", 2);  // a field that no verb has

// Whoever is not known is told so without a look at what he sends: it is neither read nor taken apart.
TEST(CallsTest, OfAStrangerNothingIsRead) {
  Site site([](Config& config) { config.limits.message_bytes = 64 << 10; });
  const std::string large(1 << 20, 'x');
  const std::string unreadable(40, '\xff');
  EXPECT_EQ(SendBytes(site, kBatch, large).error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(SendBytes(site, kBatch, unreadable).error_code(), StatusCode::INTERNAL);
  for (const char* verb : {kBatch, kSchedule, "/smsflow.v1.Scheduler/Watch", "/smsflow.v1.Scheduler/ScheduleStream",
                           "/smsflow.v1.Gateway/Attach", "/smsflow.v1.Admin/Stats", "/smsflow.v1.Admin/None"}) {
    for (const std::string& bytes : {large, unreadable, Repeat(kEmptyItem, 1'000)}) {
      for (const char* token : {"", "nobody"}) {
        const grpc::Status status = SendBytes(site, verb, bytes, token);
        EXPECT_EQ(status.error_code(), StatusCode::UNAUTHENTICATED) << verb;
        EXPECT_EQ(status.error_message(), "the credential is missing or unknown");
      }
    }
  }
  EXPECT_FALSE(site.Schedule(site.Sms()).empty());
}

TEST(CallsTest, APackedMessageIsNotUnpacked) {
  Site site;
  for (const auto algorithm : {GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE}) {
    const auto context = Site::As(kAcme);
    context->set_compression_algorithm(algorithm);
    v1::ScheduleRequest request = site.Sms();
    request.set_payload(std::string(1 << 20, 'p'));
    v1::ScheduleResponse response;
    const grpc::Status status = site.scheduler->Schedule(context.get(), request, &response);
    EXPECT_EQ(status.error_code(), StatusCode::UNIMPLEMENTED);
    EXPECT_THAT(status.error_message(), testing::EndsWith(" is disabled."));
  }
  EXPECT_FALSE(site.Schedule(site.Sms()).empty());
}

TEST(CallsTest, AMessageOfTooManyFieldsIsNotTakenApart) {
  Site site;
  constexpr char kRule[] = "message: must have at most 200000 fields";
  for (const std::string& bytes : {Repeat(kEmptyItem, 200'001), Repeat(kUnknownNumber, 200'001)}) {
    for (const char* verb : {kBatch, kSchedule, "/smsflow.v1.Scheduler/Get", "/smsflow.v1.Scheduler/Watch"}) {
      const grpc::Status status = SendBytes(site, verb, bytes);
      EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT) << verb;
      EXPECT_EQ(status.error_message(), kRule) << verb;
    }
  }
  EXPECT_EQ(SendBytes(site, kBatch, Repeat(kEmptyItem, 1'001)).error_message(), "items: must be 1 to 1000 items");
  EXPECT_EQ(SendBytes(site, kBatch, Repeat(kEmptyItem, 5'000)).error_message(), "items: must be 1 to 1000 items");

  const auto context = Site::As(kAcme);
  const auto stream = site.scheduler->ScheduleStream(context.get());
  v1::ScheduleStreamRequest request;
  for (int i = 0; i <= 200'000; ++i) request.GetReflection()->MutableUnknownFields(&request)->AddVarint(15, 0);
  EXPECT_TRUE(stream->Write(request));
  v1::ScheduleStreamResponse response;
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(stream->Finish().error_message(), kRule);
}

TEST(ReceivedTest, FieldsAreCountedAtEveryDepth) {
  const auto has_more = [](const std::string& bytes, const google::protobuf::Descriptor* type, std::size_t most) {
    google::protobuf::io::ArrayInputStream in(bytes.data(), static_cast<int>(bytes.size()));
    return HasMoreFields(in, *type, most);
  };
  v1::ScheduleBatchRequest batch;
  for (int i = 0; i < 3; ++i) {
    batch.add_items()->set_target("t");
    batch.mutable_items(i)->set_payload("\x78\x01 looks like a field and is none");
  }
  const std::string bytes = batch.SerializeAsString();
  EXPECT_FALSE(has_more(bytes, v1::ScheduleBatchRequest::descriptor(), 9));
  EXPECT_TRUE(has_more(bytes, v1::ScheduleBatchRequest::descriptor(), 8));
  EXPECT_FALSE(has_more(bytes, v1::GetRequest::descriptor(), 3)) << "what is unknown has no depth";
  v1::ListRequest list;
  for (int i = 0; i < 5; ++i) list.mutable_filter()->add_states(v1::PENDING);
  EXPECT_TRUE(has_more(list.SerializeAsString(), v1::ListRequest::descriptor(), 6)) << "packed numbers count";
  EXPECT_FALSE(has_more(list.SerializeAsString(), v1::ListRequest::descriptor(), 7));
  for (const std::string bad : {"\x0a", "\x0a\x7f", "\xff\xff\xff\xff\xff\xff", "\x0a\xff\xff\xff\xff\x0f"}) {
    EXPECT_FALSE(has_more(bad, v1::ScheduleBatchRequest::descriptor(), 3));
  }
}

TEST(CallsTest, AStopEndsEveryCallAndWhatWasAnsweredIsStored) {
  Site site;
  site.Schedule(site.Sms());
  constexpr int kCalls = 1'000;
  Flood flood(site);
  for (int i = 0; i < kCalls; ++i) flood.Begin("t" + std::to_string(i));
  const std::int64_t before_ms = engine::SystemClock().SteadyMs();
  site.server->Stop(60'000);
  EXPECT_LT(engine::SystemClock().SteadyMs() - before_ms, 30'000);
  auto ends = flood.Await();
  // CANCELLED is gRPC's word for those that it had read and not yet handed to us.
  const int stored = ends[StatusCode::OK];
  EXPECT_EQ(stored + ends[StatusCode::UNAVAILABLE] + ends[StatusCode::CANCELLED], kCalls);
  const auto all = [&](const engine::Figures& figures) { return figures.created > static_cast<std::uint64_t>(stored); };
  EXPECT_GT(site.AwaitFigures(all).created, static_cast<std::uint64_t>(stored));
}

// As it is with one that came while the server was being shut down: gRPC has it, and nobody here was given it.
TEST(CallsTest, AStopDoesNotWaitForACallThatNobodyWasGiven) {
  Site site;
  Http2Client client(site.server->address());
  const Http2Frame half{Http2Frame::kHeaders, 0, 1, "\x83"};  // that it is a POST, and no end of its head
  ASSERT_TRUE(client.Greet(half.ToBytes()));
  const std::int64_t before_ms = engine::SystemClock().SteadyMs();
  site.server->Stop(60'000);
  EXPECT_LT(engine::SystemClock().SteadyMs() - before_ms, 40'000);
}

// A connection on which nothing is asked ends; the stream of a gateway that has nothing to say is a call, and stays.
TEST(CallsTest, AConnectionWithoutACallEnds) {
  Site site([](Config& config) { config.limits.idle_ms = 1'000; });
  ByHand gateway(site);
  gateway.Begin();
  const std::int64_t before_ms = engine::SystemClock().SteadyMs();
  Http2Client idle(site.server->address());
  ASSERT_TRUE(idle.Greet());
  EXPECT_TRUE(idle.IsClosed());
  EXPECT_GE(engine::SystemClock().SteadyMs() - before_ms, 900) << "it has its time";
  // One that asked, and then nothing more; who is a stranger there too.
  Http2Client asked(site.server->address());
  ASSERT_TRUE(asked.Greet());
  ASSERT_TRUE(asked.Say(Http2Frame{Http2Frame::kHeaders, Http2Frame::kEndHeaders, 1, Http2CallHead(kSchedule)}));
  EXPECT_TRUE(asked.IsClosed());
  site.Schedule(site.Sms());
  EXPECT_FALSE(gateway.NextLease().attempt_id().empty());
}

TEST(CallsTest, ADrainThatNobodyWaitsForEnds) {
  Site site;
  ByHand gateway(site);
  gateway.Begin();
  site.Schedule(site.Sms());
  gateway.NextLease();  // and says nothing more: the drain would wait
  v1::DrainRequest request;
  request.set_timeout_ms(60'000);
  v1::DrainResponse response;
  for (int i = 0; i < 3; ++i) {  // more than there are threads for such
    const auto context = Site::As(kRoot);
    context->set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(100));
    EXPECT_EQ(site.admin->Drain(context.get(), request, &response).error_code(), StatusCode::DEADLINE_EXCEEDED);
  }
  const auto context = Site::As(kRoot);
  const auto verify = site.admin->Verify(context.get(), {});
  v1::VerifyResponse verified;
  while (verify->Read(&verified)) continue;
  EXPECT_TRUE(verify->Finish().ok());
  EXPECT_TRUE(verified.done());
}

TEST(HealthTest, NeedsNoKeyAndKnowsTheServices) {
  Site site;
  const auto stub = health::Health::NewStub(site.channel);
  const auto ask = [&](const std::string& service, health::HealthCheckResponse& response) {
    health::HealthCheckRequest request;
    request.set_service(service);
    return stub->Check(Site::As("").get(), request, &response);
  };
  for (const char* service : {"", "smsflow.v1.Scheduler", "smsflow.v1.Gateway", "smsflow.v1.Admin"}) {
    health::HealthCheckResponse response;
    EXPECT_TRUE(ask(service, response).ok());
    EXPECT_EQ(response.status(), health::HealthCheckResponse::SERVING);
  }
  health::HealthCheckResponse response;
  EXPECT_EQ(ask("smsflow.v1.Else", response).error_code(), StatusCode::NOT_FOUND);
}

TEST(HealthTest, AWatchHearsThatTheServerStops) {
  Site site;
  const auto stub = health::Health::NewStub(site.channel);
  const auto unknown_context = Site::As("");
  health::HealthCheckRequest request;
  request.set_service("smsflow.v1.Else");
  const auto unknown = stub->Watch(unknown_context.get(), request);
  health::HealthCheckResponse response;
  ASSERT_TRUE(unknown->Read(&response));
  EXPECT_EQ(response.status(), health::HealthCheckResponse::SERVICE_UNKNOWN);
  unknown_context->TryCancel();
  EXPECT_EQ(unknown->Finish().error_code(), StatusCode::CANCELLED);

  const auto context = Site::As("");
  const auto watch = stub->Watch(context.get(), {});
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), health::HealthCheckResponse::SERVING);
  const std::int64_t before_ms = engine::SystemClock().SteadyMs();
  site.server->Stop(60'000);
  EXPECT_LT(engine::SystemClock().SteadyMs() - before_ms, 30'000);
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), health::HealthCheckResponse::NOT_SERVING);
  EXPECT_FALSE(watch->Read(&response));
  EXPECT_EQ(watch->Finish().error_code(), StatusCode::UNAVAILABLE);
}

TEST(CallQueueTest, WhatIsRunWithoutAThreadIsRunByItsCaller) {
  CallQueue queue;
  bool done = false;
  queue.Run([&] { done = true; });
  EXPECT_TRUE(done);
}

// Keeps the call for later, as the engine does.
struct Keeper {
  void Check(UnaryCall* call, const health::HealthCheckRequest*, health::HealthCheckResponse*) { came.set_value(call); }
  std::promise<UnaryCall*> came;
};

// A server of nothing else, on a port of this host.
struct KeepingServer {
  explicit KeepingServer(const std::string& host) {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort(host + ":0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&wire);
    queue.Prepare(builder);
    server = builder.BuildAndStart();
    EXPECT_NE(server, nullptr);
    queue.Unary(wire, "Check", keeper, &Keeper::Check);
    queue.Start();
    address = host + ":" + std::to_string(port);
  }

  Wire<health::Health> wire{nullptr};
  Keeper keeper;
  CallQueue queue;
  std::unique_ptr<grpc::Server> server;
  std::string address;
};

// Corks know connections by that name.
TEST(CallQueueTest, APeerIsNamedAsExpected) {
  for (const auto& [host, name] :
       {std::pair("127.0.0.1", "ipv4:127\\.0\\.0\\.1:[0-9]+"), std::pair("[::1]", "ipv6:%5B::1%5D:[0-9]+")}) {
    KeepingServer at(host);
    std::thread client([&] {
      const auto channel = grpc::CreateChannel(at.address, grpc::InsecureChannelCredentials());
      grpc::ClientContext context;
      health::HealthCheckResponse response;
      EXPECT_TRUE(health::Health::NewStub(channel)->Check(&context, {}, &response).ok());
    });
    UnaryCall* const call = at.keeper.came.get_future().get();
    EXPECT_THAT(call->peer(), testing::MatchesRegex(name));
    call->Finish(grpc::Status::OK);
    client.join();
    at.server->Shutdown();
    at.queue.Stop();
  }
}

// gRPC's server is down once its connections are gone: the engine may answer much later, and must not end the process.
TEST(CallQueueTest, AStopWaitsForAnAnswerThatNobodyWaitsForButNotForEver) {
  KeepingServer at("127.0.0.1");
  CallQueue& queue = at.queue;
  grpc::ChannelArguments own;
  own.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  auto channel = grpc::CreateCustomChannel(at.address, grpc::InsecureChannelCredentials(), own);
  UnaryCall* owed = nullptr;
  {
    grpc::ClientContext context;
    std::thread client([&] {
      health::HealthCheckResponse response;
      EXPECT_EQ(health::Health::NewStub(channel)->Check(&context, {}, &response).error_code(), StatusCode::CANCELLED);
    });
    owed = at.keeper.came.get_future().get();
    context.TryCancel();
    client.join();
  }
  channel.reset();
  at.server->Shutdown();
  EXPECT_FALSE(queue.StopWithin(10));
  EXPECT_FALSE(queue.StopWithin(0)) << "and can be asked again";
  bool ran = false;
  queue.Run([&] { ran = true; });
  auto stopped = std::async(std::launch::async, [&] { queue.Stop(); });
  EXPECT_EQ(stopped.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
  owed->Finish(grpc::Status::OK);
  ASSERT_EQ(stopped.wait_for(std::chrono::seconds(20)), std::future_status::ready);
  EXPECT_TRUE(ran) << "it was served on";
  EXPECT_TRUE(queue.StopWithin(0)) << "it has ended";
}

TEST(CallQueueTest, DoesWhatIsQueuedInOrderAndAllOfItBeforeItStops) {
  grpc::ServerBuilder builder;
  CallQueue queue;
  queue.Prepare(builder);
  const auto server = builder.BuildAndStart();
  ASSERT_NE(server, nullptr);
  queue.Start();
  std::vector<int> done;  // of the queue's thread, until it ends
  constexpr int kWorks = 10'000;
  for (int i = 0; i < kWorks; ++i) {
    queue.Run([&, i] {
      if (i % 10 == 0) queue.Run([&] { done.push_back(-1); });
      done.push_back(i);
    });
  }
  server->Shutdown();
  queue.Stop();
  std::vector<int> in_order;
  for (const int one : done) {
    if (one >= 0) in_order.push_back(one);
  }
  ASSERT_EQ(in_order.size(), static_cast<std::size_t>(kWorks));
  EXPECT_TRUE(std::is_sorted(in_order.begin(), in_order.end()));
  EXPECT_EQ(done.size(), in_order.size() + kWorks / 10);
  bool late = false;
  queue.Run([&] { late = true; });
  EXPECT_TRUE(late);
}

}  // namespace
}  // namespace smsflow::server
