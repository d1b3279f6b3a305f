#include "smpp/refusals.h"

#include <optional>

namespace smsflow::smpp {
namespace {

constexpr RefusalMeaning For(FaultOf fault) { return {.permanent = true, .fault = fault}; }
constexpr RefusalMeaning ForNow(FaultOf fault) { return {.permanent = false, .fault = fault}; }

std::optional<RefusalMeaning> AsSpecified(CommandStatus status) {
  switch (status) {
    case CommandStatus::kInvalidMessageLength:
    case CommandStatus::kInvalidCommandLength:
    case CommandStatus::kInvalidCommandId:
    case CommandStatus::kInvalidPriority:
    case CommandStatus::kInvalidRegisteredDelivery:
    case CommandStatus::kInvalidEsmClass:
    case CommandStatus::kInvalidReplaceFlag:
    case CommandStatus::kInvalidScheduledTime:
    case CommandStatus::kInvalidValidityPeriod:
    case CommandStatus::kReceiverPermanentError:
    case CommandStatus::kReceiverRejects:
    case CommandStatus::kInvalidTlvStream:
    case CommandStatus::kTlvNotAllowed:
    case CommandStatus::kInvalidTlvLength:
    case CommandStatus::kMissingTlv:
    case CommandStatus::kInvalidTlvValue:
      return For(FaultOf::kMessage);
    case CommandStatus::kInvalidDestinationAddress:
    case CommandStatus::kInvalidDestinationTon:
    case CommandStatus::kInvalidDestinationNpi:
      return For(FaultOf::kRecipient);
    case CommandStatus::kInvalidSourceAddress:
    case CommandStatus::kInvalidSourceTon:
    case CommandStatus::kInvalidSourceNpi:
      return For(FaultOf::kSender);
    case CommandStatus::kInvalidServiceType:
    case CommandStatus::kInvalidSystemType:
      return For(FaultOf::kRoute);
    case CommandStatus::kSubmitFailed:
    case CommandStatus::kReceiverTemporaryError:
    case CommandStatus::kDeliveryFailure:
      return ForNow(FaultOf::kMessage);
    // How the connection stands, or who we are to the SMSC: that is mended, and the SMS may go.
    case CommandStatus::kIncorrectBindStatus:
    case CommandStatus::kAlreadyBound:
    case CommandStatus::kBindFailed:
    case CommandStatus::kInvalidPassword:
    case CommandStatus::kInvalidSystemId:
    case CommandStatus::kSystemError:
    case CommandStatus::kMessageQueueFull:
    case CommandStatus::kThrottled:
    case CommandStatus::kUnknownError:
      return ForNow(FaultOf::kRoute);
    // Of other commands than a submit.
    case CommandStatus::kOk:
    case CommandStatus::kInvalidMessageId:
    case CommandStatus::kQueryFailed:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

RefusalMeaning RefusalMap::MeaningOf(CommandStatus status, bool* known) const {
  if (known != nullptr) *known = true;
  if (const auto it = mapped_.find(status); it != mapped_.end()) return it->second;
  if (const auto meaning = AsSpecified(status)) return *meaning;
  if (known != nullptr) *known = false;
  return ForNow(FaultOf::kRoute);
}

}  // namespace smsflow::smpp
