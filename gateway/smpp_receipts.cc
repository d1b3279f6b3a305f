// What an SMSC brings by itself, receipts and SMSes from phones: what they say, and whose they are to answer.
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/smpp_connection.h"
#include "gateway/smsc_words.h"
#include "smpp/codec.h"
#include "smpp/receipt.h"

namespace smsflow::gateway {
namespace {

using workflows::submission::Heard;

constexpr std::size_t kUnmappedWordsMax = 20;  // of which an operator is told, per connection

}  // namespace

void SmppCarrier::OnDelivery(Connection& connection, const smpp::action::Delivery& delivery) {
  smpp::Refusal why;
  const auto pdu = smpp::Decode(delivery.frame, why);
  std::string_view source, destination;
  std::uint8_t esm_class = 0;
  if (const auto* sm = pdu.ok() ? std::get_if<smpp::Sm>(&pdu->body) : nullptr) {
    source = sm->source.digits;
    destination = sm->destination.digits;
    esm_class = sm->esm_class;
  } else if (const auto* data = pdu.ok() ? std::get_if<smpp::DataSm>(&pdu->body) : nullptr) {
    source = data->source.digits;
    destination = data->destination.digits;
    esm_class = data->esm_class;
  }
  if (const auto receipt = pdu.ok() ? smpp::ReadReceipt(*pdu) : std::nullopt) {
    return events_->OnReceipt(ReceiptOf(connection, *receipt, source, destination), {connection.index, delivery.key});
  }
  if (!pdu.ok() || !smpp::IsReceipt(esm_class, pdu->tlvs)) return OnInbound(connection, delivery, destination);
  {
    const std::lock_guard lock(mutex_);
    ++connection.figures.unreadable;
  }
  // A receipt that says nothing is of no use a second time.
  connection.link->Acknowledge(delivery.key, smpp::CommandStatus::kOk);
}

void SmppCarrier::OnInbound(Connection& connection, const smpp::action::Delivery& delivery,
                            std::string_view destination) {
  const bool taken = inbound_ != nullptr && inbound_->Takes(connection.options.account, destination);
  {
    const std::lock_guard lock(mutex_);
    ++connection.figures.inbound;
    connection.figures.nobodys += taken ? 0 : 1;
  }
  if (!taken) return connection.link->Acknowledge(delivery.key, smpp::CommandStatus::kReceiverPermanentError);
  // Its key begins with the number of the connection's bind.
  const std::uint64_t bind = std::uint64_t{process_} << 32 | (delivery.key >> 32 & 0xffffff) << 8 | connection.index;
  inbound_->Take({connection.options.account, delivery.frame, bind, clock_.WallMs(),
                  [link = connection.link.get(), key = delivery.key](smpp::CommandStatus status) {
                    link->Acknowledge(key, status);
                  }});
}

SmscReceipt SmppCarrier::ReceiptOf(Connection& connection, const smpp::Receipt& receipt, std::string_view source,
                                   std::string_view destination) {
  bool known = true;
  auto meaning = connection.options.meanings.MeaningOf(receipt, &known);
  if (receipt.intermediate) meaning = smpp::ReceiptMeaning::kUnderWay;
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    ++connection.figures.receipts;
    connection.figures.unmapped += known ? 0 : 1;
    first = !known && connection.unmapped.size() < kUnmappedWordsMax &&
            connection.unmapped.emplace(ShownWord(receipt.word)).second;
  }
  if (first && notice_) {
    notice_(LogLevel::kWarn, absl::StrCat("smsc ", connection.options.name, ": a receipt says the state '",
                                          std::string(ShownWord(receipt.word)),
                                          "', which nobody mapped; see [smsc.states] in docs/gateway.md"));
  }
  SmscReceipt told{.account = connection.options.account,
                   .tlv_id = std::string(receipt.tlv_id),
                   .text_id = std::string(receipt.text_id),
                   .heard = HeardOf(meaning),
                   .recipient = TagOf(source),
                   .at_ms = clock_.WallMs(),
                   .destination = TagOf(destination)};
  if (told.heard == Heard::kFailed || told.heard == Heard::kFailedForGood) told.cause = CauseOf(receipt.state);
  return told;
}

}  // namespace smsflow::gateway
