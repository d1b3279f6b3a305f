// smsflow.v1.Admin from the outside.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "tests/server/site.h"

namespace smsflow::server {
namespace {

using grpc::StatusCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

v1::GetJournalResponse JournalOf(Site& site, const std::string& id, const std::string& token = kRoot) {
  v1::GetJournalRequest request;
  request.set_id(id);
  v1::GetJournalResponse response;
  const grpc::Status status = site.admin->GetJournal(Site::As(token).get(), request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response;
}

// One delivered SMS.
std::string LiveOne(Site& site) {
  ByHand gateway(site);
  gateway.Begin();
  const std::string id = site.Schedule(site.Sms());
  const v1::Lease lease = gateway.NextLease();
  gateway.Report(lease.attempt_id(), v1::RESULT_SENT);
  gateway.Report(lease.attempt_id(), v1::RESULT_DELIVERED);
  return id;
}

TEST(AdminTest, TheJournalTellsALife) {
  Site site;
  const std::string id = LiveOne(site);
  const v1::GetJournalResponse journal = JournalOf(site, id);
  EXPECT_EQ(journal.tenant(), "acme");
  EXPECT_EQ(journal.workflow(), "delivery");
  std::vector<std::string> states;
  for (const auto& entry : journal.entries()) {
    states.push_back(entry.from_state() + ">" + entry.to_state());
    EXPECT_FALSE(entry.event().empty());
    EXPECT_EQ(entry.digest().size(), 32u);
    EXPECT_GT(entry.at_ms(), 0);
  }
  EXPECT_THAT(states, ElementsAre(">PENDING", "PENDING>IN_SLOT", "IN_SLOT>SENT", "SENT>DELIVERED"));
  EXPECT_EQ(journal.entries(0).actor(), kAcme);
  EXPECT_THAT(journal.entries(3).actor(), HasSubstr("g1"));
}

TEST(AdminTest, SomeTenantsOnly) {
  Site site;
  const std::string mine = site.Schedule(site.Sms());
  const std::string other = site.Schedule(site.Sms(), kBeta);
  EXPECT_EQ(JournalOf(site, mine, kKeeper).entries_size(), 1);
  v1::GetJournalRequest request;
  request.set_id(other);
  v1::GetJournalResponse journal;
  EXPECT_EQ(site.admin->GetJournal(Site::As(kKeeper).get(), request, &journal).error_code(), StatusCode::NOT_FOUND);
  v1::ExplainRequest explain;
  explain.set_id(other);
  v1::ExplainResponse explained;
  EXPECT_EQ(site.admin->Explain(Site::As(kKeeper).get(), explain, &explained).error_code(), StatusCode::NOT_FOUND);
  v1::StatsResponse stats;
  EXPECT_EQ(site.admin->Stats(Site::As(kKeeper).get(), {}, &stats).error_code(), StatusCode::PERMISSION_DENIED);
  v1::DrainResponse drain;
  EXPECT_EQ(site.admin->Drain(Site::As(kKeeper).get(), {}, &drain).error_code(), StatusCode::PERMISSION_DENIED);
  v1::PauseRequest pause;
  v1::PauseResponse paused;
  pause.set_all(true);
  EXPECT_EQ(site.admin->Pause(Site::As(kKeeper).get(), pause, &paused).error_code(), StatusCode::PERMISSION_DENIED);
  pause.set_tenant("beta");
  EXPECT_EQ(site.admin->Pause(Site::As(kKeeper).get(), pause, &paused).error_code(), StatusCode::PERMISSION_DENIED);
  pause.set_tenant("acme");
  EXPECT_TRUE(site.admin->Pause(Site::As(kKeeper).get(), pause, &paused).ok());
}

TEST(AdminTest, ReplayDecidesEveryRecordAsItWas) {
  Site site;
  const std::string id = LiveOne(site);
  site.Schedule(site.Sms(), kBeta);
  const auto replay = [&](const std::string& one, const std::string& token) {
    v1::ReplayRequest request;
    request.set_id(one);
    const auto context = Site::As(token);
    const auto stream = site.admin->Replay(context.get(), request);
    v1::ReplayResponse last;
    v1::ReplayResponse response;
    while (stream->Read(&response)) last = response;
    EXPECT_TRUE(stream->Finish().ok());
    EXPECT_TRUE(last.done());
    EXPECT_THAT(last.findings(), ElementsAre());
    EXPECT_EQ(last.differences(), 0u);
    return last.records();
  };
  EXPECT_EQ(replay("", kRoot), 5u);
  EXPECT_EQ(replay("", kKeeper), 4u);
  EXPECT_EQ(replay(id, kRoot), 4u);
}

TEST(AdminTest, VerifyFindsNothingWhereNothingIsWrong) {
  Site site;
  LiveOne(site);
  site.Schedule(site.Sms(), kBeta);
  const auto verify = [&](const std::string& token, v1::VerifyResponse& last) {
    const auto context = Site::As(token);
    const auto stream = site.admin->Verify(context.get(), {});
    v1::VerifyResponse response;
    while (stream->Read(&response)) last = response;
    return stream->Finish();
  };
  v1::VerifyResponse last;
  EXPECT_EQ(verify(kKeeper, last).error_code(), StatusCode::PERMISSION_DENIED);
  ASSERT_TRUE(verify(kRoot, last).ok());
  EXPECT_TRUE(last.done());
  EXPECT_EQ(last.violations(), 0u) << last.ShortDebugString();
  EXPECT_EQ(last.instances(), 2u);
  EXPECT_EQ(last.records(), 5u);

  // One flipped bit in a journal record breaks its chain.
  for (std::uint16_t shard = 0; shard < site.reader->shards(); ++shard) {
    const storage::Key key = storage::JournalKey(ShardId{shard}, 1);
    auto value = *site.store.Get(storage::Family::kJournal, key);
    if (!value) continue;
    value->back() = static_cast<char>(value->back() ^ 1);
    storage::Batch batch;
    batch.Put(storage::Family::kJournal, key, *value);
    ASSERT_TRUE(site.store.Write(batch, storage::Sync::kYes).ok());
    break;
  }
  ASSERT_TRUE(verify(kRoot, last).ok());
  EXPECT_GT(last.violations(), 0u);
}

TEST(AdminTest, ExplainSaysWhyItWaits) {
  Site site;
  v1::ExplainRequest request;
  request.set_id(site.Schedule(site.Sms()));
  v1::ExplainResponse response;
  ASSERT_TRUE(site.admin->Explain(Site::As(kRoot).get(), request, &response).ok());
  EXPECT_EQ(response.summary(), "due, but no gateway that serves its key is attached");
  EXPECT_EQ(response.status().state(), v1::PENDING);

  v1::PauseRequest pause;
  pause.set_tenant("acme");
  pause.set_reason("carrier is down");
  v1::PauseResponse paused;
  ASSERT_TRUE(site.admin->Pause(Site::As(kRoot).get(), pause, &paused).ok());
  EXPECT_TRUE(paused.changed());
  ASSERT_TRUE(site.admin->Explain(Site::As(kRoot).get(), request, &response).ok());
  EXPECT_THAT(response.summary(), HasSubstr("carrier is down"));

  v1::ScheduleRequest later = site.Sms();
  later.set_schedule(std::to_string(Site::NowS() + 600) + "-" + std::to_string(Site::NowS() + 700));
  request.set_id(site.Schedule(later));
  ASSERT_TRUE(site.admin->Explain(Site::As(kRoot).get(), request, &response).ok());
  EXPECT_THAT(response.summary(), HasSubstr("waits for its slot, due in "));
  EXPECT_THAT(response.reasons(), testing::Contains(HasSubstr("gateways that serve it")));
  EXPECT_GT(response.next_at_ms(), 0);

  v1::CancelRequest cancel;
  cancel.set_id(request.id());
  v1::CancelResponse canceled;
  ASSERT_TRUE(site.scheduler->Cancel(Site::As(kAcme).get(), cancel, &canceled).ok());
  ASSERT_TRUE(site.admin->Explain(Site::As(kRoot).get(), request, &response).ok());
  EXPECT_THAT(response.summary(), HasSubstr("over: CANCELED"));
  EXPECT_EQ(response.next_at_ms(), 0) << "its erasure is nothing that it waits for";
  ASSERT_EQ(response.reasons_size(), 2) << "none leaves any more: no gateway, credit or budget";
  EXPECT_THAT(response.reasons(0), HasSubstr("slots: "));
  EXPECT_EQ(response.reasons(1), "canceled: no further attempt leaves");
}

TEST(AdminTest, WhatIsPausedLeavesAfterResuming) {
  Site site;
  v1::PauseRequest pause;
  pause.mutable_batch()->set_tenant("acme");
  pause.mutable_batch()->set_batch("b");
  v1::PauseResponse paused;
  ASSERT_TRUE(site.admin->Pause(Site::As(kRoot).get(), pause, &paused).ok());
  ByHand gateway(site);
  gateway.Begin();
  v1::ScheduleRequest held = site.Sms("held");
  held.set_batch("b");
  const std::string held_id = site.Schedule(held);
  const std::string free_id = site.Schedule(site.Sms("free"));
  const auto leased = [&] {
    return std::string(AttemptId::Parse(gateway.NextLease().attempt_id())->instance.AsBytes());
  };
  EXPECT_EQ(leased(), free_id);
  EXPECT_EQ(site.Get(held_id).state(), v1::PENDING);
  ASSERT_TRUE(site.admin->Resume(Site::As(kRoot).get(), pause, &paused).ok());
  EXPECT_TRUE(paused.changed());
  EXPECT_EQ(leased(), held_id);
}

TEST(AdminTest, BadPausesNameTheRule) {
  Site site;
  v1::PauseRequest pause;
  v1::PauseResponse paused;
  EXPECT_EQ(site.admin->Pause(Site::As(kRoot).get(), pause, &paused).error_message(),
            "scope: must be one of all, tenant, batch and gateway");
  pause.set_gateway("g1");
  pause.set_reason(std::string(257, 'r'));
  EXPECT_EQ(site.admin->Pause(Site::As(kRoot).get(), pause, &paused).error_message(),
            "reason: must be at most 256 bytes of printable UTF-8");
}

TEST(AdminTest, OnlyAnUnknownIsResolved) {
  Site site;
  ByHand gateway(site);
  gateway.Begin();
  v1::ResolveRequest request;
  request.set_id(site.Schedule(site.Sms()));
  request.set_how(v1::ResolveRequest::HOW_DELIVERED);
  const v1::Lease lease = gateway.NextLease();
  v1::SmsStatus sms;
  EXPECT_EQ(site.admin->Resolve(Site::As(kRoot).get(), request, &sms).error_code(), StatusCode::FAILED_PRECONDITION);
  gateway.Report(lease.attempt_id(), v1::RESULT_UNKNOWN, "unknown");
  EXPECT_EQ(site.Get(request.id()).state(), v1::UNKNOWN);
  ASSERT_TRUE(site.admin->Resolve(Site::As(kRoot).get(), request, &sms).ok());
  EXPECT_EQ(sms.state(), v1::DELIVERED);
  EXPECT_EQ(JournalOf(site, request.id()).entries().rbegin()->actor(), kRoot);
  request.clear_how();
  EXPECT_EQ(site.admin->Resolve(Site::As(kRoot).get(), request, &sms).error_message(),
            "how: must be delivered, retry or give up");
}

TEST(AdminTest, StatsCountWhatHappened) {
  Site site;
  LiveOne(site);
  site.AwaitFigures([](const engine::Figures& figures) { return !figures.results.empty(); });
  v1::StatsResponse stats;
  ASSERT_TRUE(site.admin->Stats(Site::As(kRoot).get(), {}, &stats).ok());
  std::map<std::string, double> items;
  for (const auto& item : stats.items()) items[item.name()] = item.value();
  EXPECT_EQ(items.at("smsflow_created_total"), 1);
  EXPECT_EQ(items.at("smsflow_leases_total"), 1);
  EXPECT_EQ(items.at("smsflow_results_total{workflow=\"delivery\",tenant=\"acme\",state=\"DELIVERED\"}"), 1);
  EXPECT_GT(items.at("smsflow_resident_bytes"), 1e6);
}

TEST(AdminTest, DrainingRefusesAndWaitsForWhatIsInFlight) {
  Site site;
  ByHand gateway(site);
  gateway.Begin();
  site.Schedule(site.Sms());
  const v1::Lease lease = gateway.NextLease();
  v1::DrainRequest request;
  v1::DrainResponse response;
  ASSERT_TRUE(site.admin->Drain(Site::As(kRoot).get(), request, &response).ok());
  EXPECT_EQ(response.in_flight(), 1u);
  v1::ScheduleResponse refused;
  const grpc::Status status = site.scheduler->Schedule(Site::As(kAcme).get(), site.Sms(), &refused);
  EXPECT_EQ(status.error_code(), StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_details(), HasSubstr("google.rpc.RetryInfo"));
  EXPECT_EQ(gateway.Report(lease.attempt_id(), v1::RESULT_DELIVERED).outcome(), v1::ReportAnswer::APPLIED);
  request.set_timeout_ms(5'000);
  ASSERT_TRUE(site.admin->Drain(Site::As(kRoot).get(), request, &response).ok());
  EXPECT_EQ(response.in_flight(), 0u);
}

}  // namespace
}  // namespace smsflow::server
