#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "crypto/envelope.h"
#include "crypto/keys.h"
#include "ids/ids.h"
#include "tests/tools/cli/fake_server.h"
#include "tests/tools/cli/person.h"

namespace smsflow::cli {
namespace {

using testing::HasSubstr;

constexpr char kId[] = "01a1fd55-7a80-7005-8000-000000000001";
const std::string& IdBytes() {
  static const std::string bytes(InstanceId::Parse(kId)->AsBytes());
  return bytes;
}

class Verbs : public testing::Test {
 protected:
  Person& Types(std::vector<std::string> words) {
    words.insert(words.begin(), {"--address", server_.address(), "--token", "secret"});
    return person_.Types(words);
  }

  FakeServer server_;
  Person person_;
};

v1::SmsStatus Sms(v1::SmsState state) {
  v1::SmsStatus sms;
  sms.set_id(IdBytes());
  sms.set_state(state);
  sms.set_batch("b");
  sms.set_key("+k");
  sms.set_attempts(2);
  sms.set_due_ms(kNowMs);
  sms.set_created_ms(kNowMs - 1000);
  return sms;
}

TEST_F(Verbs, ScheduleSendsWhatWasTypedAndTheCredential) {
  std::ofstream(TempFile("payload")) << "sealed\n";
  server_.schedule = [](const v1::ScheduleRequest& request, v1::ScheduleResponse& response) {
    EXPECT_EQ(request.schedule(), "1795251600-1795251660");
    EXPECT_EQ(request.payload(), "sealed");
    EXPECT_EQ(request.batch() + request.key() + request.target() + request.idempotency_key() + request.key_id(),
              "bktii2");
    response.set_id(IdBytes());
    response.set_state(v1::PENDING);
    response.set_due_ms(kNowMs);
    response.set_deadline_ms(kNowMs + 60'000);
    return grpc::Status::OK;
  };
  Types({"schedule", "--at", "+0+60", "--batch", "b", "--key", "k", "--target", "t", "--idempotency-key", "i",
         "--key-id", "i2", "--payload-file", TempFile("payload")});
  std::filesystem::remove(TempFile("payload"));
  EXPECT_EQ(person_.exit_code, 0) << person_.err.str();
  EXPECT_EQ(person_.out.str(),
            std::string(kId) + "\tPENDING\t2026-11-21T09:00:00.000Z\t2026-11-21T09:01:00.000Z\tnew\n");
  EXPECT_EQ(server_.token(), "Bearer secret");
  EXPECT_EQ(server_.tenant(), "");
}

TEST_F(Verbs, ScheduleSealsForTenantAndKey) {
  const auto gateway = crypto::PrivateKey::Generate(crypto::KeyKind::kP256);
  std::ofstream(TempFile("key")) << gateway.public_key().ToPem();
  server_.schedule = [&](const v1::ScheduleRequest& request, v1::ScheduleResponse& response) {
    EXPECT_EQ(crypto::OpenEnvelope(gateway, "demo/k", request.payload())->Reveal(), "To: +255123456789\n\nHello");
    EXPECT_EQ(crypto::ReadEnvelopeHeader(request.payload())->issued_at_s, kNowMs / 1000);
    response.set_id(IdBytes());
    return grpc::Status::OK;
  };
  Types({"schedule", "--at", "+0", "--key", "k", "--to", "+255123456789", "--text", "Hello", "--pubkey",
         TempFile("key"), "--tenant", "demo"});
  EXPECT_EQ(person_.exit_code, 0) << person_.err.str();
  EXPECT_EQ(server_.tenant(), "demo") << "for credentials of several tenants";
  server_.get = [](const v1::GetRequest&, v1::SmsStatus& sms) { return sms = Sms(v1::PENDING), grpc::Status::OK; };
  server_.reschedule = [&](const v1::RescheduleRequest& request, v1::SmsStatus& sms) {
    EXPECT_EQ(request.schedule(), "");
    EXPECT_TRUE(crypto::OpenEnvelope(gateway, "demo/+k", request.payload()).ok()) << "the key comes from the server";
    sms = Sms(v1::PENDING);
    return grpc::Status::OK;
  };
  Types(
      {"reschedule", kId, "--to", "+255123456789", "--text", "Hello", "--pubkey", TempFile("key"), "--tenant", "demo"});
  EXPECT_EQ(person_.exit_code, 0) << person_.err.str();
  std::filesystem::remove(TempFile("key"));
}

TEST_F(Verbs, SayWhatIsMissingBeforeAskingTheServer) {
  for (const auto& [words, text] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"schedule"}, "schedule: --at is missing"},
           {{"schedule", "--at", "+0"}, "schedule: what shall be sent?"},
           {{"schedule", "--at", "+x", "--payload-file", "f"}, "--at: a slot that begins with +"},
           {{"schedule", "--at", "+0", "--payload-file", "no-such-file"}, "no-such-file: cannot be opened"},
           {{"schedule", "--at", "+0", "--payload-file", "f", "--to", "+1"}, "--payload-file: is sealed already"},
           {{"schedule", "--at", "+0", "--to", "+1"}, "--tenant: say whose credential"},
           {{"reschedule", kId}, "reschedule: what shall change?"},
           {{"get", "7"}, "id: not the id of an SMS"},
           {{"cancel"}, "cancel: say what, one of"},
           {{"cancel", kId, "--all"}, "cancel: say what, one of"},
           {{"list", "--state", "LOST"}, "--state: must be PENDING"},
           {{"list", "--since", "tomorrow"}, "--since: a time is"},
           {{"replay"}, "replay: say which"},
           {{"pause"}, "pause: say what, one of"},
           {{"pause", "--batch", "b"}, "pause: --batch needs --tenant"},
           {{"resume", "--all", "--gateway", "g"}, "resume: say what, one of"},
           {{"list", "--timeout", "0"}, "--timeout: a number of seconds"}}) {
    Types(words);
    EXPECT_EQ(person_.exit_code, 2) << words[0];
    EXPECT_THAT(person_.err.str(), HasSubstr("smsflow: " + text));
    const std::string error = person_.err.str();
    EXPECT_EQ(error.find('\n'), error.size() - 1) << error;
    EXPECT_EQ(person_.out.str(), "");
  }
}

