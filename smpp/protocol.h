// The numbers of SMPP 3.4 (Short Message Peer to Peer Protocol Specification v3.4, as issued on 12 October 1999) that
// smsflow speaks of. In comments of this folder, a section sign stands for a section of that document.
//
// An enumerator's type has room for every value of the field, so one that is not listed is kept as it came.
#pragma once

#include <cstddef>
#include <cstdint>

namespace smsflow::smpp {

// §5.1.2.1
enum class CommandId : std::uint32_t {
  kGenericNack = 0x80000000,
  kBindReceiver = 0x00000001,
  kBindReceiverResp = 0x80000001,
  kBindTransmitter = 0x00000002,
  kBindTransmitterResp = 0x80000002,
  kQuerySm = 0x00000003,
  kQuerySmResp = 0x80000003,
  kSubmitSm = 0x00000004,
  kSubmitSmResp = 0x80000004,
  kDeliverSm = 0x00000005,
  kDeliverSmResp = 0x80000005,
  kUnbind = 0x00000006,
  kUnbindResp = 0x80000006,
  kReplaceSm = 0x00000007,
  kReplaceSmResp = 0x80000007,
  kCancelSm = 0x00000008,
  kCancelSmResp = 0x80000008,
  kBindTransceiver = 0x00000009,
  kBindTransceiverResp = 0x80000009,
  kOutbind = 0x0000000b,
  kEnquireLink = 0x00000015,
  kEnquireLinkResp = 0x80000015,
  kSubmitMulti = 0x00000021,
  kSubmitMultiResp = 0x80000021,
  kAlertNotification = 0x00000102,
  kDataSm = 0x00000103,
  kDataSmResp = 0x80000103,
};

inline constexpr std::uint32_t kResponseBit = 0x80000000;

constexpr bool IsResponse(CommandId id) { return (static_cast<std::uint32_t>(id) & kResponseBit) != 0; }
constexpr CommandId ResponseTo(CommandId id) {
  return static_cast<CommandId>(static_cast<std::uint32_t>(id) | kResponseBit);
}
// The three commands that open a session, not their responses.
constexpr bool IsBind(CommandId id) {
  return id == CommandId::kBindReceiver || id == CommandId::kBindTransmitter || id == CommandId::kBindTransceiver;
}

// §5.1.3
enum class CommandStatus : std::uint32_t {
  kOk = 0x00,
  kInvalidMessageLength = 0x01,
  kInvalidCommandLength = 0x02,
  kInvalidCommandId = 0x03,
  kIncorrectBindStatus = 0x04,
  kAlreadyBound = 0x05,
  kInvalidPriority = 0x06,
  kInvalidRegisteredDelivery = 0x07,
  kSystemError = 0x08,
  kInvalidSourceAddress = 0x0a,
  kInvalidDestinationAddress = 0x0b,
  kInvalidMessageId = 0x0c,
  kBindFailed = 0x0d,
  kInvalidPassword = 0x0e,
  kInvalidSystemId = 0x0f,
  kMessageQueueFull = 0x14,
  kInvalidServiceType = 0x15,
  kInvalidEsmClass = 0x43,
  kSubmitFailed = 0x45,
  kInvalidSourceTon = 0x48,
  kInvalidSourceNpi = 0x49,
  kInvalidDestinationTon = 0x50,
  kInvalidDestinationNpi = 0x51,
  kInvalidSystemType = 0x53,
  kInvalidReplaceFlag = 0x54,
  kThrottled = 0x58,
  kInvalidScheduledTime = 0x61,
  kInvalidValidityPeriod = 0x62,
  kReceiverTemporaryError = 0x64,
  kReceiverPermanentError = 0x65,
  kReceiverRejects = 0x66,
  kQueryFailed = 0x67,
  kInvalidTlvStream = 0xc0,
  kTlvNotAllowed = 0xc1,
  kInvalidTlvLength = 0xc2,
  kMissingTlv = 0xc3,
  kInvalidTlvValue = 0xc4,
  kDeliveryFailure = 0xfe,
  kUnknownError = 0xff,
};

// §5.3.2
enum class Tag : std::uint16_t {
  kDestNetworkType = 0x0006,
  kSourceNetworkType = 0x000e,
  kAdditionalStatusInfoText = 0x001d,
  kReceiptedMessageId = 0x001e,
  kUserMessageReference = 0x0204,
  kSourcePort = 0x020a,
  kDestinationPort = 0x020b,
  kSarMsgRefNum = 0x020c,
  kLanguageIndicator = 0x020d,
  kSarTotalSegments = 0x020e,
  kSarSegmentSeqnum = 0x020f,
  kScInterfaceVersion = 0x0210,
  kNetworkErrorCode = 0x0423,
  kMessagePayload = 0x0424,
  kDeliveryFailureReason = 0x0425,
  kMoreMessagesToSend = 0x0426,
  kMessageState = 0x0427,
};

// §5.2.28; kScheduled and kSkipped came with version 5.0.
enum class MessageState : std::uint8_t {
  kScheduled = 0,
  kEnroute = 1,
  kDelivered = 2,
  kExpired = 3,
  kDeleted = 4,
  kUndeliverable = 5,
  kAccepted = 6,
  kUnknown = 7,
  kRejected = 8,
  kSkipped = 9,
};
inline constexpr std::uint8_t kMessageStateMax = 9;

inline constexpr std::size_t kHeaderBytes = 16;
// Ours: message_payload of the largest length (§5.3.2.32), everything else at its longest, and room for the TLVs of
// vendors. A longer PDU ends the connection before memory is taken for it.
inline constexpr std::size_t kPduBytesMax = 128 * 1024;
inline constexpr std::size_t kShortMessageMax = 254;       // §5.2.21
inline constexpr std::uint32_t kSequenceMax = 0x7fffffff;  // §5.1.4
inline constexpr std::uint8_t kInterfaceVersion = 0x34;    // §5.2.4

// Sizes of C-octet strings, their NUL included (§4.1, §4.4).
inline constexpr std::size_t kSystemIdSize = 16;
inline constexpr std::size_t kPasswordSize = 9;
inline constexpr std::size_t kSystemTypeSize = 13;
inline constexpr std::size_t kAddressRangeSize = 41;
inline constexpr std::size_t kServiceTypeSize = 6;
inline constexpr std::size_t kAddressSize = 21;
inline constexpr std::size_t kDataAddressSize = 65;  // of data_sm
inline constexpr std::size_t kTimeSize = 17;
inline constexpr std::size_t kMessageIdSize = 65;

// §5.2.12, the bits of esm_class
inline constexpr std::uint8_t kEsmTypeMask = 0x3c;
inline constexpr std::uint8_t kEsmReceipt = 0x04;
inline constexpr std::uint8_t kEsmIntermediate = 0x20;
inline constexpr std::uint8_t kEsmUdhi = 0x40;
// §5.2.17, the bits of registered_delivery
inline constexpr std::uint8_t kReceiptMask = 0x03;
inline constexpr std::uint8_t kReceiptAlways = 0x01;
inline constexpr std::uint8_t kReceiptOnFailure = 0x02;

// The name that the specification gives it, as `submit_sm`; "unknown" for others. For logs.
const char* NameOf(CommandId id);
// As `ESME_RTHROTTLED`; null for what the specification does not name, such as the errors of vendors (0x400 to 0x4ff).
const char* NameOf(CommandStatus status);

}  // namespace smsflow::smpp
