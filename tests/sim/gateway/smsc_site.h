// The far side of a simulated gateway: the product's own SMSC simulator, the network between the two, and what the
// SMSC knows to be true. No socket, no thread: bytes are queues that a step moves, holds, cuts or loses.
//
// A SimSmscLink is the product's connection (smpp/session.h) with this network where its sockets would be.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "engine/seams.h"
#include "gateway/smsc_link.h"
#include "smpp/session.h"
#include "tools/smsc/smsc.h"

namespace smsflow::sim {

// One submit as the SMSC saw it.
struct SeenSubmit {
  std::uint64_t count = 0;  // the SMSC's own
  std::string destination;
  std::uint32_t part = 1, parts = 1;
  std::uint32_t status = 0;  // 0: taken
  std::int64_t at_ms = 0;    // on the steady clock
  std::string faults;
  std::vector<std::string> claimed;   // `stat` of each receipt that left
  std::vector<std::string> answered;  // of each that the client took over
};

std::string TextOf(const SeenSubmit& one);  // for a person to read

class SimSmscLink;

class SmscSite {
 public:
  SmscSite(smsc::Script script, engine::Clock& clock, std::mt19937_64& random);
  ~SmscSite();

  // Of a link, when it connects. `deaf`: nothing takes connections now.
  void Connect(SimSmscLink& link);
  void Send(SimSmscLink& link, std::string_view bytes);
  void Close(SimSmscLink& link);
  // The process is gone. What it had sent arrives, or only a part of it.
  void Gone(SimSmscLink& link);

  // Moves some of what is on its way; false: there was nothing.
  bool Step();
  // All connections break; of what is on its way a part still arrives.
  void Cut();
  void SetDown(bool down);  // takes no connection, and breaks those there are
  // Hears each submit as it leaves, before the network has it. Empty: nobody does.
  std::function<void(std::string_view destination)> leaving;
  void TellWhole() { whole_ = true; }  // from now on nothing is lost

  const std::deque<SeenSubmit>& seen() const { return seen_; }
  std::uint64_t bytes_moved() const { return moved_; }

 private:
  struct Wire {
    SimSmscLink* link = nullptr;  // null: its process, or its connection, is gone
    std::string to_smsc, to_client;
    bool closing = false;  // by the SMSC, once `to_client` is empty
    bool silent = false;
  };
  class TruthTeller;

  void Take();
  void Break(smsc::ConnectionId id);
  void Heard(const std::string& line);
  std::size_t SomeOf(std::size_t size);

  engine::Clock& clock_;
  std::mt19937_64& random_;
  std::unique_ptr<TruthTeller> truth_;
  smsc::Smsc smsc_;
  std::map<smsc::ConnectionId, Wire> wires_;
  std::map<SimSmscLink*, smsc::ConnectionId> of_link_;
  std::vector<SimSmscLink*>
      waiting_;  // to be connected, in turn: by their addresses each build would have its own order
  std::deque<SeenSubmit> seen_;
  smsc::ConnectionId next_ = 1;
  bool down_ = false, whole_ = false;
  std::uint64_t moved_ = 0;
};

class SimSmscLink : public gateway::SmscLink {
 public:
  SimSmscLink(const gateway::SmscLinkOptions& options, engine::Clock& clock, gateway::SmscLinkEvents& events,
              SmscSite& site)
      : session_(options.session), clock_(clock), events_(events), site_(site) {}
  ~SimSmscLink() override { site_.Gone(*this); }

  void Start() override { session_.Start(clock_.SteadyMs()); }
  [[nodiscard]] absl::Status Submit(smpp::SubmitToken token, const smpp::Pdu& pdu, std::int64_t deadline_ms,
                                    smpp::PartOf part) override {
    const absl::Status taken = session_.Submit(token, pdu, deadline_ms, clock_.SteadyMs(), part);
    SendAll();
    return taken;
  }
  smpp::Standing standing() override { return session_.standing(); }
  void Acknowledge(std::uint64_t key, smpp::CommandStatus status) override {
    session_.Acknowledge(key, status, clock_.SteadyMs());
  }
  // As a kill would: a graceful end is for tests with sockets.
  void Stop() override {}

  // Does what the session asked for, and tells what it has to tell; false: there was nothing.
  bool Step();

  // What the network tells.
  void OnConnected() {
    session_.Connected(clock_.SteadyMs());
    SendAll();
  }
  void OnClosed() { session_.Closed(clock_.SteadyMs()); }
  void OnBytes(std::string_view bytes) {
    session_.Received(bytes, clock_.SteadyMs());
    SendAll();
  }

 private:
  // What concerns the network is done at once: no time passes between the session's decision and that. The rest waits
  // for Step().
  void SendAll();

  smpp::Session session_;
  engine::Clock& clock_;
  gateway::SmscLinkEvents& events_;
  SmscSite& site_;
  std::vector<smpp::Action> actions_;  // not done yet
};

}  // namespace smsflow::sim
