#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "ids/ids.h"
#include "tests/tools/cli/fake_server.h"
#include "tests/tools/cli/person.h"

namespace smsflow::cli {
namespace {

using testing::HasSubstr;

std::string Id(std::uint64_t random) { return std::string(InstanceId::Make(kNowMs, ShardId{5}, random).AsBytes()); }

v1::WatchResponse Says(std::uint64_t id, v1::SmsState from, v1::SmsState to, const char* token) {
  v1::WatchResponse response;
  v1::Transition& transition = *response.add_transitions();
  transition.set_id(Id(id));
  transition.set_from(from);
  transition.set_to(to);
  transition.set_at_ms(kNowMs);
  transition.set_event("report");
  response.set_token(token);
  return response;
}

class Watching : public testing::Test {
 protected:
  Watching() {
    server_.list = [this](const v1::ListRequest& request, v1::ListResponse& response) {
      ++lists_;
      EXPECT_EQ(request.filter().batch(), "b");
      v1::SmsStatus& sms = *response.add_items();
      sms.set_id(Id(1));
      sms.set_state(v1::PENDING);
      response.set_watch_token("t0");
      return grpc::Status::OK;
    };
  }
  Person& Types(std::vector<std::string> words) {
    words.insert(words.begin(), {"--address", server_.address()});
    return person_.Types(words);
  }

  FakeServer server_;
  Person person_;
  std::atomic<int> lists_{0}, watches_{0};
};

TEST_F(Watching, GoesOnFromItsLastTokenWhenTheLinkBreaks) {
  server_.watch = [this](const v1::WatchRequest& request, std::vector<v1::WatchResponse>& says) {
    EXPECT_EQ(request.filter().batch(), "b");
    switch (++watches_) {
      case 1:
        EXPECT_EQ(request.token(), "t0") << "a watch begins where the list was";
        says.push_back(Says(1, v1::PENDING, v1::IN_SLOT, "t1"));
        says.push_back(Says(1, v1::IN_SLOT, v1::IN_SLOT, "t1"));  // changed nothing: shown with --all only
        return grpc::Status(grpc::UNAVAILABLE, "going down");
      case 2:
        EXPECT_EQ(request.token(), "t1");
        return grpc::Status(grpc::UNAVAILABLE, "still down");
      default:
        EXPECT_EQ(request.token(), "t1");
        says.push_back(Says(1, v1::IN_SLOT, v1::DELIVERED, "t2"));
        return grpc::Status(grpc::OUT_OF_RANGE, "older than retention");
    }
  };
  Types({"watch", "--batch", "b"});
  EXPECT_EQ(person_.exit_code, 4);
  EXPECT_EQ(watches_, 3);
  EXPECT_EQ(
      person_.out.str(),
      "2026-11-21T09:00:00.000Z\t01a1fd55-7a80-7005-8000-000000000001\t-\tPENDING\tIN_SLOT\treport\t-\t-\t-\t-\n"
      "2026-11-21T09:00:00.000Z\t01a1fd55-7a80-7005-8000-000000000001\t-\tIN_SLOT\tDELIVERED\treport\t-\t-\t-\t-\n");
  EXPECT_THAT(person_.err.str(), testing::EndsWith("smsflow: the link is back; nothing was missed\n"
                                                   "smsflow: watch: older than retention\n"));
}

TEST_F(Watching, ResumesFromATokenWithoutAList) {
  server_.watch = [](const v1::WatchRequest& request, std::vector<v1::WatchResponse>&) {
    EXPECT_EQ(request.token(), "mine");
    return grpc::Status(grpc::OUT_OF_RANGE, "older than retention");
  };
  EXPECT_EQ(Types({"watch", "--batch", "b", "--resume", "mine"}).exit_code, 4);
  EXPECT_EQ(lists_, 0);
}

TEST_F(Watching, LiveEndsWhenAllHaveEnded) {
  server_.watch = [](const v1::WatchRequest&, std::vector<v1::WatchResponse>& says) {
    says.push_back(Says(1, v1::PENDING, v1::IN_SLOT, "t1"));
    says.push_back(Says(1, v1::IN_SLOT, v1::DELIVERED, "t2"));
    return grpc::Status(grpc::UNAVAILABLE, "going down");
  };
  EXPECT_EQ(Types({"watch", "--batch", "b", "--live"}).exit_code, 0) << person_.err.str();
  EXPECT_THAT(person_.out.str(), HasSubstr("\tPENDING\tPENDING\tlisted\t"));
  EXPECT_THAT(person_.out.str(), HasSubstr("\tIN_SLOT\tDELIVERED\treport\t"));
  person_.terminal.out_is_terminal = true;
  EXPECT_EQ(Types({"watch", "--batch", "b", "--live"}).exit_code, 0) << person_.err.str();
  EXPECT_THAT(person_.out.str(), HasSubstr("1 of 1 ended   DELIVERED 1\n"));
  EXPECT_THAT(person_.out.str(), testing::Not(HasSubstr("listed")));
}

TEST_F(Watching, EndsWhenAskedToAndTellsHowToGoOn) {
  std::atomic<bool> heard{false};
  server_.watch = [&](const v1::WatchRequest&, std::vector<v1::WatchResponse>& says) {
    if (!heard.exchange(true)) says.push_back(Says(1, v1::PENDING, v1::IN_SLOT, "t1"));
    return grpc::Status(grpc::UNAVAILABLE, "going down");
  };
  person_.terminal.interrupted = [&] { return person_.out.str().find("IN_SLOT") != std::string::npos; };
  EXPECT_EQ(Types({"watch", "--batch", "b"}).exit_code, 0);
  EXPECT_THAT(person_.err.str(), HasSubstr("smsflow: resume with: smsflow watch --resume t1\n"));
}

TEST_F(Watching, FailsAtOnceWhereItWasNeverTaken) {
  server_.watch = [](const v1::WatchRequest&, std::vector<v1::WatchResponse>&) {
    return grpc::Status(grpc::PERMISSION_DENIED, "not yours");
  };
  EXPECT_EQ(Types({"watch", "--batch", "b"}).exit_code, 6);
  EXPECT_EQ(Types({"watch", "--for", "soon"}).exit_code, 2);
  EXPECT_EQ(Types({"watch", "--live", "--resume", "t"}).exit_code, 2);
}

}  // namespace
}  // namespace smsflow::cli
