// The table of transitions of one SMS. It is the document: docs/delivery.md is drawn from it, and a test holds it
// against the list of refusals, so that every state has an answer to every event.
#include "workflows/delivery/delivery.h"

#include "workflows/delivery/actions.h"
#include "workflows/delivery/moment.h"
#include "workflows/delivery/refusals.h"
#include "workflows/delivery/reports.h"
#include "workflows/delivery/signals.h"
#include "workflows/msm_driver.h"

namespace smsflow::workflows::delivery {
namespace {

using boost::msm::front::none;
using boost::msm::front::Row;

// clang-format off
namespace state {
struct New         : StateOf<State::kNew>         { static constexpr std::string_view kName = "new"; };
struct Pending     : StateOf<State::kPending>     { static constexpr std::string_view kName = "PENDING"; };
struct InSlot      : StateOf<State::kInSlot>      { static constexpr std::string_view kName = "IN_SLOT"; };
struct Sent        : StateOf<State::kSent>        { static constexpr std::string_view kName = "SENT"; };
struct Delivered   : StateOf<State::kDelivered>   { static constexpr std::string_view kName = "DELIVERED"; };
struct Expired     : StateOf<State::kExpired>     { static constexpr std::string_view kName = "EXPIRED"; };
struct Canceled    : StateOf<State::kCanceled>    { static constexpr std::string_view kName = "CANCELED"; };
struct Blocked     : StateOf<State::kBlocked>     { static constexpr std::string_view kName = "BLOCKED"; };
struct Invalid     : StateOf<State::kInvalid>     { static constexpr std::string_view kName = "INVALID"; };
struct Unconfirmed : StateOf<State::kUnconfirmed> { static constexpr std::string_view kName = "UNCONFIRMED"; };
struct Unknown     : StateOf<State::kUnknown>     { static constexpr std::string_view kName = "UNKNOWN"; };
}  // namespace state

namespace guard {
struct TargetBlocked : GuardBy<guards::TargetBlocked> { static constexpr std::string_view kName = "target blocked"; };
struct SlotLeft      : GuardBy<guards::SlotLeft>      { static constexpr std::string_view kName = "slot left"; };
struct SlotOpen      : GuardBy<guards::SlotOpen>      { static constexpr std::string_view kName = "slot open"; };
struct LastUnknown   : GuardBy<guards::LastUnknown>   { static constexpr std::string_view kName = "last UNKNOWN"; };
struct NotStopped    : GuardBy<guards::NotStopped>    { static constexpr std::string_view kName = "not stopped"; };
struct WasCanceled   : GuardBy<guards::WasCanceled>   { static constexpr std::string_view kName = "was canceled"; };
struct WasBlocked    : GuardBy<guards::WasBlocked>    { static constexpr std::string_view kName = "was blocked"; };
struct MayRetry      : GuardBy<guards::MayRetry>      { static constexpr std::string_view kName = "may retry"; };
struct RetryUnknown  : GuardBy<guards::RetryUnknown>  { static constexpr std::string_view kName = "policy retries it"; };
struct RetryByHand   : GuardBy<guards::RetryByHand>   { static constexpr std::string_view kName = "slot left"; };
struct NewSlotLeft   : GuardBy<guards::NewSlotLeft>   { static constexpr std::string_view kName = "slot left"; };
struct OpenNow       : GuardBy<guards::OpenNow>       { static constexpr std::string_view kName = "slot open"; };

// Sets of guards of which exactly one holds.
using Free        = Not<TargetBlocked>;
using FreeLeft    = And<Free, SlotLeft>;
using FreeNone    = And<Free, Not<SlotLeft>>;
using Go          = And<Free, SlotOpen>;                       // the due timer, of a target that is not blocked
using Skip        = And<And<Free, Not<SlotOpen>>, SlotLeft>;
using Over        = And<And<Free, Not<SlotOpen>>, Not<SlotLeft>>;
using OverUnknown = And<Over, LastUnknown>;
using OverKnown   = And<Over, Not<LastUnknown>>;
using EndUnknown  = And<Not<SlotLeft>, LastUnknown>;           // the slot's end, while waiting
using EndKnown    = And<Not<SlotLeft>, Not<LastUnknown>>;
using NoRetry     = And<NotStopped, Not<MayRetry>>;            // beside MayRetry, WasCanceled, WasBlocked
using HoldUnknown = Not<RetryUnknown>;
}  // namespace guard

namespace action {
struct Plan             : ActionBy<actions::Plan>             { static constexpr std::string_view kName = "plan attempt"; };
struct SkipSlot         : ActionBy<actions::SkipSlot>         { static constexpr std::string_view kName = "plan for next slot"; };
struct Leave            : ActionBy<actions::Leave>            { static constexpr std::string_view kName = "hand over"; };
struct Ask              : ActionBy<actions::Ask>              { static constexpr std::string_view kName = "probe"; };
struct Listen           : ActionBy<actions::Listen>           { static constexpr std::string_view kName = "probe after silence"; };
struct AwaitReceipt     : ActionBy<actions::AwaitReceipt>     { static constexpr std::string_view kName = "await receipt"; };
struct Record           : ActionBy<actions::Record>           { static constexpr std::string_view kName = "record"; };
struct Doubt            : ActionBy<actions::Doubt>            { static constexpr std::string_view kName = "keep payload"; };
struct MissReceipt      : ActionBy<actions::MissReceipt>      { static constexpr std::string_view kName = "keep payload"; };
struct Erase            : ActionBy<actions::Erase>            { static constexpr std::string_view kName = "erase payload"; };
struct Deliver          : ActionBy<actions::Deliver>          { static constexpr std::string_view kName = "end"; };
struct Expire           : ActionBy<actions::Expire>           { static constexpr std::string_view kName = "end"; };
struct MarkCanceled     : ActionBy<actions::MarkCanceled>     { static constexpr std::string_view kName = "end"; };
struct MarkBlocked      : ActionBy<actions::MarkBlocked>      { static constexpr std::string_view kName = "end"; };
struct Invalidate       : ActionBy<actions::Invalidate>       { static constexpr std::string_view kName = "end"; };
struct ForbidByCancel   : ActionBy<actions::ForbidByCancel>   { static constexpr std::string_view kName = "forbid further attempts"; };
struct ForbidByBlock    : ActionBy<actions::ForbidByBlock>    { static constexpr std::string_view kName = "forbid further attempts"; };
struct Replan           : ActionBy<actions::Replan>           { static constexpr std::string_view kName = "plan anew"; };
struct Hurry            : ActionBy<actions::Hurry>            { static constexpr std::string_view kName = "due now"; };
struct GiveUp           : ActionBy<actions::GiveUp>           { static constexpr std::string_view kName = "end"; };
struct ResolveDelivered : ActionBy<actions::ResolveDelivered> { static constexpr std::string_view kName = "end"; };
}  // namespace action

namespace s = state;
namespace e = signals;
namespace a = action;
namespace g = guard;

struct Definition : MachineOver<Definition, Moment> {
  using initial_state = s::New;

