// A tiny workflow that asks the kernel for every item it offers: open and gated timers, leases, probes, posts, tells,
// membership, an index, retention. It carries parcels and has never heard of an SMS.
//
// A parcel waits until it is due, is leased to a peer, and when the peer reports it done, its friend (another parcel,
// perhaps of another shard) is told, which posts a thank-you to a topic. Bodies of events are plain words.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "workflows/workflow.h"

namespace smsflow::engine::courier {

inline constexpr std::uint16_t kWorkflow = 900;
enum State : std::uint16_t { kNew = 0, kWaiting = 1, kOut = 2, kDone = 3, kStopped = 4, kLost = 5 };
enum EventKind : std::uint16_t { kCreate = 1, kReport = 2, kStop = 3, kTold = 4, kJoin = 5, kLeave = 6 };
enum Outcome : std::uint16_t { kNothing = 0, kWasStopped = 1, kTooLate = 2, kOver = 3 };
enum Timer : std::uint16_t { kGo = 1, kAsk = 2, kGiveUp = 3 };
inline constexpr std::uint16_t kLabelIndex = 1;
inline constexpr std::uint8_t kBanned = 3;  // a parcel whose target is in this set does not leave
inline constexpr std::uint16_t kThanksTopic = 7;
inline constexpr std::int64_t kAskAfterMs = 1'000;
inline constexpr std::int64_t kKeepMs = 10'000;

struct Parcel {
  std::int64_t due_ms = 0;
  std::string label;  // index value; empty: none
  std::optional<InstanceId> friend_id;
  std::string lane;
};

workflows::Event Create(const Parcel& parcel);
workflows::Event Simple(EventKind kind, std::string body = "");

std::unique_ptr<workflows::Workflow> MakeWorkflow();
// How often this parcel was told, from its data.
int TimesTold(std::string_view data);

}  // namespace smsflow::engine::courier
