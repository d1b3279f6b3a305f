// Delivery receipts (§2.11, Appendix B): what an SMSC says became of a message. They come as text, as TLVs, or both, in
// a deliver_sm or a data_sm, and no two providers write the text alike:
//
//   id:0123456789 sub:001 dlvrd:001 submit date:2601010000 done date:2601010001 stat:DELIVRD err:000 text:Hello
//
// Keys in any case and order, any of them missing, separated by blanks, line ends, commas or semicolons; dates of 10 or
// 12 digits, or none; `err` empty or of letters; a text that itself has keys. What says neither an id nor a state is no
// receipt.
//
// Values only, views into the PDU; safe from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "smpp/pdu.h"

namespace smsflow::smpp {

// As they stand in the text; empty where they do not. Dates are in the SMSC's own zone: no order follows from them.
struct ReceiptText {
  std::string_view id = {}, sub = {}, dlvrd = {}, submit_date = {}, done_date = {}, stat = {}, err = {}, text = {};
};

// nullopt when there is neither an id nor a state.
std::optional<ReceiptText> ParseReceiptText(std::string_view text);

// One that reads what a provider sends instead, such as values between commas.
using ReceiptParser = std::function<std::optional<ReceiptText>(std::string_view)>;

// The state that a word of Appendix B, or a usual way to write it, stands for; also a TLV's number. nullopt for others.
std::optional<MessageState> StateOfWord(std::string_view word);

struct Receipt {
  std::string_view tlv_id = {};            // receipted_message_id
  std::string_view text_id = {};           // of the text; either may be empty
  std::optional<MessageState> state = {};  // of the TLV, else of the text's word; nullopt: a word that nobody knows
  std::string_view word = {};              // the text's, whatever it says
  std::string_view error = {};             // the text's err, or empty
  std::uint8_t network_type = 0;           // network_error_code, 0 when it did not come
  std::uint16_t network_error = 0;
  bool intermediate = false;  // by its esm_class only a notification on the way
};

// Whether a deliver_sm or data_sm is a receipt: by its esm_class, or by its TLV receipted_message_id.
bool IsReceipt(std::uint8_t esm_class, const Tlvs& tlvs);

// nullopt when `pdu` is no receipt, or one that says neither an id nor a state. `parser` null: ParseReceiptText.
std::optional<Receipt> ReadReceipt(const Pdu& pdu, const ReceiptParser* parser = nullptr);

// What follows from a receipt.
enum class ReceiptMeaning : std::uint8_t {
  kUnderWay,  // progress, nothing is decided
  kDelivered,
  kFailedTransient,  // a later attempt may succeed
  kFailedPermanent,
  kInDoubt,  // the SMSC itself does not know
};

// The configurable map from states, words and error codes to meanings. What nobody mapped is kInDoubt and never
// dropped.
class ReceiptMap {
 public:
  // The usual meanings. ACCEPTD is under way here; some providers mean that it was delivered.
  ReceiptMap();

  // Words in any case; a word that stands for a state of the specification maps that state, TLV or text.
  void MapWord(std::string_view word, ReceiptMeaning meaning);
  // Of a receipt that says that it failed, this code decides how. As the provider writes it, leading zeros aside.
  void MapError(std::string_view error, ReceiptMeaning meaning);

  // `known` (may be null) becomes false when the meaning is only a guess: count it, and show the word to an operator.
  ReceiptMeaning MeaningOf(const Receipt& receipt, bool* known = nullptr) const;

 private:
  std::map<MessageState, ReceiptMeaning> states_;
  std::map<std::string, ReceiptMeaning, std::less<>> words_;   // upper case
  std::map<std::string, ReceiptMeaning, std::less<>> errors_;  // upper case, without leading zeros
};

}  // namespace smsflow::smpp
