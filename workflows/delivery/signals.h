// What an event amounts to for the machine: its column headings. A report becomes one of them only if it raised the
// result of the latest attempt, or is the DELIVERED of any; see reports.cc. Private to the machine.
#pragma once

#include <string_view>
#include <variant>

namespace smsflow::workflows::delivery::signals {

// clang-format off
struct Schedule       { static constexpr std::string_view kName = "schedule"; };
struct Due            { static constexpr std::string_view kName = "due"; };
struct SlotEnd        { static constexpr std::string_view kName = "slot end"; };
struct Silence        { static constexpr std::string_view kName = "silence"; };          // time to ask the gateway
struct ReceiptOverdue { static constexpr std::string_view kName = "receipt overdue"; };
struct LastSlotOver   { static constexpr std::string_view kName = "last slot over"; };
struct Accepted       { static constexpr std::string_view kName = "ACCEPTED"; };
struct Unknown        { static constexpr std::string_view kName = "UNKNOWN"; };          // reported, no answer in time, or store lost
struct Sent           { static constexpr std::string_view kName = "SENT"; };
struct Failed         { static constexpr std::string_view kName = "FAILED"; };           // transient, EXPIRED, or NEVER_SEEN
struct FailedForGood  { static constexpr std::string_view kName = "FAILED for good"; };  // permanent, or INVALID
struct Delivered      { static constexpr std::string_view kName = "DELIVERED"; };        // of any attempt
struct Cancel         { static constexpr std::string_view kName = "cancel"; };
struct Block          { static constexpr std::string_view kName = "block"; };
struct Reschedule     { static constexpr std::string_view kName = "reschedule"; };
struct ResolveDelivered { static constexpr std::string_view kName = "resolve delivered"; };
struct ResolveRetry   { static constexpr std::string_view kName = "resolve retry"; };
struct GiveUp         { static constexpr std::string_view kName = "give up"; };
struct LookNow        { static constexpr std::string_view kName = "look now"; };
// clang-format on

using Signal =
    std::variant<Schedule, Due, SlotEnd, Silence, ReceiptOverdue, LastSlotOver, Accepted, Unknown, Sent, Failed,
                 FailedForGood, Delivered, Cancel, Block, Reschedule, ResolveDelivered, ResolveRetry, GiveUp, LookNow>;

}  // namespace smsflow::workflows::delivery::signals
