// The text of a receipt, and the id in it.
#include <string>

#include "smpp/message_ids.h"
#include "smpp/receipt.h"
#include "smpp/times.h"
#include "tests/fuzz/fuzz.h"

namespace smpp = smsflow::smpp;
using smsflow::fuzz::Require;

namespace {

bool Within(std::string_view part, std::string_view whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void TryId(std::string_view id) {
  const std::string normal = smpp::NormalId(id);
  Require(smpp::NormalId(normal) == normal, "a normal form is normal");
  smpp::IdForms forms;
  const auto candidates = forms.Candidates(id, id);
  Require(candidates.size() <= 3, "an id reads in at most three ways");
  for (const auto& one : candidates) Require(smpp::NormalId(one.key) == one.key, "a key is normal");
  if (const auto decimal = smpp::ConvertId(id, smpp::IdForm::kFromHex)) {
    const auto hex = smpp::ConvertId(*decimal, smpp::IdForm::kFromDecimal);
    Require(hex && *hex == normal, "a number keeps its value");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = smsflow::fuzz::View(data, size);
  TryId(text);
  if (const auto time = smpp::ParseTime(text); time && !time->relative) {
    if (const auto again = smpp::AbsoluteTime(time->seconds)) {
      Require(smpp::ParseTime(*again)->seconds == time->seconds, "a time is read as it was written");
    }
  }
  const auto receipt = smpp::ParseReceiptText(text);
  if (!receipt) return 0;
  Require(!receipt->id.empty() || !receipt->stat.empty(), "a receipt says something");
  for (const auto part : {receipt->id, receipt->sub, receipt->dlvrd, receipt->submit_date, receipt->done_date,
                          receipt->stat, receipt->err, receipt->text}) {
    Require(Within(part, text), "what it says stands in the text");
  }
  TryId(receipt->id);
  (void)smpp::StateOfWord(receipt->stat);
  return 0;
}
