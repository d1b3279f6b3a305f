#include "smpp/parts.h"

#include <algorithm>

namespace smsflow::smpp {
namespace {

int RankOf(ReceiptMeaning meaning) {
  switch (meaning) {
    case ReceiptMeaning::kInDoubt:
      return 0;
    case ReceiptMeaning::kUnderWay:
      return 1;
    case ReceiptMeaning::kFailedTransient:
      return 2;
    case ReceiptMeaning::kFailedPermanent:
      return 3;
    case ReceiptMeaning::kDelivered:
      return 4;
  }
  return 0;
}

using Part = std::optional<ReceiptMeaning>;

// Unheard parts are below all others.
bool Below(const Part& one, const Part& other) { return (one ? RankOf(*one) : -1) < (other ? RankOf(*other) : -1); }

bool Failed(const Part& part) {
  return part == ReceiptMeaning::kFailedTransient || part == ReceiptMeaning::kFailedPermanent;
}

Part WholeOf(const std::vector<Part>& parts) {
  Part failure;
  for (const Part& part : parts) {
    if (Failed(part) && Below(failure, part)) failure = part;
  }
  if (failure) return failure;
  const Part lowest = *std::min_element(parts.begin(), parts.end(), Below);
  if (lowest) return lowest;
  const bool heard = std::any_of(parts.begin(), parts.end(), [](const Part& part) { return part.has_value(); });
  return heard ? Part(ReceiptMeaning::kUnderWay) : std::nullopt;
}

}  // namespace

PartsReceipts::PartsReceipts(std::uint8_t parts, PartsRule rule)
    : rule_(rule), parts_(std::max<std::size_t>(1, parts)) {}

void PartsReceipts::Hear(std::uint8_t number, ReceiptMeaning meaning) {
  if (number == 0 || number > parts_.size()) return;
  Part& part = parts_[number - std::size_t{1}];
  if (Below(part, meaning)) part = meaning;
}

std::optional<ReceiptMeaning> PartsReceipts::Meaning() const {
  switch (rule_) {
    case PartsRule::kAll:
      return WholeOf(parts_);
    case PartsRule::kAny:
      return *std::max_element(parts_.begin(), parts_.end(), Below);
    case PartsRule::kFirst:
      return parts_.front();
    case PartsRule::kLast:
      return parts_.back();
  }
  return std::nullopt;
}

}  // namespace smsflow::smpp
