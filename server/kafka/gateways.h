// Gateways that announce themselves on `sms-status`: each is a peer of the engine, whose leases and probes leave on the
// partitions of `send-sms` that it alone reads. A lease is produced again until its gateway has said something of it;
// so nothing is lost with a broker, a producer or a topic.
//
// A gateway that was not heard for a while is away: nothing more is handed to it, what it holds stays its own. Another
// store of the same gateway is taken only then.
//
// Announced() and Tick() from one thread; Reported() and attached() from any.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "kafka/records.h"
#include "server/kafka/outlet.h"
#include "storage/index_keys.h"

namespace smsflow::server {

class Gateways {
 public:
  struct Options {
    std::string topic;
    std::set<std::string> names;              // that may announce themselves
    std::set<std::string> tenants;            // that there are
    std::int64_t repeat_ms = 30'000;          // of silence until a lease is produced again, and then longer
    std::int64_t silence_ms = 60'000;         // after which a gateway counts as away
    std::int64_t stuck_ms = 5'000;            // on its way for so long, more waits in the engine
    std::size_t silent_bytes_max = 64 << 20;  // of what is kept to be produced again, per gateway; more waits too
  };
  // All are borrowed, until Stop().
  struct Parts {
    engine::Engine* engine = nullptr;
    Outlet* outlet = nullptr;
    const storage::IndexKeys* index_keys = nullptr;
    const engine::Clock* clock = nullptr;
  };
  Gateways(Options options, Parts parts);
  ~Gateways();

  // `at_ms`: of the record. One of long ago says nothing of now.
  void Announced(const kafka::Announcement& announcement, std::int64_t at_ms);
  void Reported(const PeerId& peer, const AttemptId& attempt);
  void Tick();
  void Stop();

  std::size_t attached() const { return attached_; }  // any thread

 private:
  class Link;
  struct Peer {
    kafka::Announcement said;
    std::int64_t heard_ms = 0;
    std::shared_ptr<Link> link;
    std::unique_ptr<engine::PeerSession> session;
    bool was_full = false;
  };

  absl::Status Allowed(const kafka::Announcement& said) const;
  void Attach(const kafka::Announcement& said);
  void Detach(const std::string& gateway, std::string_view why);
  void Refuse(const kafka::Announcement& said, std::string_view why);

  const Options options_;
  const Parts parts_;
  std::map<std::string, Peer> peers_;  // by gateway
  std::atomic<std::size_t> attached_{0};
  std::int64_t ticked_ms_ = 0;
  std::map<std::string, std::string> refused_;  // and why, so that it is told once
  std::mutex links_mutex_;
  std::vector<std::shared_ptr<Link>> links_;  // for Reported()
};

// A gateway that knows neither stores nor attempts: handed each attempt once, and never again whatever happens, in the
// four fields that it takes.
class OldGateway {
 public:
  static const PeerId& Name();

  OldGateway(std::string topic, std::set<std::string> tenants, std::uint32_t window, Gateways::Parts parts);
  ~OldGateway();
  absl::Status Start();
  void Tick();
  void Stop();

 private:
  class Link;
  const std::set<std::string> tenants_;
  const std::uint32_t window_;
  const Gateways::Parts parts_;
  std::shared_ptr<Link> link_;
  std::unique_ptr<engine::PeerSession> session_;
  bool was_full_ = false;
};

}  // namespace smsflow::server
