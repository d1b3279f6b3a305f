// A session, what it does and what it tells, and a clock and a peer that the test is.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "smpp/codec.h"
#include "smpp/session.h"

namespace smsflow::smpp {

inline constexpr std::int64_t kFar_ms = 1'000'000'000;

inline SessionOptions Options(std::uint32_t window = 10) {
  return {.system_id = "esme", .password = "secret", .window = window, .waiting = 5};
}

class SessionTest : public ::testing::Test {
 protected:
  void Begin(SessionOptions options = Options()) {
    ASSERT_TRUE(Session::CheckOptions(options).ok());
    session_ = std::make_unique<Session>(std::move(options));
    session_->Start(now_ms_);
    Take();
  }
  void BeginBound(SessionOptions options = Options()) {
    Begin(std::move(options));
    Establish();
  }
  void Establish() {
    session_->Connected(now_ms_);
    Take();
    const Pdu bind = Sent();
    ASSERT_TRUE(IsBind(bind.header.id));
    Hear(ResponseTo(bind.header.id), bind.header.sequence, CommandStatus::kOk, BindResp{.system_id = "sc"});
    ASSERT_EQ(session_->state(), Session::State::kBound);
    EXPECT_EQ(notices_.back().event, action::Event::kBound);
  }

  absl::Status Submit(SubmitToken token, std::int64_t deadline_ms = kFar_ms, std::string_view validity = {}) {
    const Pdu pdu{.header = {.id = CommandId::kSubmitSm},
                  .body = Sm{.service_type = "CMT",
                             .source = {.ton = 5, .npi = 0, .digits = "CLINIC"},
                             .destination = {.ton = 1, .npi = 1, .digits = "255700000001"},
                             .validity_period = validity,
                             .short_message = "x"},
                  .tlvs = {}};
    const absl::Status status = session_->Submit(token, pdu, deadline_ms, now_ms_);
    Take();
    return status;
  }
  void Hear(CommandId id, std::uint32_t sequence, CommandStatus status = CommandStatus::kOk, Body body = Empty{}) {
    std::string frame;
    ASSERT_TRUE(
        Encode({.header = {.id = id, .status = status, .sequence = sequence}, .body = body, .tlvs = {}}, frame).ok());
    session_->Received(frame, now_ms_);
    Take();
  }
  // The answer to the submit that left as `sequence`.
  void Answer(std::uint32_t sequence, CommandStatus status = CommandStatus::kOk) {
    const std::string id = "id" + std::to_string(sequence);
    Hear(CommandId::kSubmitSmResp, sequence, status, MessageResp{.message_id = id});
  }
  void Pass(std::int64_t milliseconds) {
    const std::int64_t end_ms = now_ms_ + milliseconds;
    for (auto due = session_->NextDue(); due && *due <= end_ms; due = session_->NextDue()) {
      ASSERT_GE(*due, now_ms_);
      now_ms_ = std::max(now_ms_, *due);
      session_->Tick(now_ms_);
      Take();
    }
    now_ms_ = end_ms;
  }
  void Take() {
    for (Action& one : session_->TakeActions()) {
      if (auto* send = std::get_if<action::Send>(&one)) sent_.push_back(std::move(send->bytes));
      if (std::holds_alternative<action::Connect>(one)) ++connects_;
      if (std::holds_alternative<action::Close>(one)) ++closes_;
      if (auto* outcome = std::get_if<action::Outcome>(&one)) outcomes_.push_back(std::move(*outcome));
      if (auto* delivery = std::get_if<action::Delivery>(&one)) deliveries_.push_back(std::move(*delivery));
      if (auto* notice = std::get_if<action::Notice>(&one)) notices_.push_back(*notice);
    }
  }
  // The next frame that was sent; valid until the test ends.
  Pdu Sent() {
    EXPECT_FALSE(sent_.empty());
    if (sent_.empty()) return {};
    kept_.push_back(std::move(sent_.front()));
    sent_.pop_front();
    Refusal why;
    const auto pdu = Decode(kept_.back(), why);
    EXPECT_TRUE(pdu.ok());
    return pdu.ok() ? *pdu : Pdu{};
  }
  std::uint32_t SentSubmit() {
    const Pdu pdu = Sent();
    EXPECT_EQ(pdu.header.id, CommandId::kSubmitSm);
    return pdu.header.sequence;
  }
  // The validity with which the next submit left, and its number.
  std::pair<std::string, std::uint32_t> SentValidity() {
    const Pdu pdu = Sent();
    const auto* sm = std::get_if<Sm>(&pdu.body);
    EXPECT_NE(sm, nullptr);
    if (sm == nullptr) return {};
    EXPECT_EQ(sm->destination.digits, "255700000001");
    EXPECT_EQ(sm->short_message, "x");
    return {std::string(sm->validity_period), pdu.header.sequence};
  }
  action::Outcome Outcome() {
    EXPECT_FALSE(outcomes_.empty());
    if (outcomes_.empty()) return {};
    action::Outcome one = outcomes_.front();
    outcomes_.pop_front();
    return one;
  }

  std::unique_ptr<Session> session_;
  std::int64_t now_ms_ = 1000;
  std::deque<WipedBytes> sent_, kept_;
  std::deque<action::Outcome> outcomes_;
  std::deque<action::Delivery> deliveries_;
  std::vector<action::Notice> notices_;
  int connects_ = 0, closes_ = 0;
};

}  // namespace smsflow::smpp
