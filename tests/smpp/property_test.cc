// What holds for every value: what was encoded is decoded the same, and texts come back whole.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "smpp/codec.h"
#include "smpp/framer.h"
#include "smpp/gsm.h"
#include "smpp/text.h"
#include "smpp/times.h"
#include "smpp/unicode.h"

namespace smsflow::smpp {
namespace {

// Without NUL, at most `most` octets.
std::string Text(std::size_t most) {
  const auto length = *rc::gen::inRange<std::size_t>(0, most + 1);
  return *rc::gen::container<std::string>(
      length, rc::gen::map(rc::gen::inRange(1, 256), [](int octet) { return static_cast<char>(octet); }));
}

std::string Octets(std::size_t most) {
  const auto length = *rc::gen::inRange<std::size_t>(0, most + 1);
  return *rc::gen::container<std::string>(
      length, rc::gen::map(rc::gen::inRange(0, 256), [](int octet) { return static_cast<char>(octet); }));
}

std::uint8_t Octet() { return static_cast<std::uint8_t>(*rc::gen::inRange(0, 256)); }

std::string Utf8(std::size_t most) {
  const auto length = *rc::gen::inRange<std::size_t>(0, most + 1);
  std::string text;
  for (std::size_t i = 0; i < length; ++i) {
    char32_t code_point = static_cast<char32_t>(*rc::gen::inRange(0, 0x110000 - 0x800));
    if (*rc::gen::inRange(0, 3) > 0) code_point %= 0x180;
    if (code_point >= 0xd800) code_point += 0x800;
    AppendUtf8(text, code_point);
  }
  return text;
}

RC_GTEST_PROP(SmppProperty, ASubmitIsDecodedAsItWasEncoded, ()) {
  const std::string service = Text(5), from = Text(20), to = Text(20), message = Octets(254), extra = Octets(40);
  Sm sm{.service_type = service, .short_message = message};
  sm.source = {.ton = Octet(), .npi = Octet(), .digits = from};
  sm.destination = {.ton = Octet(), .npi = Octet(), .digits = to};
  sm.esm_class = Octet();
  sm.protocol_id = Octet();
  sm.priority = Octet();
  sm.registered_delivery = Octet();
  sm.replace_if_present = Octet();
  sm.data_coding = Octet();
  sm.default_message_id = Octet();
  const auto validity = RelativeTime(*rc::gen::inRange<std::int64_t>(0, 3'000'000));
  if (validity) sm.validity_period = *validity;
  TlvWriter tlvs;
  tlvs.AddShort(Tag::kUserMessageReference, Octet());
  tlvs.Add(static_cast<Tag>(0x1400 + Octet()), extra);
  const Pdu pdu{.header = {.id = *rc::gen::element(CommandId::kSubmitSm, CommandId::kDeliverSm),
                           .status = CommandStatus::kOk,
                           .sequence = *rc::gen::arbitrary<std::uint32_t>()},
                .body = sm,
                .tlvs = tlvs.view()};
  std::string frame, again;
  RC_ASSERT(Encode(pdu, frame).ok());
  Refusal why;
  const auto decoded = Decode(frame, why);
  RC_ASSERT(decoded.ok());
  RC_ASSERT(Encode(*decoded, again).ok());
  RC_ASSERT(again == frame);
  const Sm& back = std::get<Sm>(decoded->body);
  RC_ASSERT(decoded->header.sequence == pdu.header.sequence);
  RC_ASSERT(back.short_message == message && back.source.digits == from && back.destination.digits == to);
  RC_ASSERT(back.service_type == service && back.validity_period == sm.validity_period);
  RC_ASSERT(back.esm_class == sm.esm_class && back.data_coding == sm.data_coding);
  RC_ASSERT(back.destination.ton == sm.destination.ton && back.default_message_id == sm.default_message_id);
  RC_ASSERT(decoded->tlvs.bytes() == pdu.tlvs.bytes());
}

RC_GTEST_PROP(SmppProperty, ABindIsDecodedAsItWasEncoded, ()) {
  const std::string id = Text(15), password = Text(8), type = Text(12), range = Text(40);
  const Pdu pdu{.header = {.id = CommandId::kBindTransceiver, .sequence = 1},
                .body = Bind{.system_id = id,
                             .password = password,
                             .system_type = type,
                             .interface_version = Octet(),
                             .range = {.ton = Octet(), .npi = Octet(), .digits = range}},
                .tlvs = {}};
  std::string frame;
  RC_ASSERT(Encode(pdu, frame).ok());
  Refusal why;
  const auto decoded = Decode(frame, why);
  RC_ASSERT(decoded.ok());
  const Bind& back = std::get<Bind>(decoded->body);
  RC_ASSERT(back.system_id == id && back.password == password && back.system_type == type);
  RC_ASSERT(back.range.digits == range && back.interface_version == std::get<Bind>(pdu.body).interface_version);
}

RC_GTEST_PROP(SmppProperty, AnythingIsEitherTakenOrRefusedWithAStatus, ()) {
  std::string frame = Octets(120);
  frame.insert(0, kHeaderBytes, '\0');
  frame[3] = static_cast<char>(frame.size());
  frame[4] = *rc::gen::element('\0', static_cast<char>(0x80));
  frame[7] = static_cast<char>(*rc::gen::inRange(0, 0x18));
  Refusal why;
  const auto pdu = Decode(frame, why);
  RC_ASSERT(pdu.ok() == why.field.empty());
  RC_ASSERT(pdu.ok() == (why.answer == CommandStatus::kOk));
}

RC_GTEST_PROP(SmppProperty, ATextComesBackFromItsParts, ()) {
  const std::string text = Utf8(400);
  const auto reference = *rc::gen::element(Reference::k8Bit, Reference::k16Bit);
  const auto coded = EncodeText(text);
  RC_ASSERT(coded.ok());
  RC_ASSERT(DecodeText(coded->data_coding, coded->octets) == text);
  const auto parts = Split(coded->octets, coded->alphabet, reference);
  RC_ASSERT(parts.ok());
  std::string joined;
  for (const std::string_view part : *parts) {
    const std::string header = ConcatenationHeader(
        {.reference = 9, .total = static_cast<std::uint8_t>(parts->size()), .number = 1}, reference);
    const std::size_t septets = part.size() + (header.size() * 8 + 6) / 7;
    const bool gsm = coded->alphabet == Alphabet::kGsm;
    const bool fits = gsm ? septets <= 160 : part.size() + header.size() <= 140;
    RC_ASSERT(fits || parts->size() == 1);
    joined += *DecodeText(coded->data_coding, part);  // each part alone: nothing is torn
  }
  RC_ASSERT(joined == text);
}

RC_GTEST_PROP(SmppProperty, TheFramerGivesBackWhatItWasGiven, ()) {
  std::string stream;
  std::vector<std::string> frames;
  const auto count = *rc::gen::inRange(1, 6);
  for (int i = 0; i < count; ++i) {
    const std::string message = Octets(254);
    const Pdu pdu{
        .header = {.id = CommandId::kSubmitSm, .sequence = 1}, .body = Sm{.short_message = message}, .tlvs = {}};
    frames.emplace_back();
    RC_ASSERT(Encode(pdu, frames.back()).ok());
    stream += frames.back();
  }
  Framer framer;
  std::size_t at = 0, next = 0;
  while (at < stream.size()) {
    const auto step = *rc::gen::inRange<std::size_t>(1, 300);
    framer.Append(std::string_view(stream).substr(at, step));
    at += step;
    while (const auto frame = framer.Next()) RC_ASSERT(*frame == frames[next++]);
  }
  RC_ASSERT(next == frames.size());
}

}  // namespace
}  // namespace smsflow::smpp
