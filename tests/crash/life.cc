#include "tests/crash/life.h"

#include <algorithm>
#include <limits>
#include <string>

#include "gateway/loopback.h"

namespace smsflow::crash {
namespace {

using gateway::Reported;

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

bool Says(const std::string& text, Reported word) {
  const auto script = gateway::ScriptOf(text);
  return std::any_of(script.begin(), script.end(), [&](const auto& scripted) { return scripted.result == word; });
}

class OneLife {
 public:
  OneLife(const Life& life, Findings& findings)
      : sms_(life.sms),
        status_(life.status),
        journal_(life.journal),
        submits_(life.submits),
        strokes_(life.strokes),
        findings_(findings) {}

  void Check() {
    CheckSubmits();
    CheckOrders();
    CheckState();
    CheckCommands();
    CheckStopped();
  }

 private:
  void Fault(const std::string& what) {
    findings_.Add(IdText(sms_.id) + " (" + sms_.orders.back().text + ", " + v1::SmsState_Name(status_.state()) +
                      ", cause '" + status_.cause() + "', attempts " + std::to_string(status_.attempts()) +
                      ", submitted " + std::to_string(submits_.size()) + "): " + what,
                  sms_.id);
  }

  // One of the texts that may have been sent makes the loopback say so.
  bool MaySay(Reported word) const {
    return std::any_of(sms_.orders.begin(), sms_.orders.end(),
                       [&](const Order& order) { return Says(order.text, word); });
  }
  bool MayFail() const {
    return MaySay(Reported::kFailedTransient) || MaySay(Reported::kExpired) || MaySay(Reported::kInvalid);
  }

  // It was asked for by then, and no later order is known to have stood by then.
  bool MayStand(std::size_t order, std::int64_t at_ms) const {
    if (sms_.orders[order].asked_ms > at_ms) return false;
    return std::none_of(sms_.orders.begin() + static_cast<std::ptrdiff_t>(order) + 1, sms_.orders.end(),
                        [&](const Order& later) { return later.told_ms != 0 && later.told_ms < at_ms; });
  }

  bool IsInside(const Submit& submit) const {
    for (std::size_t i = 0; i < sms_.orders.size(); ++i) {
      if (!MayStand(i, submit.at_ms)) continue;
      for (const auto& [from_s, till_s] : sms_.orders[i].slots) {
        if (submit.at_ms >= from_s * 1000 && submit.deadline_ms <= till_s * 1000 &&
            submit.deadline_ms > from_s * 1000) {
          return true;
        }
      }
    }
    return false;
  }

  void CheckSubmits() {
    for (const Submit& submit : submits_) {
      if (!IsInside(submit)) Fault("attempt " + std::to_string(submit.attempt) + " left outside its slots");
      if (submit.attempt > status_.attempts()) {
        Fault("the engine does not know attempt " + std::to_string(submit.attempt) + ", which left");
      }
    }
    if (submits_.size() > 1 && !MayFail()) Fault("more than one copy");
    if (status_.attempts() > 3) Fault("more attempts than max_attempts");
  }

  void CheckOrders() {
    const bool known = std::any_of(sms_.orders.begin(), sms_.orders.end(), [&](const Order& order) {
      const auto at = static_cast<std::size_t>(&order - sms_.orders.data());
      return MayStand(at, kNever) && ToText(order.slots) == status_.schedule();
    });
    if (!known) Fault("its slots are '" + status_.schedule() + "', which nobody asked for last");
    for (const Order& order : sms_.orders) {
      if (sms_.stopped_ms != 0 && order.told_ms != 0 && order.asked_ms > sms_.stopped_ms) {
        Fault("it was rescheduled after a cancel was answered");
      }
    }
  }

