#include "tests/sim/gateway/smsc_site.h"

#include <algorithm>
#include <boost/json/src.hpp>  // the library is its headers here; nothing is linked
#include <utility>

#include "absl/strings/str_cat.h"
#include "smpp/codec.h"
#include "smpp/framer.h"

namespace smsflow::sim {

std::string TextOf(const SeenSubmit& one) {
  std::string text = absl::StrCat("submit ", one.count, ", part ", one.part, " of ", one.parts,
                                  one.status == 0 ? ", is taken" : ", is refused");
  if (!one.faults.empty()) absl::StrAppend(&text, "; faults: ", one.faults);
  for (const std::string& stat : one.claimed) absl::StrAppend(&text, "; receipt ", stat);
  for (const std::string& stat : one.answered) absl::StrAppend(&text, "; the gateway took receipt ", stat);
  return text;
}

class SmscSite::TruthTeller : public smsc::Truth {
 public:
  explicit TruthTeller(SmscSite& site) : site_(site) {}
  void Tell(const std::string& line) override { site_.Heard(line); }

 private:
  SmscSite& site_;
};

SmscSite::SmscSite(smsc::Script script, engine::Clock& clock, std::mt19937_64& random)
    : clock_(clock),
      random_(random),
      truth_(std::make_unique<TruthTeller>(*this)),
      smsc_(std::move(script), *truth_, clock.WallMs() / 1000) {}
SmscSite::~SmscSite() = default;

void SmscSite::Heard(const std::string& line) {
  const boost::json::object told = boost::json::parse(line).as_object();
  const std::string event(told.at("event").as_string());
  const auto number = [&](std::string_view name, std::uint64_t otherwise) {
    const auto* value = told.if_contains(name);
    return value == nullptr ? otherwise : value->to_number<std::uint64_t>();
  };
  if (event == "submit") {
    SeenSubmit one;
    one.count = number("submit", 0);
    one.destination = std::string(told.at("destination").as_string());
    one.part = static_cast<std::uint32_t>(number("part", 1));
    one.parts = static_cast<std::uint32_t>(number("parts", 1));
    one.status = static_cast<std::uint32_t>(number("status", 0));
    one.at_ms = clock_.SteadyMs();
    one.faults = std::string(told.at("faults").as_string());
    seen_.push_back(std::move(one));
    return;
  }
  if (event != "deliver" && event != "delivered") return;
  const std::uint64_t count = number("submit", 0);
  if (count == 0) return;  // inbound
  SeenSubmit& of = seen_.at(count - 1);
  const std::string stat(told.at("stat").as_string());
  if (event == "deliver") of.claimed.push_back(stat);
  if (event == "delivered" && number("status", 0) == 0) of.answered.push_back(stat);
}

void SmscSite::Connect(SimSmscLink& link) {
  if (std::find(waiting_.begin(), waiting_.end(), &link) == waiting_.end()) waiting_.push_back(&link);
}

void SmscSite::Send(SimSmscLink& link, std::string_view bytes) {
  // A session sends whole PDUs.
  smpp::Framer framer;
  framer.Append(bytes);
  for (auto frame = framer.Next(); frame && leaving; frame = framer.Next()) {
    smpp::Refusal why;
    const auto pdu = smpp::Decode(*frame, why);
    const auto* sm = pdu.ok() ? std::get_if<smpp::Sm>(&pdu->body) : nullptr;
    if (sm != nullptr) leaving(sm->destination.digits);
  }
  if (const auto it = of_link_.find(&link); it != of_link_.end()) wires_.at(it->second).to_smsc += bytes;
}

void SmscSite::Close(SimSmscLink& link) {
  std::erase(waiting_, &link);
  const auto it = of_link_.find(&link);
  if (it == of_link_.end()) return;
  wires_.at(it->second).link = nullptr;
  of_link_.erase(it);
}

void SmscSite::Gone(SimSmscLink& link) {
  const auto it = of_link_.find(&link);
  if (it != of_link_.end() && !whole_) {
    std::string& sent = wires_.at(it->second).to_smsc;
    sent.resize(SomeOf(sent.size()));
  }
  Close(link);
}

std::size_t SmscSite::SomeOf(std::size_t size) {
  if (size == 0 || whole_ || random_() % 3 == 0) return size;
  return static_cast<std::size_t>(random_() % (size + 1));
}

void SmscSite::Break(smsc::ConnectionId id) {
  Wire wire = std::move(wires_.at(id));
  wires_.erase(id);
  if (wire.link != nullptr) {
    of_link_.erase(wire.link);
    wire.link->OnBytes(std::string_view(wire.to_client).substr(0, SomeOf(wire.to_client.size())));
    wire.link->OnClosed();
  }
  if (const std::size_t size = SomeOf(wire.to_smsc.size()); size != 0)
    smsc_.Received(id, std::string_view(wire.to_smsc).substr(0, size), clock_.SteadyMs());
  smsc_.Disconnected(id, clock_.SteadyMs());
  Take();
}

void SmscSite::Cut() {
  while (!wires_.empty()) Break(wires_.begin()->first);
}

void SmscSite::SetDown(bool down) {
  down_ = down;
  if (down) Cut();
}

void SmscSite::Take() {
  for (smsc::Action& action : smsc_.TakeActions()) {
    const auto it = wires_.find(action.connection);
    if (it == wires_.end()) continue;
    switch (action.kind) {
      case smsc::Action::Kind::kSend:
        if (!it->second.closing) it->second.to_client += action.bytes;
        break;
      case smsc::Action::Kind::kClose:
        it->second.closing = true;
        break;
      case smsc::Action::Kind::kReset:
        it->second.to_client.clear();
        it->second.closing = true;
        break;
      case smsc::Action::Kind::kSilence:
        it->second.silent = true;
        break;
    }
  }
}

bool SmscSite::Step() {
  bool moved = false;
  for (SimSmscLink* link : std::exchange(waiting_, {})) {
    moved = true;
    if (down_) {
      link->OnClosed();
      continue;
    }
    const smsc::ConnectionId id = next_++;
    wires_[id].link = link;
    of_link_[link] = id;
    smsc_.Connected(id, clock_.SteadyMs());
    link->OnConnected();
  }
  smsc_.Tick(clock_.SteadyMs());
  Take();
  std::vector<smsc::ConnectionId> ids;
  for (const auto& [id, wire] : wires_) ids.push_back(id);
  for (const smsc::ConnectionId id : ids) {
    Wire& wire = wires_.at(id);
    if (const std::size_t size = SomeOf(wire.to_smsc.size()); size != 0 && !wire.silent) {
      const std::string bytes = wire.to_smsc.substr(0, size);
      wire.to_smsc.erase(0, size);
      moved_ += size;
      moved = true;
      smsc_.Received(id, bytes, clock_.SteadyMs());
      Take();
    }
    if (const std::size_t size = SomeOf(wire.to_client.size()); size != 0 && wire.link != nullptr) {
      const std::string bytes = wire.to_client.substr(0, size);
      wire.to_client.erase(0, size);
      moved_ += size;
      moved = true;
      wire.link->OnBytes(bytes);
    }
    const bool left = wire.link == nullptr && (wire.to_smsc.empty() || wire.silent);
    if (left || (wire.closing && wire.to_client.empty())) {
      moved = true;
      Break(id);
    }
  }
  return moved;
}

void SimSmscLink::SendAll() {
  for (smpp::Action& action : session_.TakeActions()) {
    if (auto* send = std::get_if<smpp::action::Send>(&action)) {
      site_.Send(*this, send->bytes);
    } else if (std::holds_alternative<smpp::action::Close>(action)) {
      site_.Close(*this);
    } else if (std::holds_alternative<smpp::action::Connect>(action)) {
      site_.Connect(*this);
    } else {
      actions_.push_back(std::move(action));
    }
  }
}

bool SimSmscLink::Step() {
  session_.Tick(clock_.SteadyMs());
  SendAll();
  const bool did = !actions_.empty();
  for (const smpp::Action& action : std::exchange(actions_, {})) {
    if (const auto* outcome = std::get_if<smpp::action::Outcome>(&action)) events_.OnOutcome(*outcome);
    if (const auto* delivery = std::get_if<smpp::action::Delivery>(&action)) events_.OnDelivery(*delivery);
    if (const auto* notice = std::get_if<smpp::action::Notice>(&action)) events_.OnNotice(*notice);
  }
  return did;
}

}  // namespace smsflow::sim
