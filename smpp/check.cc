// What a request must be beyond its form: §5.2 for the values, §5.3 for the lengths of TLVs.
#include <array>
#include <cstdint>

#include "smpp/codec.h"
#include "smpp/times.h"

namespace smsflow::smpp {
namespace {

struct KnownLength {
  Tag tag;
  std::size_t least, most;
};
constexpr std::array kKnownLengths = {
    KnownLength{Tag::kDestNetworkType, 1, 1},
    KnownLength{Tag::kSourceNetworkType, 1, 1},
    KnownLength{Tag::kAdditionalStatusInfoText, 1, 256},
    KnownLength{Tag::kReceiptedMessageId, 1, 65},
    KnownLength{Tag::kUserMessageReference, 2, 2},
    KnownLength{Tag::kSourcePort, 2, 2},
    KnownLength{Tag::kDestinationPort, 2, 2},
    KnownLength{Tag::kSarMsgRefNum, 2, 2},
    KnownLength{Tag::kLanguageIndicator, 1, 1},
    KnownLength{Tag::kSarTotalSegments, 1, 1},
    KnownLength{Tag::kSarSegmentSeqnum, 1, 1},
    KnownLength{Tag::kScInterfaceVersion, 1, 1},
    KnownLength{Tag::kNetworkErrorCode, 3, 3},
    KnownLength{Tag::kDeliveryFailureReason, 1, 1},
    KnownLength{Tag::kMoreMessagesToSend, 1, 1},
    KnownLength{Tag::kMessageState, 1, 1},
};

constexpr std::uint8_t kTonMax = 6;
constexpr std::uint8_t kPriorityMax = 3;
constexpr std::uint8_t kRegisteredDeliveryBits = 0x1f;

// §5.2.6
bool IsNpi(std::uint8_t npi) {
  switch (npi) {
    case 0:
    case 1:
    case 3:
    case 4:
    case 6:
    case 8:
    case 9:
    case 10:
    case 14:
    case 18:
      return true;
    default:
      return false;
  }
}

std::optional<Refusal> CheckLengths(const Tlvs& tlvs) {
  for (const Tlv& tlv : tlvs) {
    for (const KnownLength& known : kKnownLengths) {
      if (tlv.tag == known.tag && (tlv.value.size() < known.least || tlv.value.size() > known.most)) {
        return Refusal{CommandStatus::kInvalidTlvLength, "optional parameters",
                       "must have the length that the specification gives their tag"};
      }
    }
  }
  return std::nullopt;
}

// §2.10, §5.3.2.22 to §5.3.2.24: all three of SAR or none, numbered from 1 to the total.
std::optional<Refusal> CheckSar(const Tlvs& tlvs, std::uint8_t esm_class) {
  const bool reference = tlvs.Find(Tag::kSarMsgRefNum).has_value();
  const auto total = tlvs.Octet(Tag::kSarTotalSegments);
  const auto number = tlvs.Octet(Tag::kSarSegmentSeqnum);
  if (!reference && !total && !number) return std::nullopt;
  if (!reference || !total || !number) {
    return Refusal{CommandStatus::kMissingTlv, "sar_msg_ref_num, sar_total_segments, sar_segment_seqnum",
                   "must be there together"};
  }
  if (*number == 0 || *number > *total) {
    return Refusal{CommandStatus::kInvalidTlvValue, "sar_segment_seqnum", "must be 1 to sar_total_segments"};
  }
  if ((esm_class & kEsmUdhi) != 0) {
    return Refusal{CommandStatus::kTlvNotAllowed, "sar_msg_ref_num", "must not come with a user data header"};
  }
  return std::nullopt;
}

std::optional<Refusal> CheckSource(const Address& address) {
  if (address.ton > kTonMax) return Refusal{CommandStatus::kInvalidSourceTon, "source_addr_ton", "must be 0 to 6"};
  if (!IsNpi(address.npi)) return Refusal{CommandStatus::kInvalidSourceNpi, "source_addr_npi", "must be a known plan"};
  return std::nullopt;
}

std::optional<Refusal> CheckDestination(const Address& address) {
  if (address.ton > kTonMax) return Refusal{CommandStatus::kInvalidDestinationTon, "dest_addr_ton", "must be 0 to 6"};
  if (!IsNpi(address.npi)) {
    return Refusal{CommandStatus::kInvalidDestinationNpi, "dest_addr_npi", "must be a known plan"};
  }
  if (address.digits.empty()) {
    return Refusal{CommandStatus::kInvalidDestinationAddress, "destination_addr", "must not be empty"};
  }
  return std::nullopt;
}

std::optional<Refusal> CheckSm(const Sm& sm, const Tlvs& tlvs) {
  if (auto why = CheckSource(sm.source)) return why;
  if (auto why = CheckDestination(sm.destination)) return why;
  if (sm.priority > kPriorityMax) return Refusal{CommandStatus::kInvalidPriority, "priority_flag", "must be 0 to 3"};
  if (!sm.schedule_time.empty() && !ParseTime(sm.schedule_time)) {
    return Refusal{CommandStatus::kInvalidScheduledTime, "schedule_delivery_time", "must be YYMMDDhhmmsstnnp"};
  }
  if (!sm.validity_period.empty() && !ParseTime(sm.validity_period)) {
    return Refusal{CommandStatus::kInvalidValidityPeriod, "validity_period", "must be YYMMDDhhmmsstnnp"};
  }
  if ((sm.registered_delivery & ~kRegisteredDeliveryBits) != 0 || (sm.registered_delivery & kReceiptMask) == 3) {
    return Refusal{CommandStatus::kInvalidRegisteredDelivery, "registered_delivery", "must have no reserved bit set"};
  }
  if (sm.replace_if_present > 1) {
    return Refusal{CommandStatus::kInvalidReplaceFlag, "replace_if_present_flag", "must be 0 or 1"};
  }
  if (!sm.short_message.empty() && tlvs.Find(Tag::kMessagePayload)) {
    return Refusal{CommandStatus::kTlvNotAllowed, "message_payload", "must not come with a short_message"};
  }
  return CheckSar(tlvs, sm.esm_class);
}

}  // namespace

std::optional<Refusal> CheckRequest(const Pdu& pdu) {
  if (IsResponse(pdu.header.id)) return std::nullopt;
  if (pdu.header.sequence == 0 || pdu.header.sequence > kSequenceMax) {
    return Refusal{CommandStatus::kSystemError, "sequence_number", "must be 1 to 0x7fffffff"};
  }
  if (auto why = CheckLengths(pdu.tlvs)) return why;
  if (pdu.header.id == CommandId::kSubmitSm) {
    const Sm* sm = std::get_if<Sm>(&pdu.body);
    return sm == nullptr ? std::nullopt : CheckSm(*sm, pdu.tlvs);
  }
  const DataSm* data = std::get_if<DataSm>(&pdu.body);
  if (data == nullptr) return std::nullopt;
  if (auto why = CheckSource(data->source)) return why;
  if (auto why = CheckDestination(data->destination)) return why;
  return CheckSar(pdu.tlvs, data->esm_class);
}

}  // namespace smsflow::smpp
