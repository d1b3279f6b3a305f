#include "tests/crash/life.h"

#include <algorithm>
#include <string>

#include "gateway/loopback.h"

namespace smsflow::crash {
namespace {

using gateway::Reported;

bool Says(const std::string& text, Reported word) {
  const auto script = gateway::ScriptOf(text);
  return std::any_of(script.begin(), script.end(), [&](const auto& scripted) { return scripted.result == word; });
}

// The loopback refuses it or fails it, sooner or later.
bool HasNegative(const std::string& text) {
  return Says(text, Reported::kFailedTransient) || Says(text, Reported::kExpired) || Says(text, Reported::kInvalid);
}

// One SMS, what the engine says of it, and what left for it.
class OneLife {
 public:
  OneLife(const Sms& sms, const v1::SmsStatus& status, const std::vector<Submit>& submits, const Book& book,
          Findings& findings)
      : sms_(sms), status_(status), submits_(submits), book_(book), findings_(findings) {}

  void Check() {
    CheckSlots();
    CheckCopies();
    CheckState();
    CheckCommands();
  }

 private:
  void Fault(const std::string& what) {
    findings_.Add(IdText(sms_.id) + " (" + sms_.text + ", " + v1::SmsState_Name(status_.state()) + ", cause '" +
                      status_.cause() + "', attempts " + std::to_string(status_.attempts()) + ", submitted " +
                      std::to_string(submits_.size()) + "): " + what,
                  sms_.id);
  }

  void CheckSlots() {
    for (const Submit& submit : submits_) {
      const bool inside = std::any_of(sms_.slots.begin(), sms_.slots.end(), [&](const auto& slot) {
        return submit.at_ms >= slot.first * 1000 && submit.deadline_ms <= slot.second * 1000 &&
               submit.deadline_ms > slot.first * 1000;
      });
      if (!inside) Fault("attempt " + std::to_string(submit.attempt) + " left outside its slots");
      if (submit.attempt > status_.attempts()) {
        Fault("the engine does not know attempt " + std::to_string(submit.attempt) + ", which left");
      }
    }
  }

  void CheckCopies() {
    if (submits_.size() > 1 && !HasNegative(sms_.text)) Fault("more than one copy");
    if (status_.attempts() > 3) Fault("more attempts than max_attempts");
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
    if (state == v1::DELIVERED && !Says(sms_.text, Reported::kDelivered)) Fault("nobody delivered it");
    if (state == v1::INVALID && !Says(sms_.text, Reported::kInvalid)) Fault("nobody called it invalid");
    const bool open_end = state == v1::DELIVERED || state == v1::UNCONFIRMED || state == v1::UNKNOWN;
    if (!open_end && !HasNegative(sms_.text)) Fault("it left, and nobody said that it failed");
  }

  void CheckCommands() {
    const auto named = [&](const auto& names, const std::string& name) { return names.contains({sms_.tenant, name}); };
    const bool cancel = sms_.cancel_asked || named(book_.canceled_batches, sms_.request.batch());
    const bool block = named(book_.blocked_targets, sms_.request.target());
    if (status_.state() == v1::CANCELED && !cancel) Fault("nobody canceled it");
    if (status_.state() == v1::BLOCKED && !block) Fault("nobody blocked its target");
    if (sms_.must_be_blocked && !submits_.empty()) Fault("it left although its target is blocked");
    if (sms_.canceled_ms == 0) return;
    if (status_.state() != v1::CANCELED) Fault("it was answered as canceled");
    for (const Submit& submit : submits_) {
      if (submit.at_ms > sms_.canceled_ms) Fault("it left after it was answered as canceled");
    }
  }

  const Sms& sms_;
  const v1::SmsStatus& status_;
  const std::vector<Submit>& submits_;
  const Book& book_;
  Findings& findings_;
};

}  // namespace

bool IsOver(v1::SmsState state) {
  return state != v1::PENDING && state != v1::IN_SLOT && state != v1::SENT && state != v1::SMS_STATE_UNSPECIFIED;
}

void CheckLife(const Sms& sms, const v1::SmsStatus& status, const std::vector<Submit>& submits, const Book& book,
               Findings& findings) {
  OneLife(sms, status, submits, book, findings).Check();
}

}  // namespace smsflow::crash
