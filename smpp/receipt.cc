#include "smpp/receipt.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "smpp/ascii.h"

namespace smsflow::smpp {
namespace {

struct Key {
  std::string_view name;  // a blank stands for any run of blanks, `_` and `-`, or none
  std::string_view ReceiptText::*value;
};
constexpr std::array kKeys = {
    Key{"id", &ReceiptText::id},
    Key{"sub", &ReceiptText::sub},
    Key{"dlvrd", &ReceiptText::dlvrd},
    Key{"submit date", &ReceiptText::submit_date},
    Key{"done date", &ReceiptText::done_date},
    Key{"stat", &ReceiptText::stat},
    Key{"status", &ReceiptText::stat},
    Key{"err", &ReceiptText::err},
    Key{"error", &ReceiptText::err},
    Key{"text", &ReceiptText::text},
};

bool IsSeparator(char c) { return IsBlank(c) || c == ',' || c == ';'; }

std::size_t SkipBlanks(std::string_view text, std::size_t at) {
  while (at < text.size() && IsBlank(text[at])) ++at;
  return at;
}

// Where the value begins when `name` and a colon stand at `at`; npos when not.
std::size_t AfterKey(std::string_view text, std::size_t at, std::string_view name) {
  for (const char wanted : name) {
    if (wanted == ' ') {
      while (at < text.size() && (IsBlank(text[at]) || text[at] == '_' || text[at] == '-')) ++at;
      continue;
    }
    if (at == text.size() || ToLower(text[at]) != wanted) {
      return std::string_view::npos;
    }
    ++at;
  }
  at = SkipBlanks(text, at);
  return at < text.size() && text[at] == ':' ? at + 1 : std::string_view::npos;
}

const Key* KeyAt(std::string_view text, std::size_t at, std::size_t& value_at) {
  for (const Key& key : kKeys) {
    value_at = AfterKey(text, at, key.name);
    if (value_at != std::string_view::npos) return &key;
  }
  return nullptr;
}

// From `at` up to the next key.
std::size_t NextKey(std::string_view text, std::size_t at) {
  std::size_t ignored = 0;
  for (; at < text.size(); ++at) {
    if ((at == 0 || IsSeparator(text[at - 1])) && KeyAt(text, at, ignored) != nullptr) return at;
  }
  return text.size();
}

// The value that begins at `at`: one word, which another key is not.
std::string_view WordAt(std::string_view text, std::size_t at) {
  at = SkipBlanks(text, at);
  std::size_t ignored = 0;
  if (at == text.size() || KeyAt(text, at, ignored) != nullptr) return {};
  std::size_t end = at;
  while (end < text.size() && !IsSeparator(text[end])) ++end;
  return text.substr(at, end - at);
}

struct StateWord {
  std::string_view word;
  MessageState state;
};
constexpr std::array kStateWords = {
    StateWord{"SCHEDULED", MessageState::kScheduled},       StateWord{"ENROUTE", MessageState::kEnroute},
    StateWord{"EN_ROUTE", MessageState::kEnroute},          StateWord{"DELIVRD", MessageState::kDelivered},
    StateWord{"DELIVERED", MessageState::kDelivered},       StateWord{"DELIVERD", MessageState::kDelivered},
    StateWord{"EXPIRED", MessageState::kExpired},           StateWord{"DELETED", MessageState::kDeleted},
    StateWord{"UNDELIV", MessageState::kUndeliverable},     StateWord{"UNDELIVERABLE", MessageState::kUndeliverable},
    StateWord{"UNDELIVERED", MessageState::kUndeliverable}, StateWord{"UNDELIVRD", MessageState::kUndeliverable},
    StateWord{"ACCEPTD", MessageState::kAccepted},          StateWord{"ACCEPTED", MessageState::kAccepted},
    StateWord{"UNKNOWN", MessageState::kUnknown},           StateWord{"REJECTD", MessageState::kRejected},
    StateWord{"REJECTED", MessageState::kRejected},         StateWord{"SKIPPED", MessageState::kSkipped},
};

bool Failed(ReceiptMeaning meaning) {
  return meaning == ReceiptMeaning::kFailedTransient || meaning == ReceiptMeaning::kFailedPermanent;
}

}  // namespace

std::optional<ReceiptText> ParseReceiptText(std::string_view text) {
  ReceiptText receipt;
  std::size_t at = NextKey(text, 0);
  while (at < text.size()) {
    std::size_t value_at = 0;
    const Key* key = KeyAt(text, at, value_at);
    if (key->value == &ReceiptText::text && !receipt.stat.empty()) {
      value_at = std::min(value_at, text.size());
      receipt.text = text.substr(value_at);  // to the end: it may have anything in it
      break;
    }
    const std::size_t next = NextKey(text, value_at);
    const bool whole = key->value == &ReceiptText::text;
    std::string_view& value = receipt.*key->value;
    // The first of several counts: the others stand in a text.
    if (value.empty()) value = whole ? text.substr(value_at, next - value_at) : WordAt(text, value_at);
    at = next;
  }
  if (receipt.id.empty() && receipt.stat.empty()) return std::nullopt;
  return receipt;
}

std::optional<MessageState> StateOfWord(std::string_view word) {
  for (const StateWord& known : kStateWords) {
    if (SameIgnoringCase(known.word, word)) return known.state;
  }
  if (word.size() == 1 && word[0] >= '0' && word[0] <= '9') return static_cast<MessageState>(word[0] - '0');
  return std::nullopt;
}

bool IsReceipt(std::uint8_t esm_class, const Tlvs& tlvs) {
  const std::uint8_t type = esm_class & kEsmTypeMask;
  return type == kEsmReceipt || type == kEsmIntermediate || tlvs.Find(Tag::kReceiptedMessageId).has_value();
}

std::optional<Receipt> ReadReceipt(const Pdu& pdu, const ReceiptParser* parser) {
  std::uint8_t esm_class = 0;
  std::string_view text;
  if (const Sm* sm = std::get_if<Sm>(&pdu.body); sm != nullptr && pdu.header.id == CommandId::kDeliverSm) {
    esm_class = sm->esm_class;
    text = UserDataOf(*sm, pdu.tlvs);
  } else if (const DataSm* data = std::get_if<DataSm>(&pdu.body)) {
    esm_class = data->esm_class;
    text = pdu.tlvs.Find(Tag::kMessagePayload).value_or(std::string_view());
  } else {
    return std::nullopt;
  }
  if (!IsReceipt(esm_class, pdu.tlvs)) return std::nullopt;

  Receipt receipt;
  receipt.intermediate = (esm_class & kEsmTypeMask) == kEsmIntermediate;
  receipt.tlv_id = pdu.tlvs.Text(Tag::kReceiptedMessageId).value_or(std::string_view());
  if (const auto state = pdu.tlvs.Octet(Tag::kMessageState); state && *state <= kMessageStateMax) {
    receipt.state = static_cast<MessageState>(*state);
  }
  if (const auto code = pdu.tlvs.Find(Tag::kNetworkErrorCode); code && code->size() == 3) {
    receipt.network_type = static_cast<std::uint8_t>((*code)[0]);
    receipt.network_error = static_cast<std::uint16_t>(static_cast<unsigned char>((*code)[1]) << 8 |
                                                       static_cast<unsigned char>((*code)[2]));
  }
  if (const auto parsed = parser != nullptr ? (*parser)(text) : ParseReceiptText(text)) {
    receipt.text_id = parsed->id;
    receipt.word = parsed->stat;
    receipt.error = parsed->err;
    if (!receipt.state) receipt.state = StateOfWord(parsed->stat);
  }
  if (receipt.tlv_id.empty() && receipt.text_id.empty() && !receipt.state && receipt.word.empty()) return std::nullopt;
  return receipt;
}

ReceiptMap::ReceiptMap()
    : states_{{MessageState::kScheduled, ReceiptMeaning::kUnderWay},
              {MessageState::kEnroute, ReceiptMeaning::kUnderWay},
              {MessageState::kDelivered, ReceiptMeaning::kDelivered},
              {MessageState::kExpired, ReceiptMeaning::kFailedTransient},
              {MessageState::kDeleted, ReceiptMeaning::kFailedTransient},
              {MessageState::kUndeliverable, ReceiptMeaning::kFailedTransient},
              {MessageState::kAccepted, ReceiptMeaning::kUnderWay},
              {MessageState::kUnknown, ReceiptMeaning::kInDoubt},
              {MessageState::kRejected, ReceiptMeaning::kFailedPermanent},
              {MessageState::kSkipped, ReceiptMeaning::kFailedTransient}},
      words_{{"FAILED", ReceiptMeaning::kFailedTransient}} {}

void ReceiptMap::MapWord(std::string_view word, ReceiptMeaning meaning) {
  if (const auto state = StateOfWord(word)) {
    states_[*state] = meaning;
  } else {
    words_[Upper(word)] = meaning;
  }
}

void ReceiptMap::MapError(std::string_view error, ReceiptMeaning meaning) {
  errors_[Upper(WithoutLeadingZeros(error))] = meaning;
}

ReceiptMeaning ReceiptMap::MeaningOf(const Receipt& receipt, bool* known) const {
  bool found = true;
  ReceiptMeaning meaning = ReceiptMeaning::kInDoubt;
  if (receipt.state) {
    const auto state = states_.find(*receipt.state);
    found = state != states_.end();
    if (found) meaning = state->second;
  } else {
    const auto word = words_.find(Upper(receipt.word));
    found = word != words_.end();
    if (found) meaning = word->second;
  }
  if (Failed(meaning) && !receipt.error.empty()) {
    const auto error = errors_.find(Upper(WithoutLeadingZeros(receipt.error)));
    if (error != errors_.end()) meaning = error->second;
  }
  if (known != nullptr) *known = found;
  return meaning;
}

}  // namespace smsflow::smpp
