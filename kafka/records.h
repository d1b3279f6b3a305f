// The records on the topics of smsflow, as values: what each means, and how it is written.
//
// The JSON is that of the programs that smsflow replaces, and what is new stands in headers (headers.h). Fields that
// are not known are ignored; a field of the wrong type, missing, or there twice is an error that names it and the rule.
// An error is INVALID_ARGUMENT, `field: rule; field: rule`, and never repeats anything of the record but names of
// fields that stand in this header.
//
// Pure functions over values; safe from any thread. What is read is bounded by kValueBytesMax and kDepthMax.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "ids/ids.h"
#include "kafka/headers.h"
#include "workflows/delivery/events.h"

namespace smsflow::kafka {

using workflows::delivery::About;
using workflows::delivery::Reported;

inline constexpr std::size_t kValueBytesMax = 256 << 10;  // of a record's value
inline constexpr int kDepthMax = 16;                      // of arrays and objects in one another
inline constexpr std::size_t kHeaderBytesMax = 1024;  // of a header's value; a longer one is refused where it counts
inline constexpr std::size_t kReasonBytesMax = 512;

// The names of the topics, where the configuration says nothing else.
inline constexpr std::string_view kScheduleTopic = "schedule-sms";
inline constexpr std::string_view kStatusTopic = "sms-status";
inline constexpr std::string_view kTimerTopic = "sms-timer";
inline constexpr std::string_view kSendTopic = "send-sms";
inline constexpr std::string_view kEventsTopic = "sms-events";
inline constexpr std::string_view kInboundTopic = "sms-inbound";
inline constexpr std::string_view kDeadLetterTopic = "smsflow-dead-letter";

// A record to be produced.
struct Outgoing {
  std::string key;  // of the record; decides on its partition where none is named
  std::string value;
  Headers headers;
};

// `schedule-sms`: what a client asks for.
struct ScheduleSms {
  enum class Action : std::uint8_t { kSchedule = 1, kCancel = 2, kBlock = 3 };
  Action action = Action::kSchedule;
  std::string client;           // the tenant; who may say so is the door's to decide
  std::string target;           // kSchedule: may be empty; kBlock
  std::string key;              // kSchedule: may be empty; kCancel
  std::string batch;            // kSchedule, may be empty
  std::string schedule;         // kSchedule: the slots as text, not looked into; may be empty, which is no slot
  std::string message;          // kSchedule: the sealed payload
  std::string idempotency_key;  // of the header; empty: none
  bool operator==(const ScheduleSms&) const = default;
};
absl::StatusOr<ScheduleSms> DecodeScheduleSms(std::string_view value, std::span<const HeaderView> headers);
Outgoing EncodeScheduleSms(const ScheduleSms& sms);

// `sms-timer`: look now. Neither id nor batch: at all of the tenant.
struct TimerSms {
  std::string client;
  std::optional<InstanceId> id;
  std::string batch;
  bool operator==(const TimerSms&) const = default;
};
absl::StatusOr<TimerSms> DecodeTimerSms(std::string_view value);
Outgoing EncodeTimerSms(const TimerSms& timer);

// The engine's last acknowledged sequence of a shard, as it goes out with attempts and comes back with announcements.
struct ShardMark {
  std::uint16_t shard = 0;
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;
  std::string seal;  // may be empty
  bool operator==(const ShardMark&) const = default;
};

// `send-sms`: an attempt for a gateway, or the question what became of one.
struct SendSms {
  enum class Op : std::uint8_t { kSend = 1, kProbe = 2 };
  Op op = Op::kSend;
  AttemptId attempt;   // correl-id
  std::string client;  // client-id; kProbe: may be empty, the attempt is enough
  std::int64_t deadline_ms = 0;
  std::string payload;            // kSend
  std::string client_key;         // may be empty
  std::string key_id;             // may be empty
  PeerId peer;                    // the store it is for; both empty towards a gateway that knows no stores
  std::optional<ShardMark> mark;  // of the engine
  bool operator==(const SendSms&) const = default;
};
// FAILED_PRECONDITION: a record of an engine without attempts of its own.
absl::StatusOr<SendSms> DecodeSendSms(std::string_view value, std::span<const HeaderView> headers);
// The JSON has exactly the four old fields (a probe: two or three), for old gateways drop what has more. A payload that
// is not UTF-8 goes as base64. The key is the attempt's id.
Outgoing EncodeSendSms(const SendSms& sms);

// `send-sms` as an engine writes it that has no attempts of its own: no headers, and one correl-id for all tries of an
// SMS. What makes it no SMS is answered with INVALID, as such an engine expects, once it is known whom to answer.
struct OldSendSms {
  std::string correl_id;  // 1 to 128 bytes
  std::string client;     // never empty
  std::int64_t deadline_ms = 0;
  std::string payload;
  std::string_view lacks;  // a cause of old gateways, in their words; empty: it is whole
  bool operator==(const OldSendSms&) const = default;
};
bool IsOfOldEngine(std::span<const HeaderView> headers);
absl::StatusOr<OldSendSms> DecodeOldSendSms(std::string_view value);

// `sms-status`: what became of an attempt.
struct StatusSms {
  std::string correl_id;             // as it stands there, at most 128 bytes
  std::optional<AttemptId> attempt;  // nullopt: it is none of an engine with attempts
  std::string client;                // may be empty: then nobody claims anything
  Reported result = Reported::kSent;
  About about = About::kNotSaid;
  std::string cause;           // of the list in docs/hand-over.md, whatever the record said
  std::int64_t at_ms = 0;      // the gateway's clock, for people; 0: not said, or not to be read
  std::optional<PeerId> peer;  // nullopt: of a gateway that knows no stores
  bool operator==(const StatusSms&) const = default;
};
// FAILED has no word for permanent in the JSON: it counts as transient but for the header.
absl::StatusOr<StatusSms> DecodeStatusSms(std::string_view value, std::span<const HeaderView> headers);
Outgoing EncodeStatusSms(const StatusSms& status);

// `sms-status`, header `smsflow-op: announce`: a gateway says who it is, at its start and then every few seconds, so
// that it is handed work and is known to live.
struct Announcement {
  PeerId peer;
  std::vector<std::int32_t> partitions;  // of `send-sms`, that it alone reads; ascending, at least one, at most 4,096
  std::vector<std::string> tenants;      // served; at least one, at most 10,000
  std::vector<std::string> key_ids;      // which envelopes it opens; empty: every one
  std::uint32_t credit = 0;              // attempts open at once, 1 to 1,000,000
  std::vector<ShardMark> marks;          // the highest this store has seen, at most one of each shard
  std::int64_t at_ms = 0;                // the gateway's clock
  bool leaves = false;                   // it stops of its own will; its store stays
  bool operator==(const Announcement&) const = default;
};
bool IsAnnouncement(std::span<const HeaderView> headers);
absl::StatusOr<Announcement> DecodeAnnouncement(std::string_view value);
Outgoing EncodeAnnouncement(const Announcement& announcement);

// `sms-events`: one transition, for those who follow along. No payload and no target.
struct SmsEvent {
  std::uint16_t shard = 0;
  std::uint64_t sequence = 0;  // with the shard: its place in the journal, and what a reader deduplicates by
  InstanceId id;
  std::string client;
  std::string batch, key;     // may be empty
  std::string event;          // what happened, a word
  std::string from, state;    // the states' names
  std::string status;         // the old contracts' word for `state`
  std::uint32_t attempt = 0;  // 0: none yet
  std::string cause;          // may be empty
  std::int64_t at_ms = 0;
  std::uint64_t epoch = 1;  // of the data folder, at least 1: of the same place the event of the higher epoch counts
  bool operator==(const SmsEvent&) const = default;
};
absl::StatusOr<SmsEvent> DecodeSmsEvent(std::string_view value);
// The key is the SMS's id, so that the events of one come in order.
Outgoing EncodeSmsEvent(const SmsEvent& event);

// `sms-inbound`: an SMS from a phone, sealed for its tenant (docs/inbound.md).
struct InboundRecord {
  std::string id;      // what a reader deduplicates by
  std::string client;  // the tenant
  std::string payload;
  std::int64_t at_ms = 0;
  bool operator==(const InboundRecord&) const = default;
};
absl::StatusOr<InboundRecord> DecodeInbound(std::string_view value);
// The key is the SMS's id.
Outgoing EncodeInbound(const InboundRecord& inbound);

// `smsflow-dead-letter`: a record that could not be taken. Where it stands and why, never what it says.
struct DeadLetter {
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::string reason;  // names fields and rules; cut to kReasonBytesMax
  std::int64_t at_ms = 0;
  std::uint64_t bytes = 0;  // of the record's value
  std::string by;           // who gave it up: `engine`, or a gateway's id
  bool operator==(const DeadLetter&) const = default;
};
absl::StatusOr<DeadLetter> DecodeDeadLetter(std::string_view value);
// The key is `topic/partition/offset`, so that one written twice is seen to be the same.
Outgoing EncodeDeadLetter(const DeadLetter& letter);

// What an old gateway's error text says, in the words of docs/hand-over.md; the text itself may hold a number and goes
// no further. A text that is such a word already stays what it is.
struct Told {
  std::string_view cause;
  About about = About::kNotSaid;
};
Told CauseOfErrorText(Reported result, std::string_view text);
// The other way round: the old gateways' words for a cause, or the cause where they have none.
std::string_view ErrorTextOf(Reported result, std::string_view cause);

}  // namespace smsflow::kafka
