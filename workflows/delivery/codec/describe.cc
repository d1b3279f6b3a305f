#include "workflows/delivery/codec/describe.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <string>

#include "workflows/delivery/causes.h"
#include "workflows/delivery/codec/rows.h"

namespace smsflow::workflows::delivery {
namespace {

std::string Digits(std::int64_t value, std::size_t width) {
  const std::string digits = std::to_string(value);
  return std::string(width - std::min(width, digits.size()), '0') + digits;
}

std::string TimeText(std::int64_t ms) {
  using namespace std::chrono;
  const sys_seconds at{seconds(ms / 1000)};
  const auto day = floor<days>(at);
  const year_month_day date(day);
  const hh_mm_ss time(at - day);
  return Digits(static_cast<int>(date.year()), 4) + '-' + Digits(static_cast<unsigned>(date.month()), 2) + '-' +
         Digits(static_cast<unsigned>(date.day()), 2) + 'T' + Digits(time.hours().count(), 2) + ':' +
         Digits(time.minutes().count(), 2) + ':' + Digits(time.seconds().count(), 2) + 'Z';
}

// By their numbers, which DecodeData() and DecodeEvent() have checked.
constexpr std::string_view kResults[] = {"nothing", "NEVER_SEEN", "ACCEPTED",        "UNKNOWN",
                                         "SENT",    "FAILED",     "FAILED for good", "DELIVERED"};
constexpr std::string_view kAbouts[] = {"", "about the message", "about the recipient", "about the sender",
                                        "about the route"};
constexpr std::string_view kHows[] = {"", "resolve: delivered", "resolve: retry", "resolve: give up"};
static_assert(std::size(kResults) == static_cast<std::size_t>(Result::kDelivered) + 1);
static_assert(std::size(kAbouts) == static_cast<std::size_t>(About::kRoute) + 1);
static_assert(std::size(kHows) == static_cast<std::size_t>(How::kGiveUp) + 1);

template <class Number, std::size_t N>
std::string_view WordOf(const std::string_view (&words)[N], Number number) {
  return words[static_cast<std::size_t>(number)];
}

void AddPart(std::string& text, std::string_view part) {
  if (part.empty()) return;
  if (!text.empty()) text += "; ";
  text += part;
}

std::string PlanText(const Fixed& fixed, const Data& data) {
  if (data.due_ms == 0) return {};
  std::string text = "due " + TimeText(data.due_ms);
  if (const auto end_s = DeadlineOf(fixed.slots, data.due_ms / 1000)) text += ", deadline " + TimeText(*end_s * 1000);
  return text;
}

std::string ZonesText(const std::string& tzdata) {
  return tzdata.empty() ? std::string() : "local times by tzdata " + tzdata;
}

struct Describer {
  const Fixed& fixed;
  const Data& data;

  Description operator()(const Schedule&) const {
    std::string detail = std::to_string(fixed.slots.size()) + (fixed.slots.size() == 1 ? " slot" : " slots");
    AddPart(detail, PlanText(fixed, data));
    AddPart(detail, ZonesText(fixed.tzdata));
    return {"schedule", detail, data.stop == Stop::kBlock ? std::string(cause::kBlocked) : data.cause};
  }
  Description operator()(const Report& report) const {
    Description told{"report " + std::string(NameOf(report.reported)), {}, report.cause};
    const Result after = data.ResultOf(report.attempt), learnt = ResultOf(report.reported);
    if (Join(after, learnt) == after && after != learnt) {
      if (after == Result::kUnknown && report.attempt == data.attempts && data.cause == cause::kContradiction)
        told.detail = "it contradicts an earlier report";
      else
        told.detail = "not above " + std::string(WordOf(kResults, after)) + ", noted";
    }
    AddPart(told.detail, WordOf(kAbouts, report.about));
    return told;
  }
  Description operator()(const Cancel&) const { return {"cancel", {}, {}}; }
  Description operator()(const Block&) const { return {"block", {}, {}}; }
  Description operator()(const Reschedule& asked) const {
    std::string detail = asked.payload ? "new payload" : "";
    if (asked.slots) AddPart(detail, "new slots");
    AddPart(detail, PlanText(fixed, data));
    AddPart(detail, ZonesText(asked.tzdata));
    return {"reschedule", detail, {}};
  }
  Description operator()(const Resolve& resolve) const { return {std::string(WordOf(kHows, resolve.how)), {}, {}}; }
  Description operator()(const LookNow&) const { return {"look now", PlanText(fixed, data), {}}; }
  Description operator()(const PeerLost&) const { return {"gateway store lost", {}, std::string(cause::kPeerLost)}; }
  Description operator()(const TimerFired& fired) const { return OfTimer(fired.timer); }

 private:
  Description OfTimer(Timer timer) const {
    switch (timer) {
      case kDueTimer:
        return {"due", PlanText(fixed, data), {}};
      case kSlotEndTimer:
        return OfSlotEnd();
      case kProbeTimer:
        return {"silence", data.Latest() == Result::kUnknown ? "no answer in time" : "gateway asked", {}};
      case kReceiptTimer:
        return {"receipt overdue", {}, std::string(cause::kNoReceipt)};
      case kKeepTimer:
        return {"last slot over", "payload erased", {}};
    }
    return {"timer", {}, {}};
  }

  // The timer fires the guard before the slot ends.
  Description OfSlotEnd() const {
    if (data.attempts > 0 && IsOpen(data.Latest())) return {"hand-over deadline", {}, {}};
    std::string detail = "too late to leave in it";
    AddPart(detail, PlanText(fixed, data));
    return {"slot end", detail, {}};
  }
};

}  // namespace

Description DescribeEvent(const Event& event, std::string_view fixed_bytes, std::string_view data_bytes) {
  const auto typed = DecodeEvent(event);
  const auto fixed = DecodeFixed(fixed_bytes);
  const auto data = DecodeData(data_bytes);
  if (!typed || !fixed || !data) return {"event " + std::to_string(event.kind), "cannot be read", {}};
  return std::visit(Describer{*fixed, *data}, *typed);
}

}  // namespace smsflow::workflows::delivery
