#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "crypto/envelope.h"
#include "crypto/keys.h"
#include "tests/tools/cli/fake_server.h"
#include "tests/tools/cli/person.h"

namespace smsflow::cli {
namespace {

using testing::HasSubstr;

// A server that schedules as the real one does: one SMS for one idempotency key, and another content is refused.
class Importing : public testing::Test {
 protected:
  Importing() {
    server_.schedule_batch = [this](const v1::ScheduleBatchRequest& request, v1::ScheduleBatchResponse& response) {
      if (++calls_ == fail_call_) return grpc::Status(grpc::UNAVAILABLE, "away");
      for (const v1::ScheduleRequest& item : request.items()) {
        v1::ScheduleResult& result = *response.add_results();
        if (item.target() == "bad") {
          result.mutable_error()->set_code(grpc::INVALID_ARGUMENT);
          auto& violation = *result.mutable_error()->add_violations();
          violation.set_field("target");
          violation.set_description("is bad");
        } else if (item.target() == "busy" && ++busy_ < 3) {
          result.mutable_error()->set_code(grpc::RESOURCE_EXHAUSTED);
        } else {
          const auto [place, is_new] = scheduled_.try_emplace(item.idempotency_key(), item);
          if (!is_new && place->second.schedule() != item.schedule())
            result.mutable_error()->set_code(grpc::ALREADY_EXISTS);
          else
            result.mutable_scheduled()->set_duplicate(!is_new);
        }
      }
      return grpc::Status::OK;
    };
    std::ofstream(testing::TempDir() + "build-cli-import-key") << gateway_.public_key().ToJwk();
  }
  ~Importing() override { std::filesystem::remove(testing::TempDir() + "build-cli-import-key"); }

  Person& Imports(const std::string& csv, std::vector<std::string> more = {}) {
    person_.in.clear();
    person_.in.str(csv);
    std::vector<std::string> words = {"--address", server_.address(), "import", "-"};
    words.insert(words.end(), more.begin(), more.end());
    return person_.Types(words);
  }

  const crypto::PrivateKey gateway_ = crypto::PrivateKey::Generate(crypto::KeyKind::kP256);
  FakeServer server_;
  Person person_;
  std::map<std::string, v1::ScheduleRequest> scheduled_;
  int calls_ = 0, fail_call_ = -1, busy_ = 0;
};

constexpr char kFour[] = "key,at,payload\na,10-20,x\nb,+60,x\nb,+60,x\nc,30-40,x\n";

TEST_F(Importing, RunAgainDoublesNone) {
  EXPECT_EQ(Imports(kFour, {"--batch", "m"}).exit_code, 0) << person_.err.str();
  EXPECT_EQ(person_.out.str(), "rows\t4\nscheduled\t4\nalready\t0\nfailed\t0\n");
  person_.terminal.now_ms = [] { return kNowMs + 5'000; };  // slots that count from now differ the second time
  EXPECT_EQ(Imports(std::string(kFour) + "d,30-40,x\n", {"--batch", "m"}).exit_code, 0) << person_.err.str();
  EXPECT_EQ(person_.out.str(), "rows\t5\nscheduled\t1\nalready\t4\nfailed\t0\n");
  EXPECT_EQ(Imports(kFour, {"--batch", "another", "--json"}).out.str(),
            "{\"rows\":4,\"scheduled\":4,\"already\":0,\"failed\":0}\n");
}

TEST_F(Importing, TellsTheServerNothingOfNumberAndText) {
  const std::string rows = "key,to,text,at\na,+255123456789,Hello,10-20\n";
  EXPECT_EQ(
      Imports(rows, {"--pubkey", testing::TempDir() + "build-cli-import-key", "--tenant", "demo", "--sender", "C"})
          .exit_code,
      0)
      << person_.err.str();
  ASSERT_EQ(scheduled_.size(), 1u);
  const auto& [key, item] = *scheduled_.begin();
  EXPECT_EQ(crypto::OpenEnvelope(gateway_, "demo/a", item.payload())->Reveal(),
            "To: +255123456789\nSender: C\n\nHello");
  Imports("key,to,text,at\na,+255999999999,Other,10-20\n",
          {"--pubkey", testing::TempDir() + "build-cli-import-key", "--tenant", "demo"});
  EXPECT_EQ(person_.out.str(), "rows\t1\nscheduled\t0\nalready\t1\nfailed\t0\n") << "the key is made of neither";
}

TEST_F(Importing, NumbersTheRowsThatFailAndGoesOn) {
  Imports(
      "key,target,at,payload\na,t,10-20,x\nb,bad,10-20,x\nc,t,10-20\nd,t,,x\n,,10-20,x\ne,t,+x,x\nf,t,10-20,\n\"g\",t,"
      "10-20,x\n");
  EXPECT_EQ(person_.exit_code, 1);
  EXPECT_EQ(person_.out.str(), "rows\t8\nscheduled\t2\nalready\t0\nfailed\t6\n");
  for (const char* line : {"smsflow: line 3: target: is bad\n", "smsflow: line 4: has 3 cells, the first line 4\n",
                           "smsflow: line 5: at: is missing", "smsflow: line 6: key: is missing; a row needs key",
                           "smsflow: line 7: at: a slot that begins with +", "smsflow: line 8: payload: is empty\n"})
    EXPECT_THAT(person_.err.str(), HasSubstr(line));
}

TEST_F(Importing, WaitsForAServerThatIsBusyOrAway) {
  fail_call_ = 1;
  EXPECT_EQ(Imports("key,target,at,payload\na,busy,10-20,x\nb,t,10-20,x\n").exit_code, 0) << person_.err.str();
  EXPECT_EQ(person_.out.str(), "rows\t2\nscheduled\t2\nalready\t0\nfailed\t0\n");
  EXPECT_EQ(calls_, 4) << "away once, and busy twice with one row";
}

TEST_F(Importing, StopsWhereGoingOnMakesNoSense) {
  EXPECT_EQ(Imports("").err.str(), "smsflow: import: the file is empty; its first line must name the columns\n");
  EXPECT_THAT(Imports("key,colour\n").err.str(), HasSubstr("line 1: names a column that import does not know"));
  EXPECT_EQ(Imports("key,at,schedule,payload\n").err.str(), "smsflow: line 1: the column at stands there twice\n");
  EXPECT_THAT(Imports("key,at\n").err.str(), HasSubstr("line 1: needs the columns to and text"));
  EXPECT_THAT(Imports("key,to,text\n").err.str(), HasSubstr("--pubkey: name the gateway's public key"));
  EXPECT_THAT(Imports("key,payload\n\"a,x\n").err.str(), HasSubstr("line 2: a quote is never closed"));
  EXPECT_EQ(person_.exit_code, 2);
  server_.schedule_batch = [](const v1::ScheduleBatchRequest&, v1::ScheduleBatchResponse&) {
    return grpc::Status(grpc::PERMISSION_DENIED, "no");
  };
  EXPECT_EQ(Imports(kFour).exit_code, 6);
  EXPECT_THAT(person_.err.str(), HasSubstr("run the same import again: it goes on, and doubles none"));
}

}  // namespace
}  // namespace smsflow::cli
