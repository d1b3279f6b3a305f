// smsflow.v1.Scheduler from the outside, over loopback.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "engine/seams.h"
#include "engine/tokens.h"
#include "tests/server/site.h"

namespace smsflow::server {
namespace {

using grpc::StatusCode;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(DoorTest, NoKeyNoEntryAndEveryWrongOneReadsTheSame) {
  Site site;
  v1::ScheduleResponse response;
  const grpc::Status none = site.scheduler->Schedule(Site::As("").get(), site.Sms(), &response);
  EXPECT_EQ(none.error_code(), StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(none.error_message(), "the credential is missing or unknown");
  for (const std::string& token : {std::string("wrong"), std::string(5'000, 'x'), std::string("ACME-TOKEN")}) {
    const grpc::Status wrong = site.scheduler->Schedule(Site::As(token).get(), site.Sms(), &response);
    EXPECT_EQ(wrong.error_code(), none.error_code());
    EXPECT_EQ(wrong.error_message(), none.error_message());
  }
  EXPECT_EQ(site.engine->Commits(), 0u);
}

TEST(DoorTest, EveryVerbAsksForTheRole) {
  Site site;
  const auto denied = [](const grpc::Status& status) { return status.error_code() == StatusCode::PERMISSION_DENIED; };
  v1::ScheduleResponse scheduled;
  EXPECT_TRUE(denied(site.scheduler->Schedule(Site::As(kGate).get(), site.Sms(), &scheduled)));
  v1::SmsStatus sms;
  EXPECT_TRUE(denied(site.scheduler->Get(Site::As(kRoot).get(), {}, &sms)));
  v1::ListResponse list;
  EXPECT_TRUE(denied(site.scheduler->List(Site::As(kRoot).get(), {}, &list)));
  v1::BatchSummaryResponse summary;
  EXPECT_TRUE(denied(site.scheduler->BatchSummary(Site::As(kRoot).get(), {}, &summary)));
  v1::CancelResponse cancel;
  EXPECT_TRUE(denied(site.scheduler->Cancel(Site::As(kRoot).get(), {}, &cancel)));
  EXPECT_TRUE(denied(site.scheduler->Reschedule(Site::As(kRoot).get(), {}, &sms)));
  v1::BlockResponse block;
  EXPECT_TRUE(denied(site.scheduler->Block(Site::As(kRoot).get(), {}, &block)));
  v1::UnblockResponse unblock;
  EXPECT_TRUE(denied(site.scheduler->Unblock(Site::As(kRoot).get(), {}, &unblock)));
  v1::ListBlockedResponse blocked;
  EXPECT_TRUE(denied(site.scheduler->ListBlocked(Site::As(kRoot).get(), {}, &blocked)));
  v1::ScheduleBatchResponse batch;
  EXPECT_TRUE(denied(site.scheduler->ScheduleBatch(Site::As(kRoot).get(), {}, &batch)));
  const auto root = Site::As(kRoot);
  EXPECT_TRUE(denied(site.scheduler->Watch(root.get(), {})->Finish()));
  const auto stream_context = Site::As(kRoot);
  EXPECT_TRUE(denied(site.scheduler->ScheduleStream(stream_context.get())->Finish()));
  const auto attach_context = Site::As(kAcme);
  EXPECT_TRUE(denied(site.gateway->Attach(attach_context.get())->Finish()));
  v1::GetJournalResponse journal;
  EXPECT_TRUE(denied(site.admin->GetJournal(Site::As(kAcme).get(), {}, &journal)));
  v1::StatsResponse stats;
  EXPECT_TRUE(denied(site.admin->Stats(Site::As(kAcme).get(), {}, &stats)));
  v1::DrainResponse drain;
  EXPECT_TRUE(denied(site.admin->Drain(Site::As(kAcme).get(), {}, &drain)));
}

TEST(DoorTest, TheTenantComesFromTheCredential) {
  Site site;
  v1::ScheduleResponse response;
  EXPECT_EQ(site.scheduler->Schedule(Site::As(kBoth).get(), site.Sms(), &response).error_message(),
            "smsflow-tenant: must name one of the credential's tenants");
  EXPECT_EQ(site.scheduler->Schedule(Site::As(kAcme, "beta").get(), site.Sms(), &response).error_code(),
            StatusCode::PERMISSION_DENIED);
  ASSERT_TRUE(site.scheduler->Schedule(Site::As(kBoth, "beta").get(), site.Sms(), &response).ok());
  EXPECT_EQ(site.Get(response.id(), kBeta).user(), kBoth);
  v1::GetRequest get;
  get.set_id(response.id());
  v1::SmsStatus sms;
  EXPECT_EQ(site.scheduler->Get(Site::As(kAcme).get(), get, &sms).error_code(), StatusCode::NOT_FOUND);
}

TEST(SchedulerTest, WhatWasScheduledCanBeRead) {
  Site site;
  v1::ScheduleRequest request = site.Sms("someone");
  request.set_batch("b");
  request.set_key("k");
  request.set_schedule("4000000000-4000000060");
  v1::ScheduleResponse response;
  EXPECT_EQ(site.scheduler->Schedule(Site::As(kAcme).get(), request, &response).error_message(),
            "schedule: the last slot must end within 400 days");
  const std::int64_t from_s = Site::NowS() + 3'600;
  request.set_schedule(std::to_string(from_s) + "-" + std::to_string(from_s + 60));
  ASSERT_TRUE(site.scheduler->Schedule(Site::As(kAcme).get(), request, &response).ok());
  EXPECT_EQ(response.state(), v1::PENDING);
  EXPECT_EQ(response.deadline_ms(), (from_s + 60) * 1'000);
  const v1::SmsStatus sms = site.Get(response.id());
  EXPECT_EQ(sms.batch(), "b");
  EXPECT_EQ(sms.key(), "k");
  EXPECT_EQ(sms.target(), "someone");
  EXPECT_EQ(sms.user(), kAcme);
  EXPECT_EQ(sms.schedule(), request.schedule());
  EXPECT_EQ(sms.due_ms(), response.due_ms());
  EXPECT_EQ(sms.deadline_ms(), response.deadline_ms());
}

TEST(SchedulerTest, EveryViolationComesAtOnceWithFieldAndRule) {
  Site site;
  v1::ScheduleRequest request = site.Sms();
  request.set_batch(std::string("a\nb"));
  request.set_target(std::string(129, 'x'));
  request.set_payload(std::string(16'385, 'p'));
  request.set_schedule("secret-7788");
  v1::ScheduleResponse response;
  const grpc::Status status = site.scheduler->Schedule(Site::As(kAcme).get(), request, &response);
  EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(),
              AllOf(HasSubstr("batch: must be 1 to 128 bytes of printable UTF-8"),
                    HasSubstr("target: must be 1 to 128 bytes of printable UTF-8"),
                    HasSubstr("payload: must be 1 to 16384 bytes"), HasSubstr("schedule: "), Not(HasSubstr("7788"))));
  // google.rpc.Status with google.rpc.BadRequest inside.
  EXPECT_THAT(status.error_details(), AllOf(HasSubstr("type.googleapis.com/google.rpc.BadRequest"),
                                            HasSubstr("must be 1 to 16384 bytes"), Not(HasSubstr("7788"))));
  EXPECT_EQ(site.engine->Commits(), 0u);
}

TEST(SchedulerTest, AnIdempotencyKeyAnswersOnceForAll) {
  Site site;
  v1::ScheduleRequest request = site.Sms();
  request.set_idempotency_key("once");
  v1::ScheduleResponse first;
  ASSERT_TRUE(site.scheduler->Schedule(Site::As(kAcme).get(), request, &first).ok());
  EXPECT_FALSE(first.duplicate());
  request.set_payload("sealed anew");
  v1::ScheduleResponse again;
  ASSERT_TRUE(site.scheduler->Schedule(Site::As(kAcme).get(), request, &again).ok());
  EXPECT_TRUE(again.duplicate());
  EXPECT_EQ(again.id(), first.id());
  EXPECT_EQ(again.state(), first.state());
  EXPECT_EQ(again.due_ms(), first.due_ms());
  request.set_batch("another");
  EXPECT_EQ(site.scheduler->Schedule(Site::As(kAcme).get(), request, &again).error_code(), StatusCode::ALREADY_EXISTS);
}

TEST(SchedulerTest, ABatchAnswersEachItemInItsPlace) {
  Site site;
  v1::ScheduleBatchRequest request;
  *request.add_items() = site.Sms("a");
  *request.add_items() = site.Sms("b");
  request.mutable_items(1)->clear_payload();
  *request.add_items() = site.Sms("c");
  v1::ScheduleBatchResponse response;
  ASSERT_TRUE(site.scheduler->ScheduleBatch(Site::As(kAcme).get(), request, &response).ok());
  ASSERT_EQ(response.results_size(), 3);
  EXPECT_EQ(site.Get(response.results(0).scheduled().id()).target(), "a");
  EXPECT_EQ(response.results(1).error().code(), StatusCode::INVALID_ARGUMENT);
  ASSERT_EQ(response.results(1).error().violations_size(), 1);
  EXPECT_EQ(response.results(1).error().violations(0).field(), "payload");
  EXPECT_EQ(site.Get(response.results(2).scheduled().id()).target(), "c");

  for (int i = 0; i < 1'001; ++i) *request.add_items() = site.Sms();
  EXPECT_EQ(site.scheduler->ScheduleBatch(Site::As(kAcme).get(), request, &response).error_message(),
            "items: must be 1 to 1000 items");
  EXPECT_EQ(site.scheduler->ScheduleBatch(Site::As(kAcme).get(), {}, &response).error_code(),
            StatusCode::INVALID_ARGUMENT);
}

TEST(SchedulerTest, AStreamAnswersEveryTagOnceAndSeveralInOneMessage) {
  Site site;
  const auto context = Site::As(kAcme);
  const auto stream = site.scheduler->ScheduleStream(context.get());
  constexpr int kItems = 2'000;
  std::thread writer([&] {
    v1::ScheduleStreamRequest request;
    for (int i = 0; i < kItems; ++i) {
      request.set_tag(static_cast<std::uint64_t>(i));
      *request.mutable_item() = site.Sms("t" + std::to_string(i));
      if (i == 7) request.mutable_item()->clear_schedule();
      EXPECT_TRUE(stream->Write(request));
    }
    stream->WritesDone();
  });
  std::set<std::uint64_t> tags;
  int messages = 0;
  v1::ScheduleStreamResponse response;
  while (stream->Read(&response)) {
    ++messages;
    for (const auto& answer : response.answers()) {
      EXPECT_TRUE(tags.insert(answer.tag()).second);
      EXPECT_EQ(answer.result().has_error(), answer.tag() == 7);
    }
  }
  writer.join();
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(tags.size(), static_cast<std::size_t>(kItems));
  EXPECT_LT(messages, kItems);
  const auto all = [](const engine::Figures& figures) { return figures.created >= kItems - 1; };
  EXPECT_EQ(site.AwaitFigures(all).created, kItems - 1u);
}

TEST(SchedulerTest, ListsPageAndSumUp) {
  Site site;
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) {
    v1::ScheduleRequest request = site.Sms("t" + std::to_string(i));
    request.set_batch("b");
    ids.push_back(site.Schedule(request));
  }
  site.Schedule(site.Sms("else"));
  std::sort(ids.begin(), ids.end());
  v1::ListRequest list;
  list.mutable_filter()->set_batch("b");
  list.set_page_size(2);
  std::vector<std::string> seen;
  v1::ListResponse page;
  do {
    list.set_page_token(page.next_page_token());
    ASSERT_TRUE(site.scheduler->List(Site::As(kAcme).get(), list, &page).ok());
    EXPECT_LE(page.items_size(), 2);
    EXPECT_FALSE(page.watch_token().empty());
    for (const auto& item : page.items()) seen.push_back(item.id());
    list.mutable_filter()->set_batch("b");
  } while (!page.next_page_token().empty());
  EXPECT_EQ(seen, ids);

  list.clear_page_token();
  ASSERT_TRUE(site.scheduler->List(Site::As(kAcme).get(), list, &page).ok());
  list.set_page_token(page.next_page_token());
  list.mutable_filter()->add_states(v1::PENDING);
  EXPECT_EQ(site.scheduler->List(Site::As(kAcme).get(), list, &page).error_message(),
            "page_token: must be of the page before, with the same filter");
  EXPECT_EQ(site.scheduler->List(Site::As(kBeta).get(), list, &page).error_code(), StatusCode::INVALID_ARGUMENT);

  v1::BatchSummaryRequest summary;
  summary.set_batch("b");
  v1::BatchSummaryResponse counts;
  ASSERT_TRUE(site.scheduler->BatchSummary(Site::As(kAcme).get(), summary, &counts).ok());
  EXPECT_EQ(counts.total(), 5u);
  ASSERT_EQ(counts.counts_size(), 1);
  EXPECT_EQ(counts.counts(0).state(), v1::PENDING);
  ASSERT_TRUE(site.scheduler->BatchSummary(Site::As(kBeta).get(), summary, &counts).ok());
  EXPECT_EQ(counts.total(), 0u);
}

TEST(SchedulerTest, CancelByIdBatchTargetAndAll) {
  Site site;
  const auto cancel = [&](const v1::CancelRequest& request, const std::string& token = kAcme) {
    v1::CancelResponse response;
    const grpc::Status status = site.scheduler->Cancel(Site::As(token).get(), request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  };
  v1::CancelRequest by_id;
  by_id.set_id(site.Schedule(site.Sms()));
  v1::CancelResponse none;
  EXPECT_EQ(site.scheduler->Cancel(Site::As(kBeta).get(), by_id, &none).error_code(), StatusCode::NOT_FOUND);
  EXPECT_EQ(cancel(by_id).outcome(), v1::CANCEL_CANCELED);
  EXPECT_EQ(cancel(by_id).outcome(), v1::CANCEL_ALREADY_ENDED);
  EXPECT_EQ(site.Get(by_id.id()).state(), v1::CANCELED);

  for (int i = 0; i < 20; ++i) {
    v1::ScheduleRequest request = site.Sms("t" + std::to_string(i % 4));
    request.set_batch(i % 2 == 0 ? "even" : "odd");
    site.Schedule(request);
  }
  v1::CancelRequest by_batch;
  by_batch.set_batch("even");
  EXPECT_EQ(cancel(by_batch, kBeta).canceled(), 0u);
  EXPECT_EQ(cancel(by_batch).canceled(), 10u);
  EXPECT_EQ(cancel(by_batch).already_ended(), 10u);
  v1::CancelRequest by_target;
  by_target.set_target("t1");
  EXPECT_EQ(cancel(by_target).canceled(), 5u);
  v1::CancelRequest all;
  all.set_all(true);
  EXPECT_EQ(cancel(all).canceled(), 5u);

  v1::CancelResponse response;
  EXPECT_EQ(site.scheduler->Cancel(Site::As(kAcme).get(), {}, &response).error_message(),
            "what: must be one of id, key, batch, target and all");
  all.set_all(false);
  EXPECT_EQ(site.scheduler->Cancel(Site::As(kAcme).get(), all, &response).error_message(), "all: must be true");
}

TEST(SchedulerTest, ABlockHoldsUntilItIsLifted) {
  Site site;
  const std::string pending = site.Schedule(site.Sms("nuisance"));
  v1::BlockRequest block;
  block.set_target("nuisance");
  v1::BlockResponse blocked;
  ASSERT_TRUE(site.scheduler->Block(Site::As(kAcme).get(), block, &blocked).ok());
  EXPECT_EQ(blocked.blocked(), 1u);
  EXPECT_EQ(site.Get(pending).state(), v1::BLOCKED);
  v1::ScheduleResponse arrival;
  ASSERT_TRUE(site.scheduler->Schedule(Site::As(kAcme).get(), site.Sms("nuisance"), &arrival).ok());
  EXPECT_EQ(arrival.state(), v1::BLOCKED);
  EXPECT_EQ(site.Get(site.Schedule(site.Sms("nuisance"), kBeta), kBeta).state(), v1::PENDING);

  v1::ListBlockedResponse list;
  ASSERT_TRUE(site.scheduler->ListBlocked(Site::As(kAcme).get(), {}, &list).ok());
  ASSERT_EQ(list.entries_size(), 1);
  EXPECT_EQ(list.entries(0).target(), "nuisance");
  EXPECT_GT(list.entries(0).since_ms(), 0);

  v1::UnblockRequest unblock;
  unblock.set_target("nuisance");
  v1::UnblockResponse lifted;
  ASSERT_TRUE(site.scheduler->Unblock(Site::As(kAcme).get(), unblock, &lifted).ok());
  EXPECT_TRUE(lifted.was_blocked());
  ASSERT_TRUE(site.scheduler->Unblock(Site::As(kAcme).get(), unblock, &lifted).ok());
  EXPECT_FALSE(lifted.was_blocked());
  EXPECT_EQ(site.Get(site.Schedule(site.Sms("nuisance"))).state(), v1::PENDING);
}

TEST(SchedulerTest, ReschedulingNeedsAPendingSms) {
  Site site;
  const std::string id = site.Schedule(site.Sms());
  v1::RescheduleRequest request;
  request.set_id(id);
  v1::SmsStatus sms;
  EXPECT_EQ(site.scheduler->Reschedule(Site::As(kAcme).get(), request, &sms).error_code(),
            StatusCode::INVALID_ARGUMENT);
  const std::string slot = std::to_string(Site::NowS() + 7'200) + "-" + std::to_string(Site::NowS() + 7'300);
  request.set_schedule(slot);
  EXPECT_EQ(site.scheduler->Reschedule(Site::As(kBeta).get(), request, &sms).error_code(), StatusCode::NOT_FOUND);
  ASSERT_TRUE(site.scheduler->Reschedule(Site::As(kAcme).get(), request, &sms).ok());
  EXPECT_EQ(sms.schedule(), slot);
  request.set_schedule(std::to_string(Site::NowS() - 20) + "-" + std::to_string(Site::NowS() - 10));
  EXPECT_EQ(site.scheduler->Reschedule(Site::As(kAcme).get(), request, &sms).error_code(),
            StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(site.Get(id).schedule(), slot);
}

TEST(SchedulerTest, AWatchGoesOnWhereTheListStood) {
  Site site;
  const std::string before = site.Schedule(site.Sms("before"));
  v1::ListResponse page;
  ASSERT_TRUE(site.scheduler->List(Site::As(kAcme).get(), {}, &page).ok());
  const std::string after = site.Schedule(site.Sms("after"));
  site.Schedule(site.Sms("hidden"), kBeta);

  v1::WatchRequest request;
  request.set_token(page.watch_token());
  const auto context = Site::As(kAcme);
  const auto watch = site.scheduler->Watch(context.get(), request);
  v1::WatchResponse response;
  std::vector<v1::Transition> seen;
  const auto next = [&] {
    const std::size_t had = seen.size();
    while (seen.size() == had && watch->Read(&response)) {
      seen.insert(seen.end(), response.transitions().begin(), response.transitions().end());
    }
  };
  next();
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].id(), after);
  EXPECT_EQ(seen[0].from(), v1::SMS_STATE_UNSPECIFIED);
  EXPECT_EQ(seen[0].to(), v1::PENDING);
  EXPECT_EQ(seen[0].target(), "after");
  const std::string token = response.token();

  v1::CancelRequest cancel;
  cancel.set_id(before);
  v1::CancelResponse cancelled;
  ASSERT_TRUE(site.scheduler->Cancel(Site::As(kAcme).get(), cancel, &cancelled).ok());
  next();
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[1].id(), before);
  EXPECT_EQ(seen[1].to(), v1::CANCELED);
  EXPECT_EQ(seen[1].target(), "before");
  context->TryCancel();
  EXPECT_EQ(watch->Finish().error_code(), StatusCode::CANCELLED);

  // Resumed from before the cancel, it is told again.
  request.set_token(token);
  request.mutable_filter()->add_states(v1::CANCELED);
  const auto again_context = Site::As(kAcme);
  const auto again = site.scheduler->Watch(again_context.get(), request);
  seen.clear();
  while (seen.empty() && again->Read(&response)) {
    seen.insert(seen.end(), response.transitions().begin(), response.transitions().end());
  }
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].id(), before);
}

TEST(SchedulerTest, AWatchTellsAnEndAsAListDoes) {
  Site site;
  const auto context = Site::As(kAcme);
  const auto watch = site.scheduler->Watch(context.get(), {});
  v1::WatchResponse response;
  ASSERT_TRUE(watch->Read(&response));
  ByHand gateway(site);
  gateway.Begin();
  const std::string id = site.Schedule(site.Sms());
  const v1::Lease lease = gateway.NextLease();
  v1::CancelRequest cancel;
  cancel.set_id(id);
  v1::CancelResponse too_late;
  ASSERT_TRUE(site.scheduler->Cancel(Site::As(kAcme).get(), cancel, &too_late).ok());
  gateway.Report(lease.attempt_id(), v1::FAILED_TRANSIENT, "absent");
  v1::Transition last;
  while (last.to() != v1::CANCELED && watch->Read(&response)) {
    if (response.transitions_size() > 0) last = *response.transitions().rbegin();
  }
  EXPECT_EQ(site.Get(id).cause(), "canceled");
  EXPECT_EQ(last.cause(), "canceled") << "the failure that let it end is in its journal";
  context->TryCancel();
  EXPECT_EQ(watch->Finish().error_code(), StatusCode::CANCELLED);
}

TEST(SchedulerTest, AnIdMustBeOne) {
  Site site;
  for (const std::string id : {"", "short", "0123456789abcdef", "0123456789abcdefg"}) {
    v1::GetRequest request;
    request.set_id(id);
    v1::SmsStatus sms;
    const grpc::Status status = site.scheduler->Get(Site::As(kAcme).get(), request, &sms);
    EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(status.error_message(), "id: must be the 16 bytes of an SMS's id");
  }
}

TEST(SchedulerTest, AWatchTokenMustBeOne) {
  Site site;
  for (const std::string token : {"x", "VwEB"}) {
    v1::WatchRequest request;
    request.set_token(token);
    const auto context = Site::As(kAcme);
    EXPECT_EQ(site.scheduler->Watch(context.get(), request)->Finish().error_code(), StatusCode::INVALID_ARGUMENT);
  }
}

TEST(SchedulerTest, AWatchTokenOfAnEpochThatIsOverIsOutOfRange) {
  Site site;
  v1::WatchRequest request;
  request.set_token(engine::EncodeWatchToken({engine::ShardVector(8), 2}));
  const auto context = Site::As(kAcme);
  EXPECT_EQ(site.scheduler->Watch(context.get(), request)->Finish().error_code(), StatusCode::OUT_OF_RANGE);
}

TEST(DoorTest, AMessageThatIsTooLargeIsRefused) {
  Site site([](Config& config) { config.limits.message_bytes = 64 << 10; });
  v1::ScheduleRequest request = site.Sms();
  request.set_payload(std::string(80 << 10, 'p'));
  v1::ScheduleResponse response;
  EXPECT_EQ(site.scheduler->Schedule(Site::As(kAcme).get(), request, &response).error_code(),
            StatusCode::RESOURCE_EXHAUSTED);
}

TEST(DoorTest, AGracefulStopAnswersAndEndsStreams) {
  Site site;
  const auto watch_context = Site::As(kAcme);
  const auto watch = site.scheduler->Watch(watch_context.get(), {});
  v1::WatchResponse first;
  ASSERT_TRUE(watch->Read(&first));
  ByHand gateway(site);
  gateway.Begin();
  const auto stream_context = Site::As(kAcme);
  const auto stream = site.scheduler->ScheduleStream(stream_context.get());
  v1::ScheduleStreamRequest item;
  *item.mutable_item() = site.Sms();
  ASSERT_TRUE(stream->Write(item));
  v1::ScheduleStreamResponse answer;
  ASSERT_TRUE(stream->Read(&answer));

  const std::int64_t before_ms = engine::SystemClock().SteadyMs();
  site.server->Stop(60'000);
  EXPECT_LT(engine::SystemClock().SteadyMs() - before_ms, 30'000);
  while (watch->Read(&first)) continue;
  EXPECT_EQ(watch->Finish().error_code(), StatusCode::UNAVAILABLE);
  EXPECT_EQ(gateway.Finish().error_code(), StatusCode::UNAVAILABLE);
  EXPECT_FALSE(stream->Read(&answer));
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::UNAVAILABLE);
}

TEST(DoorTest, AUnixSocketServesAsWell) {
  const std::string path = testing::TempDir() + "smsflow-" + std::to_string(getpid()) + ".sock";
  Site site([&](Config& config) { config.listen.grpc = "unix:" + path; });
  EXPECT_EQ(site.server->address(), "unix:" + path);
  EXPECT_FALSE(site.Schedule(site.Sms()).empty());
}

TEST(DoorTest, APortThatIsTakenIsNamed) {
  Site site;
  Config config = site.config;
  config.listen.grpc = site.server->address();
  const auto second = GrpcServer::Start(config, {site.engine.get(),
                                                 site.reader.get(),
                                                 site.authenticator.get(),
                                                 &engine::SystemClock(),
                                                 site.delivery.get(),
                                                 site.accounts.get(),
                                                 "",
                                                 8,
                                                 {}});
  EXPECT_EQ(second.status().message(),
            "listen.grpc: cannot listen on " + config.listen.grpc + ": is it taken, or not of this machine?");
}

}  // namespace
}  // namespace smsflow::server
