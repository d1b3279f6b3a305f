#include "gateway/smsc_words.h"

#include <algorithm>

namespace smsflow::gateway {

using workflows::submission::Heard;

Heard HeardOf(smpp::ReceiptMeaning meaning) {
  switch (meaning) {
    case smpp::ReceiptMeaning::kUnderWay:
      return Heard::kUnderWay;
    case smpp::ReceiptMeaning::kDelivered:
      return Heard::kDelivered;
    case smpp::ReceiptMeaning::kFailedTransient:
      return Heard::kFailed;
    case smpp::ReceiptMeaning::kFailedPermanent:
      return Heard::kFailedForGood;
    case smpp::ReceiptMeaning::kInDoubt:
      return Heard::kInDoubt;
  }
  return Heard::kInDoubt;
}

std::string_view CauseOf(const std::optional<smpp::MessageState>& state) {
  if (!state) return "failed";
  switch (*state) {
    case smpp::MessageState::kExpired:
      return "expired";
    case smpp::MessageState::kDeleted:
      return "deleted";
    case smpp::MessageState::kUndeliverable:
      return "undeliverable";
    case smpp::MessageState::kRejected:
      return "rejected";
    case smpp::MessageState::kUnknown:
      return "smsc_unknown";
    default:
      return "failed";
  }
}

Blame BlameOf(const smpp::RefusalMeaning& meaning, smpp::CommandStatus status) {
  if (status == smpp::CommandStatus::kThrottled || status == smpp::CommandStatus::kMessageQueueFull) {
    return {About::kRoute, "throttled"};
  }
  switch (meaning.fault) {
    case smpp::FaultOf::kMessage:
      return {About::kMessage, meaning.permanent ? "invalid_message" : "smsc_error"};
    case smpp::FaultOf::kRecipient:
      return {About::kRecipient, meaning.permanent ? "invalid_recipient" : "smsc_error"};
    case smpp::FaultOf::kSender:
      return {About::kSender, meaning.permanent ? "invalid_sender" : "smsc_error"};
    case smpp::FaultOf::kRoute:
      return {About::kRoute, "smsc_error"};
  }
  return {About::kRoute, "smsc_error"};
}

std::string_view ShownWord(std::string_view word) {
  const auto letter = [](char c) { return (c >= 'A' && c <= 'Z') || c == '_'; };
  return word.size() <= 10 && std::all_of(word.begin(), word.end(), letter) ? word : "not shown";
}

}  // namespace smsflow::gateway
