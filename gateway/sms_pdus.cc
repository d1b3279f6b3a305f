#include "gateway/sms_pdus.h"

#include <algorithm>
#include <utility>

#include "smpp/text.h"
#include "smpp/times.h"
#include "smpp/wiped.h"

namespace smsflow::gateway {
namespace {

constexpr std::uint8_t kTonAlphanumeric = 5;
constexpr std::size_t kLettersMax = 11;
constexpr std::size_t kDigitsMax = 20;
constexpr std::uint8_t kWithReceipt = 1;

bool IsDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool IsPrintable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace

SmsPdus::~SmsPdus() {
  smpp::Wipe(octets_);
  for (std::string& text : texts_) smpp::Wipe(text);
}

std::optional<Unreadable> SmsPdus::Make(const Sms& sms, const SmscOptions& options, std::int64_t left_ms,
                                        std::int64_t now_ms, std::uint16_t reference) {
  options_ = &options;
  if (auto why = Address(sms)) return why;
  if (auto why = Cut(sms, reference)) return why;
  std::optional<std::string> validity;
  if (options.validity == Validity::kRelative) validity = smpp::RelativeTime(left_ms / 1000);
  if (options.validity == Validity::kAbsolute) validity = smpp::AbsoluteTime((now_ms + left_ms) / 1000);
  validity_ = validity.value_or("");
  sm_.validity_period = validity_;
  sm_.service_type = options.service_type;
  sm_.registered_delivery = options.receipts ? kWithReceipt : 0;
  return std::nullopt;
}

std::optional<Unreadable> SmsPdus::Address(const Sms& sms) {
  const SmscOptions& options = *options_;
  sm_.destination = {options.destination_ton, options.destination_npi, sms.recipient.substr(1)};
  std::string_view sender = sms.sender.empty() ? std::string_view(options.source) : sms.sender;
  const std::string_view digits = sender.starts_with('+') ? sender.substr(1) : sender;
  if (sender.empty()) {
    sm_.source = {};
  } else if (IsDigits(digits) && digits.size() <= kDigitsMax) {
    sm_.source = {options.source_ton, options.source_npi, digits};
  } else if (!IsDigits(digits) && sender.size() <= kLettersMax && IsPrintable(sender)) {
    sm_.source = {kTonAlphanumeric, 0, sender};
  } else {
    return Unreadable{About::kSender, "invalid_sender"};
  }
  return std::nullopt;
}

std::optional<Unreadable> SmsPdus::Cut(const Sms& sms, std::uint16_t reference) {
  constexpr Unreadable kBad{About::kMessage, "invalid_message"};
  auto coded = smpp::EncodeText(sms.text.Reveal());
  if (!coded.ok()) return kBad;
  octets_ = std::move(coded->octets);
  sm_.data_coding = coded->alphabet == smpp::Alphabet::kGsm ? options_->gsm_coding : coded->data_coding;
  const auto width = options_->segments == Segments::kUdh16 ? smpp::Reference::k16Bit : smpp::Reference::k8Bit;
  const auto parts = smpp::Split(octets_, coded->alphabet, width);
  if (!parts.ok() || parts->size() > options_->segments_max) return kBad;
  const bool headers = parts->size() > 1 && options_->segments != Segments::kSar;
  if (headers) sm_.esm_class = smpp::kEsmUdhi;
  texts_.reserve(parts->size());
  tlvs_.resize(parts->size());
  for (std::size_t i = 0; i < parts->size(); ++i) {
    const smpp::Concatenation part{reference, static_cast<std::uint8_t>(parts->size()),
                                   static_cast<std::uint8_t>(i + 1)};
    const std::string header = headers ? smpp::ConcatenationHeader(part, width) : std::string();
    std::string& text = texts_.emplace_back(smpp::ToBeWiped(header.size() + (*parts)[i].size()));
    text.append(header).append((*parts)[i]);
    if (parts->size() > 1 && !headers) smpp::AddSar(part, tlvs_[i]);
  }
  return std::nullopt;
}

smpp::Pdu SmsPdus::Pdu(std::size_t index) {
  sm_.short_message = texts_[index];
  return {.header = {.id = smpp::CommandId::kSubmitSm}, .body = sm_, .tlvs = tlvs_[index].view()};
}

}  // namespace smsflow::gateway