TEST_F(Verbs, EndWithTheCodeOfTheServersAnswer) {
  for (const auto& [code, exit_code, text] : std::vector<std::tuple<grpc::StatusCode, int, std::string>>{
           {grpc::INVALID_ARGUMENT, 2, "get: no"},
           {grpc::NOT_FOUND, 3, "get: no"},
           {grpc::FAILED_PRECONDITION, 4, "get: no"},
           {grpc::RESOURCE_EXHAUSTED, 4, "get: no"},
           {grpc::UNAVAILABLE, 5, "get: no\n"},  // it answered: nothing is wrong with the way to it
           {grpc::INTERNAL, 5, "get: the server failed: no; its log says more"},
           {grpc::UNAUTHENTICATED, 6, "get: no; set SMSFLOW_TOKEN to a token that the server knows"},
           {grpc::PERMISSION_DENIED, 6, "get: no\n"}}) {
    server_.get = [code = code](const v1::GetRequest&, v1::SmsStatus&) { return grpc::Status(code, "no"); };
    Types({"get", kId});
    EXPECT_EQ(person_.exit_code, exit_code);
    EXPECT_THAT(person_.err.str(), HasSubstr("smsflow: " + text));
  }
  Person alone;
  alone.Types({"--address", "127.0.0.1:1", "get", kId});
  EXPECT_EQ(alone.exit_code, 5);
  EXPECT_EQ(alone.err.str(),
            "smsflow: get: cannot reach 127.0.0.1:1 (Connection refused); is smsflowd running there? --address or "
            "SMSFLOW_ADDRESS says where\n");
}