  void CheckState() {
    const v1::SmsState state = status_.state();
    if (!IsOver(state)) return Fault("it never ends");
    if (submits_.empty()) {
      if (state == v1::DELIVERED || state == v1::UNCONFIRMED) return Fault("nothing left for it");
      const bool told = state == v1::CANCELED || state == v1::BLOCKED || !status_.cause().empty();
      if (!told) Fault("nothing left for it, and its state does not say why");
      return;
    }
    if (state == v1::DELIVERED && !MaySay(Reported::kDelivered)) Fault("nobody delivered it");
    if (state == v1::INVALID && !MaySay(Reported::kInvalid)) Fault("nobody called it invalid");
    const bool open_end = state == v1::DELIVERED || state == v1::UNCONFIRMED || state == v1::UNKNOWN;
    if (!open_end && !MayFail()) Fault("it left, and nobody said that it failed");
  }

  bool IsCovered(Stroke::What what) const {
    return std::any_of(strokes_.begin(), strokes_.end(),
                       [&](const Stroke& stroke) { return stroke.what == what && stroke.Covers(sms_); });
  }

  void CheckCommands() {
    if (status_.state() == v1::CANCELED && !sms_.cancel_asked && !IsCovered(Stroke::kCancel)) {
      Fault("nobody canceled it");
    }
    if (status_.state() == v1::BLOCKED && !IsCovered(Stroke::kBlock)) Fault("nobody blocked its target");
    if (sms_.must_be_blocked && !submits_.empty()) Fault("it left although its target is blocked");
    if (sms_.canceled_ms == 0) return;
    if (status_.state() != v1::CANCELED) Fault("it was answered as canceled");
    for (const Submit& submit : submits_) {
      if (submit.at_ms > sms_.canceled_ms) Fault("it left after it was answered as canceled");
    }
  }

  // No attempt was handed over, as the engine's own journal says, where an answer had promised that none would be.
  void CheckStopped() {
    for (const v1::JournalEntry& entry : journal_.entries()) {
      if (entry.to_state() != "IN_SLOT" || entry.from_state() == "IN_SLOT") continue;
      if (sms_.stopped_ms != 0 && entry.at_ms() > sms_.stopped_ms) Fault("an attempt left after a cancel was answered");
      for (const Stroke& stroke : strokes_) {
        if (stroke.what == Stroke::kUnblock || !stroke.Covers(sms_)) continue;
        const bool counts = stroke.what == Stroke::kBlock || sms_.orders.front().told_ms < stroke.asked_ms;
        if (!counts || stroke.told_ms == 0 || entry.at_ms() <= stroke.told_ms) continue;
        if (stroke.what == Stroke::kBlock && entry.at_ms() >= LiftedFrom(stroke)) continue;
        Fault("an attempt left after " + stroke.name +
              (stroke.what == Stroke::kBlock ? " was blocked" : " was canceled"));
      }
    }
  }

  // From when on the block may not stand any more: the first unblock that was not surely over before it was asked.
  std::int64_t LiftedFrom(const Stroke& block) const {
    std::int64_t lifted_ms = kNever;
    for (const Stroke& stroke : strokes_) {
      if (stroke.what != Stroke::kUnblock || stroke.tenant != block.tenant || stroke.name != block.name) continue;
      if (stroke.told_ms == 0 || stroke.told_ms >= block.asked_ms) lifted_ms = std::min(lifted_ms, stroke.asked_ms);
    }
    return lifted_ms;
  }

  const Sms& sms_;
  const v1::SmsStatus& status_;
  const v1::GetJournalResponse& journal_;
  const std::vector<Submit>& submits_;
  const std::vector<Stroke>& strokes_;
  Findings& findings_;
};

}  // namespace

bool IsOver(v1::SmsState state) {
  return state != v1::PENDING && state != v1::IN_SLOT && state != v1::SENT && state != v1::SMS_STATE_UNSPECIFIED;
}

bool WouldBeAnswered(const Sms& sms) {
  return std::all_of(sms.orders.begin(), sms.orders.end(),
                     [](const Order& order) { return !gateway::ScriptOf(order.text).empty(); });
}

void CheckLife(const Life& life, Findings& findings) { OneLife(life, findings).Check(); }

}  // namespace smsflow::crash
