// The table of transitions of one attempt at its gateway. It is the document: docs/submission.md is drawn from it, and
// a test holds it against the list of what has no row, so that every state has an answer to every event.
#include "workflows/submission/submission.h"

#include <string_view>
#include <utility>

#include "workflows/msm_driver.h"

namespace smsflow::workflows::submission {
namespace {

using boost::msm::front::none;
using boost::msm::front::Row;

// One step while it is being decided.
struct Moment {
  const Input& in;
  StepResult& out;
};

// What an event amounts to: the column headings. What is learnt of parts becomes one of those below the line only if it
// raises what is known of the attempt.
namespace signals {
// clang-format off
struct Lease         { static constexpr std::string_view kName = "lease"; };
struct Probe         { static constexpr std::string_view kName = "probe"; };
struct Unknown       { static constexpr std::string_view kName = "UNKNOWN"; };
struct Sent          { static constexpr std::string_view kName = "SENT"; };
struct Expired       { static constexpr std::string_view kName = "EXPIRED"; };
struct Failed        { static constexpr std::string_view kName = "FAILED"; };
struct Invalid       { static constexpr std::string_view kName = "INVALID"; };
struct FailedForGood { static constexpr std::string_view kName = "FAILED for good"; };
struct Delivered     { static constexpr std::string_view kName = "DELIVERED"; };
// clang-format on
using Signal = std::variant<Lease, Probe, Unknown, Sent, Expired, Failed, Invalid, FailedForGood, Delivered>;
}  // namespace signals

bool MayBeForgotten(const Moment& moment) { return moment.in.deadline_ms <= moment.in.pruned_ms; }
bool TooLate(const Moment& moment) { return moment.in.now_ms >= moment.in.deadline_ms; }

void Intend(Moment& moment) {
  moment.out.submit = true;
  moment.out.tell = State::kIntent;
}
void Expire(Moment& moment) {
  moment.out.tell = State::kExpired;
  moment.out.why = {0, "expired"};
}
void Refuse(Moment& moment) {
  moment.out.tell = State::kNeverSeen;
  moment.out.why = {0, "never_seen"};
}
// It is not known here whether it was ever submitted.
void Disown(Moment& moment) {
  moment.out.tell = State::kUnknown;
  moment.out.why = {0, "unknown"};
}
void TellAgain(Moment& moment) { moment.out.tell = moment.in.state; }

// clang-format off
namespace state {
struct New           : StateOf<State::kNew>           { static constexpr std::string_view kName = "new"; };
struct NeverSeen     : StateOf<State::kNeverSeen>     { static constexpr std::string_view kName = "NEVER_SEEN"; };
struct Intent        : StateOf<State::kIntent>        { static constexpr std::string_view kName = "INTENT"; };
struct Unknown       : StateOf<State::kUnknown>       { static constexpr std::string_view kName = "UNKNOWN"; };
struct Sent          : StateOf<State::kSent>          { static constexpr std::string_view kName = "SENT"; };
struct Expired       : StateOf<State::kExpired>       { static constexpr std::string_view kName = "EXPIRED"; };
struct Failed        : StateOf<State::kFailed>        { static constexpr std::string_view kName = "FAILED"; };
struct Invalid       : StateOf<State::kInvalid>       { static constexpr std::string_view kName = "INVALID"; };
struct FailedForGood : StateOf<State::kFailedForGood> { static constexpr std::string_view kName = "FAILED_PERMANENT"; };
struct Delivered     : StateOf<State::kDelivered>     { static constexpr std::string_view kName = "DELIVERED"; };
}  // namespace state

namespace guard {
struct Forgotten : GuardBy<MayBeForgotten> { static constexpr std::string_view kName = "may be forgotten"; };
struct Late      : GuardBy<TooLate>        { static constexpr std::string_view kName = "deadline over"; };
using OverNew = And<Not<Forgotten>, Late>;
using InTime  = And<Not<Forgotten>, Not<Late>>;
}  // namespace guard

namespace action {
struct Intend : ActionBy<submission::Intend>    { static constexpr std::string_view kName = "submit, tell ACCEPTED"; };
struct Expire : ActionBy<submission::Expire>    { static constexpr std::string_view kName = "tell"; };
struct Refuse : ActionBy<submission::Refuse>    { static constexpr std::string_view kName = "tell"; };
struct Disown : ActionBy<submission::Disown>    { static constexpr std::string_view kName = "tell UNKNOWN"; };
struct Again  : ActionBy<submission::TellAgain> { static constexpr std::string_view kName = "tell again"; };
}  // namespace action

namespace s = state;
namespace e = signals;
namespace a = action;
namespace g = guard;

struct Definition : MachineOver<Definition, Moment> {
  using initial_state = s::New;