TEST_F(Verbs, SayWhichCredentialWouldDo) {
  for (const auto& [said, text] : std::vector<std::pair<std::string, std::string>>{
           {"smsflow-tenant: the credential does not allow it",
            "get: --tenant or SMSFLOW_TENANT: the credential does not allow it; name another tenant, or use a token "
            "that "
            "is for this one\n"},
           {"tenant: the credential does not allow it",
            "get: tenant: the credential does not allow it; name another tenant, or use a token that is for this "
            "one\n"},
           {"the credential has not the role admin",
            "get: the credential has not the role admin; use a token with the role this needs\n"},
           {"the credential is for some tenants only: this concerns all",
            "this concerns all; use an admin key without `tenants`: docs/operations.md shows how to make one\n"}}) {
    server_.get = [said = said](const v1::GetRequest&, v1::SmsStatus&) {
      return grpc::Status(grpc::PERMISSION_DENIED, said);
    };
    Types({"get", kId});
    EXPECT_EQ(person_.exit_code, 6);
    EXPECT_THAT(person_.err.str(), HasSubstr(text));
  }
}

// Of a protobuf message, below 16 KB.
std::string Field(int number, const std::string& bytes) {
  std::string field(1, static_cast<char>(number << 3 | 2));
  if (bytes.size() > 0x7f) field += static_cast<char>((bytes.size() & 0x7f) | 0x80);
  field += static_cast<char>(bytes.size() > 0x7f ? bytes.size() >> 7 : bytes.size());
  return field + bytes;
}

// A server knows no flags and no verbs: what it refused is told in the words that were typed.
TEST_F(Verbs, TellRefusalsInTheWordsOfTheFlags) {
  for (const auto& [code, said, text] : std::vector<std::tuple<grpc::StatusCode, std::string, std::string>>{
           {grpc::NOT_FOUND, "id: unknown", "no such SMS for this tenant; smsflow list shows them\n"},
           {grpc::ALREADY_EXISTS, "idempotency_key: was used for another request",
            "--idempotency-key: was used for another request: batch, key and slots must be the same, and the slots of "
            "--at +… change with the clock; name them as TIME/TIME\n"}}) {
    server_.get = [code = code, said = said](const v1::GetRequest&, v1::SmsStatus&) {
      return grpc::Status(code, said);
    };
    EXPECT_EQ(Types({"get", kId}).err.str(), "smsflow: get: " + text);
  }
  server_.reschedule = [](const v1::RescheduleRequest&, v1::SmsStatus&) {
    const std::string form = "slot 1: a time slot must be SECONDS-SECONDS or TIME/TIME";
    const std::string violations =
        Field(1, Field(1, "id") + Field(2, "a schedule: is no flag")) + Field(1, Field(1, "schedule") + Field(2, form));
    const std::string details = Field(3, Field(1, "type.googleapis.com/google.rpc.BadRequest") + Field(2, violations));
    return grpc::Status(grpc::INVALID_ARGUMENT, "two fields", details);
  };
  EXPECT_EQ(
      Types({"reschedule", kId, "--at", "foo"}).err.str(),
      "smsflow: reschedule: id: a schedule: is no flag; --at: slot 1: a time slot must be +S1[+S2] (from now + S1, for "
      "S2: +20s+5m), TIME/TIME or SECONDS-SECONDS\n");
}

TEST(Address, MustBeOneThatCanBe) {
  for (const std::string address : {"nonsense", "host:", ":7070", "host:99999", "host:0", "host:http", "unix:"}) {
    Person person;
    person.Types({"--address", address, "get", kId});
    EXPECT_EQ(person.exit_code, 2) << address;
    EXPECT_EQ(person.err.str(), "smsflow: --address: must be host:port or unix:/path (also SMSFLOW_ADDRESS)\n");
  }
}

