#include "server/grpc/blocking_writer.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <future>
#include <optional>
#include <string>

#include "smsflow/v1/admin.pb.h"

namespace smsflow::server {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""h;
using Message = v1::VerifyResponse;

// A stream whose client reads when the test says so.
class Stream final : public WriteStream<Message> {
 public:
  void Write(const Message* message) override { written_.set_value(message->instances()); }
  void Finish(const grpc::Status& status) override { ended = status; }

  // Of the first one.
  std::uint64_t AwaitWrite() { return written_.get_future().get(); }
  void TellWritten(bool ok) { reactor_->OnWriteDone(ok); }
  void TellCancelled() { reactor_->OnCancel(); }
  void TellDone() { reactor_->OnDone(); }

  std::optional<grpc::Status> ended;

 private:
  std::promise<std::uint64_t> written_;
};

Message Counted(std::uint64_t instances) {
  Message message;
  message.set_instances(instances);
  return message;
}

TEST(BlockingWriterTest, WaitsUntilAMessageIsOnItsWay) {
  Stream stream;
  auto* writer = new BlockingWriter<Message>(&stream, 1h);
  auto wrote = std::async(std::launch::async, [&] { return writer->Write(Counted(7)); });
  EXPECT_EQ(stream.AwaitWrite(), 7U);
  EXPECT_EQ(wrote.wait_for(0ms), std::future_status::timeout);
  stream.TellWritten(true);
  EXPECT_TRUE(wrote.get());
  writer->End(grpc::Status::OK);
  EXPECT_TRUE(stream.ended->ok());
  stream.TellDone();
}

TEST(BlockingWriterTest, AClientThatIsGoneIsWrittenNothing) {
  Stream stream;
  auto* writer = new BlockingWriter<Message>(&stream, 1h);
  stream.TellCancelled();
  EXPECT_TRUE(writer->cancelled());
  EXPECT_FALSE(writer->Write(Counted(7)));
  writer->End(grpc::Status::CANCELLED);
  EXPECT_EQ(stream.ended->error_code(), grpc::StatusCode::CANCELLED);
  stream.TellDone();
}

// Two that did not read would hold the threads of all long jobs.
TEST(BlockingWriterTest, AClientThatDoesNotReadIsNotWaitedForForEver) {
  Stream stream;
  auto* writer = new BlockingWriter<Message>(&stream, 1ms);
  EXPECT_FALSE(writer->Write(Counted(7)));
  EXPECT_EQ(stream.AwaitWrite(), 7U);
  EXPECT_FALSE(writer->Write(Counted(8))) << "a second write beside the first";
  writer->End(grpc::Status::OK);
  ASSERT_TRUE(stream.ended.has_value());
  EXPECT_EQ(stream.ended->error_code(), grpc::StatusCode::ABORTED);
  stream.TellWritten(true);  // it reads at last
  stream.TellDone();
}

}  // namespace
}  // namespace smsflow::server
