// A byte stream from an SMSC or a client: cut into PDUs, decoded, written again. What was taken means the same when it
// is written again; what was refused says so with a status, and repeats nothing.
#include <string>

#include "smpp/framer.h"
#include "smpp/receipt.h"
#include "smpp/text.h"
#include "tests/fuzz/fuzz.h"

namespace smpp = smsflow::smpp;
using smsflow::fuzz::Require;

namespace {

void TryText(const smpp::Sm& sm, const smpp::Tlvs& tlvs) {
  const std::string_view data = smpp::UserDataOf(sm, tlvs);
  if ((sm.esm_class & smpp::kEsmUdhi) != 0) {
    if (const auto user = smpp::ReadUserData(data); user.ok()) {
      Require(user->header.size() + user->text.size() == data.size(), "a header and a text are the whole");
      if (user->part)
        Require(user->part->number >= 1 && user->part->number <= user->part->total, "a part is one of all");
    }
  }
  (void)smpp::DecodeText(sm.data_coding, data);
}

void TryFrame(std::string_view frame) {
  smpp::Refusal why;
  const auto pdu = smpp::Decode(frame, why);
  Require(pdu.ok() == why.field.empty(), "a refusal names its field");
  if (!pdu.ok()) {
    Require(why.answer != smpp::CommandStatus::kOk, "a refusal has a status");
    return;
  }
  (void)smpp::CheckRequest(*pdu);
  (void)smpp::ReadReceipt(*pdu);
  if (const auto* sm = std::get_if<smpp::Sm>(&pdu->body)) TryText(*sm, pdu->tlvs);
  std::string again, third;
  if (!smpp::Encode(*pdu, again).ok()) return;  // writing is the stricter of the two
  const auto reread = smpp::Decode(again, why);
  Require(reread.ok(), "what was written can be read");
  Require(smpp::Encode(*reread, third).ok() && third == again, "and means the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view stream = smsflow::fuzz::View(data, size);
  if (stream.empty()) return 0;
  const auto step = static_cast<unsigned char>(stream[0]) + std::size_t{1};
  smpp::Framer framer(4096);
  std::size_t taken = 0;
  for (std::size_t at = 1; at < stream.size(); at += step) {
    framer.Append(stream.substr(at, step));
    while (const auto frame = framer.Next()) {
      Require(*frame == stream.substr(1 + taken, frame->size()), "frames are the stream, in order");
      taken += frame->size();
      TryFrame(*frame);
    }
    Require(framer.buffered() < 4096 + step, "what waits is bounded");
  }
  return 0;
}