  using transition_table = boost::mp11::mp_list<
  //     State           Event                Next state      Action               Guard
  // Scheduled: the first triage.
    Row< s::New,         e::Schedule,         s::Blocked,     a::MarkBlocked,      g::TargetBlocked >,
    Row< s::New,         e::Schedule,         s::Pending,     a::Plan,             g::FreeLeft      >,
    Row< s::New,         e::Schedule,         s::Expired,     a::Expire,           g::FreeNone      >,
  // Waiting for a slot, or in it for credit. Nothing is in flight, so cancel and block are exact.
    Row< s::Pending,     e::Due,              s::Blocked,     a::MarkBlocked,      g::TargetBlocked >,
    Row< s::Pending,     e::Due,              s::InSlot,      a::Leave,            g::Go            >,
    Row< s::Pending,     e::Due,              s::Pending,     a::SkipSlot,         g::Skip          >,
    Row< s::Pending,     e::Due,              s::Unknown,     a::Doubt,            g::OverUnknown   >,
    Row< s::Pending,     e::Due,              s::Expired,     a::Expire,           g::OverKnown     >,
    Row< s::Pending,     e::SlotEnd,          s::Pending,     a::SkipSlot,         g::SlotLeft      >,
    Row< s::Pending,     e::SlotEnd,          s::Unknown,     a::Doubt,            g::EndUnknown    >,
    Row< s::Pending,     e::SlotEnd,          s::Expired,     a::Expire,           g::EndKnown      >,
    Row< s::Pending,     e::Cancel,           s::Canceled,    a::MarkCanceled,     none             >,
    Row< s::Pending,     e::Block,            s::Blocked,     a::MarkBlocked,      none             >,
    Row< s::Pending,     e::Reschedule,       s::Pending,     a::Replan,           g::NewSlotLeft   >,
    Row< s::Pending,     e::LookNow,          s::Pending,     a::Hurry,            g::OpenNow       >,
  // … and while a retry waits, what is learnt of the attempt before it still decides.
    Row< s::Pending,     e::Failed,           s::Pending,     a::Record,           none             >,
    Row< s::Pending,     e::FailedForGood,    s::Invalid,     a::Invalidate,       none             >,
    Row< s::Pending,     e::Unknown,          s::Pending,     a::Record,           g::RetryUnknown  >,
    Row< s::Pending,     e::Unknown,          s::Unknown,     a::Doubt,            g::HoldUnknown   >,
    Row< s::Pending,     e::Sent,             s::Sent,        a::AwaitReceipt,     none             >,
    Row< s::Pending,     e::Delivered,        s::Delivered,   a::Deliver,          none             >,
  // An attempt has left.
    Row< s::InSlot,      e::Accepted,         s::InSlot,      a::Listen,           none             >,
    Row< s::InSlot,      e::Silence,          s::InSlot,      a::Ask,              none             >,
    Row< s::InSlot,      e::SlotEnd,          s::InSlot,      a::Ask,              none             >,
    Row< s::InSlot,      e::Unknown,          s::Pending,     a::Plan,             g::RetryUnknown  >,
    Row< s::InSlot,      e::Unknown,          s::Unknown,     a::Doubt,            g::HoldUnknown   >,
    Row< s::InSlot,      e::Sent,             s::Sent,        a::AwaitReceipt,     none             >,
    Row< s::InSlot,      e::Failed,           s::Pending,     a::Plan,             g::MayRetry      >,
    Row< s::InSlot,      e::Failed,           s::Expired,     a::Expire,           g::NoRetry       >,
    Row< s::InSlot,      e::Failed,           s::Canceled,    a::MarkCanceled,     g::WasCanceled   >,
    Row< s::InSlot,      e::Failed,           s::Blocked,     a::MarkBlocked,      g::WasBlocked    >,
    Row< s::InSlot,      e::FailedForGood,    s::Invalid,     a::Invalidate,       g::NotStopped    >,
    Row< s::InSlot,      e::FailedForGood,    s::Canceled,    a::MarkCanceled,     g::WasCanceled   >,
    Row< s::InSlot,      e::FailedForGood,    s::Blocked,     a::MarkBlocked,      g::WasBlocked    >,
    Row< s::InSlot,      e::Delivered,        s::Delivered,   a::Deliver,          none             >,
    Row< s::InSlot,      e::Cancel,           s::InSlot,      a::ForbidByCancel,   g::NotStopped    >,
    Row< s::InSlot,      e::Block,            s::InSlot,      a::ForbidByBlock,    g::NotStopped    >,
  // The SMSC has it.
    Row< s::Sent,        e::ReceiptOverdue,   s::Unconfirmed, a::MissReceipt,      none             >,
    Row< s::Sent,        e::Failed,           s::Pending,     a::Plan,             g::MayRetry      >,
    Row< s::Sent,        e::Failed,           s::Expired,     a::Expire,           g::NoRetry       >,
    Row< s::Sent,        e::Failed,           s::Canceled,    a::MarkCanceled,     g::WasCanceled   >,
    Row< s::Sent,        e::Failed,           s::Blocked,     a::MarkBlocked,      g::WasBlocked    >,
    Row< s::Sent,        e::FailedForGood,    s::Invalid,     a::Invalidate,       g::NotStopped    >,
    Row< s::Sent,        e::FailedForGood,    s::Canceled,    a::MarkCanceled,     g::WasCanceled   >,
    Row< s::Sent,        e::FailedForGood,    s::Blocked,     a::MarkBlocked,      g::WasBlocked    >,
    Row< s::Sent,        e::Delivered,        s::Delivered,   a::Deliver,          none             >,
    Row< s::Sent,        e::Cancel,           s::Sent,        a::ForbidByCancel,   g::NotStopped    >,
    Row< s::Sent,        e::Block,            s::Sent,        a::ForbidByBlock,    g::NotStopped    >,
  // Sent, and no receipt came. Over for its user; reports still count.
    Row< s::Unconfirmed, e::LastSlotOver,     s::Unconfirmed, a::Erase,            none             >,
    Row< s::Unconfirmed, e::Failed,           s::Pending,     a::Plan,             g::MayRetry      >,
    Row< s::Unconfirmed, e::Failed,           s::Expired,     a::Expire,           g::NoRetry       >,
    Row< s::Unconfirmed, e::Failed,           s::Canceled,    a::MarkCanceled,     g::WasCanceled   >,
    Row< s::Unconfirmed, e::Failed,           s::Blocked,     a::MarkBlocked,      g::WasBlocked    >,
    Row< s::Unconfirmed, e::FailedForGood,    s::Invalid,     a::Invalidate,       g::NotStopped    >,
    Row< s::Unconfirmed, e::FailedForGood,    s::Canceled,    a::MarkCanceled,     g::WasCanceled   >,
    Row< s::Unconfirmed, e::FailedForGood,    s::Blocked,     a::MarkBlocked,      g::WasBlocked    >,
    Row< s::Unconfirmed, e::Delivered,        s::Delivered,   a::Deliver,          none             >,
    Row< s::Unconfirmed, e::Cancel,           s::Unconfirmed, a::ForbidByCancel,   g::NotStopped    >,
    Row< s::Unconfirmed, e::Block,            s::Unconfirmed, a::ForbidByBlock,    g::NotStopped    >,
  // Nobody can tell whether it was sent. Over for its user; reports and an operator still count.
    Row< s::Unknown,     e::LastSlotOver,     s::Unknown,     a::Erase,            none             >,
    Row< s::Unknown,     e::Sent,             s::Sent,        a::AwaitReceipt,     none             >,
    Row< s::Unknown,     e::Failed,           s::Pending,     a::Plan,             g::MayRetry      >,
    Row< s::Unknown,     e::Failed,           s::Expired,     a::Expire,           g::NoRetry       >,
    Row< s::Unknown,     e::Failed,           s::Canceled,    a::MarkCanceled,     g::WasCanceled   >,
    Row< s::Unknown,     e::Failed,           s::Blocked,     a::MarkBlocked,      g::WasBlocked    >,
    Row< s::Unknown,     e::FailedForGood,    s::Invalid,     a::Invalidate,       g::NotStopped    >,
    Row< s::Unknown,     e::FailedForGood,    s::Canceled,    a::MarkCanceled,     g::WasCanceled   >,
    Row< s::Unknown,     e::FailedForGood,    s::Blocked,     a::MarkBlocked,      g::WasBlocked    >,
    Row< s::Unknown,     e::Delivered,        s::Delivered,   a::Deliver,          none             >,
    Row< s::Unknown,     e::Cancel,           s::Unknown,     a::ForbidByCancel,   g::NotStopped    >,
    Row< s::Unknown,     e::Block,            s::Unknown,     a::ForbidByBlock,    g::NotStopped    >,
    Row< s::Unknown,     e::ResolveDelivered, s::Delivered,   a::ResolveDelivered, none             >,
    Row< s::Unknown,     e::ResolveRetry,     s::Pending,     a::Plan,             g::RetryByHand   >,
    Row< s::Unknown,     e::GiveUp,           s::Expired,     a::GiveUp,           none             >,
  // Ends. DELIVERED beats every other; the rest is what makes the end the same whatever the order of the reports.
    Row< s::Expired,     e::Failed,           s::Expired,     a::Record,           none             >,
    Row< s::Expired,     e::FailedForGood,    s::Invalid,     a::Invalidate,       none             >,
    Row< s::Expired,     e::Unknown,          s::Unknown,     a::Doubt,            none             >,
    Row< s::Expired,     e::Sent,             s::Sent,        a::AwaitReceipt,     none             >,
    Row< s::Expired,     e::Delivered,        s::Delivered,   a::Deliver,          none             >,
    Row< s::Canceled,    e::Failed,           s::Canceled,    a::Record,           none             >,
    Row< s::Canceled,    e::FailedForGood,    s::Canceled,    a::Record,           none             >,
    Row< s::Canceled,    e::Unknown,          s::Unknown,     a::Doubt,            none             >,
    Row< s::Canceled,    e::Sent,             s::Sent,        a::AwaitReceipt,     none             >,
    Row< s::Canceled,    e::Delivered,        s::Delivered,   a::Deliver,          none             >,
    Row< s::Blocked,     e::Failed,           s::Blocked,     a::Record,           none             >,
    Row< s::Blocked,     e::FailedForGood,    s::Blocked,     a::Record,           none             >,
    Row< s::Blocked,     e::Unknown,          s::Unknown,     a::Doubt,            none             >,
    Row< s::Blocked,     e::Sent,             s::Sent,        a::AwaitReceipt,     none             >,
    Row< s::Blocked,     e::Delivered,        s::Delivered,   a::Deliver,          none             >,
    Row< s::Invalid,     e::Delivered,        s::Delivered,   a::Deliver,          none             >
  >;
};
// clang-format on

using Driver = MsmDriver<Definition>;

// Timers that may be set in a state. Those that the next state does not share are cleared on the way.
struct TimerNames {
  Timer names[2];
  std::size_t count;
};
TimerNames TimersOf(State state) {
  switch (state) {
    case State::kPending:
      return {{kDueTimer, kSlotEndTimer}, 2};
    case State::kInSlot:
      return {{kSlotEndTimer, kProbeTimer}, 2};
    case State::kSent:
      return {{kReceiptTimer, {}}, 1};
    case State::kUnconfirmed:
    case State::kUnknown:
      return {{kKeepTimer, {}}, 1};
    default:
      return {};
  }
}

void ClearTimers(const Moment& moment) {
  StepResult& out = moment.out;
  const auto* fired = std::get_if<TimerFired>(&moment.event);
  const TimerNames before = TimersOf(moment.in.state), after = TimersOf(out.state);
  for (std::size_t i = 0; i < before.count; ++i) {
    const Timer name = before.names[i];
    bool stays = fired != nullptr && fired->timer == name;  // consumed by firing
    for (const TimerChange& change : out.timers) stays |= change.name == name;
    for (std::size_t j = 0; j < after.count; ++j) stays |= after.names[j] == name && out.state == State::kInSlot;
    if (!stays) out.timers.push_back({name, std::nullopt, false, {}});
  }
}

void Finish(Moment& moment, State next) {
  StepResult& out = moment.out;
  out.state = next;
  if (out.verdict != Verdict::kNoted) out.verdict = Verdict::kApplied;
  if (const auto* schedule = std::get_if<Schedule>(&moment.event)) out.fixed = schedule->fixed;
  if (next == moment.in.state) return;
  ClearTimers(moment);
  if (IsOverForUser(next)) out.retain_until_ms = moment.in.now_ms + moment.in.policy.retention_ms;
}

}  // namespace

StepResult Step(const Input& in, const AnyEvent& event) {
  StepResult out;
  out.state = in.state;
  out.data = in.data;
  Moment moment{in, event, out};
  const auto signal = SignalOf(moment);
  if (!signal) return out;
  State next = in.state;
  const Ran ran = std::visit([&](const auto& happened) { return Driver::Run(next, moment, happened); }, *signal);
  if (ran == Ran::kMoved)
    Finish(moment, next);
  else
    Refuse(moment);
  return out;
}

std::vector<TableRow> TransitionTable() { return Driver::Rows(); }

}  // namespace smsflow::workflows::delivery
