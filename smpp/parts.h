// What became of an SMS that left in parts, from the receipts of its parts. Which of them come is the SMSC's habit, and
// therefore a setting of each route.
//
// Receipts may come in any order, again, and for a part that is none: a part's meaning only ever rises, along in doubt
// < under way < failed transiently < failed for good < delivered, so their order makes no difference. Values only.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "smpp/receipt.h"

namespace smsflow::smpp {

enum class PartsRule : std::uint8_t {
  kAll,    // each part has its receipt: delivered when all are, failed as soon as one has
  kAny,    // the SMSC sends one for the whole, about whichever part: the highest that is heard counts
  kFirst,  // only the first part's counts
  kLast,   // only the last part's
};

class PartsReceipts {
 public:
  // `parts` is 1 to 255.
  PartsReceipts(std::uint8_t parts, PartsRule rule);

  // `number` is 1 to parts; others are ignored.
  void Hear(std::uint8_t number, ReceiptMeaning meaning);

  // Of the whole. nullopt: nothing that counts was heard. With kAll, parts that disagree are under way until the last
  // one tells, but for a failure.
  std::optional<ReceiptMeaning> Meaning() const;

 private:
  const PartsRule rule_;
  std::vector<std::optional<ReceiptMeaning>> parts_;
};

}  // namespace smsflow::smpp
