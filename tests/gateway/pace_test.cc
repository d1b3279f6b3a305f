// A core with routes and rates: what waits is nothing yet, whatever comes meanwhile.
#include <gtest/gtest.h>

#include "gateway/core.h"
#include "storage/memory_store.h"
#include "tests/gateway/fakes.h"
#include "tests/gateway/plain_opener.h"

namespace smsflow::gateway {
namespace {

class PaceTest : public testing::Test {
 protected:
  PaceTest() { Start(); }

  void Restart() {
    core_.reset();
    sorter_.reset();
    store_.reset();
    rows_.Crash();
    Start();
  }
  // Two segments a second to +255, as many as there are to +256.
  void Start() {
    auto routes = Routes::Make({}, {{"slow", {"+255"}}, {"fast", {"+256"}}});
    ASSERT_TRUE(routes.ok()) << routes.status();
    const auto pace = std::make_shared<const PaceOptions>(PaceOptions{*std::move(routes), {.routes = {{"slow", 2}}}});
    auto store = Store::Open(rows_, "g1", clock_.WallMs());
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = std::move(*store);
    sorter_ = std::make_unique<Sorter>(pace, std::make_unique<PlainOpener>());
    core_ = std::make_unique<Core>(
        CoreOptions{.gateway = "g1", .tenants = {"clinic"}, .pace = pace}, *store_, link_, carrier_, agreed_,
        [](const absl::Status& status) { ADD_FAILURE() << status; }, &room_, sorter_.get());
    sorter_->Listen([this](std::vector<Sorted> sorted) { core_->OnSorted(std::move(sorted)); });
  }
  void Lease(std::uint64_t n, const std::string& header, std::int64_t left_ms = kHour, const std::string& text = "x") {
    auto lease = LeaseOf(Attempt(n), clock_.now_ms + left_ms);
    lease.payload = header + "\n\n" + text;
    core_->OnLeases({std::move(lease)});
  }
  std::string Said() {
    core_->RunOnce();
    sorter_->RunOnce();
    core_->RunOnce();
    return Told(link_.Take());
  }
  std::string Left() {
    std::string all;
    for (const engine::Lease& lease : std::exchange(carrier_.submitted, {}))
      for (std::uint64_t n = 1; n < 100; ++n)
        if (lease.attempt == Attempt(n)) all += std::to_string(n) + " ";
    return all;
  }

