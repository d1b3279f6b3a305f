// What follows from the command_status of a submit that an SMSC refused (§5.1.3): is another attempt of use, and who or
// what is at fault. ESME_RTHROTTLED and ESME_RMSGQFUL come here only from a session that was stopping: else it waits.
//
// Values only. What one SMSC means by a status, above all by those of vendors (0x400 to 0x4ff), is configuration.
#pragma once

#include <cstdint>
#include <map>

#include "smpp/protocol.h"

namespace smsflow::smpp {

enum class FaultOf : std::uint8_t {
  kMessage,  // this text or these options: another recipient would not help
  kRecipient,
  kSender,
  kRoute,  // the SMSC, the way to it, or how it is configured
};

struct RefusalMeaning {
  bool permanent = false;  // the same submit would be refused again
  FaultOf fault = FaultOf::kRoute;
  bool operator==(const RefusalMeaning&) const = default;
};

class RefusalMap {
 public:
  RefusalMap() = default;

  void Map(CommandStatus status, RefusalMeaning meaning) { mapped_[status] = meaning; }

  // As it was mapped, else as the specification has it, else transient and the route's. `known` (may be null) becomes
  // false for the last: count it, and show the number to an operator.
  RefusalMeaning MeaningOf(CommandStatus status, bool* known = nullptr) const;

 private:
  std::map<CommandStatus, RefusalMeaning> mapped_;
};

}  // namespace smsflow::smpp