TEST_F(Verbs, ListGoesThroughItsPages) {
  server_.list = [](const v1::ListRequest& request, v1::ListResponse& response) {
    EXPECT_EQ(request.filter().batch(), "b");
    EXPECT_EQ(request.filter().states_size(), 2);
    *response.add_items() = Sms(v1::SENT);
    response.set_watch_token("w");
    if (request.page_token().empty()) {
      response.set_next_page_token("2");
    } else if (request.page_token() == "2") {
      response.clear_items();  // a page may be empty and have a next one
      response.set_next_page_token("3");
    }
    return grpc::Status::OK;
  };
  const std::string line = std::string(kId) + "\tSENT\t2\t2026-11-21T09:00:00.000Z\t-\t-\tb\t+k\t-\t-\n";
  EXPECT_EQ(Types({"list", "--batch", "b", "--state", "sent,in-slot", "--all"}).out.str(), line + line);
  EXPECT_EQ(Types({"list", "--batch", "b", "--state", "sent,in-slot", "--limit", "1"}).out.str(), line);
  EXPECT_EQ(Types({"list", "--batch", "b", "--state", "sent,in-slot", "--limit", "1", "--csv"}).out.str(),
            "id,state,attempts,cause,batch,key,target,created,due,deadline,changed,ended,user\r\n" + std::string(kId) +
                ",SENT,2,,b,'+k,,2026-11-21T08:59:59.000Z,2026-11-21T09:00:00.000Z,,,,\r\n");
  Types({"list", "--batch", "b", "--state", "sent,in-slot", "--limit", "1", "--json"});
  EXPECT_THAT(person_.out.str(), HasSubstr(R"("next_page_token":"2","watch_token":"w"})"));
  person_.terminal.out_is_terminal = true;
  Types({"list", "--batch", "b", "--state", "sent,in-slot", "--limit", "1"});
  EXPECT_THAT(person_.out.str(),
              HasSubstr("ID                                    STATE  TRIES  DUE       BATCH  KEY\n"));
  EXPECT_THAT(person_.out.str(), HasSubstr("more: add --all, or --page 2"));
}

TEST_F(Verbs, CancelTellsWhetherItWasInTime) {
  v1::CancelOutcome outcome = v1::CANCEL_CANCELED;
  server_.cancel = [&](const v1::CancelRequest& request, v1::CancelResponse& response) {
    if (request.has_id()) response.set_outcome(outcome);
    response.set_canceled(3);
    return grpc::Status::OK;
  };
  EXPECT_EQ(Types({"cancel", kId}).exit_code, 0);
  EXPECT_EQ(person_.out.str(), "CANCELED\n");
  outcome = v1::CANCEL_TOO_LATE;
  EXPECT_EQ(Types({"cancel", kId}).exit_code, 4);
  EXPECT_EQ(person_.out.str(), "TOO_LATE\n");
  EXPECT_EQ(Types({"cancel", "--batch", "b"}).out.str(), "canceled\t3\ntoo_late\t0\nalready_ended\t0\n");
}

TEST_F(Verbs, CancelAllAsksFirst) {
  int calls = 0;
  server_.cancel = [&](const v1::CancelRequest& request, v1::CancelResponse&) {
    EXPECT_TRUE(request.all());
    ++calls;
    return grpc::Status::OK;
  };
  EXPECT_EQ(Types({"cancel", "--all"}).exit_code, 4) << "nobody can be asked";
  person_.terminal.in_is_terminal = person_.terminal.err_is_terminal = true;
  person_.in.str("no\nyes\n");
  EXPECT_EQ(Types({"cancel", "--all"}).exit_code, 4);
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(Types({"cancel", "--all"}).exit_code, 0) << person_.err.str();
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(Types({"cancel", "--all", "--yes"}).exit_code, 0);
  EXPECT_EQ(calls, 2);
}

