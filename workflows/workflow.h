// What a workflow is to the kernel: a pure decision over bytes. The engine knows nothing else of any workflow.
//
// A workflow is an object without state, registered once with the engine. For every event the engine calls Step() with
// what is stored and with every fact the decision may read; Step() answers with a Decision, one value that lists what
// is to be stored, set, sent and told. The engine commits all of it in one unit, together with a journal record of the
// event, the facts and the result; only then is the caller answered and only then may an effect leave.
//
// Step() must be pure: same arguments, same Decision; no clock, no random, no I/O, no global state. That is what lets
// `replay` decide a whole journal anew. It is called from several threads at once. It does not throw.
//
// All numbers here (workflow, state, event, timer, effect kind, index, set, outcome) are persisted by the workflow that
// gives them: once given, never changed or reused. All times are Unix milliseconds, UTC.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ids/ids.h"

namespace smsflow::workflows {

// Event kinds from here on are the kernel's own; a workflow's are below.
inline constexpr std::uint16_t kKernelEvents = 0xFF00;
inline constexpr std::uint16_t kTimerFired = 0xFF00;  // Event::timer says which
inline constexpr std::uint16_t kPeerLost =
    0xFF01;  // the store that effect Event::effect was leased to is gone for ever

// Timer names from here on are the kernel's own.
inline constexpr std::uint16_t kKernelTimers = 0xFF00;
inline constexpr std::uint16_t kRetentionTimer = 0xFF00;

struct Event {
  std::uint16_t kind = 0;
  std::string body;          // encoded by the workflow's codec; never holds payload
  std::uint16_t timer = 0;   // for kTimerFired
  std::uint32_t effect = 0;  // the number of the effect that it is about; 0: none
  // For kTimerFired: when that was due. Not recorded with the event: the state before it tells.
  std::int64_t timer_due_ms = 0;
};

// What is stored of an instance. Views are good for the duration of the call.
struct Instance {
  InstanceId id;
  std::string_view tenant;
  std::string_view target;
  std::string_view fixed;  // set at creation (or replaced by a later Decision), written rarely
  bool has_payload = false;
  std::uint16_t state = 0;
  std::string_view data;      // changes with every transition
  std::uint32_t effects = 0;  // the last lease number that was used
  bool ended = false;
};

// Everything else that a step may read. All of it is recorded in the journal.
struct Facts {
  std::int64_t now_ms = 0;
  std::uint64_t random = 0;       // 64 uniform bits, drawn for this step
  std::uint64_t memberships = 0;  // bit i: the instance's target is in set i; only sets named by SetsRead()
  std::string_view policy;        // the tenant's, encoded by the workflow's codec; empty: defaults
  const PeerId* peer = nullptr;   // for a gated timer: to whom an effect of kind lease will go. Else null
};

enum class Verdict : std::uint8_t {
  kApplied = 1,  // committed and journaled
  kNoted = 2,    // committed and journaled as well, but it changed nothing that its sender would care about
  kRefused = 3,  // nothing is stored; `code` and `reason` go to the sender
  kIgnored = 4,  // nothing is stored, nobody is told: a timer that lost its race
};

enum class Refusal : std::uint8_t { kNone, kInvalidArgument, kFailedPrecondition, kNotFound };

struct FieldViolation {
  std::string field;
  std::string description;  // the rule, never the value
};

struct TimerChange {
  std::uint16_t name = 0;
  std::optional<std::int64_t> due_ms;  // nullopt clears it; setting one that is set replaces it
  // A gated timer fires only when its scope is not paused and a peer that serves (tenant, lane) has credit: it is the
  // door through which leases leave. Until then it is due and waits, oldest first, tenants in turn.
  bool gated = false;
  std::string lane;  // what Lane() says of its fixed part
};

enum class EffectKind : std::uint8_t {
  kLease = 1,  // handed to Facts::peer with the payload; holds one credit until it is settled. Only from a gated timer
  kProbe = 2,  // asks the peer that holds lease `number` what became of it; carries no payload, lost without harm
  kPost = 3,   // a message for a topic, in order per instance, repeated until the bus has it
};

struct Effect {
  EffectKind kind = EffectKind::kLease;
  std::uint32_t number = 0;      // leases: Instance::effects + 1; probes: the lease asked for; posts: the kernel's
  std::int64_t deadline_ms = 0;  // leases: never handed over (again) at or after it
  std::uint16_t topic = 0;       // posts
  std::string body;              // posts
};

// An event for another instance, applied there exactly once.
struct Tell {
  InstanceId to;
  Event event;
};

struct MembershipChange {
  std::uint8_t set = 0;  // 0 to 63; of the deciding instance's own (tenant, target)
  bool member = true;
};

struct IndexValue {
  std::uint16_t index = 0;  // from 1
  std::string value;
};

struct Decision {
  Verdict verdict = Verdict::kIgnored;
  std::uint16_t outcome = 0;      // for the sender, and counted by sweeps; the workflow's numbers
  Refusal code = Refusal::kNone;  // with kRefused
  std::string reason;
  std::vector<FieldViolation> violations;

  // What is to be stored.
  std::uint16_t state = 0;
  std::string data;
  std::optional<std::string> fixed;  // at creation, and when it is replaced
  bool erase_payload = false;
  bool take_payload = false;      // the payload that came with the event replaces the stored one
  std::vector<IndexValue> index;  // at creation only
  std::vector<TimerChange> timers;
  bool ended = false;                           // over for its user; timers and reports may still change it
  std::optional<std::int64_t> retain_until_ms;  // when all of it is erased; set it with `ended`

  // What is to leave, in this order, once that is durable.
  std::vector<Effect> effects;
  std::vector<Tell> tells;
  std::vector<MembershipChange> memberships;

  // What became of earlier leases.
  std::vector<std::uint32_t> accepted;  // its peer holds it durably: never handed over again
  std::vector<std::uint32_t> settled;   // its credit is free, nothing more is asked

  std::string answer;       // for the sender; kept for repeated idempotency keys when it was a creation
  std::uint32_t about = 0;  // the lease number that this was about, for the journal; 0: none
  std::string cause;        // a word of the workflow's closed list, for journal and metrics
};

// A row of a transition table, as text for diagrams and tests.
struct TableRow {
  std::string_view source, event, target, action, guard;
};

// What a person wants to read of one journal record.
struct Description {
  std::string event;   // its name
  std::string detail;  // never payload
  std::string cause;
};

class Workflow {
 public:
  virtual ~Workflow() = default;

  virtual std::uint16_t number() const = 0;   // persisted
  virtual std::string_view name() const = 0;  // "delivery"
  virtual std::uint32_t version() const = 0;  // raised whenever Step() decides differently for the same arguments

  // Decides `event` for a stored instance; for a creation `instance.state` is 0, and `fixed` and `data` are empty.
  virtual Decision Step(const Instance& instance, const Event& event, const Facts& facts) const = 0;

  // Bit i: Step() for this kind of event reads membership of set i. Called before every step.
  virtual std::uint64_t SetsRead(const Event& event) const = 0;

  // The client's own name of the instance, which a lease carries for comparison with the sealed envelope.
  virtual std::string ClientKey(std::string_view fixed) const = 0;
  // The lane of its leases: which of the tenant's peers can take them.
  virtual std::string Lane(std::string_view fixed) const = 0;

  virtual std::string_view StateName(std::uint16_t state) const = 0;
  virtual Description Describe(const Event& event, std::string_view fixed, std::string_view data) const = 0;
  virtual std::vector<TableRow> TransitionTable() const = 0;
};

}  // namespace smsflow::workflows
