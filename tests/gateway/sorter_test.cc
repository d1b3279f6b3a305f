#include "gateway/sorter.h"

#include <gtest/gtest.h>

#include <condition_variable>

#include "tests/gateway/fakes.h"
#include "tests/gateway/plain_opener.h"

namespace smsflow::gateway {
namespace {

class SorterTest : public testing::Test {
 protected:
  SorterTest() {
    auto routes = Routes::Make({{"+255", 12, 12}, {"+256", 12, 12}, {"+257", 11, 11}},
                               {{"tz", {"+255"}}, {"ug", {"+256"}, {"clinic"}}});
    EXPECT_TRUE(routes.ok()) << routes.status();
    pace_ = std::make_shared<const PaceOptions>(
        PaceOptions{*std::move(routes), {.route = 20, .sender = 3, .senders = {{"clinic/CLINIC", 10}}}});
    sorter_ = std::make_unique<Sorter>(pace_, std::make_unique<PlainOpener>());
  }
  Sorted Sort(const std::string& plaintext, const std::string& tenant = "clinic") {
    auto lease = LeaseOf(Attempt(1));
    lease.payload = plaintext;
    lease.tenant = tenant;
    std::vector<Sorted> all;
    sorter_->Listen([&](std::vector<Sorted> sorted) { all = std::move(sorted); });
    sorter_->Add({lease});
    sorter_->RunOnce();
    EXPECT_EQ(all.size(), 1u);
    return all.empty() ? Sorted{} : std::move(all.front());
  }
  std::string Refusal(const std::string& plaintext, const std::string& tenant = "clinic") {
    const Sorted sorted = Sort(plaintext, tenant);
    if (!sorted.refusal.has_value()) return "none";
    return std::string(sorted.refusal->cause) + (sorted.for_now ? " for now" : "");
  }

  std::shared_ptr<const PaceOptions> pace_;
  std::unique_ptr<Sorter> sorter_;
};

TEST_F(SorterTest, SaysRoutePrioritySenderAndSegments) {
  const Sorted one = Sort("To: +256741234567\nSender: CLINIC\nPriority: code\n\n" + std::string(200, 'x'));
  EXPECT_FALSE(one.refusal.has_value());
  EXPECT_EQ(one.sms.route, 1u);
  EXPECT_EQ(one.sms.priority, Priority::kCode);
  EXPECT_EQ(one.sms.segments, 2);
  EXPECT_EQ(one.sms.sender_limit, 10);
  EXPECT_EQ(one.sms.lease.attempt, Attempt(1));
  EXPECT_EQ(one.sms.lease.payload.substr(0, 4), "To: ") << "as it came";
  const Sorted two = Sort("To: +255741234567\n\nx", "other");
  EXPECT_EQ(two.sms.route, 0u);
  EXPECT_EQ(two.sms.priority, Priority::kTransactional);
  EXPECT_EQ(two.sms.segments, 1);
  EXPECT_EQ(two.sms.sender_limit, 3);
}

TEST_F(SorterTest, AnotherTenantsSenderOfThatNameIsAnother) {
  const auto tag = [this](const char* tenant, const char* sender) {
    return Sort(std::string("To: +255741234567\nSender: ") + sender + "\n\nx", tenant).sms.sender;
  };
  EXPECT_EQ(tag("a", "X"), tag("a", "X"));
  EXPECT_NE(tag("a", "X"), tag("b", "X"));
  EXPECT_NE(tag("a", "X"), tag("a", "Y"));
}

TEST_F(SorterTest, WhatHasNoWayIsRefusedWithItsReason) {
  EXPECT_EQ(Refusal("To: +31612345678\n\nx"), "foreign_recipient");
  EXPECT_EQ(Refusal("To: +25574123456\n\nx"), "invalid_recipient");
  EXPECT_EQ(Refusal("To: +25771234567\n\nx"), "no_route for now");
  EXPECT_EQ(Refusal("To: +2577123456\n\nx"), "invalid_recipient");
  EXPECT_EQ(Refusal("To: +257712345678\n\nx"), "invalid_recipient");
  EXPECT_EQ(Refusal("To: +256741234567\n\nx", "other"), "no_route for now");
  EXPECT_EQ(Refusal("To: 12\n\nx"), "invalid_recipient");
  EXPECT_EQ(Refusal("nothing"), "invalid_message");
  EXPECT_EQ(sorter_->figures().unreadable, 2u);
  EXPECT_GE(sorter_->figures().unroutable, 3u);
}

TEST_F(SorterTest, KeepsTheOrderInItsOwnThread) {
  std::mutex mutex;
  std::condition_variable heard;
  std::vector<AttemptId> order;
  sorter_->Start([&](std::vector<Sorted> sorted) {
    const std::lock_guard lock(mutex);
    for (const Sorted& one : sorted) order.push_back(one.sms.lease.attempt);
    heard.notify_all();
  });
  std::vector<AttemptId> given;
  for (std::uint64_t n = 1; n <= 100; ++n) {
    auto lease = LeaseOf(Attempt(n));
    lease.payload = "To: +255741234567\n\nx";
    given.push_back(lease.attempt);
    sorter_->Add({lease});
  }
  std::unique_lock lock(mutex);
  EXPECT_TRUE(heard.wait_for(lock, std::chrono::seconds(20), [&] { return order.size() == given.size(); }));
  EXPECT_EQ(order, given);
  lock.unlock();
  sorter_->Stop();
}

TEST_F(SorterTest, CreditIsWhatCanLeaveWithinSeconds) {
  const auto credit = [](RateLimits limits, std::uint32_t most) {
    auto routes = Routes::Make({}, {{"a", {"+1"}}, {"b", {"+2"}}});
    return CreditFor({*std::move(routes), std::move(limits)}, {"x", "y"}, most);
  };
  EXPECT_EQ(credit({}, 1000), 1000u) << "no limit";
  EXPECT_EQ(credit({.route = 20}, 1000), 200u);
  EXPECT_EQ(credit({.route = 20, .routes = {{"a", 1}}}, 1000), 105u);
  EXPECT_EQ(credit({.route = 20}, 150), 150u);
  EXPECT_EQ(credit({.route = 20, .routes = {{"a", 0}}}, 1000), 1000u) << "one has none";
  EXPECT_EQ(credit({.tenant = 3, .tenants = {{"y", 7}}}, 1000), 50u);
  EXPECT_EQ(credit({.tenant = 3, .route = 2}, 1000), 20u) << "the narrower of both";
}

}  // namespace
}  // namespace smsflow::gateway