TEST_F(Verbs, ReplayAndVerifyEndWith1WhenTheyFindSomething) {
  std::uint64_t found = 0;
  bool done = true;
  const auto fill = [&](auto& responses, auto set_found) {
    responses.resize(2);
    responses[0].set_records(5);
    responses[1].set_records(10);
    responses[1].set_done(done);
    set_found(responses[1]);
    if (found > 0) responses[1].add_findings("it differs");
    return grpc::Status::OK;
  };
  server_.replay = [&](const v1::ReplayRequest& request, std::vector<v1::ReplayResponse>& responses) {
    EXPECT_EQ(request.id(), "");
    return fill(responses, [&](auto& response) { response.set_differences(found); });
  };
  server_.verify = [&](const v1::VerifyRequest&, std::vector<v1::VerifyResponse>& responses) {
    return fill(responses, [&](auto& response) { response.set_violations(found); });
  };
  EXPECT_EQ(Types({"replay", "--all"}).out.str(), "10 records decided anew, 0 differences\n");
  EXPECT_EQ(person_.exit_code, 0);
  EXPECT_EQ(Types({"verify"}).out.str(), "10 records and 0 SMSes checked, 0 violations\n");
  EXPECT_EQ(person_.exit_code, 0);
  found = 1;
  EXPECT_EQ(Types({"replay", "--all"}).out.str(), "it differs\n10 records decided anew, 1 differences\n");
  EXPECT_EQ(person_.exit_code, 1);
  EXPECT_EQ(Types({"verify"}).exit_code, 1);
  done = false;
  EXPECT_EQ(Types({"verify"}).exit_code, 5) << "a check that stopped early proves nothing";
}