  using transition_table = boost::mp11::mp_list<
  //     State             Event             Next state        Action     Guard
  // The first that is heard of it. The only row that submits is the third.
    Row< s::New,           e::Lease,         s::New,           a::Disown, g::Forgotten      >,
    Row< s::New,           e::Lease,         s::Expired,       a::Expire, g::OverNew        >,
    Row< s::New,           e::Lease,         s::Intent,        a::Intend, g::InTime         >,
    Row< s::New,           e::Probe,         s::New,           a::Disown, g::Forgotten      >,
    Row< s::New,           e::Probe,         s::NeverSeen,     a::Refuse, Not<g::Forgotten> >,
  // Handed over once more, or asked for.
    Row< s::NeverSeen,     e::Lease,         s::NeverSeen,     a::Again,  none              >,
    Row< s::NeverSeen,     e::Probe,         s::NeverSeen,     a::Again,  none              >,
    Row< s::Intent,        e::Lease,         s::Intent,        a::Again,  none              >,
    Row< s::Intent,        e::Probe,         s::Intent,        a::Again,  none              >,
    Row< s::Unknown,       e::Lease,         s::Unknown,       a::Again,  none              >,
    Row< s::Unknown,       e::Probe,         s::Unknown,       a::Again,  none              >,
    Row< s::Sent,          e::Lease,         s::Sent,          a::Again,  none              >,
    Row< s::Sent,          e::Probe,         s::Sent,          a::Again,  none              >,
    Row< s::Expired,       e::Lease,         s::Expired,       a::Again,  none              >,
    Row< s::Expired,       e::Probe,         s::Expired,       a::Again,  none              >,
    Row< s::Failed,        e::Lease,         s::Failed,        a::Again,  none              >,
    Row< s::Failed,        e::Probe,         s::Failed,        a::Again,  none              >,
    Row< s::Invalid,       e::Lease,         s::Invalid,       a::Again,  none              >,
    Row< s::Invalid,       e::Probe,         s::Invalid,       a::Again,  none              >,
    Row< s::FailedForGood, e::Lease,         s::FailedForGood, a::Again,  none              >,
    Row< s::FailedForGood, e::Probe,         s::FailedForGood, a::Again,  none              >,
    Row< s::Delivered,     e::Lease,         s::Delivered,     a::Again,  none              >,
    Row< s::Delivered,     e::Probe,         s::Delivered,     a::Again,  none              >,
  // What is learnt of it only ever rises.
    Row< s::Intent,        e::Unknown,       s::Unknown,       none,      none              >,
    Row< s::Intent,        e::Sent,          s::Sent,          none,      none              >,
    Row< s::Intent,        e::Expired,       s::Expired,       none,      none              >,
    Row< s::Intent,        e::Failed,        s::Failed,        none,      none              >,
    Row< s::Intent,        e::Invalid,       s::Invalid,       none,      none              >,
    Row< s::Intent,        e::FailedForGood, s::FailedForGood, none,      none              >,
    Row< s::Intent,        e::Delivered,     s::Delivered,     none,      none              >,
    Row< s::Unknown,       e::Sent,          s::Sent,          none,      none              >,
    Row< s::Unknown,       e::Expired,       s::Expired,       none,      none              >,
    Row< s::Unknown,       e::Failed,        s::Failed,        none,      none              >,
    Row< s::Unknown,       e::Invalid,       s::Invalid,       none,      none              >,
    Row< s::Unknown,       e::FailedForGood, s::FailedForGood, none,      none              >,
    Row< s::Unknown,       e::Delivered,     s::Delivered,     none,      none              >,
    Row< s::Sent,          e::Expired,       s::Expired,       none,      none              >,
    Row< s::Sent,          e::Failed,        s::Failed,        none,      none              >,
    Row< s::Sent,          e::Invalid,       s::Invalid,       none,      none              >,
    Row< s::Sent,          e::FailedForGood, s::FailedForGood, none,      none              >,
    Row< s::Sent,          e::Delivered,     s::Delivered,     none,      none              >,
    Row< s::Expired,       e::Failed,        s::Failed,        none,      none              >,
    Row< s::Expired,       e::Invalid,       s::Invalid,       none,      none              >,
    Row< s::Expired,       e::FailedForGood, s::FailedForGood, none,      none              >,
    Row< s::Expired,       e::Delivered,     s::Delivered,     none,      none              >,
    Row< s::Failed,        e::Invalid,       s::Invalid,       none,      none              >,
    Row< s::Failed,        e::FailedForGood, s::FailedForGood, none,      none              >,
    Row< s::Failed,        e::Delivered,     s::Delivered,     none,      none              >,
    Row< s::Invalid,       e::FailedForGood, s::FailedForGood, none,      none              >,
    Row< s::Invalid,       e::Delivered,     s::Delivered,     none,      none              >,
    Row< s::FailedForGood, e::Delivered,     s::Delivered,     none,      none              >
  >;
};
// clang-format on

using Driver = MsmDriver<Definition>;

std::optional<signals::Signal> SignalOf(State learnt) {
  switch (learnt) {
    case State::kUnknown:
      return signals::Unknown{};
    case State::kSent:
      return signals::Sent{};
    case State::kExpired:
      return signals::Expired{};
    case State::kFailed:
      return signals::Failed{};
    case State::kInvalid:
      return signals::Invalid{};
    case State::kFailedForGood:
      return signals::FailedForGood{};
    case State::kDelivered:
      return signals::Delivered{};
    default:  // of what is no result nothing is learnt
      return std::nullopt;
  }
}

// Runs the table. What has no row changes nothing.
bool Decide(Moment& moment, const signals::Signal& signal) {
  State next = moment.in.state;
  const Ran ran = std::visit([&](const auto& what) { return Driver::Run(next, moment, what); }, signal);
  if (ran != Ran::kMoved) return false;
  moment.out.state = next;
  moment.out.store = moment.out.store || next != moment.in.state;
  return true;
}

// True when it raised what was known before.
bool Learn(Moment& moment, State learnt, Why why) {
  const auto signal = SignalOf(learnt);
  if (!signal || !Decide(moment, *signal)) return false;
  moment.out.tell = learnt;
  moment.out.why = std::move(why);
  return true;
}

// What the parts amount to now.
void LearnOfParts(Moment& moment) {
  const Data& data = moment.out.data;
  const auto amounts = Amounts(data);
  if (!amounts) return;
  const bool failed = RankOf(*amounts) > RankOf(State::kSent) && *amounts != State::kDelivered;
  Learn(moment, *amounts, failed ? data.failure : Why{0, *amounts == State::kUnknown ? "unknown" : ""});
}

// Nothing was ever submitted of what is in these.
bool NothingLeft(State state) { return state == State::kNew || state == State::kNeverSeen; }

void Put(Moment& moment, std::uint8_t number, Part part, const Reason& why) {
  Data& data = moment.out.data;
  Part& known = data.parts[number - std::size_t{1}];
  if (known == part) return;
  const State before = WorstOf(data.parts);
  known = part;
  if (RankOf(WorstOf(data.parts)) > RankOf(before)) data.failure = {why.about, std::string(why.cause)};
  moment.out.store = true;
  LearnOfParts(moment);
}

struct Visitor {
  Moment& moment;

