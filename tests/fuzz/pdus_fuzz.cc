// A byte stream from an SMSC or a client: cut into PDUs, decoded, written again. What was taken means the same when it
// is written again; what was refused says so with a status, and repeats nothing. A session that hears it tells of each
// submit what can be, and ends when it is stopped.
#include <map>
#include <string>
#include <vector>

#include "smpp/framer.h"
#include "smpp/receipt.h"
#include "smpp/session.h"
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

class SessionUnderFire {
 public:
  SessionUnderFire() : session_({.system_id = "e", .window = 2, .deliveries = 3}) {
    session_.Start(now_ms_);
    session_.Connected(now_ms_);
    const smpp::Pdu bound{
        .header = {.id = smpp::CommandId::kBindTransceiverResp, .sequence = 1}, .body = smpp::BindResp{}, .tlvs = {}};
    std::string frame;
    (void)smpp::Encode(bound, frame);
    session_.Received(frame, now_ms_);
    const smpp::Pdu submit{.header = {.id = smpp::CommandId::kSubmitSm}, .body = smpp::Sm{}, .tlvs = {}};
    for (smpp::SubmitToken token = 1; token <= 4; ++token) (void)session_.Submit(token, submit, 5000, now_ms_);
    Take();
  }

  void Hear(std::string_view bytes) {
    session_.Received(bytes, now_ms_);
    Take();
    now_ms_ += 50;
    session_.Tick(now_ms_);
    Take();
  }

  void End() {
    session_.Stop(now_ms_);
    Take();
    for (int i = 0; i < 100 && session_.NextDue(); ++i) {
      now_ms_ = std::max(now_ms_, *session_.NextDue());
      session_.Tick(now_ms_);
      Take();
    }
    Require(session_.state() == smpp::Session::State::kStopped, "a session that is stopped ends");
    for (smpp::SubmitToken token = 1; token <= 4; ++token) {
      const auto& told = outcomes_[token];
      Require(told.size() == 1 || (told.size() == 2 && told[0] == smpp::OutcomeKind::kUnknown),
              "a submit has one outcome, or one after unknown");
    }
  }

 private:
  void Take() {
    for (const smpp::Action& one : session_.TakeActions()) {
      if (const auto* outcome = std::get_if<smpp::action::Outcome>(&one))
        outcomes_[outcome->token].push_back(outcome->kind);
      if (const auto* delivery = std::get_if<smpp::action::Delivery>(&one)) {
        if (delivery->frame.size() % 2 == 0) session_.Acknowledge(delivery->key, smpp::CommandStatus::kOk, now_ms_);
      }
      if (const auto* send = std::get_if<smpp::action::Send>(&one)) {
        smpp::Refusal why;
        Require(smpp::Decode(send->bytes, why).ok(), "what a session says can be read");
      }
    }
  }

  std::int64_t now_ms_ = 0;
  smpp::Session session_;
  std::map<smpp::SubmitToken, std::vector<smpp::OutcomeKind>> outcomes_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view stream = smsflow::fuzz::View(data, size);
  if (stream.empty()) return 0;
  // Octet by octet now and then: it takes long.
  const std::size_t step = stream[0] == 0 ? 1 : static_cast<unsigned char>(stream[0]) | std::size_t{16};
  smpp::Framer framer(4096);
  SessionUnderFire session;
  std::size_t taken = 0;
  for (std::size_t at = 1; at < stream.size(); at += step) {
    framer.Append(stream.substr(at, step));
    session.Hear(stream.substr(at, step));
    while (const auto frame = framer.Next()) {
      Require(*frame == stream.substr(1 + taken, frame->size()), "frames are the stream, in order");
      taken += frame->size();
      TryFrame(*frame);
    }
    Require(framer.buffered() < 4096 + step, "what waits is bounded");
  }
  session.End();
  return 0;
}