  storage::MemoryStore rows_;
  FakeClock clock_;
  AgreedClock agreed_{clock_, [](LogLevel, std::string_view) {}};
  FakeLink link_;
  FakeCarrier carrier_;
  FakeRoom room_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Sorter> sorter_;
  std::unique_ptr<Core> core_;
};

constexpr char kSlow[] = "To: +255741234567", kFast[] = "To: +256741234567";

TEST_F(PaceTest, WhatWaitsForItsTurnIsNoIntentAndNothingIsSaidOfIt) {
  Lease(1, kSlow);
  Lease(2, kSlow);
  Lease(3, kFast);
  EXPECT_EQ(Said(), "ACCEPTED, ACCEPTED");
  EXPECT_EQ(Left(), "1 3 ");
  EXPECT_EQ(carrier_.routes, (std::vector<std::string>{"slow", "fast"}));
  EXPECT_EQ(rows_.rows(storage::Family::kInstances), 2u);
  EXPECT_EQ(link_.kept, (std::vector{Attempt(1), Attempt(3)}));
  clock_.now_ms += 499;
  EXPECT_EQ(Said(), "");
  clock_.now_ms += 1;
  EXPECT_EQ(Said(), "ACCEPTED");
  EXPECT_EQ(Left(), "2 ");
  EXPECT_EQ(rows_.unsynced(), 0u);
}

TEST_F(PaceTest, KilledWhileItWaitsNothingIsInDoubt) {
  for (std::uint64_t n = 1; n <= 3; ++n) Lease(n, kSlow);
  EXPECT_EQ(Said(), "ACCEPTED");
  EXPECT_EQ(Left(), "1 ");
  Restart();
  core_->OnAttached();
  EXPECT_EQ(Said(), "UNKNOWN restarted") << "the one that may have left";
  for (std::uint64_t n = 1; n <= 3; ++n) Lease(n, kSlow);
  EXPECT_EQ(Said(), "UNKNOWN restarted, ACCEPTED");
  EXPECT_EQ(Left(), "2 ");
}

TEST_F(PaceTest, WhatWaitsBeyondItsDeadlineIsExpiredAndNotUnknown) {
  Lease(1, kSlow);
  Lease(2, kSlow, 400);
  EXPECT_EQ(Said(), "ACCEPTED");
  clock_.now_ms += 400;
  EXPECT_EQ(Said(), "EXPIRED expired");
  clock_.now_ms += kHour;
  EXPECT_EQ(Said(), "");
  EXPECT_EQ(Left(), "1 ");
}

TEST_F(PaceTest, AProbeOfWhatWaitsEndsIt) {
  for (std::uint64_t n = 1; n <= 3; ++n) Lease(n, kSlow);
  Said();
  core_->OnProbes({{Attempt(2), clock_.now_ms + kHour}});
  EXPECT_EQ(Said(), "NEVER_SEEN never_seen");
  clock_.now_ms += 500;
  EXPECT_EQ(Said(), "ACCEPTED");
  EXPECT_EQ(Left(), "1 3 ");
}

TEST_F(PaceTest, AProbeOfWhatIsBeingOpenedEndsIt) {
  Lease(1, kFast);
  core_->RunOnce();
  core_->OnProbes({{Attempt(1), clock_.now_ms + kHour}});
  EXPECT_EQ(Said(), "NEVER_SEEN never_seen");
  EXPECT_EQ(Left(), "");
}

TEST_F(PaceTest, WhatComesAgainWhileItWaitsIsTheSame) {
  Lease(1, kSlow);
  Lease(1, kSlow);
  core_->RunOnce();
  Lease(1, kSlow);
  EXPECT_EQ(Said(), "ACCEPTED");
  Lease(2, kSlow);
  Said();
  Lease(2, kSlow);
  EXPECT_EQ(Said(), "");
  clock_.now_ms += kHour / 2;
  EXPECT_EQ(Said(), "ACCEPTED");
  EXPECT_EQ(Left(), "1 2 ");
}

TEST_F(PaceTest, WhatHasNoWayIsToldWithItsReason) {
  Lease(1, "To: 12");
  Lease(2, "To: +31612345678");
  EXPECT_EQ(Said(), "ACCEPTED, INVALID invalid_recipient, ACCEPTED, FAILED no_route");
  EXPECT_EQ(Left(), "");
  EXPECT_EQ(rows_.unsynced(), 0u);
  Lease(1, "To: 12");
  EXPECT_EQ(Said(), "INVALID invalid_recipient");
}

TEST_F(PaceTest, OnAFullDiskNothingIsWrittenOfWhatHasNoWay) {
  room_.low = true;
  Lease(1, "To: 12", 1'000);
  Lease(2, "To: 12");
  Lease(3, kFast);
  EXPECT_EQ(Said(), "");
  EXPECT_EQ(rows_.rows(storage::Family::kInstances), 0u);
  clock_.now_ms += 1'000;
  EXPECT_EQ(Said(), "");
  EXPECT_EQ(link_.kept, std::vector{Attempt(1)});
  room_.low = false;
  EXPECT_EQ(Said(), "ACCEPTED, INVALID invalid_recipient, ACCEPTED");
}

TEST_F(PaceTest, ACodeOvertakesWhatWaits) {
  for (std::uint64_t n = 1; n <= 3; ++n) Lease(n, std::string(kSlow) + "\nPriority: bulk");
  Said();
  Lease(4, std::string(kSlow) + "\nPriority: code");
  Said();
  for (int i = 0; i < 3; ++i) {
    clock_.now_ms += 500;
    Said();
  }
  EXPECT_EQ(Left(), "1 4 2 3 ");
}

TEST_F(PaceTest, ALongTextCountsByItsSegments) {
  Lease(1, kSlow, kHour, std::string(400, 'x'));
  Lease(2, kSlow);
  Said();
  clock_.now_ms += 1'499;
  EXPECT_EQ(Said(), "");
  clock_.now_ms += 1;
  EXPECT_EQ(Said(), "ACCEPTED");
}

TEST_F(PaceTest, WithoutAPlaceNothingIsCounted) {
  carrier_.places = 0;
  Lease(1, kSlow);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Said(), "");
  carrier_.places = 1;
  EXPECT_EQ(Said(), "ACCEPTED") << "it asked twenty times and took one segment";
  Lease(2, kSlow);
  clock_.now_ms += 500;
  carrier_.places = 1;
  EXPECT_EQ(Said(), "ACCEPTED");
}

}  // namespace
}  // namespace smsflow::gateway
