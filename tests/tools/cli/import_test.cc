#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>

#include "crypto/envelope.h"
#include "crypto/keys.h"
#include "tests/tools/cli/fake_server.h"
#include "tests/tools/cli/person.h"
#include "tools/cli/occurrences.h"

namespace smsflow::cli {
namespace {

using testing::HasSubstr;

// A server that schedules as the real one does: one SMS for one idempotency key, and another content is refused.
class Importing : public testing::Test {
 protected:
  Importing() {
    server_.schedule_batch = [this](const v1::ScheduleBatchRequest& request, v1::ScheduleBatchResponse& response) {
      const std::lock_guard lock(mutex_);
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
    std::ofstream(TempFile("import-key")) << gateway_.public_key().ToJwk();
  }
  ~Importing() override { std::filesystem::remove(TempFile("import-key")); }

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
  std::mutex mutex_;  // some batches are under way at a time
  std::map<std::string, v1::ScheduleRequest> scheduled_;
  int calls_ = 0, fail_call_ = -1, busy_ = 0;
};

constexpr char kFour[] = "key,at,payload\na,10-20,x\nb,+60,x\nb,+60,x\nc,30-40,x\n";

TEST_F(Importing, RunAgainDoublesNone) {
  EXPECT_EQ(Imports(kFour, {"--batch", "m"}).exit_code, 0) << person_.err.str();
  EXPECT_EQ(person_.out.str(), "rows\t4\nscheduled\t4\nalready\t0\nfailed\t0\nexpired\t0\nblocked\t0\n");
  person_.terminal.now_ms = [] { return kNowMs + 5'000; };  // slots that count from now differ the second time
  EXPECT_EQ(Imports(std::string(kFour) + "d,30-40,x\n", {"--batch", "m"}).exit_code, 0) << person_.err.str();
  EXPECT_EQ(person_.out.str(), "rows\t5\nscheduled\t1\nalready\t4\nfailed\t0\nexpired\t0\nblocked\t0\n");
  EXPECT_EQ(Imports(kFour, {"--batch", "another", "--json"}).out.str(),
            "{\"rows\":4,\"scheduled\":4,\"already\":0,\"failed\":0,\"expired\":0,\"blocked\":0}\n");
}

TEST_F(Importing, TellsTheServerNothingOfNumberAndText) {
  const std::string rows = "key,to,text,at\na,+255123456789,Hello,10-20\n";
  EXPECT_EQ(Imports(rows, {"--pubkey", TempFile("import-key"), "--tenant", "demo", "--sender", "C"}).exit_code, 0)
      << person_.err.str();
  ASSERT_EQ(scheduled_.size(), 1u);
  const auto& [key, item] = *scheduled_.begin();
  EXPECT_EQ(crypto::OpenEnvelope(gateway_, "demo/a", item.payload())->Reveal(),
            "To: +255123456789\nSender: C\n\nHello");
  Imports("key,to,text,at\na,+255999999999,Other,10-20\n", {"--pubkey", TempFile("import-key"), "--tenant", "demo"});
  EXPECT_EQ(person_.out.str(), "rows\t1\nscheduled\t0\nalready\t1\nfailed\t0\nexpired\t0\nblocked\t0\n")
      << "the key is made of neither";
}

TEST_F(Importing, NumbersTheRowsThatFailAndGoesOn) {
  Imports(
      "key,target,at,payload\na,t,10-20,x\nb,bad,10-20,x\nc,t,10-20\nd,t,,x\n,,10-20,x\ne,t,+x,x\nf,t,10-20,\n\"g\",t,"
      "10-20,x\n");
  EXPECT_EQ(person_.exit_code, 1);
  EXPECT_EQ(person_.out.str(), "rows\t8\nscheduled\t2\nalready\t0\nfailed\t6\nexpired\t0\nblocked\t0\n");
  for (const char* line : {"smsflow: line 3: target: is bad\n", "smsflow: line 4: has 3 cells, the first line 4\n",
                           "smsflow: line 5: at: is missing", "smsflow: line 6: key: is missing; a row needs key",
                           "smsflow: line 7: at: a slot that begins with +", "smsflow: line 8: payload: is empty\n"})
    EXPECT_THAT(person_.err.str(), HasSubstr(line));
}

TEST_F(Importing, WaitsForAServerThatIsBusyOrAway) {
  fail_call_ = 1;
  EXPECT_EQ(Imports("key,target,at,payload\na,busy,10-20,x\nb,t,10-20,x\n").exit_code, 0) << person_.err.str();
  EXPECT_EQ(person_.out.str(), "rows\t2\nscheduled\t2\nalready\t0\nfailed\t0\nexpired\t0\nblocked\t0\n");
  EXPECT_EQ(calls_, 4) << "away once, and busy twice with one row";
}

TEST_F(Importing, StopsWhereGoingOnMakesNoSense) {
  EXPECT_EQ(Imports("").err.str(), "smsflow: import: the file is empty; its first line must name the columns\n");
  EXPECT_THAT(Imports("key,colour\n").err.str(), HasSubstr("line 1: names a column that import does not know"));
  EXPECT_EQ(Imports("key,at,schedule,payload\n").err.str(), "smsflow: line 1: the column at stands there twice\n");
  EXPECT_THAT(Imports("key,at\n").err.str(), HasSubstr("line 1: needs the columns to and text"));
  EXPECT_THAT(Imports("key,to\n").err.str(), HasSubstr("line 1: needs the columns to and text"));
  EXPECT_THAT(Imports("key,to,text,payload\n").err.str(), HasSubstr("line 1: needs the columns to and text"));
  EXPECT_THAT(Imports("key,to,text\n").err.str(), HasSubstr("--pubkey: name the gateway's public key"));
  EXPECT_THAT(Imports("key,payload\n\"a,x\n").err.str(), HasSubstr("line 2, column 1: a quote is never closed"));
  EXPECT_EQ(person_.exit_code, 2);
  server_.schedule_batch = [](const v1::ScheduleBatchRequest&, v1::ScheduleBatchResponse&) {
    return grpc::Status(grpc::PERMISSION_DENIED, "no");
  };
  EXPECT_EQ(Imports(kFour).exit_code, 6);
  EXPECT_THAT(person_.err.str(), HasSubstr("run the same import again: it goes on, and doubles none"));
}

TEST_F(Importing, ADryRunSendsNothingAndFindsWhatTheServerWould) {
  Imports("key,target,at,payload\na,t,10-20,x\n" + std::string(129, 'b') +
              ",t,10-20,x\nc,t,20-10,x\nd,t,+60,x\ne,t,nope,x\n",
          {"--dry-run"});
  EXPECT_EQ(person_.exit_code, 1);
  EXPECT_EQ(person_.out.str(), "rows\t5\nwould_schedule\t2\nfailed\t3\n");
  EXPECT_THAT(person_.err.str(), HasSubstr("line 3: key: must be 1 to 128 bytes of printable UTF-8\n"));
  EXPECT_THAT(person_.err.str(), HasSubstr("line 4: at: slot 1: time slot must end after it starts\n"));
  EXPECT_THAT(person_.err.str(), HasSubstr("line 6: at: slot 1: a time slot must be +S1[+S2] (from now"));
  EXPECT_EQ(calls_, 0);
}

TEST_F(Importing, WhatIsRefusedIsMendedAndImported) {
  const std::string rejects = TempFile("import-rejects");
  Imports("key;target;at;payload\na;t;10-20;x\nb;bad;10-20;x\n\"c;\"\"d\";t;;x\ne;t\n", {"--rejects", rejects});
  EXPECT_EQ(person_.exit_code, 1);
  std::stringstream written;
  written << std::ifstream(rejects).rdbuf();
  EXPECT_EQ(written.str(),
            "refused_because;key;target;at;payload\r\n"
            "\"line 4: at: is missing; give a column at, or --at for all rows\";\"c;\"\"d\";t;;x\r\n"
            "\"line 5: has 2 cells, the first line 4\";e;t\r\n"
            "line 3: target: is bad;b;bad;10-20;x\r\n");
  EXPECT_EQ(std::filesystem::status(rejects).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  const std::string mended = "refused_because;key;target;at;payload\r\nline 3: target: is bad;b;good;10-20;x\r\n";
  EXPECT_EQ(Imports(mended, {"--rejects", rejects}).exit_code, 0) << person_.err.str();
  EXPECT_EQ(person_.out.str(), "rows\t1\nscheduled\t1\nalready\t0\nfailed\t0\nexpired\t0\nblocked\t0\n");
  std::ofstream(rejects) << mended;
  EXPECT_EQ(person_.Types({"--address", server_.address(), "import", rejects, "--rejects", rejects}).exit_code, 2);
  EXPECT_THAT(person_.err.str(), HasSubstr("--rejects: is the file that is imported; choose another name"));
  std::filesystem::remove(rejects);
}

TEST_F(Importing, AnotherNameIsAnotherImport) {
  Imports(kFour);
  EXPECT_EQ(Imports(kFour, {"--name", "again"}).out.str(),
            "rows\t4\nscheduled\t4\nalready\t0\nfailed\t0\nexpired\t0\nblocked\t0\n");
}

// What was imported by an older program is known to a newer one.
TEST_F(Importing, AnIdempotencyKeyStaysAsItIs) {
  Imports("key,batch,target,at,payload\nk,b,t,10-20,x\nk,b,t,10-20,x\n");
  Imports("key,batch,target,at,payload\nk,b,t,10-20,x\n", {"--name", "n"});
  std::vector<std::string> keys;
  for (const auto& [key, item] : scheduled_) keys.push_back(key);
  EXPECT_THAT(keys, testing::UnorderedElementsAre("import-a23be631fe21b71994abe3867a9579cc",
                                                  "import-7435282de47d73eec4317ad151581863",
                                                  "import-52fd63253688c4035025f5e9e22b2ff7"));
}

TEST_F(Importing, APayloadMayStandInAFileBesideTheRows) {
  const std::string folder = TempFile("import-folder");
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/sealed.jwe") << "aaa.bbb.ccc\n";
  std::ofstream(folder + "/rows.csv") << "key,at,payload,payload-file\na,10-20,,sealed.jwe\nb,10-20,x,\nc,10-20,x,y\n"
                                         "d,10-20,,nothing\ne,10-20,Hello you,\n";
  person_.Types({"--address", server_.address(), "import", folder + "/rows.csv"});
  EXPECT_EQ(person_.exit_code, 1);
  EXPECT_EQ(scheduled_.size(), 2u);
  std::vector<std::string> payloads;
  for (const auto& [key, item] : scheduled_) payloads.push_back(item.payload());
  EXPECT_THAT(payloads, testing::UnorderedElementsAre("aaa.bbb.ccc", "x"));
  for (const char* line : {"line 4: payload, payload_file: a row has one of them\n", "line 5: payload_file: ",
                           "line 6: payload: is not sealed; it must be a compact JWE or base64"})
    EXPECT_THAT(person_.err.str(), HasSubstr(line));
  EXPECT_THAT(person_.err.str(), testing::Not(HasSubstr("Hello")));
  std::filesystem::remove_all(folder);
}

TEST_F(Importing, CellsAreUtf8) {
  Imports("key,target,at,payload\n\xff,t,10-20,x\na\x07,t,10-20,x\nb,\xc3\xbc,10-20,x\n");
  EXPECT_THAT(person_.err.str(), HasSubstr("line 2: key: must be printable UTF-8\n"));
  EXPECT_THAT(person_.err.str(), HasSubstr("line 3: key: must be printable UTF-8\n"));
  EXPECT_EQ(scheduled_.size(), 1u);
}

TEST_F(Importing, ManyBatchesAreUnderWayAtOnceAndNoneIsLost) {
  fail_call_ = 3;
  std::string rows = "key,at,payload\n";
  for (int i = 0; i < 3'000; ++i) rows += "k" + std::to_string(i) + ",10-20,x\n";
  EXPECT_EQ(Imports(rows).exit_code, 0) << person_.err.str();
  EXPECT_EQ(scheduled_.size(), 3'000u);
  EXPECT_EQ(calls_, 13) << "twelve batches, one of them twice";
}

TEST_F(Importing, FlagsOfTheOtherSourceAreRefused) {
  for (const char* flag : {"--take-locked", "--although-connected"})
    EXPECT_THAT(Imports(kFour, {flag}).err.str(), HasSubstr("goes with `smsflow import flowable` alone"));
  for (const char* flag : {"--dsn", "--report"})
    EXPECT_THAT(Imports(kFour, {flag, "x"}).err.str(), HasSubstr("goes with `smsflow import flowable` alone"));
  EXPECT_EQ(person_.exit_code, 2);
}

TEST(Occurrences, CountHowOftenEachWasThere) {
  Occurrences seen(1'003);
  for (int i = 0; i < 1'000; ++i) EXPECT_EQ(seen.Count("thing " + std::to_string(i)), 0u);
  for (std::uint64_t i = 1; i <= 3; ++i) EXPECT_EQ(seen.Count("thing 7"), i);
  EXPECT_EQ(seen.Count("one more"), std::nullopt);
}

TEST(Occurrences, AreFoundInAFewStepsHoweverManyThereAre) {
  Occurrences seen;
  for (std::uint64_t i = 0; i < 50'000; ++i) ASSERT_EQ(seen.Count("the same"), i);
}

}  // namespace
}  // namespace smsflow::cli