TEST_F(Verbs, OperatorsAimAtOneScope) {
  server_.pause = [](const v1::PauseRequest& request, v1::PauseResponse& response) {
    EXPECT_EQ(request.batch().tenant() + "/" + request.batch().batch(), "demo/b");
    EXPECT_EQ(request.reason(), "carrier down");
    response.set_changed(true);
    return grpc::Status::OK;
  };
  server_.resume = [](const v1::PauseRequest& request, v1::PauseResponse&) {
    EXPECT_EQ(request.gateway(), "g1");
    return grpc::Status::OK;
  };
  server_.resolve = [](const v1::ResolveRequest& request, v1::SmsStatus& sms) {
    EXPECT_EQ(request.how(), v1::ResolveRequest::HOW_GIVE_UP);
    sms = Sms(v1::EXPIRED);
    return grpc::Status::OK;
  };
  server_.drain = [](const v1::DrainRequest& request, v1::DrainResponse& response) {
    EXPECT_EQ(request.timeout_ms(), 18'000u);
    response.set_in_flight(2);
    return grpc::Status::OK;
  };
  EXPECT_EQ(Types({"pause", "--tenant", "demo", "--batch", "b", "--reason", "carrier down"}).out.str(), "paused\n");
  EXPECT_EQ(Types({"resume", "--gateway", "g1"}).out.str(), "was not paused\n");
  EXPECT_EQ(Types({"resolve", kId, "give-up"}).out.str(), std::string(kId) + "\tEXPIRED\n");
  EXPECT_EQ(Types({"drain", "--timeout", "20"}).exit_code, 1);
  person_.terminal.out_is_terminal = true;
  EXPECT_THAT(Types({"drain", "--timeout", "20"}).out.str(), HasSubstr("2 still in flight; "));
  EXPECT_THAT(person_.out.str(), HasSubstr("nly a restart ends"));
}

TEST_F(Verbs, OtherAnswersAreShownForScripts) {
  server_.summary = [](const v1::BatchSummaryRequest&, v1::BatchSummaryResponse& response) {
    auto& count = *response.add_counts();
    count.set_state(v1::SENT);
    count.set_count(2);
    response.set_total(2);
    return grpc::Status::OK;
  };
  server_.block = [](const v1::BlockRequest& request, v1::BlockResponse& response) {
    EXPECT_EQ(request.target(), "t");
    response.set_blocked(4);
    return grpc::Status::OK;
  };
  server_.unblock = [](const v1::UnblockRequest&, v1::UnblockResponse& response) {
    response.set_was_blocked(true);
    return grpc::Status::OK;
  };
  server_.list_blocked = [](const v1::ListBlockedRequest&, v1::ListBlockedResponse& response) {
    response.add_entries()->set_target("t");
    return grpc::Status::OK;
  };
  server_.stats = [](const v1::StatsRequest&, v1::StatsResponse& response) {
    auto& item = *response.add_items();
    item.set_name("timers_pending");
    item.set_value(12);
    item.set_help("timers that wait");
    return grpc::Status::OK;
  };
  EXPECT_EQ(Types({"summary", "b"}).out.str(), "SENT\t2\ntotal\t2\n");
  EXPECT_EQ(Types({"block", "t"}).out.str(), "target\tblocked\nended\t4\ntoo_late\t0\n");
  EXPECT_EQ(Types({"unblock", "t"}).out.str(), "unblocked\n");
  EXPECT_EQ(Types({"blocked"}).out.str(), "t\t-\n");
  EXPECT_EQ(Types({"stats"}).out.str(), "timers_pending\t12\ttimers that wait\n");
  EXPECT_EQ(Types({"stats", "--json"}).out.str(),
            "{\"items\":[{\"name\":\"timers_pending\",\"value\":12,\"help\":\"timers that wait\"}]}\n");
}

TEST_F(Verbs, BlockCountsForAPersonOnlyWhatThereWas) {
  for (const auto& [blocked, too_late, text] : std::vector<std::tuple<int, int, std::string>>{
           {0, 0, "blocked; nothing was waiting\n"},
           {2, 0, "blocked; 2 pending ended as BLOCKED\n"},
           {0, 1, "blocked; 1 too late (an attempt has left; no further one will)\n"},
           {2, 1, "blocked; 2 pending ended as BLOCKED, 1 too late (an attempt has left; no further one will)\n"}}) {
    server_.block = [blocked = blocked, too_late = too_late](const v1::BlockRequest&, v1::BlockResponse& response) {
      response.set_blocked(static_cast<std::uint64_t>(blocked));
      response.set_too_late(static_cast<std::uint64_t>(too_late));
      return grpc::Status::OK;
    };
    person_.terminal.out_is_terminal = true;
    EXPECT_EQ(Types({"block", "t"}).out.str(), text);
  }
}

TEST_F(Verbs, DoctorTellsWhatTheTokenMayDo) {
  server_.list_blocked = [](const v1::ListBlockedRequest&, v1::ListBlockedResponse&) { return grpc::Status::OK; };
  server_.stats = [](const v1::StatsRequest&, v1::StatsResponse&) {
    return grpc::Status(grpc::PERMISSION_DENIED, "needs the role admin");
  };
  EXPECT_EQ(Types({"doctor"}).exit_code, 0);
  EXPECT_THAT(person_.out.str(),
              HasSubstr("ok\tclient verbs\tallowed\nnote\tadmin verbs\tadmin: needs the role admin"));
  server_.stats = [](const v1::StatsRequest&, v1::StatsResponse&) {
    return grpc::Status(grpc::PERMISSION_DENIED, "the credential is for some tenants only: this concerns all");
  };
  EXPECT_EQ(Types({"--tenant", "demo", "doctor"}).exit_code, 0);
  EXPECT_THAT(person_.out.str(), HasSubstr("ok\tadmin verbs\tfor tenant demo: allowed; stats, verify, drain and what "
                                           "else concerns all want an admin key without `tenants`\n"));
  server_.list_blocked = [](const v1::ListBlockedRequest&, v1::ListBlockedResponse&) {
    return grpc::Status(grpc::UNAUTHENTICATED, "no such key");
  };
  EXPECT_EQ(Types({"doctor"}).exit_code, 6);
  EXPECT_THAT(person_.out.str(), HasSubstr("FAIL\ttoken\t"));
  EXPECT_THAT(person_.out.str(), testing::Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace smsflow::cli