  void operator()(const Lease&) { Decide(moment, signals::Lease{}); }
  void operator()(const Probe&) { Decide(moment, signals::Probe{}); }
  void operator()(const Answered& answered) {
    Data& data = moment.out.data;
    if (NothingLeft(moment.in.state) || answered.parts == 0) return;
    if (data.parts.empty()) {
      data.rule = answered.rule;
      data.parts.resize(answered.parts);
    }
    if (answered.number == 0 || answered.number > data.parts.size()) return;
    Part part = data.parts[answered.number - std::size_t{1}];
    const bool open = part.answer == Answer::kNone || part.answer == Answer::kUnknown;
    if (open && answered.answer != Answer::kNone) part.answer = answered.answer;
    Put(moment, answered.number, part, answered.why);
  }
  void operator()(const Receipt& receipt) {
    const Data& data = moment.out.data;
    if (receipt.number == 0 || receipt.number > data.parts.size()) return;
    Part part = data.parts[receipt.number - std::size_t{1}];
    part.heard = static_cast<std::uint8_t>(part.heard | static_cast<std::uint8_t>(receipt.heard));
    Put(moment, receipt.number, part, receipt.why);
  }
  void operator()(const Word& word) {
    const Why why{word.why.about, std::string(word.why.cause)};
    if (NothingLeft(moment.in.state) || Learn(moment, word.says, why)) return;
    moment.out.tell = word.says;
    moment.out.why = why;
  }
  void operator()(const Restarted&) {
    if (moment.in.state != State::kIntent) return;
    for (Part& part : moment.out.data.parts) {
      if (part.answer == Answer::kNone) part.answer = Answer::kUnknown;
    }
    if (Amounts(moment.out.data).value_or(State::kUnknown) == State::kUnknown) {
      Learn(moment, State::kUnknown, {0, "restarted"});
    } else {
      LearnOfParts(moment);
    }
  }
};

}  // namespace

StepResult Step(const Input& in, const Event& event) {
  StepResult out;
  out.state = in.state;
  out.data = in.data;
  Moment moment{in, out};
  std::visit(Visitor{moment}, event);
  return out;
}

std::vector<TableRow> TransitionTable() { return Driver::Rows(); }

}  // namespace smsflow::workflows::submission
